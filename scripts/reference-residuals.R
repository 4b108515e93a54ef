# Standard errors of the residual bootstrap in the limit, for tests/analyses/test_residuals.c: Rscript scripts/reference-residuals.R
d <- read.csv("datasets/adherence_cholostyramine/cholost.csv")
fit <- lm(improvement ~ compliance, d)
e <- resid(fit) / sqrt(1 - hatvalues(fit))
v <- mean((e - mean(e))^2)
print(sqrt(v * diag(solve(crossprod(model.matrix(fit))))), digits = 15)
