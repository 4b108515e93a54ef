# Rscript clusters.R FILE REPLICATES: whole therapists drawn with the package boot, .lm.fit on their rows.
library(boot)
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
y <- data$outcome
X <- cbind(1, data$alliance, data$adherence, data$baseline, data$treatment)
start <- proc.time()[["elapsed"]]
rows <- split(seq_along(y), data$therapist)
slope <- function(d, i) { r <- unlist(rows[i], use.names = FALSE); .lm.fit(X[r, ], y[r])$coefficients[2] }
set.seed(1)
drawn <- boot(seq_along(rows), slope, as.integer(arguments[2]))
ends <- tail(as.vector(boot.ci(drawn, type = "perc")[[4]]), 2)
cat("compute", proc.time()[["elapsed"]] - start, "\nci", ends, "\n")
