# Values that tests/analyses/test_discrete_time.c holds discrete-time hazards to: glm of the rows that survSplit makes, and
# sandwich's errors by patient or cluster. Run by hand: Rscript scripts/reference-discrete-time.R
suppressMessages({library(survival); library(sandwich)})
cat(R.version.string, "survival", as.character(packageVersion("survival")), "sandwich",
    as.character(packageVersion("sandwich")), "\n")
lung <- read.csv("datasets/survival/lung.csv"); rats <- read.csv("datasets/survival/rats.csv")
row <- function(name, ...) cat(sprintf("%-28s", name), "{", paste(sprintf("%.15g", c(...)), collapse = ", "), "}\n")
tight <- glm.control(epsilon = 1e-15, maxit = 100)
lung <- subset(lung, !is.na(ph.ecog)); lung$id <- seq_len(nrow(lung)); lung$status <- lung$status - 1
cuts <- c(180, 360, 540, 720)
long <- survSplit(Surv(time, status) ~ ., lung, cut = cuts, episode = "period")
long <- subset(long, period <= length(cuts))
# glm stops where the deviance stands, which is before the coefficients do: it goes on from there.
fit <- function(formula, link, data) {
    m <- glm(formula, binomial(link), data, control = tight)
    for (i in 1:30) m <- glm(formula, binomial(link), data, control = tight, start = coef(m))
    m
}
# Hazards, then survival and its limits, of age 60, ph.ecog 1.
predictions <- function(name, m, new, v) {
    x <- model.matrix(delete.response(terms(m)), new)
    link <- binomial(m$family$link); eta <- drop(x %*% coef(m)); h <- link$linkinv(eta)
    g <- apply(x * link$mu.eta(eta) / (1 - h), 2, cumsum); s <- cumprod(1 - h)
    se <- sqrt(rowSums((g %*% v) * g)); z <- qnorm(0.975); se_eta <- sqrt(rowSums((x %*% v) * x))
    row(paste(name, "hazard"), h); row(paste(name, "hazard low"), link$linkinv(eta - z * se_eta))
    row(paste(name, "survival"), s); row(paste(name, "survival low"), s * exp(-z * se))
}
for (link in c("logit", "cloglog")) {
    m <- fit(status ~ factor(period) - 1 + age + ph.ecog, link, long)
    null <- fit(status ~ factor(period) - 1, link, long)
    row(paste(link, "estimates"), coef(m)); row(paste(link, "errors"), sqrt(diag(vcov(m))))
    v <- vcovCL(m, cluster = long$id, type = "HC0")
    row(paste(link, "by patient"), sqrt(diag(v)))
    row(paste(link, "loglik, deviance, LR"), logLik(m), deviance(m), 2 * (logLik(m) - logLik(null)), AIC(m))
    predictions(link, m, data.frame(period = 1:4, age = 60, ph.ecog = 1), vcov(m))
}
# Whole weeks, smooth effects; litters.
weeks <- survSplit(Surv(time, status) ~ ., rats, cut = 1:103, episode = "period")
for (effect in c("period", "period + I(period^2)", "log(period)")) {
    m <- fit(as.formula(paste("status ~", effect, "+ rx")), "logit", weeks)
    row(effect, nrow(weeks), coef(m), sqrt(diag(vcov(m))))
    row(paste(effect, "litters"), sqrt(diag(vcovCL(m, cluster = weeks$litter, type = "HC0"))))
}
