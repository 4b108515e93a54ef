# Values that tests/models/test_{ordinal,multinomial,zero_inflated,proportions,quantile,robust}.c hold the models to.
# Run by hand: Rscript scripts/reference-other-models.R [model]
# Made with R 4.2.2, ordinal 2022.11-16, MASS 7.3-58.2, nnet 7.3-18, pscl 1.5.5, sandwich 3.0-2, VGAM 1.1-7,
# quantreg 5.94, robustbase 0.95-0, numDeriv 2016.8-1.1. Debian: r-cran-ordinal and so on; betareg is not among them.
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

# Newton's method on the log-likelihood of each row from where a package stopped, which is after 4 to 8 digits. `rows`
# takes complex numbers: derivatives by a complex step are exact, and the second ones differences of those.
scores <- function(rows, b) numDeriv::jacobian(rows, b, method = "complex")
hessian <- function(rows, b) {
    h <- numDeriv::jacobian(function(b) colSums(scores(rows, b)), b)
    (h + t(h)) / 2
}
polish <- function(rows, b, steps = 5) {
    for (k in seq_len(steps))
        b <- b - solve(hessian(rows, b), colSums(scores(rows, b)))
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
                theta <- c(-1e18, b[4:6], 1e18)
                eta <- as.matrix(d[c("x1", "x2", "z")]) %*% b[1:3]
                between <- atan(theta[d$y + 1] - eta) - atan(theta[d$y] - eta)
                log(between / pi)
            }
            b <- polish(row, coef(f)[k])
            show("cauchit polished", b)
            show("  se", sqrt(diag(solve(-hessian(row, b)))))
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
            by_row <- sandwich::estfun(f)[, k]
            sandwiches(vcov(f)[k, k], by_row)
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

if (wanted("zero_inflated")) {
    suppressMessages(library(pscl))
    mu <- exp(0.6 + 0.5 * d$x1 - 0.2 * d$x2 + 0.3 * d$z)
    d$y <- ifelse(d$second < plogis(-0.9 + 0.8 * d$z), 0, qnbinom(d$noise, size = 2, mu = mu))
    print(table(d$y))
    X <- cbind(1, d$x1, d$x2, d$z); Z <- cbind(1, d$x1, d$z)
    p <- function(b) 1 / (1 + exp(-c(Z %*% b[5:7])))
    mean_of <- function(b) exp(c(X %*% b[1:4]))
    negbin <- function(b) {
        mu <- mean_of(b); theta <- exp(b[8])
        log_rising <- sapply(d$y, function(y) sum(log(theta + seq_len(y) - 1)))
        exp(log_rising - lfactorial(d$y) + theta * log(theta / (theta + mu)) + d$y * log(mu / (theta + mu)))
    }
    rows <- list(
        poisson = function(b) log(p(b) * (d$y == 0) + (1 - p(b)) * exp(d$y * log(mean_of(b)) - mean_of(b)) / factorial(d$y)),
        negbin = function(b) log(p(b) * (d$y == 0) + (1 - p(b)) * negbin(b)))
    for (dist in c("poisson", "negbin")) {
        f <- zeroinfl(y ~ x1 + x2 + z | x1 + z, data = d, dist = dist)
        start <- c(coef(f), if (dist == "negbin") log(f$theta))
        show(paste(dist, "pscl"), start)
        show("  se", sqrt(diag(vcov(f))), if (dist == "negbin") f$SE.logtheta)
        b <- polish(rows[[dist]], start)
        bread <- solve(-hessian(rows[[dist]], b))
        show("  polished", b); show("  se", sqrt(diag(bread))); show("  logLik", sum(rows[[dist]](b)))
        sandwiches(bread, scores(rows[[dist]], b))
        mu <- mean_of(b)
        none <- if (dist == "poisson") exp(-mu) else dnbinom(0, size = exp(b[8]), mu = mu)
        show("  zeros", sum(d$y == 0), sum(p(b) + (1 - p(b)) * none))
        show("  row 5", (1 - p(b)[5]) * mu[5], p(b)[5])
    }
}

if (wanted("proportions")) {
    # Beta regression by Newton's method with exact scores; betareg is not among Debian's packages. Errors, as betareg's,
    # from the expected information.
    beta_fit <- function(name, y, X, Z, link, phi_link, start) {
        k <- ncol(X)
        inverse <- make.link(link)
        phi_of <- list(log = exp, identity = identity, sqrt = function(x) x^2)[[phi_link]]
        phi_slope <- list(log = exp, identity = function(x) x * 0 + 1, sqrt = function(x) 2 * x)[[phi_link]]
        parts <- function(b) {
            eta <- c(X %*% b[1:k]); zeta <- c(Z %*% b[-(1:k)])
            list(mu = inverse$linkinv(eta), phi = phi_of(zeta), dm = inverse$mu.eta(eta), df = phi_slope(zeta))
        }
        rows <- function(b) with(parts(b), dbeta(y, mu * phi, (1 - mu) * phi, log = TRUE))
        score <- function(b) with(parts(b), {
            apart <- qlogis(y) - digamma(mu * phi) + digamma((1 - mu) * phi)
            by_phi <- mu * apart + log1p(-y) - digamma((1 - mu) * phi) + digamma(phi)
            cbind(X * phi * apart * dm, Z * by_phi * df)
        })
        fisher <- function(b) with(parts(b), {
            p1 <- trigamma(mu * phi); p2 <- trigamma((1 - mu) * phi)
            mm <- phi^2 * (p1 + p2); mf <- phi * (mu * p1 - (1 - mu) * p2)
            ff <- mu^2 * p1 + (1 - mu)^2 * p2 - trigamma(phi)
            rbind(cbind(crossprod(X, mm * dm^2 * X), crossprod(X, mf * dm * df * Z)),
                  cbind(crossprod(Z, mf * dm * df * X), crossprod(Z, ff * df^2 * Z)))
        })
        b <- start
        for (step in 1:200) { # Fisher's scoring, from afar
            move <- solve(fisher(b), colSums(score(b))); share <- 1
            while (!isTRUE(sum(rows(b + share * move)) > sum(rows(b)) - 1e-9)) share <- share / 2
            b <- b + share * move
        }
        bread <- solve(fisher(b))
        show(paste(name, "estimates"), b)
        show("  se", sqrt(diag(bread))); show("  logLik", sum(rows(b)))
        show("  pseudo R2", cor(c(X %*% b[1:k]), inverse$linkfun(y))^2)
        list(bread = bread, scores = score(b))
    }
    gas <- MASS::petrol # GasolineYield of betareg: yield is Y / 100, temp is EP, batch is No
    batch <- sapply(LETTERS[1:9], function(l) as.numeric(gas$No == l))
    X <- cbind(1, batch, gas$EP)
    cat(paste(gas$No, collapse = ""), "\n"); print(gas$EP); print(gas$Y)
    one <- matrix(1, nrow(X))
    start <- lm.fit(X, qlogis(gas$Y / 100))$coef
    r <- beta_fit("gasoline identity", gas$Y / 100, X, one, "logit", "identity", c(start, 400))
    r <- beta_fit("gasoline | temp", gas$Y / 100, X, cbind(1, gas$EP), "logit", "log", c(start, log(400), 0))

    y <- plogis(0.3 + 0.5 * d$x1 - 0.2 * d$x2 + 0.4 * d$z + (0.3 + 0.2 * d$z) * qlogis(d$noise))
    X <- cbind(1, d$x1, d$x2, d$z); Z <- cbind(1, d$x1, d$z)
    for (link in c("logit", "probit", "cloglog", "cauchit")) {
        start <- c(lm.fit(X, make.link(link)$linkfun(y))$coef, 2, 0, 0)
        r <- beta_fit(link, y, X, Z, link, "log", start)
        if (link == "logit") sandwiches(r$bread, r$scores)
    }
    r <- beta_fit("sqrt", y, X, matrix(1, 200), "logit", "sqrt", c(lm.fit(X, qlogis(y))$coef, 3))

    # Beta-binomial: VGAM, then full precision from the rising factorials.
    suppressMessages(library(VGAM))
    d$m <- 5 + i %% 8
    d$y <- floor(d$m * plogis(0.4 + 0.6 * d$x1 - 0.3 * d$x2 + 0.9 * qlogis(d$noise)) + 0.5)
    print(table(d$y == 0, d$y == d$m))
    v <- vglm(cbind(y, m - y) ~ x1 + x2, betabinomial(zero = "rho"), data = d, epsilon = 1e-12, maxit = 100)
    k <- c(1, 3, 4, 2)
    show("VGAM", coef(v)[k]); show("  se, expected", sqrt(diag(vcov(v)))[k]); show("  logLik", logLik(v))
    X <- cbind(1, d$x1, d$x2)
    rising <- function(a, n) mapply(function(a, n) sum(log(a + seq_len(n) - 1)), a, n)
    rows <- function(b) {
        mu <- 1 / (1 + exp(-c(X %*% b[1:3]))); phi <- rep(exp(-b[4]), 200)
        lchoose(d$m, d$y) + rising(mu * phi, d$y) + rising((1 - mu) * phi, d$m - d$y) - rising(phi, d$m)
    }
    b <- polish(rows, coef(v)[k])
    bread <- solve(-hessian(rows, b))
    show("beta-binomial", b); show("  se", sqrt(diag(bread))); show("  logLik", sum(rows(b)))
    sandwiches(bread, scores(rows, b))
}

if (wanted("multinomial")) {
    a <- 0.3 + 0.7 * d$x1 - 0.4 * d$z; b <- -0.2 - 0.3 * d$x2 + 0.5 * d$z
    total <- 1 + exp(a) + exp(b)
    d$y <- (d$noise > 1 / total) + (d$noise > (1 + exp(a)) / total)
    print(table(d$y))
    X <- cbind(1, d$x1, d$x2, d$z)
    rows <- function(b) {
        eta <- cbind(0, X %*% b[1:4], X %*% b[5:8])
        eta[cbind(1:200, d$y + 1)] - log(rowSums(exp(eta)))
    }
    f <- nnet::multinom(factor(y) ~ x1 + x2 + z, data = d, trace = FALSE, reltol = 1e-15, maxit = 1000)
    show("nnet", t(coef(f)))
    show("  se", sqrt(diag(vcov(f))))
    b <- polish(rows, c(t(coef(f))))
    bread <- solve(-hessian(rows, b))
    show("multinomial", b); show("  se", sqrt(diag(bread))); show("  logLik", sum(rows(b)))
    show("  null", logLik(nnet::multinom(factor(y) ~ 1, data = d, trace = FALSE, reltol = 1e-15)))
    sandwiches(bread, scores(rows, b))
    eta <- cbind(0, X %*% b[1:4], X %*% b[5:8])
    show("  row 3", exp(eta[3, ]) / sum(exp(eta[3, ])))
    for (k in list(c(2, 6), c(2, 4, 6, 8) - c(0, 1, 0, 1)))
        show("  Wald", t(b[k]) %*% solve(bread[k, k], b[k]))
}

if (wanted("quantile")) {
    suppressMessages(library(quantreg))
    describe <- function(name, f, types = c("iid", "nid", "ker")) {
        show(name, coef(f)); show("  rho", f$rho)
        for (se in types) show(paste("  se", se), suppressWarnings(summary(f, se = se))$coefficients[, 2])
    }
    for (tau in c(0.25, 0.5, 0.75))
        describe(paste("stackloss", tau), rq(stack.loss ~ Air.Flow + Water.Temp + Acid.Conc., tau, data = stackloss))
    d$y <- 1 + 0.5 * d$x1 - 0.3 * d$x2 + 0.7 * d$z + (0.6 + 0.2 * d$x2) * qlogis(d$noise)
    for (tau in c(0.1, 0.5, 0.7)) # at 0.8 the sparsity is not unique
        describe(paste("sample", tau), rq(y ~ x1 + x2 + z, tau, data = d))
    describe("weighted 0.5", rq(y ~ x1 + x2 + z, 0.5, data = d, weights = w))
    show("null 0.5", rq(y ~ 1, 0.5, data = d)$rho)
    data(engel)
    describe("engel 0.5", rq(foodexp ~ income, 0.5, data = engel))
}

if (wanted("robust")) {
    suppressMessages({ library(robustbase); library(MASS) })
    control <- lmrob.control(nResample = 5000, best.r.s = 10, refine.tol = 1e-15, rel.tol = 1e-15, scale.tol = 1e-15,
                             max.it = 5000, k.max = 5000, maxit.scale = 5000)
    # Sandwich of the last step, with the derivative of psi as it is; sandwich::bread.rlm takes its size.
    by_hand <- function(r, s, psi, slope, X, cluster) {
        A <- s * solve(crossprod(X, slope(r / s) * X))
        scores <- psi(r / s) * X
        cr <- function(g) { t <- rowsum(scores, g); sqrt(diag(A %*% crossprod(t) %*% A)) }
        show("  hc0", cr(seq_along(r)))
        if (!is.null(cluster)) { show("  cr0", cr(cluster)); show("  cr1", cr(cluster) * sqrt(20 / 19)) }
    }
    everything <- function(name, formula, data, cluster = NULL) {
        X <- model.matrix(formula, data)
        for (psi in c("psi.huber", "psi.bisquare")) {
            f <- rlm(formula, data, psi = psi, acc = 1e-15, maxit = 5000, test.vec = "coef")
            show(paste(name, psi), coef(f)); show("  se", summary(f)$coef[, 2]); show("  scale", f$s)
            by_hand(residuals(f), f$s, function(u) u * f$psi(u), function(u) f$psi(u, deriv = 1), X, cluster)
        }
        set.seed(1)
        f <- lmrob(formula, data, control = control)
        show(paste(name, "lmrob"), coef(f)); show("  se", sqrt(diag(vcov(f)))); show("  scale", f$scale)
        show("  S", f$init.S$coef)
        tuning <- control$tuning.psi
        by_hand(residuals(f), f$scale, function(u) Mpsi(u, tuning, "bisquare"),
                function(u) Mpsi(u, tuning, "bisquare", deriv = 1), X, cluster)
    }
    everything("stackloss", stack.loss ~ ., stackloss)
    e <- qlogis(d$noise)
    d$y <- 1 + 0.5 * d$x1 - 0.3 * d$x2 + 0.7 * d$z + 0.4 * e + 0.2 * e * abs(e) + 8 * (i %% 13 == 0)
    everything("sample", y ~ x1 + x2 + z, d, d$cluster)
    f <- rlm(y ~ x1 + x2 + z, d, weights = w, wt.method = "case", acc = 1e-15, maxit = 5000, test.vec = "coef")
    show("weighted huber", coef(f)); show("  se", summary(f)$coef[, 2]); show("  scale", f$s)
}
