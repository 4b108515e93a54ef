# Values that tests/analyses/test_term_tests.c holds tests of terms to.
# Run by hand at the top of the source tree: Rscript scripts/reference-terms.R
# Made with R 4.2.2, sandwich 3.0-2, lmtest 0.9-40.
suppressMessages({library(sandwich); library(lmtest)})
show <- function(name, ...) cat(sprintf("%-24s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")
tight <- list(epsilon = 1e-14, maxit = 50)
d <- read.csv("datasets/jobs2_mediation/jobs.csv")
m <- lm(depress2 ~ econ_hard + occp + age * sex, d)
for (term in c("econ_hard", "occp", "age:sex")) {
    w <- waldtest(m, term, vcov = function(x) vcovHC(x, "HC3")) # of the model with the term, see ?waldtest
    show(paste("hc3", term), w$F[2], w[["Pr(>F)"]][2])
}
g <- glm(comply ~ econ_hard + occp + age * sex, binomial, subset(d, treat == 1), control = tight)
lr <- drop1(g, test = "LRT")
for (term in c("econ_hard", "occp", "age:sex")) {
    w <- waldtest(g, term, test = "Chisq")
    show(paste("binomial", term), w$Chisq[2], w[["Pr(>Chisq)"]][2], lr[term, "LRT"], lr[term, "Pr(>Chi)"])
}
h <- glm(depress2 ~ econ_hard + occp, Gamma("log"), d, control = tight)
w <- waldtest(h, "occp", test = "F")
f <- anova(update(h, . ~ . - occp), h, test = "F")
show("gamma occp", w$F[2], w[["Pr(>F)"]][2], f$F[2], f[["Pr(>F)"]][2])
