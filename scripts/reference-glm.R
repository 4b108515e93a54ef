# The values that tests/models/test_glm*.c hold models to:
# Rscript scripts/reference-glm.R > tests/models/glm_reference.h
# Made with R 4.2.2, MASS 7.3-58.2, sandwich 3.0-2, clubSandwich 0.5.8; run from the top of the source tree.
suppressMessages({library(MASS); library(sandwich); library(clubSandwich)})
options(warn = 1)
cat("/* Made by scripts/reference-glm.R with", paste0("R ", getRversion()), "*/\n")
cat("#ifndef BORDIN_TESTS_MODELS_GLM_REFERENCE_H\n#define BORDIN_TESTS_MODELS_GLM_REFERENCE_H\n\n")
show <- function(name, ...) {
    x <- unname(c(...))
    text <- ifelse(is.finite(x), sprintf("%.17g", x), ifelse(is.nan(x) | is.na(x), "NAN", "INFINITY"))
    line <- paste0("static const double ", name, "[] = {", paste(text, collapse = ", "), "};")
    writeLines(strwrap(line, 120, exdent = 4))
}

# glm stops when the deviance stands, which is when coefficients have half of their digits; this one takes 60 steps more
thorough <- function(..., start = NULL, control) suppressWarnings({
    f <- glm.fit(..., start = start, control = glm.control(epsilon = 1e-15, maxit = 200))
    for (k in 1:60) f <- glm.fit(..., start = f$coefficients, control = glm.control(epsilon = 1e-300, maxit = 1))
    f
})

# the sixty rows of tests/models/glm_sample.h
i <- 0:59
g <- floor(sqrt(i))
x1 <- (i * 37) %% 101 / 10
x2 <- (i * i * 13) %% 89 / 7 + 0.3 * x1
z <- g %% 2
noise <- ((i * 59) %% 97 - 48) / 48
binary <- as.numeric(x1 / 4 - x2 / 8 + z / 2 + 2.5 * noise > 0.3)
count <- floor(exp(0.2 * x1 - 0.05 * x2 + z / 3 + 0.9 * noise))
positive <- exp(0.1 * x1 + 0.02 * x2 - z / 4 + 0.5 * noise)
share <- round(64 / (1 + exp(1 - 0.3 * x1 + 0.1 * x2 - noise))) / 64
share[1] <- 0
share[2] <- 1
trials <- 1 + (i * 7) %% 12
successes <- floor(trials * (share + 0.05))
successes <- pmin(trials, successes)
normal <- 2 + 0.5 * x1 - 0.25 * x2 + z + 2 * noise
offset <- log(1 + i %% 7)
w <- 1 + i %% 5 / 2

# coefficients, classical errors, statistic, p; deviance, null deviance, log-likelihood, AIC, BIC, dispersion
fit_values <- function(name, fit) {
    table <- summary(fit)$coefficients
    show(paste0(name, "_estimate"), coef(fit))
    show(paste0(name, "_se"), table[, 2])
    show(paste0(name, "_p"), table[, 4])
    pearson <- sum(residuals(fit, "pearson")^2) / fit$df.residual
    quasi <- grepl("quasi", family(fit)$family)
    ll <- if (quasi) NA else as.numeric(logLik(fit))
    show(paste0(name, "_fit"), deviance(fit), fit$null.deviance, ll, if (quasi) NA else AIC(fit),
         if (quasi) NA else BIC(fit), pearson)
}
errors <- function(name, fit) {
    for (type in c("HC0", "HC1", "HC2", "HC3", "HC4"))
        show(paste0(name, "_", tolower(type)), sqrt(diag(vcovHC(fit, type = type))))
    for (type in c("CR0", "CR1", "CR2"))
        show(paste0(name, "_", tolower(type)), sqrt(diag(vcovCR(fit, cluster = g, type = type))))
    show(paste0(name, "_cr2_df"), coef_test(fit, vcovCR(fit, cluster = g, type = "CR2"), test = "Satterthwaite")$df_Satt)
}
fit <- function(...) eval.parent(substitute(glm(..., method = thorough)))

for (link in c("logit", "probit", "cloglog", "cauchit")) {
    f <- fit(binary ~ x1 + x2 + z, binomial(link))
    fit_values(paste0("binomial_", link), f)
    if (link %in% c("logit", "probit")) errors(paste0("binomial_", link), f)
}
f <- fit(1 - binary ~ x1 + x2 + z, binomial("cloglog")) # loglog of binary, with the sign turned
show("binomial_loglog_estimate", -coef(f))
show("binomial_loglog_se", summary(f)$coefficients[, 2])
f <- fit(cbind(successes, trials - successes) ~ x1 + x2 + z, binomial)
fit_values("trials_logit", f)
errors("trials_logit", f)
f <- suppressWarnings(fit(binary ~ x1 + x2 + z, binomial, weights = w))
show("weighted_logit_estimate", coef(f))
show("weighted_logit_se", summary(f)$coefficients[, 2])
show("weighted_logit_hc3", sqrt(diag(vcovHC(f, type = "HC3"))))
f <- suppressWarnings(fit(share ~ x1 + x2 + z, quasibinomial))
fit_values("fractional", f)
errors("fractional", f)
f <- fit(count ~ x1 + x2 + z + offset(offset), poisson)
fit_values("poisson_log", f)
errors("poisson_log", f)
f <- fit(count ~ x1 + x2 + z, poisson("sqrt"), start = c(1, 0.01, 0, 0.1))
fit_values("poisson_sqrt", f)
f <- fit(count ~ x1 + x2 + z, poisson("identity"), start = c(1, 0.5, -0.01, 0.1))
fit_values("poisson_identity", f)
f <- fit(count ~ x1 + x2 + z, quasipoisson)
fit_values("quasi_poisson", f)
for (link in c("inverse", "log", "identity")) {
    f <- fit(positive ~ x1 + x2 + z, Gamma(link))
    fit_values(paste0("gamma_", link), f)
}
errors("gamma_identity", f)
f <- fit(positive ~ x1 + x2 + z, Gamma("log"), weights = w)
fit_values("gamma_weighted", f)
f <- fit(normal ~ x1 + x2 + z + offset(offset), gaussian, weights = w)
fit_values("gaussian_identity", f)
errors("gaussian_identity", f)
f <- fit(positive ~ x1 + x2 + z, gaussian("log"))
fit_values("gaussian_log", f)
f <- fit(positive ~ x1 + x2 + z, gaussian("inverse"))
fit_values("gaussian_inverse", f)
f <- fit(positive ~ x1 + x2 + z, inverse.gaussian("log"))
fit_values("inverse_gaussian_log", f)
f <- fit(positive ~ x1 + z, inverse.gaussian)
fit_values("inverse_gaussian_default", f)

# JOBS II: the job seeking of those who were offered the seminar
jobs <- read.csv("datasets/jobs2_mediation/jobs.csv")
f <- fit(job_dich ~ treat + econ_hard + sex + age, binomial, data = jobs)
fit_values("jobs_logit", f)
show("jobs_logit_hc3", sqrt(diag(vcovHC(f, type = "HC3"))))
null <- fit(job_dich ~ 1, binomial, data = jobs)
lr <- lmtest::lrtest(null, f)
show("jobs_logit_whole", lr$Chisq[2], lr$Df[2], lr$`Pr(>Chisq)`[2])
n <- nrow(jobs)
ll <- c(logLik(f), logLik(null))
show("jobs_logit_r2", 1 - ll[1] / ll[2], (1 - exp(2 * (ll[2] - ll[1]) / n)) / (1 - exp(2 * ll[2] / n)),
     mean(fitted(f)[jobs$job_dich == 1]) - mean(fitted(f)[jobs$job_dich == 0]))
f <- fit(depress2 ~ treat + econ_hard + depress1, Gamma("log"), data = jobs)
fit_values("jobs_gamma", f)
null <- fit(depress2 ~ 1, Gamma("log"), data = jobs)
test <- anova(null, f, test = "F")
show("jobs_gamma_whole", test$F[2], test$Df[2], test$`Pr(>F)`[2])

# cholostyramine: compliance as a share
chol <- read.csv("datasets/adherence_cholostyramine/cholost.csv")
f <- suppressWarnings(fit(I(compliance / 100) ~ improvement, quasibinomial, data = chol))
fit_values("chol_fractional", f)

# negative binomial: the sixty counts, and the days absent of Quine's children (MASS); theta and coefficients by turns
negbin <- function(name, formula, data = NULL) {
    theta <- glm.nb(formula, data)$theta
    for (round in 1:25) {
        f <- eval(bquote(fit(formula, negative.binomial(.(theta)), data = data)))
        theta <- suppressWarnings(theta.ml(f$y, fitted(f), limit = 100, eps = 1e-15))
    }
    size <- as.numeric(theta)
    ll <- sum(dnbinom(f$y, size = size, mu = fitted(f), log = TRUE))
    p <- length(coef(f)) + 1
    show(paste0(name, "_estimate"), coef(f))
    show(paste0(name, "_se"), summary(f, dispersion = 1)$coefficients[, 2])
    show(paste0(name, "_fit"), deviance(f), f$null.deviance, ll, -2 * ll + 2 * p, -2 * ll + log(length(f$y)) * p, size,
         attr(theta, "SE"))
    show(paste0(name, "_hc3"), sqrt(diag(vcovHC(f, type = "HC3"))))
}
negbin("negbin", count ~ x1 + x2 + z)
negbin("negbin_null", count ~ 1)
show("quine_days", quine$Days)
show("quine_aboriginal", quine$Eth == "A")
show("quine_male", quine$Sex == "M")
show("quine_slow", quine$Lrn == "SL")
negbin("quine", Days ~ I(Eth == "A") + I(Sex == "M") + I(Lrn == "SL"), quine)

# Firth: Newton's method on the penalised likelihood, written here from Heinze & Schemper (2002)
firth <- function(X, y) {
    loglik <- function(b) {
        mu <- plogis(drop(X %*% b))
        sum(log(ifelse(y == 1, mu, 1 - mu))) + determinant(crossprod(X * sqrt(mu * (1 - mu))))$modulus / 2
    }
    b <- rep(0, ncol(X))
    for (k in 1:2000) {
        mu <- plogis(drop(X %*% b))
        W <- mu * (1 - mu)
        V <- solve(crossprod(X * sqrt(W)))
        h <- rowSums((X %*% V) * X) * W
        step <- drop(V %*% crossprod(X, y - mu + h * (0.5 - mu)))
        step <- step / max(1, abs(step) / 5)
        while (loglik(b + step) < loglik(b) - 1e-12) step <- step / 2
        b <- b + step
        if (max(abs(step)) < 1e-15) break
    }
    list(b = b, se = sqrt(diag(V)), loglik = as.numeric(loglik(b)))
}
f <- firth(cbind(1, x1, x2, z), binary)
show("firth_estimate", f$b)
show("firth_se", f$se)
show("firth_loglik", f$loglik)
apart <- as.numeric(x1 > 5)
f <- firth(cbind(1, x1, z), apart)
show("firth_separated_estimate", f$b)
show("firth_separated_se", f$se)

# Average marginal effects, and the delta method with a numerical gradient: columns of 0 and 1 by their change
margins <- function(name, f, binary, w = rep(1, length(f$y))) {
    X <- model.matrix(f)
    off <- if (is.null(f$offset)) 0 else f$offset
    effect <- function(b) sapply(2:ncol(X), function(j) {
        if (binary[j - 1]) {
            X0 <- X1 <- X
            X0[, j] <- 0
            X1[, j] <- 1
            weighted.mean(f$family$linkinv(drop(X1 %*% b) + off) - f$family$linkinv(drop(X0 %*% b) + off), w)
        } else weighted.mean(f$family$mu.eta(drop(X %*% b) + off) * b[j], w)
    })
    J <- numDeriv::jacobian(effect, coef(f))
    show(paste0(name, "_ame"), effect(coef(f)))
    show(paste0(name, "_ame_se"), sqrt(diag(J %*% vcov(f) %*% t(J))))
}
for (link in c("logit", "probit", "cloglog", "cauchit"))
    margins(paste0("binomial_", link), fit(binary ~ x1 + x2 + z, binomial(link)), c(FALSE, FALSE, TRUE))
margins("poisson_log", fit(count ~ x1 + x2 + z + offset(offset), poisson), c(FALSE, FALSE, TRUE))
margins("poisson_sqrt", fit(count ~ x1 + x2 + z, poisson("sqrt"), start = c(1, 0.01, 0, 0.1)), c(FALSE, FALSE, TRUE))
margins("gamma_inverse", fit(positive ~ x1 + x2 + z, Gamma), c(FALSE, FALSE, TRUE))
margins("gamma_weighted", fit(positive ~ x1 + x2 + z, Gamma("log"), weights = w), c(FALSE, FALSE, TRUE), w)
margins("inverse_gaussian_default", fit(positive ~ x1 + z, inverse.gaussian), c(FALSE, TRUE))

# AUC and DeLong's error (pROC 1.18.0), Brier score, calibration, Hosmer and Lemeshow's test as ResourceSelection has it
classify <- function(name, f) {
    roc <- pROC::roc(f$y, fitted(f), quiet = TRUE, direction = "<")
    line <- fit(f$y ~ qlogis(fitted(f)), binomial)
    group <- cut(fitted(f), unique(quantile(fitted(f), 0:10 / 10)), include.lowest = TRUE)
    observed <- tapply(f$y, group, sum)
    expected <- tapply(fitted(f), group, sum)
    size <- table(group)
    h <- sum((observed - expected)^2 / expected + (observed - expected)^2 / (size - expected))
    show(paste0(name, "_classification"), sum(f$y), sum(1 - f$y), pROC::auc(roc), sqrt(pROC::var(roc)),
         pROC::ci.auc(roc)[c(1, 3)], mean((f$y - fitted(f))^2), coef(line), h, nlevels(group) - 2,
         pchisq(h, nlevels(group) - 2, lower.tail = FALSE))
}
f <- fit(job_dich ~ treat + econ_hard + sex + age, binomial("probit"), data = jobs)
classify("jobs_probit", f)
classify("jobs_few", fit(job_dich ~ treat + sex, binomial, data = jobs))
cat("\n#endif\n")
