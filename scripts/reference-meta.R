# tests/models/pooling_reference.h, to which test_pooling.c holds meta-analyses of one effect per study.
# Run by hand at the top of the source tree: Rscript scripts/reference-meta.R > tests/models/pooling_reference.h
# Made with R 4.2.2, metafor 3.8.1, metadat 1.2.0.
suppressMessages(library(metafor))
show <- function(name, x)
    cat(paste(strwrap(sprintf("static const double %s[] = {%s};", name, paste(sprintf("%.12g", x), collapse = ", ")), 116,
                      exdent = 4), collapse = "\n"), "\n", sep = "")
cat(sprintf("/* Made by scripts/reference-meta.R with R %s, metafor %s, metadat %s. */\n", getRversion(),
            packageVersion("metafor"), packageVersion("metadat")))
cat("#ifndef BORDIN_TESTS_MODELS_POOLING_REFERENCE_H\n#define BORDIN_TESTS_MODELS_POOLING_REFERENCE_H\n\n")
bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
calm <- data.frame(yi = c(.31, .28, .35, .30, .33, .26), vi = c(.04, .02, .05, .03, .02, .06))
show("bcg_yi", c(bcg$yi)); show("bcg_vi", bcg$vi); show("bcg_latitude", bcg$ablat)
show("bcg_random", 1 * (bcg$alloc == "random")); show("calm_yi", calm$yi); show("calm_vi", calm$vi)
control <- list(threshold = 1e-14, maxiter = 10000, tol = 1e-14)
fit <- function(name, data, mods, method, test) {
    m <- rma(yi, vi, mods = mods, data = data, method = toupper(method), test = test, control = control)
    # With equal effects R2 is not of tau^2, and left out.
    # uniroot, which finds PM and Q-profile, stops early unless told.
    ci <- if (method == "ee") rep(NA, 8) else c(t(confint(m, control = list(tol = 1e-14))$random[, 2:3]))
    pi <- if (m$p == 1) c(predict(m)$pi.lb, predict(m)$pi.ub) else c(NA, NA)
    if (method == "ee" && m$p == 1) pi <- c(m$ci.lb, m$ci.ub)
    ll <- m$fit.stats[1:4, if (method == "reml") "REML" else "ML"]
    if (!method %in% c("reml", "ml", "ee")) ll[] <- NA
    x <- c(m$tau2, m$se.tau2, m$QE, m$QEp, m$I2, m$H2, ci[c(1, 2, 5, 6, 7, 8)], if (m$p > 1) c(m$QM, m$QMp) else c(NA, NA),
           if (is.null(m$R2) || method == "ee") NA else m$R2, ll[1], ll[3], ll[4], pi, rbind(c(m$b), m$se, m$zval, m$pval, m$ci.lb, m$ci.ub))
    cat(sprintf("    {\"%s\", \"%s\", %s, %d, %d, {%s}},\n", method, test, if (name == "calm") "true" else "false",
                m$p - 1, length(x),
                paste(ifelse(is.na(x), "NAN", sprintf("%.11g", x)), collapse = ", ")) |> strwrap(116, exdent = 8) |>
        paste(collapse = "\n") |> (\(s) paste0("    ", s, "\n"))())
}
cat("\n/* Method, test, which data, moderators; tau^2, its SE, Q, p, I2, H2, the interval of tau^2, I2, H2, QM, p, R2,\n",
    " * log-likelihood, AIC, BIC, prediction interval; of each coefficient estimate, SE, statistic, p, interval. */\n",
    "static const struct {\n    const char *method, *test;\n    bool calm;\n    int n_moderators, n_values;\n    double values[40];\n",
    "} pooling_reference[] = {\n", sep = "")
for (method in c("reml", "ml", "dl", "pm", "eb", "sj", "he", "hs", "ee")) {
    fit("bcg", bcg, ~ 1, method, "z")
    fit("bcg", bcg, ~ ablat + I(alloc == "random"), method, "knha")
    fit("calm", calm, ~ 1, method, "adhoc")
}
fit("bcg", bcg, ~ ablat, "reml", "t")
fit("bcg", bcg, ~ ablat, "reml", "z")
fit("calm", calm, ~ 1, "reml", "knha")
cat("};\n\n#endif\n")
