# tests/models/mixed_reference.h and mixed_crossed_reference.h, which test_mixed.c and test_mixed_crossed.c hold mixed models
# to, and the data sets in datasets/mixed.
# Run by hand at the top of the source tree: Rscript scripts/reference-mixed.R   (data: writes the data sets; crossed)
# Made with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2.
suppressMessages({library(lme4); library(lmerTest)})
if ("data" %in% commandArgs(TRUE)) {
    save_csv <- function(d, name)
        write.csv(d, file.path("datasets/mixed", paste0(name, ".csv")), row.names = FALSE, quote = FALSE)
    save_csv(sleepstudy, "sleepstudy")
    save_csv(Dyestuff, "dyestuff")
    save_csv(Dyestuff2, "dyestuff2")
    save_csv(Penicillin, "penicillin")
    save_csv(Pastes, "pastes")
    save_csv(cbpp, "cbpp")
    quit()
}
show <- function(name, ...)
    cat(paste(strwrap(sprintf("static const double %s[] = {%s};", gsub("[ ,]+", "_", name),
                              paste(sprintf("%.12g", c(...)), collapse = ", ")), 116, exdent = 4), collapse = "\n"), "\n", sep = "")
crossed <- "crossed" %in% commandArgs(TRUE)
guard <- if (crossed) "MIXED_CROSSED_REFERENCE_H" else "MIXED_REFERENCE_H"
cat("/* Made by scripts/reference-mixed.R with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2. */\n#ifndef BORDIN_TESTS_MODELS_", guard,
    "\n#define BORDIN_TESTS_MODELS_", guard, "\n\n", sep = "")
# lme4's optimisers stop where the deviance has 12 digits and theta 6; Newton's steps on the same deviance go on.
settled <- function(formula, data, reml, weights) {
    data$.w <- weights
    parts <- lFormula(formula, data, REML = reml, weights = .w)
    deviance <- do.call(mkLmerDevfun, c(parts, list(verbose = 0L)))
    theta <- optimizeLmer(deviance)$par
    if (min(theta[getME(lmer(formula, data, REML = reml, weights = .w), "lower") == 0]) > 1e-4)
        for (step in 1:4)
            theta <- theta - solve(numDeriv::hessian(deviance, theta), numDeriv::grad(deviance, theta))
    value <- deviance(theta)
    m <- mkMerMod(environment(deviance), list(par = theta, fval = value, conv = 0, feval = 1), parts$reTrms, parts$fr,
                  match.call(lmer, quote(lmer(formula = formula, data = data, REML = reml, weights = .w))))
    m@call$formula <- formula
    m@call$REML <- reml
    m@call$data <- data
    as_lmerModLmerTest(m)
}
if ("terms" %in% commandArgs(TRUE)) { # values in tests/analyses/test_mixed_regression.c
    sleepstudy$D <- factor(sleepstudy$Days)
    m <- settled(Reaction ~ D + (1 + Days | Subject), sleepstudy, TRUE, rep(1, 180))
    print(anova(m), digits = 12)
    print(unlist(pbkrtest::getKR(pbkrtest::KRmodcomp(m, cbind(0, diag(9))))), digits = 12)
    f <- settled(Reaction ~ D + (1 + Days | Subject), sleepstudy, FALSE, rep(1, 180))
    r <- settled(Reaction ~ 1 + (1 + Days | Subject), sleepstudy, FALSE, rep(1, 180))
    print(deviance(r) - deviance(f), digits = 12)
    print(anova(lm(Yield ~ Batch, Dyestuff)), digits = 12) # what the restricted likelihood ratio is monotone in
    quit()
}
fit <- function(name, formula, data, weights = rep(1, nrow(data))) {
    for (reml in c(TRUE, FALSE)) {
        m <- settled(formula, data, reml, weights)
        which <- paste(name, if (reml) "reml" else "ml")
        s <- coef(summary(m))
        show(paste(which, "fit"), if (reml) REMLcrit(m) else deviance(m, REML = FALSE), sigma(m))
        show(paste(which, "estimates"), s[, "Estimate"])
        show(paste(which, "se"), s[, "Std. Error"])
        show(paste(which, "df"), s[, "df"])
        show(paste(which, "p"), s[, "Pr(>|t|)"])
        if (nrow(s) == 2) { # a third contrast, the sum of the two, adds nothing
            j <- contestMD(m, rbind(diag(2), c(1, 1)))
            show(paste(which, "joint"), j[["F value"]], j$NumDF, j$DenDF, j[["Pr(>F)"]])
        }
        if (reml && all(weights == 1)) {
            v <- pbkrtest::vcovAdj(m)
            df <- sapply(seq_len(nrow(s)), function(j) pbkrtest::get_Lb_ddf(m, as.numeric(seq_len(nrow(s)) == j)))
            show(paste(which, "kenward_roger"), sqrt(diag(as.matrix(v))), df)
            if (nrow(s) == 2) {
                k <- unlist(pbkrtest::getKR(pbkrtest::KRmodcomp(m, diag(2))))
                show(paste(which, "kenward_roger_joint"), k["Fstat"], k["ndf"], k["ddf"], k["p.value"])
            }
        }
        v <- as.data.frame(VarCorr(m))
        show(paste(which, "covariances"), v$vcov)
        e <- as.data.frame(ranef(m, condVar = TRUE))
        for (group in if (crossed) unique(e$grpvar) else e$grpvar[1]) {
            own <- e[e$grpvar == group, ]
            own <- own[order(as.character(own$grp), own$term), ]
            if (!crossed) own <- e
            show(paste(which, if (crossed) sub(":", "_", group), "effects"), head(own$condval, 2), head(own$condsd, 2))
        }
    }
}
if (crossed) {
    i <- seq_len(nrow(Penicillin)) - 1
    Penicillin$x <- (i * 7) %% 10
    plate <- as.integer(Penicillin$plate)
    Penicillin$y <- Penicillin$diameter + Penicillin$x * ((plate * plate) %% 7 / 20 - as.integer(Penicillin$sample) / 15) +
        (i * i) %% 7 / 5
    Penicillin$block <- factor((i * i) %% 7)
    fit("penicillin", diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
    fit("pastes", strength ~ 1 + (1 | batch:cask) + (1 | batch), Pastes)
    fit("three", y ~ x + (1 | plate) + (1 | sample) + (1 | block), Penicillin, 1 + i %% 3)
    fit("slopes", y ~ x + (1 + x | plate) + (1 + x | sample), Penicillin)
    cat("\n#endif\n")
    quit()
}
sleepstudy$w <- 1 + (seq_len(nrow(sleepstudy)) - 1) %% 3 # weights, and unequal groups
uneven <- sleepstudy[(seq_len(nrow(sleepstudy)) * 7) %% 10 < 3 + as.integer(sleepstudy$Subject) %% 7, ]
fit("slopes", Reaction ~ Days + (1 + Days | Subject), sleepstudy)
fit("independent", Reaction ~ Days + (1 + Days || Subject), sleepstudy)
fit("weighted", Reaction ~ Days + (1 | Subject), sleepstudy, sleepstudy$w)
fit("uneven", Reaction ~ Days + (1 + Days | Subject), uneven)
fit("dyestuff", Yield ~ 1 + (1 | Batch), Dyestuff)
fit("dyestuff2", Yield ~ 1 + (1 | Batch), Dyestuff2)
cat("\n#endif\n")
