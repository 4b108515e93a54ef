/* The two hundred rows that tests/models hold the models to, as a file; from it to a document, and its numbers. */
#ifndef BORDIN_TESTS_ANALYSES_MODEL_SAMPLE_H
#define BORDIN_TESTS_ANALYSES_MODEL_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "models/other_sample.h"

#include <bordin/analyses/model_regression.h>
#include <bordin/data/csv.h>
#include <bordin/report/writer.h>

static char sample_path[] = "/tmp/bordin-models-XXXXXX";

/* Outcomes as in tests/models/test_{ordinal,multinomial,zero_inflated,proportions,quantile,robust}.c. */
static inline void write_row(FILE *file, const sample *s, size_t i)
{
    static const char counts[] =
    "003111006110002200005011200A110000031010500200020311055012009020010041000710200020100006023000230100"
    "311100802300030002060100000201010402000A120000301120020200003011090120002200000401100021000032011006";
    static const char *const severities[] = {"none", "mild", "moderate", "severe"};
    static const char *const endings[] = {"stayed", "left", "moved"};
    const double x1 = s->x1[i], x2 = s->x2[i], z = s->z[i], u = s->noise[i], e = log(u / (1 - u));
    const double latent = 0.8 * x1 - 0.5 * x2 + 0.6 * z + e;
    const size_t severity = latent > 1.2 ? 3 : latent > 0 ? 2 : latent > -1.5;
    const double left = exp(0.3 + 0.7 * x1 - 0.4 * z), total = 1 + left + exp(-0.2 - 0.3 * x2 + 0.5 * z);
    const size_t ending = u > (1 + left) / total ? 2 : u > 1 / total;
    const double share = 1 / (1 + exp(-(0.3 + 0.5 * x1 - 0.2 * x2 + 0.4 * z + (0.3 + 0.2 * z) * e)));
    const double offered = (double)(5 + i % 8);
    const double kept = floor(offered / (1 + exp(-(0.4 + 0.6 * x1 - 0.3 * x2 + 0.9 * e))) + 0.5);
    const double mean = 1 + 0.5 * x1 - 0.3 * x2 + 0.7 * z;
    fprintf(file, "%.17g,%.17g,%.17g,%.17g,%u,%s,%zu,%s,%.17g,%.17g,%.17g,%.17g,%d,%.17g,%.17g\n", x1, x2, z,
            s->weights[i], s->cluster[i], severities[severity], severity, endings[ending], share, kept, offered,
            offered - kept, counts[i] == 'A' ? 10 : counts[i] - '0',
            mean + 0.4 * e + 0.2 * e * fabs(e) + (i % 13 == 0 ? 8 : 0), mean + (0.6 + 0.2 * x2) * e);
}

static inline int write_sample(void **state)
{
    static sample s;
    (void)state;
    make_sample(&s);
    FILE *file = fdopen(mkstemp(sample_path), "w");
    if (file == NULL)
        return 1;
    fputs("x1,x2,z,w,therapist,severity,grade,ending,share,kept,offered,missed,sessions,outlying,spread\n", file);
    for (size_t i = 0; i < N; i++)
        write_row(file, &s, i);
    return fclose(file);
}

static inline int remove_sample(void **state)
{
    (void)state;
    return unlink(sample_path);
}

static inline const bd_model *model_named(const char *name)
{
    const bd_family *family;
    const bd_model *model;
    must(bd_model_find(name, &family, &model));
    assert_null(family);
    return model;
}

static inline bd_status frame_of(const char *path, const bd_model *model, bd_frame_spec spec, const bd_frame **frame)
{
    const bd_csv_options options = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    size_t n_wanted;
    spec.extra_option = "--extra";
    bd_model_spec(model, &spec);
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &options, arena, &table));
    return bd_frame_build(table, &spec, arena, frame);
}

static inline bd_status regress_on(const char *path, const char *family, bd_frame_spec spec,
                                   const bd_model_options *options, const bd_model_regression **regression)
{
    const bd_frame *frame;
    const bd_model *model = model_named(family);
    BD_TRY(frame_of(path, model, spec, &frame));
    return bd_model_regress(frame, model, options, arena, regression);
}

static inline const bd_model_regression *regress(const char *family, bd_frame_spec spec, bd_model_options options)
{
    const bd_model_regression *regression = NULL;
    must(regress_on(sample_path, family, spec, &options, &regression));
    return regression;
}

static inline json_t *json_of(const bd_model_regression *regression)
{
    const bd_writer *writer;
    bd_document *document;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    must(bd_model_document(regression, arena, &document));
    must(bd_writer_find("json", &writer));
    must(bd_document_write(document, writer, 0, arena, stream));
    fclose(stream);
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(json);
    return json;
}

static inline const json_t *table_of(const json_t *document, const char *id)
{
    size_t i;
    json_t *table;
    json_array_foreach(json_object_get(document, "tables"), i, table)
        if (strcmp(json_string_value(json_object_get(table, "id")), id) == 0)
            return json_object_get(table, "rows");
    fail_msg("no table %s", id);
    return NULL;
}

static inline const json_t *cell(const json_t *document, const char *id, size_t row, const char *key)
{
    const json_t *found = json_object_get(json_array_get(table_of(document, id), row), key);
    if (found == NULL)
        fail_msg("no %s in row %zu of %s", key, row, id);
    return found;
}

static inline void assert_cell(const json_t *document, const char *id, size_t row, const char *key, double expected,
                               double tolerance)
{
    assert_close(json_number_value(cell(document, id, row, key)), expected, tolerance);
}

static inline void assert_text(const json_t *document, const char *id, size_t row, const char *key,
                               const char *expected)
{
    assert_string_equal(json_string_value(cell(document, id, row, key)), expected);
}

/* All rows of a table. */
static inline void assert_table(const json_t *document, const char *id, size_t n, const double *estimates,
                                const double *errors, double tolerance)
{
    assert_int_equal(json_array_size(table_of(document, id)), n);
    for (size_t j = 0; j < n; j++) {
        assert_cell(document, id, j, "estimate", estimates[j], tolerance);
        assert_cell(document, id, j, "se", errors[j], tolerance);
    }
}

/* Some sentence of the list ("notes", "warnings", "sentences") holds the text. */
static inline bool says(const json_t *document, const char *list, const char *text)
{
    size_t i;
    json_t *sentence;
    json_array_foreach(json_object_get(document, list), i, sentence)
        if (strstr(json_string_value(sentence), text) != NULL)
            return true;
    return false;
}

#endif
