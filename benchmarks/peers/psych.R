# Rscript psych.R FILE REPLICATES: the same mediation by psych's mediate().
suppressMessages(library(psych))
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
start <- proc.time()[["elapsed"]]
set.seed(1)
fit <- mediate(outcome ~ alliance + (adherence) + baseline + treatment, data = data, n.iter = as.integer(arguments[2]),
               plot = FALSE)
ends <- fit$boot$ci.ab[, 1]
cat("compute", proc.time()[["elapsed"]] - start, "\nci", ends, "\n")
