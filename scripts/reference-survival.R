# Values that tests/models/test_cox.c and tests/analyses/test_survival.c hold proportional hazards to, and the data sets
# in datasets/survival.
# Run by hand: Rscript scripts/reference-survival.R            the values
#              Rscript scripts/reference-survival.R data       writes datasets/survival/*.csv
# Made with R 4.2.2 and survival 3.5-3.
suppressMessages(library(survival))
only <- commandArgs(TRUE)
show <- function(name, ...) cat(sprintf("%-24s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")

if ("data" %in% only) {
    save_csv <- function(d, name)
        write.csv(d, file.path("datasets/survival", paste0(name, ".csv")), row.names = FALSE, na = "", quote = FALSE)
    save_csv(lung, "lung")
    save_csv(ovarian, "ovarian")
    save_csv(veteran, "veteran")
    save_csv(heart, "heart")
    save_csv(rats, "rats")
    save_csv(kidney[, 1:6], "kidney")
    # What came first: a plasma cell malignancy, death without one, or the end of follow-up (as in ?mgus2).
    save_csv(with(mgus2, data.frame(id, age, sex, hgb, creat, mspike, etime = ifelse(pstat == 0, futime, ptime),
                                    event = ifelse(pstat == 1, "pcm", ifelse(death == 1, "death", "censor")))), "mgus2")
    quit()
}

# To the last digits: the default stops after nine.
fit <- function(formula, data, ...)
    eval(substitute(coxph(formula, data, ..., model = TRUE, x = TRUE,
                          control = coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50))))
report <- function(name, f) {
    cat("\n", name, "\n", sep = "")
    show("  estimate", coef(f))
    show("  se", sqrt(diag(f$var)))
    if (!is.null(f$naive.var)) show("  naive_se", sqrt(diag(f$naive.var)))
    show("  loglik", f$loglik)
    show("  score, wald, lr", f$score, f$wald.test, 2 * diff(f$loglik))
    if (!is.null(f$rscore)) show("  robust score", f$rscore)
    show("  concordance", f$concordance[c("concordance", "std")])
}
zph <- function(f, ...) for (t in c("km", "rank", "identity", "log"))
    show(paste("  zph", t), cox.zph(f, t, ...)$table[, 1])

complete <- na.omit(lung[c("inst", "time", "status", "age", "sex", "ph.ecog", "wt.loss")])
for (ties in c("efron", "breslow", "exact")) {
    f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog, complete, ties = ties)
    report(paste("lung", ties), f)
    if (ties != "exact") zph(f)
}
f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog + cluster(inst), complete)
report("lung efron cluster(inst)", f)
f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog, complete, robust = TRUE, ties = "breslow")
report("lung breslow robust", f)
f <- fit(Surv(time, status == 2) ~ age + ph.ecog + strata(sex), complete)
report("lung efron strata(sex)", f)
zph(f)
complete$w <- 1 + seq_len(nrow(complete)) %% 3
for (ties in c("efron", "breslow")) {
    f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog, complete, weights = w, ties = ties)
    report(paste("lung weights", ties), f)
    zph(f)
    f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog + cluster(inst), complete, weights = w, ties = ties)
    report(paste("lung weights cluster", ties), f)
}
for (ties in c("efron", "breslow", "exact")) {
    f <- fit(Surv(start, stop, event) ~ age + year + surgery + transplant, heart, ties = ties)
    report(paste("heart", ties), f)
    if (ties != "exact") zph(f)
}
f <- fit(Surv(start, stop, event) ~ age + year + surgery + strata(transplant) + cluster(id), heart)
report("heart strata(transplant) cluster(id)", f)
zph(f)
veteran$celltype <- relevel(factor(as.character(veteran$celltype)), "squamous")
f <- fit(Surv(time, status) ~ trt + celltype + karno, veteran)
report("veteran", f)
zph(f)
f <- fit(Surv(futime, fustat) ~ age + rx + offset(0.1 * ecog.ps), ovarian)
report("ovarian offset", f)
f <- fit(Surv(time, status) ~ rx + strata(sex) + cluster(litter), rats)
report("rats", f)

cat("\nresiduals, heart efron, rows 1, 4, 10, 100\n")
f <- fit(Surv(start, stop, event) ~ age + year + surgery + transplant, heart)
pick <- c(1, 4, 10, 100)
show("  martingale", resid(f, "martingale")[pick])
for (i in pick) show(paste("  score", i), resid(f, "score")[i, ])
for (i in c(1, 2, 40)) show(paste("  schoenfeld", i), resid(f, "schoenfeld")[i, ])
cat("\ncurves\n")
for (ties in c("efron", "breslow")) {
    f <- fit(Surv(time, status == 2) ~ age + sex + ph.ecog, complete, ties = ties)
    s <- summary(survfit(f, data.frame(age = 60, sex = 2, ph.ecog = 1), conf.type = "log"), times = c(5, 100, 310, 800))
    show(paste(" ", ties, "cumhaz"), s$cumhaz)
    show(paste(" ", ties, "std.chaz"), s$std.chaz)
    show(paste(" ", ties, "surv"), s$surv)
    show(paste(" ", ties, "lower"), s$lower)
    show(paste(" ", ties, "upper"), s$upper)
}
f <- fit(Surv(start, stop, event) ~ age + year + surgery + strata(transplant), heart) # model errors
s <- survfit(f, data.frame(age = 5, year = 2, surgery = 1))
s <- summary(s[2], times = c(10, 100, 500))
show("  heart cumhaz", s$cumhaz)
show("  heart std.chaz", s$std.chaz)
