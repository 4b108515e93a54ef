/* The linear regression problems of NIST's Statistical Reference Datasets, read from datasets/nist_strd. */
#ifndef BORDIN_TESTS_MODELS_NIST_H
#define BORDIN_TESTS_MODELS_NIST_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bordin/models/ols.h>

enum { NIST_MOST_ROWS = 100, NIST_MOST_COLUMNS = 11 };

typedef struct nist_problem {
    char name[32];
    size_t n, p;
    bool has_intercept;
    double y[NIST_MOST_ROWS], x[NIST_MOST_COLUMNS][NIST_MOST_ROWS]; /* x[0] is the constant where there is one */
    double estimate[NIST_MOST_COLUMNS], se[NIST_MOST_COLUMNS];      /* certified, as is what follows */
    double residual_sd, r_squared, f, ss_residual, ss_regression;
} nist_problem;

static const char *const nist_names[] = {"Norris",   "Pontius",  "NoInt1",   "NoInt2",   "Filip",    "Longley",
                                         "Wampler1", "Wampler2", "Wampler3", "Wampler4", "Wampler5", NULL};

static FILE *nist_open(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "cannot open %s: run from the top of the source tree\n", path);
        exit(1);
    }
    return file;
}

/* Splits a line at its commas; the number of fields. */
static size_t nist_split(char *line, char **fields, size_t most)
{
    size_t n = 0;
    for (char *field = strtok(line, ",\r\n"); field != NULL && n < most; field = strtok(NULL, ",\r\n"))
        fields[n++] = field;
    return n;
}

/* Columns of a data file: powers of the one predictor, or the predictors as they are. */
static void nist_read_rows(nist_problem *problem, bool polynomial)
{
    char path[128], line[512], *fields[NIST_MOST_COLUMNS + 1];
    snprintf(path, sizeof path, "datasets/nist_strd/regression/%s.csv", problem->name);
    FILE *file = nist_open(path);
    const size_t first = problem->has_intercept;
    if (fgets(line, sizeof line, file) == NULL)
        exit(1);
    while (problem->n < NIST_MOST_ROWS && fgets(line, sizeof line, file) != NULL) {
        const size_t i = problem->n++;
        nist_split(line, fields, NIST_MOST_COLUMNS + 1);
        problem->y[i] = strtod(fields[0], NULL);
        problem->x[0][i] = 1;
        for (size_t j = first; j < problem->p; j++) {
            const double x = strtod(fields[polynomial ? 1 : j + 1 - first], NULL);
            problem->x[j][i] = polynomial ? (double)powl(x, (long double)(j + 1 - first)) : x;
        }
    }
    fclose(file);
}

static void nist_read_coefficients(nist_problem *problem)
{
    char line[512], *fields[4];
    FILE *file = nist_open("datasets/nist_strd/certified_regression_coefficients.csv");
    size_t j = 0;
    while (j < NIST_MOST_COLUMNS && fgets(line, sizeof line, file) != NULL)
        if (nist_split(line, fields, 4) == 4 && strcmp(fields[0], problem->name) == 0) {
            problem->estimate[j] = strtod(fields[2], NULL);
            problem->se[j++] = strtod(fields[3], NULL);
        }
    fclose(file);
}

static nist_problem *nist_read(const char *name)
{
    char line[512], *fields[15];
    nist_problem *problem = calloc(1, sizeof *problem);
    if (problem == NULL)
        exit(1);
    FILE *file = nist_open("datasets/nist_strd/certified_regression_fit.csv");
    bool found = false, polynomial = false;
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = nist_split(line, fields, 15) == 15 && strcmp(fields[0], name) == 0;
    fclose(file);
    if (!found) {
        fprintf(stderr, "no NIST problem named '%s'\n", name);
        exit(1);
    }
    snprintf(problem->name, sizeof problem->name, "%s", name);
    polynomial = strcmp(fields[2], "poly") == 0;
    problem->has_intercept = fields[4][0] == '1';
    problem->p = (size_t)strtoul(fields[3], NULL, 10) + problem->has_intercept;
    problem->residual_sd = strtod(fields[6], NULL);
    problem->r_squared = strtod(fields[7], NULL);
    problem->ss_regression = strtod(fields[9], NULL);
    problem->f = strtod(fields[11], NULL);
    problem->ss_residual = strtod(fields[13], NULL);
    nist_read_rows(problem, polynomial);
    nist_read_coefficients(problem);
    return problem;
}

/* All rows have the weight `weight`. */
static bd_status nist_fit(const nist_problem *problem, double weight, bd_arena *arena, const bd_ols **fit)
{
    static const char *const names[NIST_MOST_COLUMNS] = {"x0", "x1", "x2", "x3", "x4", "x5",
                                                         "x6", "x7", "x8", "x9", "x10"};
    const double *columns[NIST_MOST_COLUMNS];
    double weights[NIST_MOST_ROWS];
    for (size_t i = 0; i < NIST_MOST_ROWS; i++)
        weights[i] = weight;
    for (size_t j = 0; j < problem->p; j++)
        columns[j] = j == 0 && problem->has_intercept ? NULL : problem->x[j];
    const bd_ols_design design = {.n_rows = problem->n,
                                  .n_columns = problem->p,
                                  .columns = columns,
                                  .names = names,
                                  .response = problem->y,
                                  .response_name = "y",
                                  .has_intercept = problem->has_intercept,
                                  .weights = weight == 1 ? NULL : weights,
                                  .n_threads = 1};
    return bd_ols_fit(&design, &bd_se_classical, &BD_OLS_DEFAULTS, arena, fit);
}

/* Correct significant digits: -log10 of the relative error, of the absolute one where the certified value is 0; at most
 * 15, which is what is certified. */
static inline double nist_digits(double value, double certified)
{
    if (value == certified)
        return 15;
    const double error = certified == 0 ? fabs(value) : fabs(value - certified) / fabs(certified);
    return fmax(0, fmin(15, -log10(error)));
}

#endif
