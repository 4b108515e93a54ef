# Values that tests/analyses/test_adherence.c holds adherence to: every day of a window is looked at one by one.
# Run by hand: Rscript scripts/reference-adherence.R
# Made with R 4.2.2. Medians of persistence are those of survival 3.5-3.
suppressMessages(library(survival))
d <- read.csv("datasets/medication_events/med_events.csv")
d$day <- as.numeric(as.Date(d$date))

# Of one patient: window first .. last (days), which days are covered, and what follows from that.
patient <- function(x, first, last, carry, gap) {
    x <- x[order(x$day, x$duration), ]
    covered <- integer(0); used_up <- -Inf
    for (i in seq_len(nrow(x))) {
        if (x$day[i] > last) break
        from <- if (carry) max(x$day[i], used_up) else x$day[i]
        used_up <- from + x$duration[i]
        if (x$duration[i] > 0) covered <- c(covered, from + seq_len(x$duration[i]) - 1)
    }
    days <- first:last
    runs <- rle(days %in% covered)
    gaps <- runs$lengths[!runs$values]
    ends <- cumsum(runs$lengths); starts <- ends - runs$lengths
    long <- which(!runs$values & runs$lengths > gap)
    within <- x$day >= first & x$day <= last
    c(mpr = sum(x$duration[within]) / length(days), covered = sum(days %in% covered), n_gaps = length(gaps),
      longest = max(0, gaps), gap_days = sum(gaps),
      persistence = if (length(long)) starts[long[1]] else length(days), discontinued = length(long) > 0)
}
everyone <- function(name, window, carry, gap, start = NULL) {
    r <- t(sapply(split(d, d$patient_id), function(x) {
        first <- if (is.null(start)) min(x$day) else start
        last <- if (is.na(window)) max(x$day) - 1 else first + window - 1
        if (!any(x$day >= first & x$day <= last)) return(rep(NA, 7))
        patient(x, first, last, carry, gap)
    }))
    colnames(r) <- c("mpr", "covered", "n_gaps", "longest", "gap_days", "persistence", "discontinued")
    r <- r[!is.na(r[, 1]), ]
    m <- quantile(survfit(Surv(r[, "persistence"], r[, "discontinued"]) ~ 1, conf.type = "log-log"), .5)
    cat(sprintf("    {%s, /* sums */\n     {%s}, /* patient 2 */\n     {%s}},\n",
                paste0(name, ", ", nrow(r), ",\n     {", paste(sprintf("%.15g", colSums(r)), collapse = ", "), "}"),
                paste(sprintf("%.15g", r["2", ]), collapse = ", "),
                paste(ifelse(is.na(unlist(m)), "NAN", sprintf("%.15g", unlist(m))), collapse = ", ")))
}
cat("\n/* window, carry-over, gap, start; patients; sums of mpr, covered, n_gaps, longest_gap, gap_days, persistence,\n",
    "* discontinued; those of patient 2; median persistence and its limits */\n")
everyone("365, true, 60, NULL", 365, TRUE, 60)
everyone("365, false, 60, NULL", 365, FALSE, 60)
everyone("180, true, 30, NULL", 180, TRUE, 30)
everyone("0, true, 90, NULL", NA, TRUE, 90)
everyone("0, false, 14, NULL", NA, FALSE, 14)
everyone("400, true, 45, \"2036-06-01\"", 400, TRUE, 45, as.numeric(as.Date("2036-06-01")))
