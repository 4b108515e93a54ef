# Rscript logistic.R FILE REPLICATES boot|newton|fit: dropout on alliance, baseline and treatment; by the package boot and
# glm.fit, by a loop of Newton steps written by hand, or one fit by glm.fit (REPLICATES is not used).
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
n_replicates <- as.integer(arguments[2])
y <- data$dropout
X <- cbind(1, data$alliance, data$baseline, data$treatment)
start <- proc.time()[["elapsed"]]
full <- glm.fit(X, y, family = binomial())$coefficients
newton <- function(i) {
    x <- X[i, ]
    response <- y[i]
    b <- full
    repeat {
        mu <- 1 / (1 + exp(-drop(x %*% b)))
        step <- solve(crossprod(x, mu * (1 - mu) * x), crossprod(x, response - mu))
        b <- b + drop(step)
        if (max(abs(step)) < 1e-8) return(b)
    }
}
set.seed(1)
n <- length(y)
if (arguments[3] == "boot") {
    library(boot)
    slopes <- boot(data, function(d, i) glm.fit(X[i, ], y[i], family = binomial())$coefficients, n_replicates)$t[, 2]
} else if (arguments[3] == "newton") {
    slopes <- replicate(n_replicates, newton(sample.int(n, n, TRUE)))[2, ]
} else {
    slopes <- rep(full[2], 2)
}
cat("compute", proc.time()[["elapsed"]] - start, "\nci", quantile(slopes, c(0.025, 0.975)), "\n")
