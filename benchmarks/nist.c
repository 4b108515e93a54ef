/* Correct digits of bordin's least squares on NIST's regression problems; run from the top of the source tree. */
#include "../tests/models/nist.h"

int main(void)
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
    return 0;
}
