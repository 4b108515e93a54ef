/* Correct digits of bordin on NIST's sets: regression, univariate, analysis of variance; run from the top of the source
 * tree. R's are in scripts/reference-nist.R. */
#include "../tests/analyses/certified.h"
#include "../tests/models/nist.h"

static int print_certified(const char *path, const char *const headings[3], size_t n,
                           bd_status (*digits_of)(const bd_table *, size_t, bd_arena *, double *))
{
    bd_arena *arena = bd_arena_new();
    const bd_table *certified = NULL;
    if (arena == NULL || certified_table(path, arena, &certified) != BD_OK) {
        fprintf(stderr, "%s\n", bd_message());
        return 1;
    }
    printf("\n%-10s", "set");
    for (size_t k = 0; k < n; k++)
        printf(" %12s", headings[k]);
    for (size_t i = 0; i < certified->n_rows; i++) {
        double digits[3] = {0};
        printf("\n%-10s", certified_name(certified, i));
        if (digits_of(certified, i, arena, digits) != BD_OK)
            printf(" %s", bd_message());
        for (size_t k = 0; k < n; k++)
            printf(" %12.1f", digits[k]);
    }
    printf("\n");
    bd_arena_free(arena);
    return 0;
}

static void print_regressions(void)
{
    printf("%-10s %9s %9s %12s %10s %6s %16s\n", "problem", "estimates", "SE", "residual SD", "R squared", "F",
           "condition digits");
    for (size_t k = 0; nist_names[k] != NULL; k++) {
        nist_problem *problem = nist_read(nist_names[k]);
        bd_arena *arena = bd_arena_new();
        const bd_ols *fit;
        if (arena == NULL || nist_fit(problem, 1, arena, &fit) != BD_OK) {
            printf("%-10s %s\n", problem->name, bd_message());
        } else {
            double estimates = 15, errors = 15;
            for (size_t j = 0; j < fit->n_columns; j++) {
                estimates = fmin(estimates, nist_digits(fit->coefficients[j].estimate, problem->estimate[j]));
                errors = fmin(errors, nist_digits(fit->coefficients[j].se, problem->se[j]));
            }
            printf("%-10s %9.1f %9.1f %12.1f %10.1f %6.1f %16.1f\n", problem->name, estimates, errors,
                   nist_digits(fit->residual_sd, problem->residual_sd), nist_digits(fit->r_squared, problem->r_squared),
                   isinf(problem->f) ? NAN : nist_digits(fit->f, problem->f), fit->condition_digits);
        }
        bd_arena_free(arena);
        free(problem);
    }
}

int main(void)
{
    static const char *const univariate[3] = {"mean", "SD"}, *const anova[] = {"F", "R squared", "residual SD"};
    print_regressions();
    return print_certified(NIST "certified_univariate.csv", univariate, 2, certified_univariate) +
           print_certified(NIST "certified_anova.csv", anova, 3, certified_anova);
}
