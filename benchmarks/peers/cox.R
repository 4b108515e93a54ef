# Rscript cox.R FILE fit|clusters|N: coxph of dropout times, with cluster-robust errors, or N replicates by coxph.fit.
suppressMessages(library(survival))
arguments <- commandArgs(TRUE)
d <- data.table::fread(arguments[1], data.table = FALSE)
d$time <- 100 - d$adherence + 1
if (arguments[2] == "fit") {
    time <- system.time(coxph(Surv(time, dropout) ~ alliance + baseline + treatment, d))
} else if (arguments[2] == "clusters") {
    time <- system.time(coxph(Surv(time, dropout) ~ alliance + baseline + treatment + cluster(therapist), d))
} else {
    y <- Surv(d$time, d$dropout)
    x <- as.matrix(d[c("alliance", "baseline", "treatment")])
    n <- nrow(d)
    set.seed(1)
    time <- system.time(for (b in seq_len(as.integer(arguments[2]))) {
        rows <- sample(n, n, TRUE)
        coxph.fit(x[rows, ], y[rows], NULL, NULL, NULL, coxph.control(), NULL, "efron", rownames = seq_len(n))
    })
}
cat(sprintf("compute %.3f s\n", time[3]))
