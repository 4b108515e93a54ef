# Reference values for tests/resampling/test_abc.c (abc.ci of R's boot) and test_calibrated.c (a double bootstrap).
# Run by hand from the top of the source tree: Rscript scripts/reference-abc.R
suppressMessages(library(boot))
cat("R", as.character(getRversion()), "boot", as.character(packageVersion("boot")), "\n")

cholost <- read.csv("datasets/adherence_cholostyramine/cholost.csv")
tal_or <- read.csv("datasets/mediation_pmi/tal_or.csv")
jobs <- read.csv("datasets/jobs2_mediation/jobs.csv")

covariance <- function(w, x, y) sum(w * (x - sum(w * x)) * (y - sum(w * y)))
slope_of <- function(w, x, y) covariance(w, x, y) / covariance(w, x, x)
slope <- function(d, w) slope_of(w, d$compliance, d$improvement)
correlation <- function(d, w)
  covariance(w, d$compliance, d$improvement) /
    sqrt(covariance(w, d$compliance, d$compliance) * covariance(w, d$improvement, d$improvement))
indirect <- function(d, w) {
  xx <- covariance(w, d$cond, d$cond); xm <- covariance(w, d$cond, d$pmi); mm <- covariance(w, d$pmi, d$pmi)
  xy <- covariance(w, d$cond, d$reaction); my <- covariance(w, d$pmi, d$reaction)
  xm / xx * (my * xx - xy * xm) / (mm * xx - xm^2)
}
# Strata keep their share of the rows: abc.ci hands over weights that sum to one in each.
stratified <- function(d, w) {
  share <- c(table(d$gender)) / nrow(d)
  indirect(d, w * share[as.character(d$gender)])
}
# Units are the levels of occp.
occp <- factor(jobs$occp)
clustered <- function(d, w) {
  rows <- w[as.integer(occp)]
  slope_of(rows / sum(rows), jobs$depress1, jobs$depress2)
}

# abc.ci at its own eps, and as eps goes to 0 (Richardson, from two larger ones whose rounding errors are small).
report <- function(name, d, statistic, n, ...)
  for (level in c(0.9, 0.95, 0.99)) {
    at <- function(eps) abc.ci(d, statistic, conf = level, eps = eps / n, ...)[2:3]
    limit <- function(eps) (at(2 * eps) - 4 * at(eps)) / -3
    cat(sprintf("%s %g own %.10g %.10g limit %.10g %.10g (%.2g)\n", name, level, at(0.001)[1], at(0.001)[2],
                limit(0.02)[1], limit(0.02)[2], max(abs(limit(0.02) - limit(0.04)))))
  }
report("slope", cholost, slope, nrow(cholost))
report("correlation", cholost, correlation, nrow(cholost))
report("indirect", tal_or, indirect, nrow(tal_or))
report("stratified", tal_or, stratified, nrow(tal_or), strata = tal_or$gender + 1)
report("clustered", seq_len(nlevels(occp)), clustered, nlevels(occp))

# A double bootstrap of the slope and of the mean: 20000 samples, 249 samples of each; the levels of a 95 % interval, the
# ends there, and standard errors of both from 40 parts of the samples.
set.seed(1)
n <- nrow(cholost)
columns <- with(cholost, cbind(compliance, improvement, compliance^2, compliance * improvement))
values <- function(counts) {
  m <- crossprod(columns, counts) / n
  rbind((m[4, ] - m[1, ] * m[2, ]) / (m[3, ] - m[1, ]^2), m[2, ])
}
estimates <- values(matrix(1, n))
outer <- 20000; inner <- 249
t <- u <- matrix(0, 2, outer)
for (b in seq_len(outer)) {
  counts <- rmultinom(1, n, rep(1, n))
  t[, b] <- values(counts)
  u[, b] <- rowMeans(values(rmultinom(inner, n, counts)) <= c(estimates))
}
# A share k / M stands for k .. k + 1 in M + 1.
level <- function(u, p) {
  cumulative <- cumsum(tabulate(round(u * inner) + 1, inner + 1)) / length(u)
  approx(c(0, cumulative), (0:(inner + 1)) / (inner + 1), p, ties = "ordered")$y
}
for (v in 1:2) {
  ends <- function(which) {
    levels <- level(u[v, which], c(0.025, 0.975))
    c(levels, quantile(t[v, which], levels, type = 6))
  }
  parts <- sapply(split(seq_len(outer), rep(1:40, length.out = outer)), ends)
  cat(c("slope", "mean")[v], sprintf("%.6g (%.2g)", ends(seq_len(outer)), apply(parts, 1, sd) / sqrt(40)), "\n")
}
