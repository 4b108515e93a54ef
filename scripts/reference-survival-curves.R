# Values that tests/models/test_survival_curve.c, test_logrank.c, test_competing_risks.c and test_weibull.c hold survival
# curves, their tests, competing risks and parametric regression to.
# Run by hand: Rscript scripts/reference-survival-curves.R            the values
#              Rscript scripts/reference-survival-curves.R data       writes tests/data/mgus2.csv
# Made with R 4.2.2, survival 3.5-3 and cmprsk 2.2-11 (Gray's test).
suppressMessages(library(survival))
only <- commandArgs(TRUE)
# Monoclonal gammopathy: what came first, a plasma cell malignancy (1), death (2) or the end (0)? Months.
if ("data" %in% only) {
    d <- with(mgus2, data.frame(id, age, sex = as.numeric(sex), etime = ifelse(pstat == 0, futime, ptime),
                                event = ifelse(pstat == 0, 2 * death, 1)))
    write.csv(d, "tests/data/mgus2.csv", row.names = FALSE, quote = FALSE)
    quit()
}
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

mgus <- read.csv("tests/data/mgus2.csv")
mgus$state <- factor(mgus$event, 0:2, c("none", "pcm", "death"))
mgus$w <- 0.5 + (seq_len(nrow(mgus)) %% 7) / 4
mgus$start <- ifelse(mgus$etime > 10, mgus$id %% 10, 0)
mgus$etime[mgus$etime <= mgus$start] <- 0.5

# By group and cause: times; sums of at risk, censored, event-free, events, incidence, se, low, high; values at times.
incidence <- function(name, f, times = c(0, 12, 60, 120, 300, 600), counts = NULL) {
    cat("\n/* ", name, " */\n", sep = "")
    groups <- if (is.null(f$strata)) list(f) else lapply(seq_along(f$strata), function(i) f[i, ])
    for (k in groups) for (cause in c("pcm", "death")) {
        j <- match(cause, k$states)
        columns <- cbind(rowSums(as.matrix(k$n.risk)), rowSums(as.matrix(k$n.censor)), k$pstate[, 1], k$n.event[, j],
                         k$pstate[, j], k$std.err[, j], k$lower[, j], k$upper[, j])
        if (!is.null(counts)) columns[, c(1, 2, 4)] <- counts[[cause]] # survfit does not weight those of several states
        s <- summary(k, times = times, extend = TRUE)
        cat("    {", length(k$time), ", ", literal(colSums(columns, na.rm = TRUE)), ",\n     ",
            nested(rbind(s$pstate[, j], s$std.err[, j], s$lower[, j], s$upper[, j])), "},\n", sep = "")
    }
}
for (type in c("log-log", "log", "plain"))
    incidence(paste("mgus", type), survfit(Surv(etime, state) ~ sex, mgus, conf.type = type))
any_event <- survfit(Surv(etime, event > 0) ~ 1, mgus, weights = w)
this_event <- function(cause) as.vector(with(mgus, tapply(w * (event == cause), etime, sum)))
counts <- lapply(c(pcm = 1, death = 2), function(k) cbind(any_event$n.risk, any_event$n.censor, this_event(k)))
incidence("mgus weights", survfit(Surv(etime, state) ~ 1, mgus, weights = w, conf.type = "log-log"), counts = counts)
incidence("mgus late", survfit(Surv(start, etime, state) ~ sex, mgus, id = id, conf.type = "log-log"))
# survfit does without clusters where there are several states: from the influence of each row.
clustered <- survfit(Surv(etime, state) ~ 1, mgus, id = id, conf.type = "log-log", influence = TRUE)
for (j in seq_along(clustered$states))
    clustered$std.err[, j] <- sqrt(colSums(rowsum(clustered$influence.pstate[, -1, j], mgus$age)^2))
ci <- survival:::survfit_confint(clustered$pstate, clustered$std.err, logse = FALSE, "log-log", 0.95)
clustered$lower <- ci$lower; clustered$upper <- ci$upper
incidence("mgus clusters", clustered)

cat("\n/* Gray */\n")
if (requireNamespace("cmprsk", quietly = TRUE)) {
    mgus <- read.csv("tests/data/mgus2.csv")
    gray <- function(group, rho, ...) {
        f <- cmprsk::cuminc(mgus$etime, mgus$event, group, rho = rho, ...)
        for (cause in 1:2) cat(sprintf("%g %d: %.15g, %.15g, %g\n", rho, cause, f$Tests[cause, 1], f$Tests[cause, 2], f$Tests[cause, 3]))
    }
    for (rho in c(0, 1)) {
        gray(mgus$sex, rho)
        gray((mgus$age > 60) + (mgus$age > 75), rho)
        gray((mgus$age > 60) + (mgus$age > 75), rho, strata = mgus$sex)
    }
}

# Rows; sums of start, stop, weights, their squares, stop * weights; the Cox model's estimates and errors.
fine_gray <- function(name, cause, ...) {
    g <- finegray(...)
    f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex, g, weights = fgwt, robust = FALSE,
               control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50))
    cat("    {", cause, ", ", nrow(g), ", ", with(g, literal(c(sum(fgstart), sum(fgstop), sum(fgwt), sum(fgwt^2),
        sum(fgstop * fgwt), sum(fgstatus)))), ",\n     ", literal(coef(f)), ", ", literal(sqrt(diag(vcov(f)))), "}, /* ", name,
        " */\n", sep = "")
}
cat("\n/* Fine and Gray */\n")
mgus <- read.csv("tests/data/mgus2.csv")
mgus$state <- factor(mgus$event, 0:2, c("none", "pcm", "death"))
fine_gray("all", 1, Surv(etime, state) ~ age + sex, mgus, etype = "pcm")
fine_gray("all", 2, Surv(etime, state) ~ age + sex, mgus, etype = "death")
fine_gray("strata", 1, Surv(etime, state) ~ age + sex + strata(sex), transform(mgus), etype = "pcm")

# Coefficients and log(scale), their errors; log-likelihoods: of a constant alone, of the model.
failure_time <- function(name, formula, data, dist, ...) {
    f <- eval(substitute(survreg(formula, data, dist = dist, ..., control = survreg.control(rel.tolerance = 1e-14, maxiter = 100))))
    theta <- c(coef(f), if (dist != "exponential") log(f$scale))
    cat("    {", literal(theta), ",\n     ", literal(sqrt(diag(vcov(f)))), ",\n     ", literal(f$loglik), "}, /* ", name, " ",
        dist, " */\n", sep = "")
}
cat("\n/* Failure times */\n")
complete <- subset(lung, !is.na(ph.ecog))
for (dist in c("weibull", "exponential", "lognormal", "loglogistic")) {
    failure_time("lung", Surv(time, status == 2) ~ age + sex + ph.ecog, complete, dist)
    failure_time("lung, counts", Surv(time, status == 2) ~ age + sex, lung, dist, weights = w)
    failure_time("ovarian, offset", Surv(futime, fustat) ~ rx + offset(0.1 * ecog.ps), ovarian, dist)
    failure_time("veteran", Surv(time, status) ~ trt + karno + prior, veteran, dist)
}
