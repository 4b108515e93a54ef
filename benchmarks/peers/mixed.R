# Rscript mixed.R FILE: lmer of a random intercept by therapist.
suppressMessages(library(lme4))
d <- data.table::fread(commandArgs(TRUE)[1], data.table = FALSE)
d$therapist <- factor(d$therapist)
cat(sprintf("compute %.3f s\n", system.time(lmer(outcome ~ alliance + baseline + (1 | therapist), d))[3]))
