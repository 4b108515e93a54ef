# Rscript mixed.R FILE FORMULA [FAMILY | boot N]: lmer, glmer, or bootMer's parametric bootstrap of N replicates.
suppressMessages(library(lme4))
arguments <- commandArgs(TRUE)
d <- data.table::fread(arguments[1], data.table = FALSE)
formula <- as.formula(arguments[2])
for (group in intersect(c("therapist", "s", "d", "dept", "Subject"), names(d))) d[[group]] <- factor(d[[group]])
fit <- function() if (length(arguments) == 3) glmer(formula, d, arguments[3]) else lmer(formula, d)
if (length(arguments) == 4) {
    m <- lmer(formula, d)
    cat(sprintf("compute %.3f s\n", system.time(bootMer(m, fixef, nsim = as.integer(arguments[4])))[3]))
} else cat(sprintf("compute %.3f s\n", system.time(fit())[3]))
