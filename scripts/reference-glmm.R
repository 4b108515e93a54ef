# tests/models/glmm_reference.h, which test_glmm.c holds generalised mixed models to: lme4's Laplace approximation and
# quadrature with canonical links, glmmTMB's Laplace approximation (observed Hessian) with others.
# Run by hand at the top of the source tree: Rscript scripts/reference-glmm.R > tests/models/glmm_reference.h
suppressMessages({library(lme4); library(glmmTMB)})
show <- function(name, ...)
    cat(paste(strwrap(sprintf("static const double %s[] = {%s};", name, paste(sprintf("%.12g", c(...)), collapse = ", ")),
                      116, exdent = 4), collapse = "\n"), "\n", sep = "")
cat(sprintf("/* Made by scripts/reference-glmm.R with R 4.2.2, lme4 %s, glmmTMB %s. */\n", packageVersion("lme4"),
            packageVersion("glmmTMB")), "#ifndef BORDIN_TESTS_MODELS_GLMM_REFERENCE_H\n#define BORDIN_TESTS_MODELS_GLMM_REFERENCE_H\n\n", sep = "")
tight <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e6), tolPwrss = 1e-14)
# Newton's steps on lme4's deviance in theta and beta, from where its optimiser stops.
with_lme4 <- function(name, formula, data, family, nodes = 1) {
    m <- glmer(formula, data, family, nAGQ = nodes, control = tight)
    f <- update(m, devFunOnly = TRUE)
    x <- c(getME(m, "theta"), fixef(m))
    if (min(x[seq_along(getME(m, "theta"))][getME(m, "lower")[seq_along(getME(m, "theta"))] == 0]) > 1e-3)
        for (step in 1:3) x <- x - solve(numDeriv::hessian(f, x), numDeriv::grad(f, x))
    f(x)
    h <- numDeriv::hessian(f, x)
    k <- length(getME(m, "theta"))
    show(paste0(name, "_fit"), f(x), x, sqrt(diag(2 * solve(h)))[-seq_len(k)])
    if (nodes == 1) {
        show(paste0(name, "_effects"), as.numeric(t(as.matrix(ranef(m)[[1]])))[1:2])
    }
}
with_tmb <- function(name, formula, data, family) {
    m <- glmmTMB(formula, data, family, control = glmmTMBControl(optCtrl = list(rel.tol = 1e-15, x.tol = 1e-12, iter.max = 1000, eval.max = 2000)))
    s <- summary(m)$coefficients$cond
    v <- VarCorr(m)$cond[[1]]
    show(paste0(name, "_fit"), -2 * as.numeric(logLik(m)), attr(v, "stddev"), s[, 1], s[, 2], sigma(m))
}
i <- seq_len(180) - 1
group <- as.integer(sleepstudy$Subject)
sleepstudy$slow <- as.integer(sleepstudy$Reaction + (i * 37) %% 101 > 350)
sleepstudy$count <- floor(((i * 7919) %% 101)^2 / 700 + 4 * (group %% 4))
sleepstudy$x <- sleepstudy$Days / 10
with_lme4("cbpp", cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
with_lme4("cbpp_5", cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial, 5)
with_lme4("cbpp_25", cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial, 25)
with_lme4("slopes", slow ~ x + (1 + x | Subject), sleepstudy, binomial)
# lme4's and glmmTMB's optima differ in the sixth digit here: the same deviance with modes to the last digit.
exact_poisson <- function(name, y, x, g) {
    deviance <- function(p) sum(sapply(split(seq_along(y), g), function(i) {
        eta <- p[2] + p[3] * x[i]
        u <- 0
        for (step in 1:100) {
            mu <- exp(eta + p[1] * u)
            u <- u - (u - p[1] * sum(y[i] - mu)) / (1 + p[1]^2 * sum(mu))
        }
        mu <- exp(eta + p[1] * u)
        -2 * sum(dpois(y[i], mu, log = TRUE)) + u^2 + log(1 + p[1]^2 * sum(mu))
    }))
    p <- nlminb(c(0.5, 2.2, 0), deviance, control = list(rel.tol = 1e-15))$par
    for (step in 1:4) p <- p - solve(numDeriv::hessian(deviance, p), numDeriv::grad(deviance, p))
    show(paste0(name, "_fit"), deviance(p), p, sqrt(diag(2 * solve(numDeriv::hessian(deviance, p))))[-1])
}
exact_poisson("poisson", sleepstudy$count, sleepstudy$x, sleepstudy$Subject)
with_tmb("probit", slow ~ x + (1 | Subject), sleepstudy, binomial("probit"))
with_tmb("cloglog", slow ~ x + (1 | Subject), sleepstudy, binomial("cloglog"))
with_tmb("negbin", count ~ x + (1 | Subject), sleepstudy, nbinom2)
cat("\n#endif\n")
