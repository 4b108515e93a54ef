# Values that tests/models/test_{ordinal,multinomial,zero_inflated,proportions,quantile,robust}.c hold the models to.
# Run by hand: Rscript scripts/reference-other-models.R [model]
# Made with R 4.2.2, ordinal 2022.11-16, MASS 7.3-58.2, nnet 7.3-18, pscl 1.5.5, sandwich 3.0-2, VGAM 1.1-7,
# quantreg 5.94, robustbase 0.95-0.
only <- commandArgs(TRUE)
wanted <- function(model) length(only) == 0 || model %in% only
show <- function(name, ...) cat(sprintf("%-24s", name), paste(sprintf("%.15g", c(...)), collapse = ", "), "\n")

i <- 0:199
d <- data.frame(x1 = (i * 37 %% 101) / 25 - 2)
d$x1 <- ((i * 37) %% 101) / 25 - 2
d$x2 <- ((i * i * 13) %% 89) / 30
d$z <- as.numeric(i %% 3 == 0)
d$noise <- ((i * 7919 + 17) %% 1009 + 0.5) / 1009
d$second <- ((i * i + i * 127 + 5) %% 757 + 0.5) / 757
d$w <- 1 + i %% 4
d$cluster <- i %% 20

# The sandwich from bread = inverse information and scores by row.
sandwiches <- function(bread, scores) {
    cr <- function(g) { s <- rowsum(scores, g); sqrt(diag(bread %*% crossprod(s) %*% bread)) }
    show("  hc0", cr(i))
    show("  cr0", cr(d$cluster))
    show("  cr1", cr(d$cluster) * sqrt(20 / 19))
}

# Newton's method on a log-likelihood by numerical derivatives of fourth order, from where a package stopped: packages
# stop at 1e-4 to 1e-8, and the values here should be good to 1e-10.
polish <- function(rows, start, steps = 4) {
    b <- start
    for (k in seq_len(steps)) {
        g <- colSums(numDeriv::jacobian(rows, b))
        h <- numDeriv::hessian(function(b) sum(rows(b)), b)
        b <- b - solve(h, g)
    }
    b
}

if (wanted("ordinal")) {
    suppressMessages(library(ordinal))
    latent <- 0.8 * d$x1 - 0.5 * d$x2 + 0.6 * d$z + qlogis(d$noise)
    d$y <- cut(latent, c(-Inf, -1.5, 0, 1.2, Inf), labels = FALSE)
    d$o <- factor(d$y, ordered = TRUE)
    print(table(d$o))
    for (link in c("logit", "probit", "cloglog", "loglog", "cauchit")) {
        f <- clm(o ~ x1 + x2 + z, data = d, link = link, control = clm.control(gradTol = 1e-13, maxIter = 200))
        k <- c(4:6, 1:3)
        if (link == "cauchit") { # clm stops six digits early
            row <- function(b) {
                theta <- c(-Inf, b[4:6], Inf)
                eta <- as.matrix(d[c("x1", "x2", "z")]) %*% b[1:3]
                log(pcauchy(theta[d$y + 1] - eta) - pcauchy(theta[d$y] - eta))
            }
            b <- polish(row, coef(f)[k])
            show("cauchit polished", b)
            show("  se", sqrt(diag(solve(-numDeriv::hessian(function(b) sum(row(b)), b)))))
            show("  logLik", sum(row(b)))
        }
        show(paste(link, "estimates"), coef(f)[k])
        show("  se", sqrt(diag(vcov(f)))[k])
        show("  logLik", logLik(f))
        if (link %in% c("logit", "probit")) {
            # what nominal_test does, which cannot update a fit made inside a loop
            lr <- function(nominal, rest) {
                g <- clm(rest, nominal = nominal, data = d, link = link,
                         control = clm.control(gradTol = 1e-13, maxIter = 200))
                2 * c(logLik(g) - logLik(f))
            }
            lrs <- c(lr(~ x1, o ~ x2 + z), lr(~ x2, o ~ x1 + z), lr(~ z, o ~ x1 + x2), lr(~ x1 + x2 + z, o ~ 1))
            show("  nominal LR", lrs)
            show("  p", pchisq(lrs, c(2, 2, 2, 6), lower.tail = FALSE))
        }
        if (link == "logit") {
            show("  probabilities, rows 1 and 7", predict(f, newdata = d[c(1, 7), c("x1", "x2", "z")], type = "prob")$fit)
            scores <- sandwich::estfun(f)[, k]
            sandwiches(vcov(f)[k, k], scores)
            p <- MASS::polr(o ~ x1 + x2 + z, data = d, Hess = TRUE, control = list(reltol = 1e-16, maxit = 1000))
            show("  polr estimates", coef(p), p$zeta)
            w <- clm(o ~ x1 + x2 + z, data = d, weights = w, control = clm.control(gradTol = 1e-13, maxIter = 200))
            show("  weighted", coef(w)[k]); show("  se", sqrt(diag(vcov(w)))[k])
            null <- clm(o ~ 1, data = d)
            show("  null", logLik(null))
        }
    }
    w <- clm(rating ~ temp + contact, data = wine, control = clm.control(gradTol = 1e-13))
    show("wine", coef(w)[c(5:6, 1:4)], sqrt(diag(vcov(w)))[c(5:6, 1:4)], logLik(w))
    print(as.integer(wine$rating)); print(as.integer(wine$temp)); print(as.integer(wine$contact))
}
