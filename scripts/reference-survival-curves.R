# Values that tests/models/test_survival_curve.c, test_logrank.c, test_competing_risks.c and test_weibull.c hold survival
# curves, their tests, competing risks and parametric regression to.
# Run by hand: Rscript scripts/reference-survival-curves.R            the values
#              Rscript scripts/reference-survival-curves.R data       writes tests/data/mgus2.csv
# Made with R 4.2.2 and survival 3.5-3.
suppressMessages(library(survival))
only <- commandArgs(TRUE)
show <- function(name, ...) cat(sprintf("%-28s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")
read <- function(name) read.csv(file.path("datasets/survival", paste0(name, ".csv")))
lung <- read("lung"); ovarian <- read("ovarian"); heart <- read("heart"); veteran <- read("veteran")
lung$w <- 1 + seq_len(nrow(lung)) %% 3
lung$fraction <- 0.5 + (seq_len(nrow(lung)) %% 7) / 4

# As rows of the tables in the tests.
literal <- function(x) paste0("{", paste(ifelse(is.na(x), "NAN", sprintf("%.15g", x)), collapse = ", "), "}")
nested <- function(m) paste0("{", paste(apply(m, 1, literal), collapse = ",\n     "), "}")

# By group: rows, times; sums of the columns of a curve; quantiles, limits of quantiles; restricted mean; values at times.
curve <- function(name, f, times = c(0, 5, 100, 365, 900, 2000), horizon = 600) {
    cat("\n/* ", name, " */\n", sep = "")
    groups <- if (is.null(f$strata)) list(f) else lapply(seq_along(f$strata), function(i) f[i])
    for (k in groups) {
        se <- if (isTRUE(k$logse)) k$std.err * k$surv else k$std.err
        columns <- cbind(do.call(cbind, unclass(k)[c("n.risk", "n.event", "n.censor", "surv", "lower", "upper", "cumhaz")]),
                         se, k$std.chaz)
        cat("    {", k$n, ", ", length(k$time), ",\n     ", literal(colSums(columns, na.rm = TRUE)), ",\n", sep = "")
        fallen <- k # limits of late entries may rise: quantile.survfit sorts them, print.survfit takes where they first fall
        for (limit in c("lower", "upper")) {
            known <- !is.na(k[[limit]])
            fallen[[limit]][known] <- cummin(k[[limit]][known])
        }
        cat("    ", nested(do.call(rbind, quantile(fallen, c(.1, .25, .5, .75)))), ",\n", sep = "")
        cat("     ", literal(survival:::survmean(k, rmean = horizon)$matrix[c("rmean", "se(rmean)")]), ",\n", sep = "")
        s <- summary(k, times = times, extend = TRUE)
        cat("     ", nested(rbind(s$surv, s$std.err, s$lower, s$upper)), "},\n", sep = "")
    }
}
for (type in c("log-log", "log", "plain"))
    curve(paste("lung ~ sex", type), survfit(Surv(time, status == 2) ~ sex, lung, conf.type = type))
curve("lung weights", survfit(Surv(time, status == 2) ~ 1, lung, weights = w, conf.type = "log-log"))
curve("lung fraction robust", survfit(Surv(time, status == 2) ~ sex, lung, weights = fraction, conf.type = "log-log"))
inst <- subset(lung, !is.na(inst))
curve("lung cluster", survfit(Surv(time, status == 2) ~ 1, inst, cluster = inst, conf.type = "log-log"))
curve("heart", survfit(Surv(start, stop, event) ~ transplant, heart, conf.type = "log-log"))
curve("heart robust", survfit(Surv(start, stop, event) ~ 1, heart, cluster = id, conf.type = "log"))
curve("ovarian", survfit(Surv(futime, fustat) ~ rx, ovarian, conf.type = "log-log"))

logrank <- function(name, f) {
    cat("\n/* ", name, " */\n", sep = "")
    total <- function(m) if (is.matrix(m)) rowSums(m) else m
    cat("    {", literal(total(f$obs)), ", ", literal(total(f$exp)), ",\n     ", literal(f$var), ",\n     ",
        sprintf("%.15g, %.15g", f$chisq, f$pvalue), "},\n", sep = "")
}
for (rho in c(0, 1, 0.5)) {
    logrank(paste("lung ~ sex", rho), survdiff(Surv(time, status == 2) ~ sex, lung, rho = rho))
    logrank(paste("lung ~ ph.ecog", rho), survdiff(Surv(time, status == 2) ~ ph.ecog, lung, rho = rho))
    logrank(paste("veteran ~ celltype, strata prior", rho),
            survdiff(Surv(time, status) ~ factor(celltype, unique(celltype)) + strata(prior), veteran, rho = rho))
}
logrank("lung ~ sex, weights are counts", survdiff(Surv(time, status == 2) ~ sex, lung[rep(seq_len(nrow(lung)), lung$w), ]))

# Weights that survdiff does not have, from the definition.
weighted <- function(name, time, event, group, at_risk, rho, gamma) {
    group <- factor(group); o <- e <- 0; v <- 0; s <- 1
    for (t in sort(unique(time[event == 1]))) {
        n <- as.vector(table(group[time >= t])); d <- as.vector(table(group[time == t & event == 1]))
        N <- sum(n); D <- sum(d); w <- N^at_risk * s^rho * (1 - s)^gamma
        o <- o + w * d; e <- e + w * D * n / N
        if (N > 1) v <- v + w^2 * D * (N - D) / (N - 1) * (diag(n / N) - outer(n / N, n / N))
        s <- s * (1 - D / N)
    }
    chisq <- sum(solve(v[-1, -1], (o - e)[-1]) * (o - e)[-1])
    logrank(paste(name, at_risk, rho, gamma),
            list(obs = o, exp = e, var = v, chisq = chisq, pvalue = pchisq(chisq, length(o) - 1, lower.tail = FALSE)))
}
with(lung, weighted("lung ~ sex", time, status == 2, sex, 0, 1, 0))
with(lung, weighted("lung ~ sex", time, status == 2, sex, 1, 0, 0))
with(veteran, weighted("veteran ~ celltype", time, status, factor(celltype, unique(celltype)), 1, 0, 0))
with(veteran, weighted("veteran ~ celltype", time, status, factor(celltype, unique(celltype)), 0.5, 0, 0))
with(veteran, weighted("veteran ~ celltype", time, status, factor(celltype, unique(celltype)), 0, 1, 1))
with(lung, weighted("lung ~ sex", time, status == 2, sex, 0, 0, 1))
