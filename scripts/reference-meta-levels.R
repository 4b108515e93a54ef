# tests/analyses/meta_levels_reference.h, to which test_meta_levels.c holds meta-analyses of several effects a study.
# Run by hand at the top of the source tree: Rscript scripts/reference-meta-levels.R > tests/analyses/meta_levels_reference.h
# (data: writes datasets/meta_levels). Made with R 4.2.2, metafor 3.8.1, clubSandwich 0.5.8, metadat 1.2.0.
suppressMessages({library(metafor); library(clubSandwich)})
if ("data" %in% commandArgs(TRUE)) {
    for (name in c("konstantopoulos2011", "assink2016"))
        write.csv(get(paste0("dat.", name)), file.path("datasets/meta_levels", paste0(name, ".csv")), row.names = FALSE,
                  quote = FALSE)
    quit()
}
show <- function(name, x)
    cat(paste(strwrap(sprintf("static const double %s[] = {%s};", name, paste(sprintf("%.11g", x), collapse = ", ")), 116,
                      exdent = 4), collapse = "\n"), "\n", sep = "")
cat(sprintf("/* Made by scripts/reference-meta-levels.R with R %s, metafor %s, clubSandwich %s.\n", getRversion(),
            packageVersion("metafor"), packageVersion("clubSandwich")))
cat(" * Variances between and within with their intervals, log-likelihood, AIC, BIC, Q, then for each coefficient estimate,",
    "\n * model's error, CR2 error, df, p. */\n", sep = "")
cat("#ifndef BORDIN_TESTS_ANALYSES_META_LEVELS_REFERENCE_H\n#define BORDIN_TESTS_ANALYSES_META_LEVELS_REFERENCE_H\n\n")
fit <- function(name, data, cluster, mods, rho, method) {
    data$.c <- data[[cluster]]
    data$.o <- seq_len(nrow(data))
    V <- if (rho == 0) diag(c(data$vi)) else vcalc(vi, cluster = .c, obs = .o, rho = rho, data = data)
    m <- rma.mv(yi, V, mods = mods, random = ~ 1 | .c / .o, data = data, method = method,
                control = list(optimizer = "optim", method = "BFGS", reltol = 1e-16, maxit = 5000))
    r <- coef_test(m, vcov = "CR2", cluster = data$.c)
    ci <- confint(m, control = list(tol = 1e-12))
    ll <- m$fit.stats[, method]
    show(name, c(ci[[1]]$random[1, ], ci[[2]]$random[1, ], ll[c(1, 3, 4)], m$QE, rbind(c(m$b), m$se, r$SE, r$df, r$p_Satt)))
}
fit("schools", dat.konstantopoulos2011, "district", ~ 1, 0, "REML")
fit("schools_ml", dat.konstantopoulos2011, "district", ~ year, 0, "ML")
fit("delinquents", dat.assink2016, "study", ~ 1, 0.6, "REML")
fit("delinquents_type", dat.assink2016, "study", ~ year + deltype, 0.6, "REML")
regard <- escalc("ZCOR", ri = r, ni = n, data = read.csv("datasets/meta_positive_regard/effects.csv",
                                                      na.strings = ""))
fit("regard", regard, "study_id", ~ 1, 0, "REML")
fit("regard_half", regard, "study_id", ~ 1, 0.5, "REML")
fit("regard_rater", regard[!is.na(regard$outcome_rater), ], "study_id", ~ I(outcome_rater == "P") + n, 0.8,
    "REML")
cat("\n#endif\n")
