# Values that tests/models/test_frailty.c holds shared frailties to.
# Run by hand at the top of the source tree: Rscript scripts/reference-frailty.R
# Made with R 4.2.2, survival 3.5-3. theta and its likelihood are coxph's with its tolerances tightened (theta to about 6
# digits); coefficients and frailties at the theta given here are those of full Newton steps (sparse = FALSE), errors
# those of the sparse information.
suppressPackageStartupMessages(library(survival))
show <- function(name, ...) cat(sprintf("%-24s", name), paste(sprintf("%.13g", c(...)), collapse = ", "), "\n")
control <- coxph.control(eps = 1e-13, toler.chol = 1e-14, toler.inf = 1e-10, iter.max = 500, outer.max = 200)

frailties <- function(name, formula, group, data, theta, ties = "efron") {
    data$g <- data[[group]]
    free <- coxph(update(formula, . ~ . + frailty(g, eps = 1e-12)), data, control = control, ties = ties)
    show(paste(name, "theta, likelihood"), free$history[[1]]$theta, free$history[[1]]$c.loglik)
    fixed <<- theta
    full <- coxph(update(formula, . ~ . + frailty(g, theta = fixed, sparse = FALSE)), data, control = control, ties = ties)
    p <- length(coef(free))
    show(paste(name, "coefficients"), coef(full)[1:p])
    show(paste(name, "frailties"), coef(full)[p + 1:3])
    sparse <- coxph(update(formula, . ~ . + frailty(g, theta = fixed)), data, control = control, ties = ties)
    show(paste(name, "se"), sqrt(diag(sparse$var)))
    show(paste(name, "se given"), sqrt(diag(sparse$var2)))
    show(paste(name, "se of frailties"), sqrt(sparse$fvar[1:3]))
    show(paste(name, "df"), sparse$df)
}

kidney <- read.csv("datasets/survival/kidney.csv")
frailties("kidney", Surv(time, status) ~ age + sex, "id", kidney, 0.407769575573)
frailties("kidney breslow", Surv(time, status) ~ age + sex, "id", kidney, 0.397313379657, "breslow")
rats <- read.csv("datasets/survival/rats.csv")
frailties("rats", Surv(time, status) ~ rx, "litter", rats, 2.02034209482)
frailties("rats strata", Surv(time, status) ~ rx + strata(sex), "litter", rats, 0.487237405261)
