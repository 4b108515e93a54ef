# Ends of profile-likelihood intervals in tests/models/test_mixed_profile.c: roots of lme4's own deviance in standard
# deviations and correlations (confint interpolates, to four digits or five).
# Run by hand: Rscript scripts/reference-mixed-profile.R       Made with R 4.2.2, lme4 1.1-31, minqa 1.2.5.
suppressMessages(library(lme4))
ends <- function(name, formula, data) {
    m <- lmer(formula, data, REML = FALSE, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
    deviance <- lme4:::devfun2(m, useSc = TRUE, signames = FALSE)
    best <- attr(deviance, "optimum")
    best <- best[seq_len(length(best) - length(fixef(m)))]
    correlation <- grepl("cor", names(best))
    least <- deviance(best)
    held <- function(j, v) {
        free <- function(x) { all <- best; all[j] <- v; all[-j] <- x; deviance(all) }
        if (length(best) == 2)
            return(optimize(function(x) free(x), c(0, 4 * best[-j]), tol = 1e-11)$objective)
        minqa::bobyqa(best[-j], free, lower = ifelse(correlation, -1, 0)[-j], upper = ifelse(correlation, 1, Inf)[-j],
                      control = list(rhobeg = 0.05 * min(abs(best[-j])), rhoend = 1e-10, maxfun = 20000))$fval
    }
    for (j in seq_along(best)) {
        above <- function(v) held(j, v) - least - qchisq(0.95, 1)
        low <- if (correlation[j]) -0.9 else best[j] / 5
        if (names(best)[j] == "sigma") low <- best[j] / 1.6
        low <- if (above(low) < 0) NA else uniroot(above, c(low, best[j]), tol = 1e-11)$root
        high <- uniroot(above, c(best[j], if (correlation[j]) 0.9 else best[j] * 3), tol = 1e-11)$root
        cat(sprintf("%s %s %.12g %.12g %.12g\n", name, names(best)[j], best[j], low, high))
    }
}
ends("dyestuff", Yield ~ 1 + (1 | Batch), Dyestuff)
ends("sleepstudy", Reaction ~ Days + (Days | Subject), sleepstudy)
ends("penicillin", diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
deviance <- lmer(Yield ~ 1 + (1 | Batch), Dyestuff, REML = FALSE, devFunOnly = TRUE)
best <- optimize(deviance, c(0.1, 3), tol = 1e-11)
above <- function(theta) deviance(theta) - best$objective - qchisq(0.95, 1)
for (side in list(c(0.01, best$minimum), c(best$minimum, 9))) {
    theta <- uniroot(above, side, tol = 1e-12)$root
    cat(sprintf("dyestuff share %.12g\n", theta^2 / (1 + theta^2)))
}
