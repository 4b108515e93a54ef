/* How often 95 % intervals hold the truth: bootstrap intervals and their rivals in simulated samples of known effect.
 *     bench_coverage [--samples N] [--results FILE] [--design NAME]        default: all designs
 * Adds a line per finished cell and method to FILE (coverage.csv), skips those that are in it, and prints its tables.
 * A cell's numbers depend on its name and the number of samples alone, not on threads or on what ran before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coverage_designs.h"

enum { DEFAULT_SAMPLES = 10000, BOOTSTRAPS = 6, MOST_METHODS = BOOTSTRAPS + MOST_RIVALS, MOST_CELLS = 64 };
enum { LINE = 256, MOST_LINES = 4096 };

static size_t make_cells(cell cells[MOST_CELLS])
{
    static const size_t sizes[] = {50, 100, 500, 2000}, n_clusters[] = {10, 20, 50}, pairs[] = {20, 100};
    static const double effects[][2] = {{0, 0}, {0, 0.39}, {0.14, 0.14}, {0.39, 0.39}};
    size_t n = 0;
    for (size_t skewed = 0; skewed < 2; skewed++)
        for (size_t e = 0; e < 4; e++)
            for (size_t i = 0; i < 4; i++)
                cells[n++] = (cell){&designs[0], sizes[i], effects[e][0], effects[e][1], skewed == 1};
    for (size_t i = 0; i < 3; i++)
        cells[n++] = (cell){&designs[1], n_clusters[i], 0, 0, false};
    for (size_t skewed = 0; skewed < 2; skewed++)
        for (size_t i = 0; i < 2; i++)
            cells[n++] = (cell){&designs[2], pairs[i], 0.5, 0, skewed == 1};
    for (size_t d = 3; d < 6; d++)
        for (size_t e = 0; e < 2; e++)
            for (size_t i = 0; i < 3; i++)
                cells[n++] = (cell){&designs[d], sizes[i], e == 0 ? 0 : 0.8, 0, false};
    return n;
}

static const char *method_name(const design *d, size_t method)
{
    return method < BOOTSTRAPS ? bd_interval_methods[method]->name : d->rivals[method - BOOTSTRAPS];
}

static size_t n_methods(const design *d)
{
    size_t n = BOOTSTRAPS;
    while (d->rivals[n - BOOTSTRAPS] != NULL)
        n++;
    return n;
}

static bd_status all_intervals(const sample *s, const bd_units *units, const bd_statistic *statistic, range *ranges)
{
    const bool from_weights = statistic->from_weights != NULL;
    const bd_replicates *replicates;
    bd_resampling_options options = BD_RESAMPLING_DEFAULTS;
    options.n_replicates = REPLICATES;
    options.seed = s->key + s->number;
    options.n_threads = 1;
    options.standard_errors = !from_weights;
    options.accelerations = true;
    BD_TRY(bd_resample(units, statistic, &options, s->arena, &replicates));
    for (size_t i = 0; i < BOOTSTRAPS; i++) {
        bd_interval_ends ends;
        if (from_weights && bd_interval_methods[i]->needs_errors)
            continue;
        BD_TRY(bd_interval(bd_interval_methods[i], replicates, 0, level, s->arena, &ends));
        ranges[i] = (range){ends.low, ends.high};
    }
    return BD_OK;
}

/* A sample that cannot be estimated, or too many of whose replicates cannot, has no interval. */
static bd_status model_ranges(sample *s, range *ranges)
{
    const design *d = s->cell->design;
    const bd_columns rows = {.n_rows = s->columns.n_rows};
    const bd_units *units;
    slope_of_model model = {0};
    size_t n_scratch;
    bd_status status = d->model(s, &model, &n_scratch);
    if (status == BD_OK) {
        const bd_statistic statistic = {.n_values = 1, .names = model_names + 1, .columns = &rows,
                                        .from_weights = model_slope, .n_scratch = n_scratch, .context = &model};
        memcpy(ranges + BOOTSTRAPS, s->rivals, 2 * sizeof *ranges);
        BD_TRY(bd_units_of_rows(&rows, NULL, NULL, 1, s->arena, &units));
        status = all_intervals(s, units, &statistic, ranges);
    }
    return status == BD_ENUMERIC || status == BD_EDATA ? BD_OK : status;
}

/* All intervals of one sample, the bootstrap's from the same replicates. */
static bd_status find_ranges(sample *s, range *ranges)
{
    static const char *const names[] = {"effect"};
    const design *d = s->cell->design;
    const bd_units *units;
    double *triangle;
    for (size_t i = 0; i < MOST_METHODS; i++)
        ranges[i] = (range){NAN, NAN};
    BD_TRY(d->simulate(s));
    if (d->model != NULL)
        return model_ranges(s, ranges);
    BD_TRY(bd_triangle_of(&s->columns, 1, s->arena, &triangle));
    s->triangle = triangle;
    const bd_membership clusters = {s->clusters, s->cell->n};
    if (s->clusters != NULL)
        BD_TRY(bd_units_of_clusters(&s->columns, &clusters, NULL, triangle, 1, s->arena, &units));
    else
        BD_TRY(bd_units_of_rows(&s->columns, NULL, triangle, 1, s->arena, &units));
    const bd_statistic statistic = {
        .n_values = 1, .names = names, .columns = &s->columns, .constant_first = true, .from_moments = d->estimate};
    BD_TRY(all_intervals(s, units, &statistic, ranges));
    return d->rival_ranges(s, ranges + BOOTSTRAPS);
}

/* ranges <- MOST_METHODS for each sample of the cell. */
static bool run_samples(const cell *c, uint64_t key, size_t n_samples, range *ranges)
{
    bool failed = false;
#pragma omp parallel
    {
        bd_arena *arena = bd_arena_new();
#pragma omp for schedule(dynamic, 16)
        for (size_t i = 0; i < n_samples; i++) {
            if (arena == NULL)
                continue;
            const bd_mark mark = bd_arena_mark(arena);
            sample s = {.cell = c, .key = key, .number = (uint32_t)i, .arena = arena};
            if (find_ranges(&s, ranges + i * MOST_METHODS) != BD_OK) {
#pragma omp critical
                fprintf(stderr, "%s, n = %zu, sample %zu: %s\n", c->design->name, c->n, i, bd_message());
#pragma omp atomic write
                failed = true;
            }
            bd_arena_rewind(arena, mark);
        }
        if (arena == NULL) {
#pragma omp atomic write
            failed = true;
        }
        bd_arena_free(arena);
    }
    return !failed;
}

/* A line of results: what it is about, and what was found. An interval that does not exist covers nothing. */
typedef struct result {
    char name[LINE]; /* design,n,a,b,errors,method,N */
    double coverage, mc_se, width, too_low, too_high, none;
} result;

typedef struct results {
    FILE *file;
    size_t n;
    result lines[MOST_LINES];
} results;

static const char heading[] = "design,n,a,b,errors,method,samples,coverage,mc_se,mean_width,too_low,too_high,none\n";

static void name_of(const cell *c, const char *method, size_t n_samples, char name[LINE])
{
    snprintf(name, LINE, "%s,%zu,%g,%g,%s,%s,%zu", c->design->name, c->n, c->a, c->b, c->skewed ? "skewed" : "normal",
             method, n_samples);
}

static const result *find_result(const results *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->lines[i].name, name) == 0)
            return &r->lines[i];
    return NULL;
}

static bool read_result(const char *line, result *one)
{
    size_t comma = 0;
    for (int i = 0; i < 7 && line[comma] != '\0'; i++)
        comma += strcspn(line + comma + 1, ",\n") + 1;
    snprintf(one->name, LINE, "%.*s", (int)comma, line);
    return sscanf(line + comma, ",%lf,%lf,%lf,%lf,%lf,%lf", &one->coverage, &one->mc_se, &one->width, &one->too_low,
                  &one->too_high, &one->none) == 6;
}

/* Reads what is there up to the last whole line, cuts off the rest, and stands ready to append. */
static bool open_results(const char *path, results *r)
{
    char line[LINE];
    r->file = fopen(path, "a+");
    if (r->file == NULL)
        return false;
    rewind(r->file);
    if (fgets(line, sizeof line, r->file) == NULL)
        return fputs(heading, r->file) >= 0;
    if (strcmp(line, heading) != 0)
        return false;
    long whole = ftell(r->file);
    while (fgets(line, sizeof line, r->file) != NULL && strchr(line, '\n') != NULL) {
        if (r->n == MOST_LINES || !read_result(line, &r->lines[r->n++]))
            return false;
        whole = ftell(r->file);
    }
    fseek(r->file, 0, SEEK_END);
    return ftruncate(fileno(r->file), whole) == 0;
}

static result summarise(const cell *c, size_t method, size_t n_samples, const range *ranges)
{
    const double truth = c->design->truth(c), n = (double)n_samples;
    result one = {.coverage = 0};
    name_of(c, method_name(c->design, method), n_samples, one.name);
    for (size_t i = 0; i < n_samples; i++) {
        const range ends = ranges[i * MOST_METHODS + method];
        if (!isfinite(ends.low) || !isfinite(ends.high)) {
            one.none++;
            continue;
        }
        one.too_low += ends.high < truth;
        one.too_high += ends.low > truth;
        one.width += ends.high - ends.low;
    }
    one.width /= n - one.none;
    one.coverage = (n - one.none - one.too_low - one.too_high) / n;
    one.mc_se = sqrt(one.coverage * (1 - one.coverage) / n);
    one.too_low /= n;
    one.too_high /= n;
    one.none /= n;
    return one;
}

/* FNV-1a of the cell's name: adding cells changes no other's numbers. */
static uint64_t key_of(const cell *c)
{
    char name[LINE];
    uint64_t key = 0xcbf29ce484222325u;
    name_of(c, "", 0, name);
    for (const char *p = name; *p != '\0'; p++)
        key = (key ^ (unsigned char)*p) * 0x100000001b3u;
    return key;
}

/* Runs the cell unless all of its lines are there; writes those that are missing. */
static bool finish_cell(const cell *c, size_t n_samples, range *ranges, results *r)
{
    char name[LINE];
    bool missing = false;
    for (size_t m = 0; m < n_methods(c->design); m++) {
        name_of(c, method_name(c->design, m), n_samples, name);
        missing |= find_result(r, name) == NULL;
    }
    if (missing && !run_samples(c, key_of(c), n_samples, ranges))
        return false;
    for (size_t m = 0; missing && m < n_methods(c->design); m++) {
        const result one = summarise(c, m, n_samples, ranges);
        if (find_result(r, one.name) != NULL)
            continue;
        if (r->n == MOST_LINES)
            return false;
        r->lines[r->n++] = one;
        fprintf(r->file, "%s,%.6f,%.6f,%.6g,%.6f,%.6f,%.6f\n", one.name, one.coverage, one.mc_se, one.width,
                one.too_low, one.too_high, one.none);
    }
    return fflush(r->file) == 0;
}

typedef enum measure { COVERAGE, TYPE_ONE_ERROR, TAILS, WIDTH, N_MEASURES } measure;

static void print_entry(const result *one, measure what)
{
    const double error = one->too_low + one->too_high;
    if (one->none == 1)
        printf(" |");
    else if (what == COVERAGE)
        printf(" %.1f (%.2f) |", 100 * one->coverage, 100 * one->mc_se);
    else if (what == TYPE_ONE_ERROR)
        printf(" %.1f (%.2f) |", 100 * error, 100 * one->mc_se);
    else if (what == TAILS)
        printf(" %.1f / %.1f |", 100 * one->too_low, 100 * one->too_high);
    else
        printf(" %.3g |", one->width);
}

static void print_row(const cell *c, size_t n_samples, measure what, const results *r)
{
    printf("| %zu | %g | %g | %s |", c->n, c->a, c->b, c->skewed ? "skewed" : "normal");
    for (size_t m = 0; m < n_methods(c->design); m++) {
        char name[LINE];
        name_of(c, method_name(c->design, m), n_samples, name);
        const result *one = find_result(r, name);
        if (one != NULL)
            print_entry(one, what);
    }
    printf("\n");
}

/* A table of Markdown, cells by methods; that of type I errors has the cells whose effect is 0. */
static void print_table(const design *d, const cell *cells, size_t n_cells, size_t n_samples, measure what,
                        const results *r)
{
    static const char *const titles[] = {"coverage, % (Monte-Carlo error)", "type I error, % (Monte-Carlo error)",
                                         "interval too low / too high, %", "mean width"};
    bool begun = false;
    for (size_t i = 0; i < n_cells; i++) {
        if (cells[i].design != d || (what == TYPE_ONE_ERROR && d->truth(&cells[i]) != 0))
            continue;
        if (!begun) {
            printf("\n### %s: %s\n\n| n | a | b | errors |", d->name, titles[what]);
            for (size_t m = 0; m < n_methods(d); m++)
                printf(" %s |", method_name(d, m));
            printf("\n|");
            for (size_t m = 0; m < n_methods(d) + 4; m++)
                printf(" --- |");
            printf("\n");
            begun = true;
        }
        print_row(&cells[i], n_samples, what, r);
    }
}

static bool read_arguments(int argc, char **argv, size_t *n_samples, const char **path, const char **only)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--samples") == 0)
            *n_samples = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--results") == 0)
            *path = argv[i + 1];
        else if (strcmp(argv[i], "--design") == 0)
            *only = argv[i + 1];
        else
            return false;
    }
    return argc % 2 == 1 && *n_samples > 0 && *n_samples <= UINT32_MAX;
}

static bool chosen(const design *d, const char *only)
{
    return only == NULL || strcmp(d->name, only) == 0;
}

int main(int argc, char **argv)
{
    static results r;
    cell cells[MOST_CELLS];
    size_t n_samples = DEFAULT_SAMPLES;
    const char *path = "coverage.csv", *only = NULL;
    if (!read_arguments(argc, argv, &n_samples, &path, &only)) {
        fprintf(stderr, "bench_coverage [--samples N] [--results FILE] [--design NAME]\n");
        return 2;
    }
    const size_t n_cells = make_cells(cells);
    range *ranges = calloc(n_samples, MOST_METHODS * sizeof *ranges);
    if (ranges == NULL || !open_results(path, &r)) {
        fprintf(stderr, "no memory, or %s cannot be written, or is not a file of results\n", path);
        return 1;
    }
    for (size_t i = 0; i < n_cells; i++)
        if (chosen(cells[i].design, only) && !finish_cell(&cells[i], n_samples, ranges, &r))
            return 1;
    for (size_t d = 0; d < N_DESIGNS; d++)
        for (measure what = COVERAGE; what < N_MEASURES && chosen(&designs[d], only); what++)
            print_table(&designs[d], cells, n_cells, n_samples, what, &r);
    free(ranges);
    return fclose(r.file) == 0 ? 0 : 1;
}
