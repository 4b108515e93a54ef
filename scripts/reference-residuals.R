# Rscript scripts/reference-residuals.R
# Standard errors of the residual bootstrap in the limit, for tests/analyses/test_residuals.c
d <- read.csv("datasets/adherence_cholostyramine/cholost.csv")
fit <- lm(improvement ~ compliance, d)
e <- resid(fit) / sqrt(1 - hatvalues(fit))
v <- mean((e - mean(e))^2)
print(sqrt(v * diag(solve(crossprod(model.matrix(fit))))), digits = 15)

# Standard deviations of the indirect effect when the errors of all equations are drawn, and of the total effect, for
# tests/analyses/test_mediation_residuals.c: replicates are simulated row by row and refitted by .lm.fit.
# Each line: path, draw, SD of the indirect effect, its relative Monte-Carlo error, SD of the total effect by its
# formula, and simulated.
B <- 50000
set.seed(1)

# stages: a list of names, the predictor first, the outcome last
bootstrap <- function(d, stages, covariates, draw) {
  n <- nrow(d)
  fixed <- cbind(1, as.matrix(d[covariates]), d[[stages[[1]]]])
  Z <- fixed
  equations <- list()
  for (stage in stages[-1]) {
    for (name in stage) {
      fit <- lm.fit(Z, d[[name]])
      h <- hat(qr(Z), intercept = FALSE)
      equations[[name]] <- list(b = fit$coefficients, e = fit$residuals / sqrt(1 - h), raw = fit$residuals,
                                df = n - ncol(Z), stage = stage)
    }
    Z <- cbind(Z, as.matrix(d[stage]))
  }
  names <- unlist(stages[-1])
  E <- sapply(equations, `[[`, "e")
  centred <- sweep(E, 2, colMeans(E))
  sigma <- outer(names, names, Vectorize(function(a, b) if (a %in% equations[[b]]$stage)
    sum(equations[[a]]$raw * equations[[b]]$raw) / equations[[a]]$df else 0))
  root <- chol(sigma)
  errors <- switch(draw,
    residual = function() centred[sample.int(n, n, TRUE), , drop = FALSE],
    wild = function() E * sample(c(-1, 1), n, TRUE),
    parametric = function() matrix(rnorm(n * length(names)), n) %*% root)

  # indirect = total - direct, as least squares has it
  effects <- replicate(B, {
    e <- errors()
    W <- fixed
    for (stage in stages[-1]) {
      new <- sapply(stage, function(name) W %*% equations[[name]]$b + e[, match(name, names)])
      W <- cbind(W, new)
    }
    x <- ncol(fixed)
    y <- W[, ncol(W)]
    total <- .lm.fit(fixed, y)$coefficients[x]
    direct <- .lm.fit(W[, -ncol(W)], y)$coefficients[x]
    c(total - direct, total)
  })

  # y* is fixed columns times their coefficients plus u, a fixed combination of the errors of a row
  weights <- setNames(rep(0, length(names)), names)
  weights[length(names)] <- 1
  for (i in rev(seq_along(names))) {
    b <- equations[[i]]$b
    before <- if (length(b) > ncol(fixed)) b[-seq_len(ncol(fixed))] else numeric(0)
    weights[seq_along(before)] <- weights[seq_along(before)] + weights[i] * before
  }
  hat_row <- solve(crossprod(fixed), t(fixed))[ncol(fixed), ]
  variances <- switch(draw,
    residual = rep(mean((centred %*% weights)^2), n),
    wild = (E %*% weights)^2,
    parametric = rep(drop(t(weights) %*% sigma %*% weights), n))
  s <- effects[1, ]
  kurtosis <- mean((s - mean(s))^4) / mean((s - mean(s))^2)^2
  c(sd(s), sqrt((kurtosis - 1) / (4 * B)), sqrt(sum(hat_row^2 * variances)), sd(effects[2, ]))
}

jobs <- read.csv("datasets/jobs2_mediation/jobs.csv")
tal_or <- read.csv("datasets/mediation_pmi/tal_or.csv")
for (draw in c("residual", "wild", "parametric")) {
  show <- function(name, values) cat(name, draw, format(values, digits = 10), "\n")
  show("simple", bootstrap(jobs, list("treat", "job_seek", "depress2"), c("depress1", "age"), draw))
  show("parallel", bootstrap(tal_or, list("cond", c("import", "pmi"), "reaction"), character(0), draw))
  show("serial", bootstrap(tal_or, list("cond", "import", "pmi", "reaction"), character(0), draw))
}
