/* Descriptions against R 4.2.2 (scripts/reference-description.R), on the shipped data and on a table with holes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyses/description_sample.h"

static void test_describe__numbers_of_jobs_are_those_of_r(void **state)
{
    (void)state;
    const char *const chosen[] = {"depress1", "job_seek", "econ_hard", "age"};
    const double expected[][10] = {
        {899, 1.87003337037444, 0.565909306770817, 1, 1.36000001430511, 1.83000004291534, 2.35999989509583, 3,
         0.164732402548333, -1.12882951079141},
        {899, 4.04334445272855, 0.72843143842941, 1, 3.66666674613953, 4.16666650772095, 4.66666650772095, 5,
         -0.807085772617896, 0.854944134366968},
        {899, 3.02413793029191, 0.986436305056423, 1, 2.32999992370605, 3, 3.67000007629395, 5, 0.0480238186939798,
         -0.620495684736373},
        {899, 37.5650632049934, 10.4514328220127, 17.4876708984375, 29.3000001907349, 36.6356163024902,
         44.6232872009277, 72.4794540405273, 0.441629236373736, -0.344855117083829},
    };
    const bd_description *d = describe(jobs(), options_for(chosen, 4));
    assert_int_equal(d->n_columns, 4);
    for (size_t j = 0; j < 4; j++)
        assert_summary(chosen[j], &d->columns[j].parts[0], expected[j]);
}

static void test_describe__groups_of_jobs_are_those_of_r(void **state)
{
    (void)state;
    const char *const chosen[] = {"depress2", "occp"};
    const double expected[][10] = {
        {299, 1.78367960453033, 0.673098119375151, 1, 1.27272725105286, 1.63636362552643, 2.18181824684143,
         4.90909099578857, 1.06423905267282, 1.06229298504962},
        {600, 1.72033333261808, 0.640343822241655, 1, 1.18181812763214, 1.54545450210571, 2.09090900421143,
         4.45454549789429, 1.17585323386197, 1.37724651358418},
    };
    const size_t counts[][7] = {
        {217, 97, 84, 168, 93, 175, 65}, {76, 32, 27, 57, 25, 64, 18}, {141, 65, 57, 111, 68, 111, 47}};
    bd_description_options options = options_for(chosen, 2);
    options.by = "treat";
    const bd_description *d = describe(jobs(), options);
    assert_int_equal(d->n_parts, 3);
    assert_string_equal(d->parts[1].name, "0");
    assert_string_equal(d->parts[2].name, "1");
    for (size_t g = 1; g < 3; g++)
        assert_summary("depress2", &d->columns[0].parts[g], expected[g - 1]);
    assert_int_equal(d->columns[1].column->n_levels, 7);
    for (size_t g = 0; g < 3; g++)
        for (size_t k = 0; k < 7; k++)
            assert_int_equal(d->columns[1].parts[g].counts[k], counts[g][k]);
}

static void test_describe__correlations_of_jobs_are_those_of_cor_test(void **state)
{
    (void)state;
    const char *const chosen[] = {"depress1", "job_seek", "depress2", "treat", "comply"};
    const bd_description *d = describe(jobs(), options_for(chosen, 5));
    assert_int_equal(d->n_correlations, 10);
    assert_correlation(&d->correlations[0], (double[]){899, -0.161200262587154, -0.22422135991659, -0.0968365316909599,
                                                       -4.8919190385469, 1.18336156637865e-06});
    assert_correlation(&d->correlations[4], (double[]){899, -0.253362787255022, -0.31355286581935, -0.19114490199933,
                                                       -7.84414902158526, 1.23598929233714e-14});
    assert_correlation(&d->correlations[9], (double[]){899, 0.593097551741999, 0.549003133515507, 0.633899737459049,
                                                       22.0625657122562, 1.63498901495284e-86});
}

static void test_describe__icc_of_unequal_clusters_is_that_of_aov(void **state)
{
    (void)state;
    const char *const chosen[] = {"econ_hard", "depress1", "marital"};
    bd_description_options options = options_for(chosen, 3);
    options.cluster = "occp";
    const bd_description *d = describe(jobs(), options);
    assert_int_equal(d->n_iccs, 2);
    assert_icc(&d->iccs[0],
               (double[]){899, 7, 124.754171301446, 0.000768364262129188, -0.00440862642113966, 0.0334877789294269,
                          1.09593035623696, 6, 892, 0.36283850664827});
    assert_icc(&d->iccs[1],
               (double[]){899, 7, 124.754171301446, -0.00330925183904916, -0.00610537559166311, 0.0146762718300121,
                          0.588518724359782, 6, 892, 0.73970285670302});
}

/* Shrout & Fleiss (1979), table 2: six targets, four judges; they give ICC(1, 1) = .17. */
static void test_describe__icc_of_equal_clusters_is_that_of_shrout_and_fleiss(void **state)
{
    (void)state;
    const double ratings[] = {9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7};
    double target[24];
    for (size_t i = 0; i < 24; i++)
        target[i] = (double)(i / 4);
    const bd_column two[] = {{.name = "rating", .numbers = ratings}, {.name = "target", .numbers = target}};
    const bd_table table = {.source = "ratings", .n_rows = 24, .n_columns = 2, .columns = two};
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    options.cluster = "target";
    assert_icc(&describe(&table, options)->iccs[0],
               (double[]){24, 6, 4, 0.165741768405475, -0.132932324874751, 0.722560062328121, 1.79467849223947, 5, 18,
                          0.16476880834464});
    options.level = 0.90;
    assert_icc(&describe(&table, options)->iccs[0],
               (double[]){24, 6, 4, 0.165741768405475, -0.0967222036577423, 0.643398310704423, 1.79467849223947, 5, 18,
                          0.16476880834464});
}

/* GSL's quantile of F does not converge here. */
static void test_describe__icc_of_many_rows_has_an_interval(void **state)
{
    (void)state;
    enum { ROWS = 300000 };
    double *values, *clusters;
    assert_non_null(values = bd_arena_alloc(arena, ROWS, sizeof *values));
    assert_non_null(clusters = bd_arena_alloc(arena, ROWS, sizeof *clusters));
    for (size_t i = 0; i < ROWS; i++) {
        values[i] = (double)(i % 7) + (double)(i % 100 % 3) / 10;
        clusters[i] = (double)(i % 100);
    }
    const bd_column two[] = {{.name = "value", .numbers = values}, {.name = "cluster", .numbers = clusters}};
    const bd_table table = {.source = "many", .n_rows = ROWS, .n_columns = 2, .columns = two};
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    options.cluster = "cluster";
    const bd_icc *icc = describe(&table, options)->iccs;
    const double p = 3.3994138298609e-55;
    assert_icc(icc, (double[]){300000, 100, 3000, 0.00135619651518769, 0.000969529115266106, 0.0019454525173269,
                               5.07411484591959, 99, 299900, p});
    assert_true(fabs(icc->p - p) < 1e-9 * p);
}

static void test_describe__missing_values_are_left_out_column_by_column(void **state)
{
    (void)state;
    const double expected[][10] = {
        {8, 4.84375, 3.30026378815824, 1.5, 2.1875, 4.125, 6.625, 11.25, 1.0450822282398, 0.742568259013954},
        {7, 5.57142857142857, 4.1173269183271, 1, 2.5, 4, 8.5, 12, 0.529278710768854, -1.29152253503346},
        {9, 4, 2.59807621135332, 1, 2, 4, 5, 9, 0.659828879073858, 0.261022927689595},
        {10, 0.1, 0, 0.1, 0.1, 0.1, 0.1, 0.1, NAN, NAN},
    };
    const size_t missing[] = {2, 3, 1, 0};
    const bd_description *d = describe(&small, BD_DESCRIPTION_DEFAULTS);
    assert_int_equal(d->n_columns, 6);
    for (size_t j = 0; j < 4; j++) {
        assert_summary(names[j], &d->columns[j].parts[0], expected[j]);
        assert_int_equal(d->columns[j].parts[0].n_missing, missing[j]);
    }
    assert_int_equal(d->columns[4].parts[0].n, 8);
    assert_int_equal(d->columns[4].parts[0].n_missing, 2);
    assert_int_equal(d->columns[4].parts[0].n_levels, 2);
}

static void test_describe__correlations_use_the_rows_that_have_both(void **state)
{
    (void)state;
    const bd_description *d = describe(&small, options_for(names, 4));
    assert_int_equal(d->n_correlations, 6);
    assert_correlation(&d->correlations[0], (double[]){6, 0.968216289386448, 0.731236088574593, 0.996646100921127,
                                                       7.74218725003693, 0.00149925237061298});
    assert_correlation(&d->correlations[1], (double[]){7, -0.225049234905793, -0.836364366648455, 0.635753253283474,
                                                       -0.516474299874011, 0.627545612498591});
    assert_correlation(&d->correlations[3], (double[]){6, -0.15078216051009, -0.857421641882729, 0.752912203547118,
                                                       -0.305051976162166, 0.775540795040723});
    assert_true(isnan(d->correlations[2].r) && isnan(d->correlations[2].p)); /* with the constant */
    assert_int_equal(d->correlations[2].n, 8);
}

static void test_describe__groups_are_those_of_a_column_of_either_kind(void **state)
{
    (void)state;
    const double expected[][10] = {
        {3, 3.41666666666667, 1.37689263682153, 2, 2.75, 3.5, 4.125, 4.75, -0.271354761899858, NAN},
        {3, 6.58333333333333, 4.88833645868749, 1.5, 4.25, 7, 9.125, 11.25, -0.380779335111187, NAN},
    };
    for (int numbers = 0; numbers < 2; numbers++) {
        bd_description_options options = BD_DESCRIPTION_DEFAULTS;
        options.by = options.cluster = numbers ? "site_number" : "site";
        const bd_description *d = describe(&small, options);
        assert_int_equal(d->n_columns, 5);
        assert_int_equal(d->n_parts, 3);
        assert_string_equal(d->parts[1].name, numbers ? "-2.5" : "a");
        assert_string_equal(d->parts[2].name, numbers ? "7" : "b");
        assert_int_equal(d->n_without_group, 2);
        assert_int_equal(d->n_without_cluster, 2);
        for (size_t g = 1; g < 3; g++) {
            assert_summary("x", &d->columns[0].parts[g], expected[g - 1]);
            assert_int_equal(d->columns[0].parts[g].n_missing, 1);
        }
        assert_icc(&d->iccs[2], (double[]){7, 2, 3.42857142857143, -0.105691056910569, -0.373763192436742,
                                           0.994489229380513, 0.672268907563024, 1, 5, 0.449566198995725});
        assert_icc(&d->iccs[1], (double[]){6, 2, 3, 0.350125944584383, -0.354930579046161, 0.998726418030389,
                                           2.61627906976744, 1, 4, 0.181080773709878});
        assert_true(isnan(d->iccs[3].icc) && isnan(d->iccs[3].f)); /* of the constant */
    }
}

static void test_describe__missing_values_are_counted_together(void **state)
{
    (void)state;
    const bd_description *d = describe(&small, options_for(names, 4));
    assert_int_equal(d->n_incomplete, 3);
    /* by hand: complete 4 5 6 8 9; y alone 3 10; x alone 2; x and y 7; z alone 1 */
    const bd_missing_pattern patterns[] = {{0, 5}, {2, 2}, {1, 1}, {3, 1}, {4, 1}};
    assert_int_equal(d->n_patterns, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(d->patterns[i].columns, patterns[i].columns);
        assert_int_equal(d->patterns[i].n_rows, patterns[i].n_rows);
    }
    const size_t pairs[][4] = {{6, 2, 1, 1}, {7, 1, 2, 0}, {6, 1, 3, 0}};
    assert_int_equal(d->n_missing_pairs, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(d->missing_pairs[i].n_both, pairs[i][0]);
        assert_int_equal(d->missing_pairs[i].n_only_x, pairs[i][1]);
        assert_int_equal(d->missing_pairs[i].n_only_y, pairs[i][2]);
        assert_int_equal(d->missing_pairs[i].n_neither, pairs[i][3]);
    }
}

static void test_describe__only_the_chosen_rows_count(void **state)
{
    (void)state;
    const size_t rows[] = {3, 4, 8};
    bd_description_options options = options_for(names, 1);
    options.rows = rows;
    options.n_rows = 3;
    const bd_summary *s = &describe(&small, options)->columns[0].parts[0];
    assert_int_equal(s->n, 3);
    assert_near("mean", s->mean, 7.25);
    assert_near("sd", s->sd, 3.8810436740650061); /* sqrt((0.0625 + 14.0625 + 16) / 2) */
    assert_near("median", s->median, 7);
}

/* Those of 0:3 and v = c(0, 1, 4, 9) in R: sd(0:3), e1071::kurtosis(0:3, type = 2), sd(v),
 * e1071::skewness(v, type = 2), cor(0:3, v); whatever is added, and whatever the units. */
static void test_describe__large_means_and_extreme_units_lose_nothing(void **state)
{
    (void)state;
    const double units[] = {1, 1e-150, 1e150};
    double values[2][4];
    const bd_column two[] = {{.name = "shifted", .numbers = values[0]}, {.name = "scaled", .numbers = values[1]}};
    const bd_table table = {.source = "made", .n_rows = 4, .n_columns = 2, .columns = two};
    for (size_t u = 0; u < 3; u++) {
        for (size_t i = 0; i < 4; i++) {
            values[0][i] = 1e9 + (double)i;
            values[1][i] = (double)(i * i) * units[u];
        }
        const bd_description *d = describe(&table, BD_DESCRIPTION_DEFAULTS);
        const bd_summary *shifted = &d->columns[0].parts[0], *scaled = &d->columns[1].parts[0];
        assert_near("mean", shifted->mean, 1e9 + 1.5);
        assert_near("sd", shifted->sd, 1.2909944487358056);
        assert_near("kurtosis", shifted->kurtosis, -1.2);
        assert_near("sd", scaled->sd / units[u], 4.041451884327381);
        assert_near("skewness", scaled->skewness, 1.0907375347955637);
        assert_near("r", d->correlations[0].r, 0.9583148474999098);
    }
}

/* 1e12 and 1e12 + 1 in turn: their sum does not fit a double. */
static void test_describe__long_sums_lose_nothing(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    double *values;
    assert_non_null(values = bd_arena_alloc(arena, ROWS, sizeof *values));
    for (size_t i = 0; i < ROWS; i++)
        values[i] = 1e12 + (double)(i % 2);
    const bd_column one = {.name = "value", .numbers = values};
    const bd_table table = {.source = "long", .n_rows = ROWS, .n_columns = 1, .columns = &one};
    const bd_summary *s = &describe(&table, BD_DESCRIPTION_DEFAULTS)->columns[0].parts[0];
    assert_true(s->mean == 1e12 + 0.5);
    assert_near("sd", s->sd, 0.5000025000187501560); /* sqrt(n / (n - 1)) / 2 */
    assert_true(s->skewness == 0);
}

/* Columns of one, two, three values; clusters that explain everything, and clusters of one row. */
static void test_describe__what_cannot_be_told_is_nan(void **state)
{
    (void)state;
    const double one[] = {4, NAN, NAN, NAN}, two[] = {NAN, 1, 2, NAN}, three[] = {3, 1, 2, NAN};
    const double none[] = {NAN, NAN, NAN, NAN};
    const double line[] = {0.1, 0.1, 0.7, 0.7}, pairs[] = {1, 1, 2, 2}, rows[] = {1, 2, 3, 4};
    const bd_column seven[] = {
        {.name = "one", .numbers = one},   {.name = "two", .numbers = two},     {.name = "three", .numbers = three},
        {.name = "none", .numbers = none}, {.name = "line", .numbers = line}, {.name = "pairs", .numbers = pairs},
        {.name = "rows", .numbers = rows}};
    const bd_table table = {.source = "few", .n_rows = 4, .n_columns = 7, .columns = seven};
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    options.cluster = "pairs";
    const bd_description *d = describe(&table, options);
    assert_int_equal(d->n_columns, 6); /* without the clusters */
    assert_summary("one", &d->columns[0].parts[0], (double[]){1, 4, NAN, 4, 4, 4, 4, 4, NAN, NAN});
    assert_summary("two", &d->columns[1].parts[0],
                   (double[]){2, 1.5, 0.70710678118654752, 1, 1.25, 1.5, 1.75, 2, NAN, NAN});
    assert_summary("three", &d->columns[2].parts[0], (double[]){3, 2, 1, 1, 1.5, 2, 2.5, 3, 0, NAN});
    assert_summary("none", &d->columns[3].parts[0], (double[]){0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN});
    /* three with rows: r = -.5, t = r / sqrt(1 - r^2), p = 2 / 3; no interval from three rows */
    assert_ptr_equal(d->correlations[11].x, &seven[2]);
    assert_ptr_equal(d->correlations[11].y, &seven[6]);
    assert_correlation(&d->correlations[11], (double[]){3, -0.5, NAN, NAN, -0.57735026918962576, 2.0 / 3});
    assert_icc(&d->iccs[4], (double[]){4, 2, 2, 1, 1, 1, INFINITY, 1, 2, 0});
    options.cluster = "rows";
    assert_icc(&describe(&table, options)->iccs[4], (double[]){4, 4, NAN, NAN, NAN, NAN, NAN, 3, 0, NAN});
}

static void test_describe__many_columns_are_correlated_only_when_named(void **state)
{
    (void)state;
    enum { MANY = BD_FEW_COLUMNS + 1 };
    bd_column many[MANY];
    const char *many_names[MANY];
    for (size_t j = 0; j < MANY; j++) {
        must(bd_print(arena, &many_names[j], "z%zu", j));
        many[j] = (bd_column){.name = many_names[j], .numbers = z};
    }
    bd_table table = {.source = "many", .n_rows = N_SMALL, .n_columns = MANY, .columns = many};
    const bd_description *d = describe(&table, BD_DESCRIPTION_DEFAULTS);
    assert_true(d->too_many_to_correlate);
    assert_int_equal(d->n_correlations, 0);
    assert_int_equal(describe(&table, options_for(many_names, MANY))->n_correlations, MANY * BD_FEW_COLUMNS / 2);
    table.n_columns = BD_FEW_COLUMNS;
    d = describe(&table, BD_DESCRIPTION_DEFAULTS);
    assert_false(d->too_many_to_correlate);
    assert_int_equal(d->n_correlations, BD_FEW_COLUMNS * (BD_FEW_COLUMNS - 1) / 2);
}

static void test_describe__groups_may_be_many_but_not_too_many(void **state)
{
    (void)state;
    double groups[BD_MOST_GROUPS + 1];
    for (size_t i = 0; i <= BD_MOST_GROUPS; i++)
        groups[i] = (double)i;
    const bd_column two[] = {{.name = "group", .numbers = groups}, {.name = "value", .numbers = groups}};
    bd_table table = {.source = "groups", .n_rows = BD_MOST_GROUPS, .n_columns = 2, .columns = two};
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    const bd_description *d;
    options.by = "group";
    assert_int_equal(describe(&table, options)->n_parts, 1 + BD_MOST_GROUPS);
    table.n_rows++;
    assert_int_equal(bd_describe(&table, &options, arena, &d), BD_EDATA);
    assert_string_equal(bd_message(), "'group' makes 201 groups; at most 200 are described");
}

static void test_describe__the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    const bd_table *table = jobs();
    options.by = "occp";
    options.n_threads = 1;
    const bd_description *one = describe(table, options);
    options.n_threads = 7;
    const bd_description *seven = describe(table, options);
    assert_true(one->n_correlations > 20 && one->n_correlations == seven->n_correlations);
    for (size_t i = 0; i < one->n_correlations; i++)
        assert_memory_equal(&one->correlations[i].r, &seven->correlations[i].r, 5 * sizeof(double));
    for (size_t j = 0; j < one->n_columns; j++)
        for (size_t g = 0; g < one->n_parts; g++)
            assert_memory_equal(&one->columns[j].parts[g].mean, &seven->columns[j].parts[g].mean, 9 * sizeof(double));
}

static void assert_refused(bd_description_options options, bd_status status, const char *message)
{
    const bd_description *description;
    assert_int_equal(bd_describe(&small, &options, arena, &description), status);
    if (strstr(bd_message(), message) == NULL)
        fail_msg("'%s', not '%s'", bd_message(), message);
}

static void test_describe__what_cannot_be_described_is_refused(void **state)
{
    (void)state;
    const char *const twice[] = {"x", "y", "x"}, *const unknown[] = {"nobody"};
    const size_t row = 2, beyond = 10;
    bd_description_options options = BD_DESCRIPTION_DEFAULTS;
    options.level = 1;
    assert_refused(options, BD_EUSAGE, "the level must lie between 0 and 1, not be 1");
    options.level = NAN;
    assert_refused(options, BD_EUSAGE, "the level");
    assert_refused(options_for(twice, 3), BD_EUSAGE, "the column 'x' is asked for twice");
    assert_refused(options_for(unknown, 1), BD_EDATA, "nobody");
    options = BD_DESCRIPTION_DEFAULTS;
    options.rows = &row;
    assert_refused(options, BD_EDATA, "no rows to describe");
    options.n_rows = 1;
    options.by = "site";
    assert_refused(options, BD_EDATA, "'site' has no value in the 1 rows");
    options.by = NULL;
    options.cluster = "x";
    assert_refused(options, BD_EDATA, "'x' has only one value in the 1 rows");
    options.rows = &beyond;
    assert_refused(options, BD_EDATA, "there is no row 10 in a table of 10 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe__numbers_of_jobs_are_those_of_r),
        cmocka_unit_test(test_describe__groups_of_jobs_are_those_of_r),
        cmocka_unit_test(test_describe__correlations_of_jobs_are_those_of_cor_test),
        cmocka_unit_test(test_describe__icc_of_unequal_clusters_is_that_of_aov),
        cmocka_unit_test(test_describe__icc_of_equal_clusters_is_that_of_shrout_and_fleiss),
        cmocka_unit_test(test_describe__icc_of_many_rows_has_an_interval),
        cmocka_unit_test(test_describe__missing_values_are_left_out_column_by_column),
        cmocka_unit_test(test_describe__correlations_use_the_rows_that_have_both),
        cmocka_unit_test(test_describe__groups_are_those_of_a_column_of_either_kind),
        cmocka_unit_test(test_describe__missing_values_are_counted_together),
        cmocka_unit_test(test_describe__only_the_chosen_rows_count),
        cmocka_unit_test(test_describe__large_means_and_extreme_units_lose_nothing),
        cmocka_unit_test(test_describe__long_sums_lose_nothing),
        cmocka_unit_test(test_describe__what_cannot_be_told_is_nan),
        cmocka_unit_test(test_describe__many_columns_are_correlated_only_when_named),
        cmocka_unit_test(test_describe__groups_may_be_many_but_not_too_many),
        cmocka_unit_test(test_describe__the_number_of_threads_changes_no_bit),
        cmocka_unit_test(test_describe__what_cannot_be_described_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
