# Rscript fread.R FILE: data.table reads the five columns; least squares by normal equations.
library(data.table)
names <- c("outcome", "alliance", "adherence", "baseline", "treatment")
data <- fread(commandArgs(TRUE)[1], select = names, showProgress = FALSE)
X <- cbind(1, as.matrix(data[, .(alliance, adherence, baseline, treatment)]))
b <- solve(crossprod(X), crossprod(X, data$outcome))
cat("slope", b[2], "\n")
