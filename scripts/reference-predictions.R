# Values that tests/analyses/test_prediction.c holds predictions to.
# Run by hand at the top of the source tree: Rscript scripts/reference-predictions.R
# Made with R 4.2.2, ordinal 2022.11-16, nnet 7.3-18, pscl 1.5.5, quantreg 5.94, numDeriv 2016.8-1.1, sandwich 3.0-2.
suppressMessages({library(ordinal); library(nnet); library(pscl); library(quantreg); library(sandwich)})
show <- function(name, ...) cat(sprintf("%-24s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")
tight <- list(epsilon = 1e-14, maxit = 100)

# R's errors are those of the last step but one, so go on from where it stopped.
settled <- function(g) { for (i in 1:8) g <- update(g, start = coef(g)); g }

# Estimate, error by the delta method, and the interval that is formed on the link's scale.
linked <- function(name, fit, se, quantile, inverse) {
    slope <- numDeriv::grad(inverse, fit)
    show(name, inverse(fit), se * abs(slope), sort(inverse(fit + c(-1, 1) * quantile * se)))
}

d <- read.csv("datasets/jobs2_mediation/jobs.csv")
m <- lm(depress2 ~ treat * econ_hard + log(age), d, weights = age)
p <- predict(m, data.frame(treat = 1, econ_hard = 4, age = 30), se.fit = TRUE)
show("lm", p$fit, p$se.fit, p$fit + c(-1, 1) * qt(0.975, p$df) * p$se.fit)
x <- c(1, 1, 4, log(30), 4)
se <- sqrt(drop(t(x) %*% vcovHC(m, "HC3") %*% x))
show("lm hc3", p$fit, se, p$fit + c(-1, 1) * qt(0.975, p$df) * se)

s <- subset(d, treat == 1)
g <- glm(comply ~ econ_hard + depress1 + age, binomial("probit"), s, control = tight) |> settled()
p <- predict(g, data.frame(econ_hard = 5, depress1 = 2, age = 60), se.fit = TRUE)
linked("probit", p$fit, p$se.fit, qnorm(0.975), pnorm)
g <- glm(depress2 ~ econ_hard + depress1, Gamma("inverse"), d, control = tight) |> settled()
p <- predict(g, data.frame(econ_hard = 5, depress1 = 2), se.fit = TRUE)
linked("gamma", p$fit, p$se.fit, qt(0.975, g$df.residual), function(eta) 1 / eta)

d$jd <- factor(d$job_disc)
o <- clm(jd ~ treat + econ_hard + age, data = d, control = clm.control(gradTol = 1e-10, maxIter = 200))
p <- predict(o, data.frame(treat = 1, econ_hard = 3, age = 40), type = "prob", se.fit = TRUE, interval = TRUE)
for (k in 1:3) # the new data have no outcome: the first three of four are given
    show(paste("ordinal", k), p$fit[k], p$se.fit[k], p$lwr[k], p$upr[k])

u <- multinom(jd ~ treat + age, d, trace = FALSE, reltol = 1e-18, abstol = 1e-14, maxit = 2000, Hess = TRUE)
shares <- function(b) { e <- exp(c(0, matrix(b, 3, byrow = TRUE) %*% c(1, 1, 40))); e / sum(e) }
b <- c(t(coef(u)))
for (k in 1:4)
    linked(paste("multinomial", k), qlogis(shares(b)[k]), {
        slope <- numDeriv::grad(function(b) qlogis(shares(b)[k]), b)
        sqrt(drop(t(slope) %*% vcov(u) %*% slope)) }, qnorm(0.975), plogis)

d$y <- d$comply * d$job_disc
z <- zeroinfl(y ~ depress1 + age | econ_hard, data = d, control = zeroinfl.control(reltol = 1e-16))
mean <- function(b) log(exp(sum(b[1:3] * c(1, 2, 40))) * plogis(-sum(b[4:5] * c(1, 3))))
likelihood <- function(b) { # pscl's own stops early, and differentiates numerically once
    mu <- exp(cbind(1, d$depress1, d$age) %*% b[1:3]); share <- plogis(cbind(1, d$econ_hard) %*% b[4:5])
    sum(log(ifelse(d$y == 0, share + (1 - share) * exp(-mu), (1 - share) * dpois(d$y, mu))))
}
b <- unlist(coef(z))
for (step in 1:3) b <- b - solve(numDeriv::hessian(likelihood, b), numDeriv::grad(likelihood, b))
slope <- numDeriv::grad(mean, b)
linked("zip", mean(b), sqrt(drop(-t(slope) %*% solve(numDeriv::hessian(likelihood, b), slope))), qnorm(0.975), exp)
show("zip by pscl", predict(z, data.frame(depress1 = 2, age = 40, econ_hard = 3)))
q <- rq(depress2 ~ depress1 + age, 0.75, d)
show("quantile", predict(q, data.frame(depress1 = 2, age = 50)))
