# Rscript mediation.R FILE REPLICATES percentile|bca: the package boot with .lm.fit, R's fastest least squares.
library(boot)
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
y <- data$outcome
m <- data$adherence
X <- cbind(1, data$baseline, data$treatment, data$alliance)
XM <- cbind(X, m)
start <- proc.time()[["elapsed"]]
indirect <- function(d, i) .lm.fit(X[i, ], m[i])$coefficients[4] * .lm.fit(XM[i, ], y[i])$coefficients[5]
set.seed(1)
drawn <- boot(data, indirect, as.integer(arguments[2]))
type <- if (arguments[3] == "bca") "bca" else "perc"
ends <- tail(as.vector(boot.ci(drawn, type = type)[[4]]), 2)
cat("compute", proc.time()[["elapsed"]] - start, "\nci", ends, "\n")
