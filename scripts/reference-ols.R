# The values that tests/models/test_ols.c holds least squares to: Rscript scripts/reference-ols.R
# Made with R 4.2.2, sandwich 3.0-2, clubSandwich 0.5.8. The data are those of make_data() in the test.
suppressPackageStartupMessages({
    library(sandwich)
    library(clubSandwich)
})
show <- function(name, ...) cat(sprintf("%-28s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")

i <- 0:59
d <- data.frame(x1 = (i * 37) %% 101 / 10)
d$x2 <- (i * i * 13) %% 89 / 7 + 0.3 * d$x1
d$cluster <- floor(sqrt(i))
d$z <- d$cluster %% 2
d$y <- 2 + 0.5 * d$x1 - 0.25 * d$x2 + d$z + ((i * 59) %% 97 - 48) / 20 * (1 + d$x1 / 10) + (d$cluster * 7) %% 5 / 4
d$w <- 1 + i %% 5 / 2
d$wc <- 1 + d$cluster %% 3
d$dummy <- as.numeric(d$cluster == 3)
d$lone <- as.numeric(i == 17)

show_errors <- function(name, fit) {
    show(paste(name, "classical"), sqrt(diag(vcov(fit))))
    for (type in paste0("HC", 0:4))
        show(paste(name, tolower(type)), sqrt(diag(vcovHC(fit, type = type))))
}

show_clusters <- function(name, fit, cluster, types = c("CR0", "CR1", "CR2")) {
    for (type in types) {
        v <- if (is.null(fit$weights)) vcovCR(fit, cluster, type) else vcovCR(fit, cluster, type, inverse_var = TRUE)
        show(paste(name, tolower(type)), sqrt(diag(v)))
        if (type == "CR2") {
            tests <- coef_test(fit, v, test = "Satterthwaite")
            show(paste(name, "cr2 df"), if (is.null(tests$df_Satt)) tests$df else tests$df_Satt)
            show(paste(name, "cr2 p"), tests$p_Satt)
        }
    }
}

show_fit <- function(name, fit, predictors, weights = rep(1, nrow(d))) {
    s <- summary(fit)
    show(paste(name, "estimates"), coef(fit))
    show(paste(name, "t"), s$coefficients[, 3])
    show(paste(name, "p"), s$coefficients[, 4])
    show(paste(name, "90 % intervals"), t(confint(fit, level = 0.9)))
    show(paste(name, "sd rss r2 adj f"), s$sigma, sum(weights * residuals(fit)^2), s$r.squared, s$adj.r.squared,
         s$fstatistic[1])
    show(paste(name, "f p"), pf(s$fstatistic[1], s$fstatistic[2], s$fstatistic[3], lower.tail = FALSE))
    show(paste(name, "logLik AIC BIC"), logLik(fit), AIC(fit), BIC(fit))
    sd_of <- function(x) sqrt(sum(weights * (x - weighted.mean(x, weights))^2))
    show(paste(name, "standardised"), coef(fit)[predictors] * sapply(d[predictors], sd_of) / sd_of(d$y))
    if ("(Intercept)" %in% names(coef(fit)))
        show(paste(name, "vif"), sapply(predictors, function(x) 1 / (1 - summary(lm(
            reformulate(setdiff(predictors, x), x), d, weights = weights))$r.squared)))
}

plain <- lm(y ~ x1 + x2 + z, d)
show_fit("plain", plain, c("x1", "x2", "z"))
show_errors("plain", plain)
show_clusters("plain", plain, d$cluster)

weighted <- lm(y ~ x1 + x2 + z, d, weights = w)
show_fit("weighted", weighted, c("x1", "x2", "z"), d$w)
show_errors("weighted", weighted)
show_clusters("weighted", weighted, d$cluster)

by_cluster <- lm(y ~ x1 + x2 + z, d, weights = wc)
show_clusters("weighted by cluster", by_cluster, d$cluster)

origin <- lm(y ~ 0 + x1 + x2, d)
show_fit("origin", origin, c("x1", "x2"))
show_errors("origin", origin)
show_clusters("origin", origin, d$cluster)

# A dummy for one cluster leaves that cluster no residual: its correction is a pseudo-inverse.
show("dummy estimates", coef(lm(y ~ x1 + dummy, d)))
show_clusters("dummy", lm(y ~ x1 + dummy, d), d$cluster)

show_clusters("weighted dummy", lm(y ~ x1 + dummy, d, weights = w), d$cluster)

# A cluster to each row: CR2 is HC2.
single <- lm(y ~ x1 + x2 + z, d)
show_clusters("single rows", single, i, "CR2")

# Row 17 has a dummy of its own: without the row and its dummy the other errors are the same.
show("lone hc3 without", sqrt(diag(vcovHC(lm(y ~ x1, d[i != 17, ]), type = "HC3"))))

d$w0 <- ifelse(i < 5, 0, d$w)
none <- lm(y ~ x1 + x2, d, weights = w0)
show("zero weights estimates", coef(none))
show("zero weights se", sqrt(diag(vcov(none))))
show("zero weights logLik BIC", logLik(none), BIC(none))

# One row far from the others: HC4's exponent reaches its bound of 4.
d$far <- ifelse(i == 17, 60, d$x1)
show("far hc4", sqrt(diag(vcovHC(lm(y ~ far + x2, d), type = "HC4"))))
