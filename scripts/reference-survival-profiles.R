# Values that tests/analyses/test_survival_prediction.c holds survival of profiles to. Run by hand:
#   Rscript scripts/reference-survival-profiles.R
suppressMessages(library(survival))
cat(R.version.string, "survival", as.character(packageVersion("survival")), "\n")
lung <- read.csv("datasets/survival/lung.csv"); heart <- read.csv("datasets/survival/heart.csv")
row <- function(name, ...) cat(sprintf("%-34s", name), "{", paste(sprintf("%.15g", c(...)), collapse = ", "), "}\n")
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)
# By time: survival, its limits, cumulative hazard, its error. Then the median and its limits.
curve <- function(name, f, times) {
    s <- summary(f, times = times, extend = FALSE)
    for (t in seq_along(s$time))
        row(paste(name, s$time[t]), s$surv[t], s$lower[t], s$upper[t], s$cumhaz[t], s$std.chaz[t])
    row(paste(name, "median"), unlist(quantile(f, 0.5)))
}
for (ties in c("efron", "breslow")) {
    m <- coxph(Surv(time, status == 2) ~ log(age) + strata(sex) + ph.ecog, lung, ties = ties, control = tight)
    new <- data.frame(age = 60, sex = 1:2, ph.ecog = 1)
    for (g in 1:2) curve(paste(ties, "profile sex", g), survfit(m, new[g, ]), c(180, 365))
    zero <- coxph(Surv(time, status == 2) ~ age + ph.ecog, lung, ties = ties, control = tight)
    curve(paste(ties, "baseline"), survfit(zero, data.frame(age = 0, ph.ecog = 0)), c(180, 365))
    curve(paste(ties, "means"), survfit(zero), c(180, 365))
}
m <- coxph(Surv(start, stop, event) ~ age + factor(transplant), heart, control = tight)
curve("heart", survfit(m, data.frame(age = 5, transplant = 1)), c(10, 100))
cluster <- coxph(Surv(time, status == 2) ~ age + ph.ecog, subset(lung, !is.na(inst)), cluster = inst, control = tight)
curve("cluster", survfit(cluster, data.frame(age = 60, ph.ecog = 1)), c(180, 365))

# Accelerated failure times, robust errors by row and by institution; the quantile .5 and its error.
used <- subset(lung, !is.na(ph.ecog))
for (dist in c("weibull", "exponential", "lognormal", "loglogistic")) {
    fit <- function(...) survreg(Surv(time, status == 2) ~ age + ph.ecog, used, dist = dist,
                                 control = survreg.control(rel.tolerance = 1e-14, maxiter = 100), ...)
    m <- fit()
    row(paste(dist, "estimate"), coef(m), if (dist != "exponential") log(m$scale))
    row(paste(dist, "se"), sqrt(diag(vcov(m))))
    if (dist %in% c("weibull", "exponential")) { # by the delta method
        k <- length(coef(m)); b <- coef(m); v <- vcov(m)
        if (ncol(v) == k) v <- rbind(cbind(v, 0), 0)
        se <- sapply(2:k, function(j) sqrt(v[j, j] - 2 * b[j] * v[j, k + 1] + b[j]^2 * v[k + 1, k + 1]) / m$scale)
        row(paste(dist, "log hazard"), -b[-1] / m$scale, se)
    }
    row(paste(dist, "robust"), sqrt(diag(vcov(fit(robust = TRUE)))))
    row(paste(dist, "loglik"), m$loglik)
    p <- predict(m, data.frame(age = 60, ph.ecog = 1), type = "uquantile", p = 0.5, se.fit = TRUE)
    row(paste(dist, "log median"), p$fit, p$se.fit)
    z <- (log(c(180, 365)) - predict(m, data.frame(age = 60, ph.ecog = 1), type = "lp")) / m$scale
    row(paste(dist, "survival"), 1 - switch(dist, lognormal = pnorm(z), loglogistic = plogis(z), 1 - exp(-exp(z))))
    by <- subset(used, !is.na(inst))
    m <- survreg(Surv(time, status == 2) ~ age + ph.ecog + cluster(inst), by, dist = dist,
                 control = survreg.control(rel.tolerance = 1e-14, maxiter = 100))
    row(paste(dist, "cluster"), coef(m), sqrt(diag(vcov(m))))
}
