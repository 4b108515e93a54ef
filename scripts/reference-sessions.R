# Values in tests/analyses/test_sessions.c: lmer, lmerTest and lme (autoregressive residuals), polished; CR2 of clubSandwich.
# Run by hand at the top of the source tree: Rscript scripts/reference-sessions.R
# Made with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, nlme 3.1-162, clubSandwich 0.5.8.
suppressMessages({library(lmerTest); library(nlme); library(clubSandwich)})
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14))
show <- function(name, x)
    cat(sprintf("static const double %s[] = {%s};\n", name, paste(sprintf("%.11g", x), collapse = ", ")))
# REML's criterion of standard deviations (groups', rows') and phi, with dense matrices: lmer and lme stop where it has 8 digits, and
# what varies 4. Newton's steps go on from where they stopped; df by Satterthwaite with phi as known.
polished <- function(d, formula, sds, phi, near) {
    X <- model.matrix(formula, d)
    groups <- lapply(c("id", "therapist")[seq_len(length(sds) - 1)], function(g) outer(d[[g]], d[[g]], "=="))
    apart <- abs(outer(d$session, d$session, "-"))
    V <- function(v) {
        R <- v[length(sds)]^2 * groups[[1]] * (if (length(v) > length(sds)) v[length(v)]^apart else apart == 0)
        for (k in seq_along(groups)) R <- R + v[k]^2 * groups[[k]]
        R
    }
    gls <- function(v) {
        U <- chol(V(v))
        x <- backsolve(U, X, transpose = TRUE)
        y <- backsolve(U, d$y, transpose = TRUE)
        C <- solve(crossprod(x))
        list(b = c(C %*% crossprod(x, y)), C = C, deviance = 2 * sum(log(diag(U))) - c(determinant(C)$modulus) +
             sum((y - x %*% C %*% crossprod(x, y))^2) + (nrow(X) - ncol(X)) * log(2 * pi))
    }
    v <- c(sds, phi)
    f <- function(v) gls(v)$deviance
    for (step in 1:4) v <- v - solve(numDeriv::hessian(f, v), numDeriv::grad(f, v))
    m <- gls(v)
    stopifnot(abs(m$deviance - near) < 1e-6 * abs(near))
    A <- 2 * solve(numDeriv::hessian(function(s) f(c(s, phi * 0 + v[-seq_along(sds)])), v[seq_along(sds)]))
    at <- match(c("within", "between"), colnames(X))
    row <- function(L) {
        g <- numDeriv::grad(function(s) c(t(L) %*% gls(c(s, v[-seq_along(sds)]))$C %*% L), v[seq_along(sds)])
        variance <- c(t(L) %*% m$C %*% L)
        c(sum(L * m$b), sqrt(variance), 2 * variance^2 / c(t(g) %*% A %*% g))
    }
    unit <- function(j) as.numeric(seq_len(ncol(X)) == j)
    list(values = c(row(unit(at[1])), row(unit(at[2])), m$deviance, v[-seq_along(sds)]), row = row, at = at, p = ncol(X))
}
sds <- function(m) sqrt(c(unlist(lapply(VarCorr(m), c)), sigma(m)^2))
study <- function(name, d, covariates, levels) {
    d <- d[!is.na(d$y) | !is.na(d$x), ]
    d$mean <- ave(d$x, d$id, FUN = function(x) mean(x, na.rm = TRUE))
    d$before <- d$x[match(paste(d$id, d$session - 1), paste(d$id, d$session))]
    x <- d[!is.na(d$x), ]
    size <- table(x$id)
    a <- anova(lm(x ~ factor(id), x))$`Mean Sq`
    variance <- (a[1] - a[2]) / ((nrow(x) - sum(size^2) / nrow(x)) / (length(size) - 1))
    sessions <- 1 / mean(1 / size)
    reliability <- variance / (variance + a[2] / sessions)
    r <- d[!is.na(d$y) & !is.na(d$before), ]
    r <- r[order(r$id, r$session), ]
    r$within <- r$before - r$mean
    r$between <- r$mean
    with <- function(trend, random)
        as.formula(paste("y ~", paste(c(covariates, trend, "within", "between", random), collapse = " + ")))
    for (trend in c("none", "session", "factor(session)")) {
        term <- if (trend == "none") NULL else trend
        m <- lmer(with(term, levels), r, control = tight)
        found <- polished(r, with(term, NULL), sds(m), NULL, REMLcrit(m))
        stopifnot(max(abs(found$values[1:6] / t(coef(summary(m))[c("within", "between"), 1:3]) - 1)) < 1e-3)
        show(paste(name, make.names(trend), sep = "_"), found$values)
        if (trend == "session") linear <- found
    }
    nested <- if (length(levels) > 1) ~ 1 | therapist/id else ~ 1 | id
    ar <- lme(with("session", NULL), random = nested, data = r, method = "REML",
              correlation = corAR1(0.1, if (length(levels) > 1) ~ session | therapist/id else ~ session | id))
    v <- as.numeric(VarCorr(ar)[, "StdDev"])
    v <- v[!is.na(v)]
    if (length(levels) > 1) v <- v[c(2, 1, 3)]
    show(paste0(name, "_ar"), polished(r, with("session", NULL), v, coef(ar$modelStruct$corStruct, unconstrained = FALSE),
                                       c(-2 * logLik(ar)))$values)
    gap <- which(r$id[-1] == r$id[-nrow(r)] & diff(r$session) == 1) + 1
    changes <- data.frame(y = r$y[gap] - r$y[gap - 1], within = r$within[gap] - r$within[gap - 1], id = r$id[gap])
    for (v in covariates) changes[[v]] <- r[[v]][gap] - r[[v]][gap - 1]
    ols <- lm(as.formula(paste("y ~", paste(c(covariates, "within"), collapse = " + "))), changes)
    show(paste0(name, "_changes"), c(nrow(changes), unlist(coef_test(ols, vcov = "CR2", cluster = changes$id)["within",
                                                           c("beta", "SE", "df_Satt")])))
    show(paste0(name, "_means"), c(nrow(r), length(unique(r$id)), sessions, reliability))
    L <- rep(0, linear$p)
    L[linear$at] <- c(-(1 - reliability), 1) / reliability
    show(paste0(name, "_adjusted"), linear$row(L))
}
d <- read.csv("datasets/sessions/planted.csv")
study("planted", data.frame(id = d$patient, therapist = d$therapist, session = d$session, x = d$alliance, y = d$outcome,
                            rupture = d$rupture), "rupture", c("(1 | id)", "(1 | therapist)"))
d <- read.csv("datasets/sessions/chat_patients.csv")
study("chat", data.frame(id = d$pairing_id, session = d$session, x = d$srs_total, y = d$sure_total), NULL, "(1 | id)")
