# Values that tests/analyses/test_mixed_regression.c holds mixed regression to.
# Run by hand at the top of the source tree: Rscript scripts/reference-mixed-analysis.R
# Made with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, performance 0.10.2 where it is there.
suppressMessages({library(lme4); library(lmerTest)})
show <- function(name, ...) cat(sprintf("%-28s", name), paste(sprintf("%.10g", c(...)), collapse = ", "), "\n")
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 100000), calc.derivs = FALSE)
split <- function(m, g) { # Rights & Sterba's parts: fitted values and slopes within groups and between them
    f <- as.vector(model.matrix(m) %*% fixef(m))
    z <- model.matrix(m)[, colnames(VarCorr(m)[[1]]), drop = FALSE]
    means <- apply(z, 2, function(v) ave(v, g))
    V <- VarCorr(m)[[1]]
    n <- length(f)
    show("split", var(f - ave(f, g)), var(ave(f, g)), sum(diag(V %*% crossprod(z - means))) / (n - 1),
         sum(diag(V %*% crossprod(means))) / n)
}
d <- read.csv("datasets/jobs2_mediation/jobs.csv")
d$b <- ave(d$econ_hard, d$occp); d$w <- d$econ_hard - d$b
m <- lmer(depress2 ~ w + b + depress1 + (1 | occp), d, control = tight)
show("jobs coefficients", fixef(m))
s <- contest1D(m, c(0, -1, 1, 0))
show("contextual", s$Estimate, s[["Std. Error"]], s$df, s$t, s[["Pr(>|t|)"]])
split(m, d$occp)
r <- ranova(m)
show("ranova jobs", r$LRT[2])
m <- lmer(Reaction ~ Days + (1 + Days | Subject), sleepstudy, control = tight)
show("ranova slopes", ranova(m)$LRT[2])
x <- model.matrix(m)
random <- mean(rowSums((x %*% VarCorr(m)$Subject) * x))
fixed <- var(as.vector(x %*% fixef(m)))
show("shares", random / (random + sigma(m)^2), fixed / (fixed + random + sigma(m)^2),
     (fixed + random) / (fixed + random + sigma(m)^2))
split(m, sleepstudy$Subject)
if (requireNamespace("performance", quietly = TRUE)) show("performance", unlist(performance::r2_nakagawa(m)))
m <- lmer(Yield ~ 1 + (1 | Batch), Dyestuff, control = tight)
show("ranova dyestuff", ranova(m)$LRT[2])
show("icc dyestuff", as.data.frame(VarCorr(m))$vcov[1] / sum(as.data.frame(VarCorr(m))$vcov))
show("AIC, BIC dyestuff ml", AIC(refitML(m)), BIC(refitML(m)))
