# Rscript lavaan.R FILE REPLICATES: the same path model by lavaan's bootstrap.
suppressMessages(library(lavaan))
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
start <- proc.time()[["elapsed"]]
model <- "adherence ~ a * alliance + baseline + treatment
          outcome ~ b * adherence + alliance + baseline + treatment
          indirect := a * b"
set.seed(1)
fit <- sem(model, data, se = "bootstrap", bootstrap = as.integer(arguments[2]))
estimates <- parameterEstimates(fit, boot.ci.type = "perc")
ends <- estimates[estimates$label == "indirect", c("ci.lower", "ci.upper")]
cat("compute", proc.time()[["elapsed"]] - start, "\nci", unlist(ends), "\n")
