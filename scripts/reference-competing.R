# Values that tests/analyses/test_competing.c holds competing risks to: survival's multi-state curves, cause-specific Cox
# models and Fine and Gray's; cmprsk's crr and Gray's test. Run by hand: Rscript scripts/reference-competing.R
suppressMessages(library(survival))
cat(R.version.string, "survival", as.character(packageVersion("survival")), "cmprsk", as.character(packageVersion("cmprsk")), "\n")
d <- read.csv("datasets/survival/mgus2.csv")
d$event <- factor(d$event, c("censor", "death", "pcm"))
row <- function(name, ...) cat(sprintf("%-28s", name), "{", paste(sprintf("%.15g", c(...)), collapse = ", "), "}\n")
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)

f <- survfit(Surv(etime, event) ~ sex, d, conf.type = "log-log")
for (g in 1:2) {
    s <- summary(f[g, ], times = c(60, 240))
    for (k in 2:3) for (t in 1:2)
        row(paste(names(f$strata)[g], s$states[k], s$time[t]), s$n.risk[t, 1], s$pstate[t, k], s$std.err[t, k],
            s$lower[t, k], s$upper[t, k])
}
test <- cmprsk::cuminc(d$etime, as.integer(d$event) - 1, d$sex)$Tests
row("gray", test[, 1], test[, 2])
used <- subset(d, !is.na(hgb))
used$id0 <- used$id
used$id <- seq_len(nrow(used))
for (cause in c("death", "pcm")) {
    m <- coxph(Surv(etime, event == cause) ~ age + sex + hgb, used, control = tight)
    row(paste(cause, "cox"), coef(m), sqrt(diag(vcov(m))))
    row(paste(cause, "loglik"), m$loglik)
    g <- finegray(Surv(etime, event) ~ age + sex + hgb + id, used, etype = cause)
    m <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + sex + hgb, g, weights = fgwt, cluster = id, control = tight)
    row(paste(cause, "fine-gray"), coef(m), sqrt(diag(vcov(m))))
    # Shares of profiles, at 60 and 240 months: 1 - survival of the subdistribution, its limits, its cumulative hazard
    f <- survfit(m, data.frame(age = 70, sex = "F", hgb = 13))
    t <- summary(f, times = c(60, 240))
    for (i in 1:2) row(paste(cause, "share", t$time[i]), 1 - t$surv[i], 1 - t$upper[i], 1 - t$lower[i], t$cumhaz[i], t$std.chaz[i])
    # crr takes censoring at a time before the events of that time, survival after: without ties they agree
    c <- cmprsk::crr(used$etime + used$id0 / 1e4, as.integer(used$event) - 1, model.matrix(~ age + sex + hgb, used)[, -1],
                     failcode = match(cause, levels(used$event)) - 1, gtol = 1e-12, maxiter = 50)
    row(paste(cause, "crr without ties"), c$coef)
    g <- finegray(Surv(etime, event) ~ age + sex + hgb + id + strata(sex), used, etype = cause)
    m <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + hgb + strata(sex), g, weights = fgwt, cluster = id, control = tight,
               ties = "breslow")
    row(paste(cause, "fine-gray strata"), coef(m), sqrt(diag(vcov(m))))
}
