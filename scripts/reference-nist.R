# Digits of agreement of R with NIST's certified values, to set beside those of build/benchmarks/bench_nist and as the floor
# of tests/analyses/test_certified.c and tests/models/test_nist.c. Run by hand from the top: Rscript scripts/reference-nist.R
cat("R", as.character(getRversion()), "\n")
digits <- function(x, c) ifelse(x == c, 15, pmax(0, pmin(15, -log10(ifelse(c == 0, abs(x), abs(x - c) / abs(c))))))
base <- "datasets/nist_strd/"
fit <- read.csv(paste0(base, "certified_regression_fit.csv"))
coefficients <- read.csv(paste0(base, "certified_regression_coefficients.csv"))
for (i in seq_len(nrow(fit))) {
  name <- fit$dataset[i]
  d <- read.csv(paste0(base, "regression/", name, ".csv"))
  x <- if (fit$model[i] == "poly") outer(d[[2]], seq_len(fit$n_predictor_terms[i]), "^") else as.matrix(d[-1])
  m <- if (fit$intercept[i] == 1) lm(d$y ~ x, tol = 1e-12) else lm(d$y ~ x - 1, tol = 1e-12)
  s <- suppressWarnings(summary(m))$coefficients
  k <- coefficients[coefficients$dataset == name, ]
  cat(sprintf("%-10s estimates %4.1f SE %4.1f\n", name, min(digits(s[, 1], k$estimate)),
              min(digits(s[, 2], k$standard_error))))
}
certified <- read.csv(paste0(base, "certified_univariate.csv"))
for (i in seq_len(nrow(certified))) {
  y <- read.csv(paste0(base, "univariate/", certified$dataset[i], ".csv"))$y
  cat(sprintf("%-10s mean %4.1f sd %4.1f\n", certified$dataset[i], digits(mean(y), certified$mean[i]),
              digits(sd(y), certified$sd_n_minus_1[i])))
}
certified <- read.csv(paste0(base, "certified_anova.csv"))
for (i in seq_len(nrow(certified))) {
  d <- read.csv(paste0(base, "anova/", certified$dataset[i], ".csv"))
  s <- summary(lm(y ~ factor(group), d))
  cat(sprintf("%-10s F %4.1f R2 %4.1f sd %4.1f\n", certified$dataset[i], digits(s$fstatistic[1], certified$f_statistic[i]),
              digits(s$r.squared, certified$r_squared[i]), digits(s$sigma, certified$residual_sd[i])))
}
