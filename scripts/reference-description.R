# The values that tests/analyses/test_description.c holds `describe` to: Rscript scripts/reference-description.R
# Made with R 4.2.2, e1071 1.7-13, multilevel 2.7; run from the top of the source tree.
show <- function(name, ...) cat(sprintf("%-34s", name), sprintf("%.15g", c(...)), "\n")

summarise <- function(name, x) {
    x <- x[!is.na(x)]
    show(name, length(x), mean(x), sd(x), quantile(x, c(0, .25, .5, .75, 1), type = 7),
         e1071::skewness(x, type = 2), if (length(x) > 3) e1071::kurtosis(x, type = 2) else NaN)
}

correlate <- function(name, x, y) {
    test <- cor.test(x, y)
    show(name, test$parameter + 2, test$estimate, test$conf.int, test$statistic, test$p.value)
}

# n, k, n0, ICC(1), interval, F, df, p: one-way analysis of variance; McGraw & Wong (1996), table 7, with n0 for k.
intraclass <- function(name, y, cluster, level = 0.95) {
    there <- !is.na(y) & !is.na(cluster)
    y <- y[there]
    cluster <- factor(cluster[there])
    fit <- aov(y ~ cluster)
    table <- summary(fit)[[1]]
    df <- table$Df
    f <- table$`F value`[1]
    sizes <- as.numeric(table(cluster))
    n0 <- (sum(sizes) - sum(sizes^2) / sum(sizes)) / (length(sizes) - 1)
    icc <- (table$`Mean Sq`[1] - table$`Mean Sq`[2]) / (table$`Mean Sq`[1] + (n0 - 1) * table$`Mean Sq`[2])
    if (length(unique(sizes)) == 1)
        stopifnot(isTRUE(all.equal(icc, multilevel::ICC1(fit))))
    ends <- f / qf(c((1 + level) / 2, (1 - level) / 2), df[1], df[2])
    show(name, sum(sizes), length(sizes), n0, icc, (ends - 1) / (ends + n0 - 1), f, df, table$`Pr(>F)`[1])
}

jobs <- read.csv("datasets/jobs2_mediation/jobs.csv")
for (name in c("depress1", "job_seek", "econ_hard", "age"))
    summarise(name, jobs[[name]])
for (treat in 0:1)
    summarise(paste("depress2, treat", treat), jobs$depress2[jobs$treat == treat])
correlate("depress1 job_seek", jobs$depress1, jobs$job_seek)
correlate("job_seek depress2", jobs$job_seek, jobs$depress2)
correlate("treat comply", jobs$treat, jobs$comply)
intraclass("econ_hard by occp", jobs$econ_hard, jobs$occp)
intraclass("depress1 by occp", jobs$depress1, jobs$occp)
print(table(jobs$occp))
print(table(jobs$occp, jobs$treat))

small <- data.frame(
    x = c(1.5, NA, 2.25, 7, 3.5, 4.75, NA, 6.5, 11.25, 2),
    y = c(2, 1, NA, 9, 3, 4, NA, 8, 12, NA),
    z = c(NA, 5, 3, 1, 4, 1, 5, 9, 2, 6),
    site = c("b", "a", NA, "b", "a", "a", "b", NA, "b", "a"))
for (name in c("x", "y", "z"))
    summarise(paste("small", name), small[[name]])
for (site in c("a", "b"))
    summarise(paste("small x, site", site), small$x[which(small$site == site)])
correlate("small x y", small$x, small$y)
correlate("small x z", small$x, small$z)
correlate("small y z", small$y, small$z)
intraclass("small z by site", small$z, small$site)
intraclass("small y by site", small$y, small$site)

# 6 targets by 4 judges: Shrout & Fleiss (1979), table 2, ICC(1, 1) = .17.
ratings <- c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7)
intraclass("Shrout & Fleiss", ratings, rep(1:6, each = 4))
intraclass("Shrout & Fleiss, 90 %", ratings, rep(1:6, each = 4), 0.90)

# Many rows; no more than 4e5, above which qf() takes the denominator's degrees of freedom for infinite.
row <- 0:299999
intraclass("many rows", row %% 7 + row %% 100 %% 3 / 10, row %% 100)
