# Reference values for tests/resampling/test_interval.c: boot.ci of R's boot on replicates that both sides compute.
# Run by hand: Rscript scripts/reference-boot.R
suppressMessages(library(boot))
cat("R", as.character(getRversion()), "boot", as.character(packageVersion("boot")), "\n")
n <- 1999
u <- ((1:n) * 0.6180339887498949) %% 1
t <- exp(0.5 * qnorm(u)) - 0.4
v <- 0.04 + 0.02 * ((1:n) * 0.4142135623730951) %% 1
t0 <- 0.55
v0 <- 0.05
L <- ((1:50) / 50)^2 - mean(((1:50) / 50)^2)
cat(sprintf("acceleration %.15g\n", sum(L^3) / (6 * sum(L^2)^1.5)))
o <- list(t0 = t0, t = matrix(t), R = n, data = 1:50, call = quote(boot()), sim = "ordinary",
          stype = "i", strata = rep(1, 50), weights = rep(1 / 50, 50))
class(o) <- "boot"
for (level in c(0.95, 0.9, 0.99)) {
  ci <- boot.ci(o, conf = level, type = c("basic", "perc", "bca"),
                t0 = t0, t = t, L = L)
  stud <- boot:::stud.ci(c(t0, v0), cbind(t, v), conf = level)
  bc <- boot.ci(o, conf = level, type = "bca", t0 = t0, t = t, L = c(-1, 1))
  # boot.ci's normal interval takes the variance it is given; ours is that of the replicates
  merr <- sd(t) * qnorm((1 + level) / 2)
  cat(sprintf("%g percentile %.15g %.15g\n", level, ci$percent[4], ci$percent[5]))
  cat(sprintf("%g basic %.15g %.15g\n", level, ci$basic[4], ci$basic[5]))
  cat(sprintf("%g normal %.15g %.15g\n", level, 2 * t0 - mean(t) - merr, 2 * t0 - mean(t) + merr))
  cat(sprintf("%g bc %.15g %.15g\n", level, bc$bca[4], bc$bca[5]))
  cat(sprintf("%g bca %.15g %.15g\n", level, ci$bca[4], ci$bca[5]))
  cat(sprintf("%g studentised %.15g %.15g\n", level, stud[4], stud[5]))
}
cat(sprintf("sd %.15g bias %.15g\n", sd(t), mean(t) - t0))
n2 <- boot.ci(boot.out = o, conf = 0.95, type = "norm")
cat(sprintf("boot.ci norm %.15g %.15g\n", n2$normal[2], n2$normal[3]))
