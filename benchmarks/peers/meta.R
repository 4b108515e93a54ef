# Rscript meta.R FILE levels|sparse|confint|boot N: metafor's rma.mv (with profile intervals), or REML of N bootstrap samples.
arguments <- commandArgs(TRUE)
suppressMessages(library(metafor))
d <- read.csv(arguments[1])
compute <- system.time(if (arguments[2] == "boot") {
    d <- escalc("ZCOR", ri = r, ni = n, data = d)
    set.seed(1)
    b <- replicate(as.integer(arguments[3]), {
        s <- d[sample(nrow(d), replace = TRUE), ]
        rma(yi, vi, data = s, control = list(maxiter = 1000))$beta
    })
    print(quantile(b, c(.025, .975)))
} else {
    m <- rma.mv(yi, vi, random = ~ 1 | study / effect, data = d, sparse = arguments[2] == "sparse")
    print(c(m$b, m$sigma2))
    if (arguments[2] == "confint") print(confint(m))
})
cat("compute", compute[["elapsed"]], "s\n")
