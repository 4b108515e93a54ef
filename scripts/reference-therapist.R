# Values in tests/analyses/test_therapist.c: sequences of lmer, contrasts of lmerTest, CR2 of clubSandwich, pbkrtest.
# Run by hand at the top of the source tree: Rscript scripts/reference-therapist.R
# Made with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, clubSandwich 0.5.8.
suppressMessages({library(lmerTest); library(pbkrtest); library(clubSandwich)})
options(digits = 12)
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14))
d <- read.csv("datasets/student_multilevel/student.csv")
d$between <- ave(d$attachment, d$SCH_ID)
d$within <- d$attachment - d$between
empty <- lmer(score ~ 1 + (1 | SCH_ID), d, control = tight)
print(-2 * as.numeric(logLik(lm(score ~ 1, d), REML = TRUE)) - REMLcrit(empty))
effects <- lmer(score ~ within + between + (1 | SCH_ID), d, control = tight)
print(coef(summary(effects)))
print(contest(effects, c(0, -1, 1), joint = FALSE))
print(as.data.frame(VarCorr(lmer(attachment ~ 1 + (1 | SCH_ID), d, control = tight)))$vcov)
# Slopes: Newton's steps, for the optimiser stops where the deviance has 12 digits and the variance 3.
deviance <- lmer(score ~ within + between + (1 + within | SCH_ID), d, devFunOnly = TRUE)
theta <- nlminb(c(0.5, 0, 0.2), deviance, lower = c(0, -Inf, 0), control = list(rel.tol = 1e-15, x.tol = 1e-12))$par
for (step in 1:4) theta <- theta - solve(numDeriv::hessian(deviance, theta), numDeriv::grad(deviance, theta))
print(c(REMLcrit(effects) - deviance(theta), theta))
s <- lme4::sleepstudy
subject <- as.integer(s$Subject)
s$therapist <- (subject - 1) %% 6
s$a <- ((0:179) * 7) %% 11 + 3 * (subject %% 5) + 2 * s$therapist
s$patients <- ave(s$a, s$Subject)
s$therapists <- ave(s$a, s$therapist)
s$w <- s$a - s$patients
s$m <- s$patients - s$therapists
m <- lmer(Reaction ~ w + m + therapists + Days + (1 | Subject) + (1 | therapist), s, control = tight)
print(coef(summary(m)))
print(contest(m, c(0, -1, 1, 0, 0), joint = FALSE))
print(contest(m, c(0, 0, -1, 1, 0), joint = FALSE))
print(sqrt(diag(as.matrix(vcovAdj(m)))))
print(sapply(2:4, function(j) get_Lb_ddf(m, as.numeric(1:5 == j))))
least_squares <- lm(Reaction ~ w + m + therapists + Days, s)
print(unclass(coef_test(least_squares, vcov = "CR2", cluster = s$therapist))[c("SE", "df_Satt")])
