# The values that tests/analyses/test_wild.c holds the wild bootstrap to: Rscript scripts/reference-wild.R
# Made with R 4.2.2, clubSandwich 0.5.8. Every draw there can be is made, and its model fitted again. The data are
# those of make_data() in tests/models/ols_sample.h.
suppressPackageStartupMessages(library(clubSandwich))
show <- function(name, ...) cat(sprintf("%-28s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")

i <- 0:59
d <- data.frame(x1 = (i * 37) %% 101 / 10)
d$x2 <- (i * i * 13) %% 89 / 7 + 0.3 * d$x1
d$cluster <- floor(sqrt(i))
d$z <- d$cluster %% 2
d$y <- 2 + 0.5 * d$x1 - 0.25 * d$x2 + d$z + ((i * 59) %% 97 - 48) / 20 * (1 + d$x1 / 10) + (d$cluster * 7) %% 5 / 4
d$w <- 1 + i %% 5 / 2

points <- list(rademacher = c(-1, 1), mammen = (1 + c(-1, 1) * sqrt(5)) / 2,
               webb = c(-1, -1, -1, 1, 1, 1) * sqrt(c(1.5, 1, 0.5, 0.5, 1, 1.5)))
chances <- list(rademacher = c(0.5, 0.5), mammen = (sqrt(5) + c(1, -1)) / (2 * sqrt(5)), webb = rep(1 / 6, 6))

# (estimate - value) / its CR1 error, by one fit.
statistic <- function(X, y, w, cluster, j, value) {
    fit <- lm.wfit(X, y, w)
    scores <- rowsum(X * w * fit$residuals, cluster)
    bread <- chol2inv(chol(crossprod(X * sqrt(w))))
    g <- nrow(scores)
    (fit$coefficients[[j]] - value) / sqrt(g / (g - 1) * sum((scores %*% bread[, j])^2))
}

# Under the value r of coefficient j: t, the t* of each draw, and the probability of each.
draw_all <- function(X, y, w, cluster, j, r, kind, imposed) {
    units <- unique(cluster)
    codes <- as.matrix(expand.grid(rep(list(seq_along(points[[kind]])), length(units))))
    offset <- X[, j] * r
    base <- if (imposed) lm.wfit(X[, -j, drop = FALSE], y - offset, w) else lm.wfit(X, y, w)
    fitted <- if (imposed) base$fitted.values + offset else base$fitted.values
    centre <- if (imposed) r else base$coefficients[[j]]
    member <- match(cluster, units)
    t <- apply(codes, 1, function(code)
        statistic(X, fitted + points[[kind]][code][member] * base$residuals, w, cluster, j, centre))
    chance <- apply(codes, 1, function(code) prod(chances[[kind]][code]))
    list(t = statistic(X, y, w, cluster, j, r), draws = t, chance = chance)
}

# The p values, symmetric and equal-tailed, ties counted.
p_values <- function(s) {
    slack <- 1e-9 * abs(s$t) + 1e-12
    symmetric <- sum(s$chance[abs(s$draws) >= abs(s$t) - slack])
    tails <- c(sum(s$chance[s$draws <= s$t + slack]), sum(s$chance[s$draws >= s$t - slack]))
    c(symmetric, min(1, 2 * min(tails)))
}

# From the estimate outwards by doubled errors to the first value rejected, and back by bisection.
find_end <- function(p, estimate, se, side, level) {
    rejected <- function(distance) p(estimate + side * distance) <= 1 - level + 1e-12
    inside <- 0
    outside <- se
    while (!rejected(outside)) {
        if (outside > 1e6 * se) return(side * Inf)
        inside <- outside
        outside <- 2 * outside
    }
    while (outside - inside > 1e-13 * abs(estimate)) {
        middle <- (inside + outside) / 2
        if (rejected(middle)) outside <- middle else inside <- middle
    }
    estimate + side * inside
}

show_test <- function(name, formula, data, coefficient, r, imposed = TRUE, level = 0.95, weights = NULL) {
    data$used <- if (is.null(weights)) 1 else data[[weights]]
    fit <- lm(formula, data, weights = used)
    X <- model.matrix(fit)
    y <- data$y
    j <- match(coefficient, colnames(X))
    run <- function(r) draw_all(X, y, data$used, data$cluster, j, r, "rademacher", imposed)
    s <- run(r)
    b <- coef(fit)[[j]]
    se <- sqrt(vcovCR(fit, data$cluster, "CR1", inverse_var = TRUE)[j, j])
    stopifnot(abs(s$t - (b - r) / se) < 1e-10 * abs(s$t))
    p <- function(r) p_values(run(r))[1]
    show(paste(name, "t, p"), s$t, p_values(s))
    show(paste(name, "interval"), find_end(p, b, se, -1, level), find_end(p, b, se, 1, level))
}

show_test("x1 imposed", y ~ x1 + x2 + z, d, "x1", 0)
show_test("x2 imposed", y ~ x1 + x2 + z, d, "x2", 0)
show_test("z imposed, 0.5, 80 %", y ~ x1 + x2 + z, d, "z", 0.5, level = 0.8)
show_test("x1 not imposed, 0.3", y ~ x1 + x2 + z, d, "x1", 0.3, FALSE)
show_test("x2 not imposed", y ~ x1 + x2 + z, d, "x2", 0, FALSE)
show_test("x2 weighted", y ~ x1 + x2 + z, d, "x2", -0.1, weights = "w", level = 0.9)
show_test("x2 without intercept", y ~ x1 + x2 - 1, d, "x2", 0)
show_test("x2 in five clusters", y ~ x1 + x2, d[1:25, ], "x2", 0)
show_test("the constant", y ~ x1 + x2, d, "(Intercept)", 1)

# The exact p values of the other weights, in the five clusters.
few <- d[1:25, ]
X <- cbind(1, few$x1, few$x2)
for (kind in c("mammen", "webb"))
    for (imposed in c(TRUE, FALSE))
        show(paste(kind, if (imposed) "imposed" else "not imposed"),
             p_values(draw_all(X, few$y, rep(1, 25), few$cluster, 3, 0, kind, imposed)))
