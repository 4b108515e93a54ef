# Exact Freedman-Lane p values over all permutations, for tests/analyses/test_permutation.c: Rscript scripts/reference-permutation.R
y <- c(3.1, 4.0, 2.2, 6.3, 5.1, 7.9, 6.2, 9.4)
x <- c(1.0, 2.5, 1.2, 3.9, 3.1, 5.2, 4.4, 4.9)
z <- c(0.3, 1.1, 2.0, 0.4, 1.9, 2.2, 0.1, 2.8)
s <- c(0, 0, 0, 0, 1, 1, 1, 1)
permutations <- function(v) {
  if (length(v) == 1) return(matrix(v, 1))
  do.call(rbind, lapply(seq_along(v), function(i) cbind(v[i], permutations(v[-i]))))
}
t_of <- function(y, x, z) summary(lm(y ~ x + z))$coefficients["x", "t value"]
p_of <- function(P, x, z) {
  reduced <- lm(y ~ z)
  t <- t_of(y, x, z)
  stars <- apply(P, 1, function(o) t_of(fitted(reduced) + resid(reduced)[o], x, z))
  c(t = t, p = mean(abs(stars) >= abs(t) * (1 - 1e-9)))
}
all <- permutations(1:8)
within <- permutations(1:4)
within <- do.call(rbind, lapply(1:24, function(i) cbind(matrix(within[i, ], 24, 4, byrow = TRUE), within + 4)))
options(digits = 12)
print(p_of(all, x, z))
print(p_of(all, z, x))
print(p_of(within, x, z))
