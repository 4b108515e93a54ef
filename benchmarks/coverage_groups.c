/* How often 95 % intervals hold the truth: of mixed models with few therapists, and of meta-analyses with few studies.
 *     bench_coverage_groups [--samples N]                                  default: 2000
 * Prints tables of Markdown. A cell's numbers depend on the cell and the number of samples alone, not on threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bordin/analyses/meta.h>
#include <bordin/analyses/mixed.h>
#include <bordin/random/normal.h>

enum { PATIENTS = 15, REPLICATES = 999, MOST_METHODS = 12 };

typedef struct range {
    double low, high, truth;
} range;

typedef struct cell {
    size_t n;      /* therapists, or studies */
    double spread; /* share of the variance that is the therapists'; or tau */
} cell;

typedef struct study {
    const char *title, *n, *spread;
    const char *const *methods; /* NULL ends the list */
    bd_status (*find)(const cell *c, uint32_t number, bd_arena *arena, range *ranges);
} study;

static bd_status draw(const cell *c, uint32_t number, size_t n, bd_arena *arena, double **z)
{
    BD_NEW(arena, *z, n);
    bd_random_normals(c->n * 1000 + (uint64_t)(1000 * c->spread), number, BD_PURPOSE_SIMULATE, n, *z);
    return BD_OK;
}

/* y = .3 (x - mean of the therapist) + .5 mean + u + e, var(u) = spread, var(e) = 1 - spread; x = m + w, var(m) = .2. */
static bd_status simulate_therapists(const cell *c, uint32_t number, bd_arena *arena, bd_frame *frame)
{
    const size_t n = c->n * PATIENTS;
    double *z = NULL, *columns;
    bd_design_column *design;
    uint32_t *codes;
    bd_groups *groups;
    bd_varying *varying;
    static const bd_design_column constant = {.name = "(Intercept)", .term = SIZE_MAX};
    BD_TRY(draw(c, number, 2 * (n + c->n), arena, &z));
    BD_NEW(arena, columns, 3 * n);
    BD_NEW(arena, codes, n);
    BD_NEW(arena, design, 3);
    BD_NEW(arena, groups, 1);
    BD_NEW(arena, varying, 1);
    double *y = columns, *within = y + n, *between = within + n;
    const double *m = z + 2 * n, *u = m + c->n;
    for (size_t i = 0; i < n; i++) {
        codes[i] = (uint32_t)(i / PATIENTS);
        within[i] = sqrt(0.8) * z[i];
        between[i] = sqrt(0.2) * m[codes[i]];
    }
    for (size_t g = 0; g < c->n; g++) {
        double mean = 0;
        for (size_t i = 0; i < PATIENTS; i++)
            mean += within[g * PATIENTS + i] / PATIENTS;
        for (size_t i = g * PATIENTS; i < (g + 1) * PATIENTS; i++) {
            within[i] -= mean;
            between[i] += mean;
            y[i] = 0.3 * within[i] + 0.5 * between[i] + sqrt(c->spread) * u[g] + sqrt(1 - c->spread) * z[n + i];
        }
    }
    design[0] = constant;
    design[1] = (bd_design_column){"within", within, 0};
    design[2] = (bd_design_column){"between", between, 1};
    *groups = (bd_groups){.name = "therapist", .codes = codes, .n_levels = c->n};
    *varying = (bd_varying){.terms = {true, 1, &constant}, .groups = groups};
    *frame = (bd_frame){.formula = "y ~ within + between + (1 | therapist)", .n_read = n, .n_rows = n,
                        .response_name = "y", .response = y, .has_intercept = true, .n_columns = 3, .columns = design,
                        .varying = varying, .n_varying = 1};
    return BD_OK;
}

static const char *const mixed_methods[] = {"within: Satterthwaite", "within: drawn groups", "within: parametric",
                                            "between: Satterthwaite", "between: Kenward-Roger", "between: drawn groups",
                                            "between: parametric", "SD: profile", "SD: drawn groups", "SD: parametric",
                                            NULL};

static void take(const bd_interval_ends *ends, double truth, range *r)
{
    *r = (range){ends->low, ends->high, truth};
}

static bd_status find_mixed(const cell *c, uint32_t number, bd_arena *arena, range *r)
{
    const bd_sampling *const samplings[] = {NULL, &bd_sampling_parametric};
    const double truth[] = {0.3, 0.5, sqrt(c->spread)};
    bd_mixed_analysis_options options = BD_MIXED_ANALYSIS_DEFAULTS;
    const bd_mixed_analysis *mixed;
    bd_frame frame;
    BD_TRY(simulate_therapists(c, number, arena, &frame));
    options.formula = frame.formula;
    options.tests = false;
    options.fit.n_threads = options.resampling.n_threads = 1;
    options.resampling.n_replicates = REPLICATES;
    options.resampling.seed = number;
    options.bootstrap = options.profile = true;
    for (size_t k = 0; k < 2; k++) {
        options.resampling.sampling = samplings[k];
        BD_TRY(bd_mix(&frame, &options, arena, &mixed));
        take(&mixed->bootstrap->ends[1], truth[0], &r[1 + k]);
        take(&mixed->bootstrap->ends[2], truth[1], &r[5 + k]);
        take(&mixed->bootstrap->ends[3], truth[2], &r[8 + k]);
        options.profile = k == 0 ? false : options.profile;
        if (k == 0)
            r[7] = (range){mixed->intervals[0].low, mixed->intervals[0].high, truth[2]};
    }
    const bd_mixed_coefficient *b = mixed->fit->coefficients;
    r[0] = (range){b[1].ci_low, b[1].ci_high, truth[0]};
    r[3] = (range){b[2].ci_low, b[2].ci_high, truth[1]};
    options.bootstrap = options.profile = false;
    options.fit.df = BD_MIXED_KENWARD_ROGER;
    BD_TRY(bd_mix(&frame, &options, arena, &mixed));
    b = mixed->fit->coefficients;
    r[4] = (range){b[2].ci_low, b[2].ci_high, truth[1]};
    return BD_OK;
}

/* Correlations whose Fisher's z have the mean .3 and the standard deviation tau; 20 to 200 people, many studies small. */
static bd_status simulate_studies(const cell *c, uint32_t number, bd_arena *arena, bd_frame *frame, double *new_study)
{
    static const bd_design_column constant = {.name = "(Intercept)", .term = SIZE_MAX};
    double *z = NULL, *values;
    bd_design_column *people;
    bd_extra *extra;
    BD_TRY(draw(c, number, 3 * c->n + 1, arena, &z));
    BD_NEW(arena, values, 2 * c->n);
    BD_NEW(arena, people, 1);
    BD_NEW(arena, extra, 1);
    for (size_t i = 0; i < c->n; i++) {
        const double n = round(20 + 180 * exp(-fabs(z[3 * i])) * exp(-fabs(z[3 * i])));
        values[c->n + i] = n;
        values[i] = tanh(0.3 + c->spread * z[3 * i + 1] + z[3 * i + 2] / sqrt(n - 3));
    }
    *new_study = 0.3 + c->spread * z[3 * c->n];
    *people = (bd_design_column){.name = "n", .values = values + c->n};
    *extra = (bd_extra){.n_columns = 1, .columns = people};
    *frame = (bd_frame){.formula = "r ~ 1", .n_read = c->n, .n_rows = c->n, .response_name = "r", .response = values,
                        .has_intercept = true, .n_columns = 1, .columns = &constant, .extra = extra};
    return BD_OK;
}

static const char *const meta_methods[] = {"mean: Knapp-Hartung", "mean: z", "mean: z, DerSimonian-Laird",
                                           "mean: drawn studies", "new study: Knapp-Hartung", "new study: z",
                                           "tau: Q-profile", "tau: drawn studies", NULL};

static bd_status find_meta(const cell *c, uint32_t number, bd_arena *arena, range *r)
{
    bd_meta_options options = BD_META_DEFAULTS;
    const bd_meta_analysis *meta;
    bd_frame frame;
    double new_study = NAN;
    BD_TRY(simulate_studies(c, number, arena, &frame, &new_study));
    options.measure = BD_MEASURE_ZCOR;
    options.bootstrap = true;
    options.resampling.n_threads = 1;
    options.resampling.n_replicates = REPLICATES;
    options.resampling.seed = number;
    BD_TRY(bd_meta(&frame, &options, arena, &meta));
    const bd_pooling_coefficient *b = meta->fit->coefficients;
    r[0] = (range){b->ci_low, b->ci_high, 0.3};
    r[4] = (range){b->prediction_low, b->prediction_high, new_study};
    r[6] = (range){meta->fit->tau2_low, meta->fit->tau2_high, c->spread * c->spread};
    take(&meta->bootstrap->ends[0], 0.3, &r[3]);
    take(&meta->bootstrap->ends[1], c->spread * c->spread, &r[7]);
    options.bootstrap = false;
    options.pooling.test = BD_POOLING_Z;
    BD_TRY(bd_meta(&frame, &options, arena, &meta));
    b = meta->fit->coefficients;
    r[1] = (range){b->ci_low, b->ci_high, 0.3};
    r[5] = (range){b->prediction_low, b->prediction_high, new_study};
    options.pooling.estimator = &bd_tau_dl;
    BD_TRY(bd_meta(&frame, &options, arena, &meta));
    b = meta->fit->coefficients;
    r[2] = (range){b->ci_low, b->ci_high, 0.3};
    return BD_OK;
}

static void run(const study *s, const cell *c, size_t n_samples, range *ranges)
{
#pragma omp parallel
    {
        bd_arena *arena = bd_arena_new();
#pragma omp for schedule(dynamic, 4)
        for (size_t i = 0; i < n_samples; i++) {
            range *own = ranges + i * MOST_METHODS;
            for (size_t m = 0; m < MOST_METHODS; m++)
                own[m] = (range){NAN, NAN, NAN};
            if (arena == NULL)
                continue;
            const bd_mark mark = bd_arena_mark(arena);
            if (s->find(c, (uint32_t)i, arena, own) != BD_OK)
#pragma omp critical
                fprintf(stderr, "%zu, sample %zu: %s\n", c->n, i, bd_message());
            bd_arena_rewind(arena, mark);
        }
        bd_arena_free(arena);
    }
}

/* Coverage and mean width; samples without the interval count as not covered. */
static void print_entry(size_t method, size_t n_samples, const range *ranges)
{
    double covered = 0, width = 0, n = (double)n_samples, found = 0;
    for (size_t i = 0; i < n_samples; i++) {
        const range *r = &ranges[i * MOST_METHODS + method];
        if (!isfinite(r->low) || !isfinite(r->high))
            continue;
        found++;
        covered += r->low <= r->truth && r->truth <= r->high;
        width += r->high - r->low;
    }
    printf(" %.1f (%.2f)%s |", 100 * covered / n, width / found, found < n ? "*" : "");
}

static void print_study(const study *s, const cell *cells, size_t n_cells, size_t n_samples, range *ranges)
{
    printf("\n### %s: coverage, %% (mean width)\n\n| %s | %s |", s->title, s->n, s->spread);
    for (size_t m = 0; s->methods[m] != NULL; m++)
        printf(" %s |", s->methods[m]);
    printf("\n| --- | --- |");
    for (size_t m = 0; s->methods[m] != NULL; m++)
        printf(" --- |");
    printf("\n");
    for (size_t i = 0; i < n_cells; i++) {
        run(s, &cells[i], n_samples, ranges);
        printf("| %zu | %g |", cells[i].n, cells[i].spread);
        for (size_t m = 0; s->methods[m] != NULL; m++)
            print_entry(m, n_samples, ranges);
        printf("\n");
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const cell therapists[] = {{10, 0.05}, {10, 0.2}, {20, 0.05}, {20, 0.2}, {50, 0.05}, {50, 0.2}, {100, 0.05}};
    static const cell studies[] = {{5, 0.1}, {5, 0.2}, {10, 0.1}, {10, 0.2}, {20, 0.1}, {20, 0.2}, {80, 0.1}, {80, 0.2}};
    static const study mixed = {"mixed models, 15 patients a therapist", "therapists", "ICC", mixed_methods, find_mixed};
    static const study meta = {"meta-analysis of correlations", "studies", "tau", meta_methods, find_meta};
    const size_t n = argc == 3 && strcmp(argv[1], "--samples") == 0 ? strtoul(argv[2], NULL, 10) : 2000;
    if ((argc != 1 && argc != 3) || n == 0)
        return fprintf(stderr, "bench_coverage_groups [--samples N]\n"), 2;
    range *ranges = malloc(n * MOST_METHODS * sizeof *ranges);
    if (ranges == NULL)
        return 1;
    print_study(&meta, studies, sizeof studies / sizeof *studies, n, ranges);
    print_study(&mixed, therapists, sizeof therapists / sizeof *therapists, n, ranges);
    free(ranges);
    return 0;
}
