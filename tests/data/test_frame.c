/* Frames: R's designs, selections, drops with their reasons, and what is said of a formula that is wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <bordin/data/frame.h>

#include "fixture.h"

enum { N = 12, MOST_COLUMNS = 12 };

/* Twelve rows; `m` lacks rows 2 and 7, `h` row 4; `w` has a zero; `t` holds the time within `id`. */
static const double y[N] = {3, 5, 4, 8, 6, 7, 9, 2, 5, 6, 1, 8}, x[N] = {1.5, 2, 3.5, 4, 5, 6.5, 7, 8, 9.5, 10, 11, 12},
                    z[N] = {2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11}, s[N] = {1, 1, 2, 2, 10, 10, 1, 2, 10, 1, 2, 10},
                    m[N] = {1, 2, NAN, 4, 5, 6, 7, NAN, 9, 10, 11, 12}, w[N] = {1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 2},
                    negative[N] = {1, 1, 1, -2, 1, 1, 1, 1, 1, 1, 1, 1}, empty[N] = {NAN, NAN, NAN, NAN, NAN, NAN,
                                                                                   NAN, NAN, NAN, NAN, NAN, NAN};
static const uint32_t g[N] = {1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 3, 2}, h[N] = {1, 2, 1, 2, 0, 2, 1, 2, 1, 2, 1, 2},
                      id[N] = {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, one[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const char *const treatments[] = {"cbt", "ipt", "tau"}, *const halves[] = {"first", "second"},
                         *const patients[] = {"p1", "p2", "p3"};
static const bd_column columns[] = {
    {.name = "y", .kind = BD_NUMBERS, .numbers = y},
    {.name = "x", .kind = BD_NUMBERS, .numbers = x},
    {.name = "z", .kind = BD_NUMBERS, .numbers = z},
    {.name = "s", .kind = BD_NUMBERS, .numbers = s},
    {.name = "m", .kind = BD_NUMBERS, .numbers = m, .n_missing = 2},
    {.name = "w", .kind = BD_NUMBERS, .numbers = w},
    {.name = "negative", .kind = BD_NUMBERS, .numbers = negative},
    {.name = "empty", .kind = BD_NUMBERS, .numbers = empty},
    {.name = "g", .kind = BD_CATEGORIES, .codes = g, .levels = treatments, .n_levels = 3},
    {.name = "h", .kind = BD_CATEGORIES, .codes = h, .levels = halves, .n_levels = 2, .n_missing = 1},
    {.name = "id", .kind = BD_CATEGORIES, .codes = id, .levels = patients, .n_levels = 3},
    {.name = "only", .kind = BD_CATEGORIES, .codes = one, .levels = treatments, .n_levels = 1},
    {.name = "baseline score", .kind = BD_NUMBERS, .numbers = z},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };
static const char *const header[N_COLUMNS] = {"y", "x", "z", "s", "m", "w", "negative", "empty", "g", "h", "id", "only",
                                              "baseline score"};
static const bd_table table = {.source = "trial.csv",
                               .n_rows = N,
                               .n_columns = N_COLUMNS,
                               .columns = columns,
                               .header = header,
                               .n_header = N_COLUMNS};

static const bd_frame *build(bd_frame_spec spec)
{
    const bd_frame *frame = NULL;
    const bd_status status = bd_frame_build(&table, &spec, arena, &frame);
    if (status != BD_OK)
        print_error("%s\n", bd_message());
    assert_int_equal(status, BD_OK);
    return frame;
}

static const bd_frame *of(const char *formula)
{
    return build((bd_frame_spec){.formula = formula});
}

/* R 4.2.2, model.matrix: scripts/reference-frame.R. The sums are of value * row number. */
static void designs_are_those_of_r(void **unused)
{
    (void)unused;
    static const struct {
        const char *formula;
        size_t n;
        const char *names[MOST_COLUMNS];
        double sums[MOST_COLUMNS];
    } expected[] = {
        {"~x", 2, {"(Intercept)", "x"}, {78, 659.5}},
        {"~x * g", 6, {"(Intercept)", "x", "g[ipt]", "g[tau]", "x:g[ipt]", "x:g[tau]"},
         {78, 659.5, 31, 26, 284.5, 214}},
        {"~g:x", 4, {"(Intercept)", "g[cbt]:x", "g[ipt]:x", "g[tau]:x"}, {78, 161, 284.5, 214}},
        {"~g * factor(s)", 9, {"(Intercept)", "g[ipt]", "g[tau]", "factor(s)[2]", "factor(s)[10]",
         "g[ipt]:factor(s)[2]", "g[tau]:factor(s)[2]", "g[ipt]:factor(s)[10]", "g[tau]:factor(s)[10]"},
         {78, 31, 26, 26, 32, 4, 19, 27, 5}},
        {"~g:factor(s)", 10, {"(Intercept)", "g[cbt]:factor(s)[1]", "g[ipt]:factor(s)[1]",
         "g[tau]:factor(s)[1]", "g[cbt]:factor(s)[2]", "g[ipt]:factor(s)[2]", "g[tau]:factor(s)[2]",
         "g[cbt]:factor(s)[10]", "g[ipt]:factor(s)[10]", "g[tau]:factor(s)[10]"},
         {78, 18, 0, 2, 3, 4, 19, 0, 27, 5}},
        {"~-1 + g", 3, {"g[cbt]", "g[ipt]", "g[tau]"}, {21, 31, 26}},
        {"~x - 1", 1, {"x"}, {659.5}},
        {"~(x + z + g)^2", 10, {"(Intercept)", "x", "z", "g[ipt]", "g[tau]", "x:z", "x:g[ipt]", "x:g[tau]",
         "z:g[ipt]", "z:g[tau]"}, {78, 659.5, 644, 31, 26, 6073, 284.5, 214, 264, 220}},
        {"~(x + z + g)^2 - x:z", 9, {"(Intercept)", "x", "z", "g[ipt]", "g[tau]", "x:g[ipt]", "x:g[tau]",
         "z:g[ipt]", "z:g[tau]"}, {78, 659.5, 644, 31, 26, 284.5, 214, 264, 220}},
        {"~g/x", 6, {"(Intercept)", "g[ipt]", "g[tau]", "g[cbt]:x", "g[ipt]:x", "g[tau]:x"},
         {78, 31, 26, 161, 284.5, 214}},
        {"~g/factor(s)", 9, {"(Intercept)", "g[ipt]", "g[tau]", "g[cbt]:factor(s)[2]", "g[ipt]:factor(s)[2]",
         "g[tau]:factor(s)[2]", "g[cbt]:factor(s)[10]", "g[ipt]:factor(s)[10]", "g[tau]:factor(s)[10]"},
         {78, 31, 26, 3, 4, 19, 0, 27, 5}},
        {"~log(x) + I(x^2) + sqrt(z)", 4, {"(Intercept)", "log(x)", "I(x^2)", "sqrt(z)"},
         {78, 160.113336735237, 6215.75, 219.336387925599}},
        {"~x + x:g", 4, {"(Intercept)", "x", "x:g[ipt]", "x:g[tau]"}, {78, 659.5, 284.5, 214}},
        {"~g + x:g", 6, {"(Intercept)", "g[ipt]", "g[tau]", "g[cbt]:x", "g[ipt]:x", "g[tau]:x"},
         {78, 31, 26, 161, 284.5, 214}},
        {"~x:z:g", 4, {"(Intercept)", "x:z:g[cbt]", "x:z:g[ipt]", "x:z:g[tau]"}, {78, 1337, 2682, 2054}},
        {"~-1 + g + factor(s)", 5, {"g[cbt]", "g[ipt]", "g[tau]", "factor(s)[2]", "factor(s)[10]"},
         {21, 31, 26, 26, 32}},
        {"~x * z * g - x:z:g", 10, {"(Intercept)", "x", "z", "g[ipt]", "g[tau]", "x:z", "x:g[ipt]", "x:g[tau]",
         "z:g[ipt]", "z:g[tau]"}, {78, 659.5, 644, 31, 26, 6073, 284.5, 214, 264, 220}},
        {"~I(x - z) + I(-x)", 3, {"(Intercept)", "I(x - z)", "I(-x)"}, {78, 15.5, -659.5}},
    };
    for (size_t f = 0; f < sizeof expected / sizeof *expected; f++) {
        const bd_frame *frame = of(expected[f].formula);
        assert_int_equal(frame->n_columns, expected[f].n);
        for (size_t j = 0; j < frame->n_columns; j++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += (frame->columns[j].values ? frame->columns[j].values[i] : 1) * (double)(i + 1);
            assert_string_equal(frame->columns[j].name, expected[f].names[j]);
            assert_true(fabs(sum - expected[f].sums[j]) <= 1e-12 * fabs(sum));
        }
    }
}

/* Where R codes g by every level although x stands beside it, so that the columns are collinear. */
static void marginality_holds_without_an_intercept(void **unused)
{
    (void)unused;
    const bd_frame *frame = of("~ 0 + x + g:x");
    assert_int_equal(frame->n_columns, 3);
    assert_false(frame->has_intercept);
    assert_string_equal(frame->columns[2].name, "x:g[tau]");
}

static void plain_columns_are_not_copied(void **unused)
{
    (void)unused;
    const bd_frame *frame = of("y ~ x + g");
    assert_ptr_equal(frame->response, y);
    assert_ptr_equal(frame->columns[1].values, x);
    assert_string_equal(frame->response_name, "y");
    assert_int_equal(frame->n_terms, 2);
    assert_int_equal(frame->columns[3].term, 1);
    assert_true(frame->columns[0].term == SIZE_MAX && frame->columns[0].values == NULL);
}

static void rows_are_dropped_with_their_reasons(void **unused)
{
    (void)unused;
    const bd_frame *frame = build((bd_frame_spec){.formula = "y ~ log(m) + h + m", .weights = "w"});
    assert_int_equal(frame->n_read, 12);
    assert_int_equal(frame->n_rows, 8);
    assert_int_equal(frame->n_dropped, 4);
    assert_int_equal(frame->n_drops, 3);
    assert_string_equal(frame->drops[0].reason, "m");
    assert_int_equal(frame->drops[0].n_rows, 2);
    assert_string_equal(frame->drops[1].reason, "h");
    assert_int_equal(frame->drops[1].n_rows, 1);
    assert_string_equal(frame->drops[2].reason, "a weight of zero");
    double sum = 0;
    for (size_t i = 0; i < frame->n_rows; i++)
        sum += frame->weights[i];
    assert_true(fabs(sum - 8) < 1e-14 && fabs(frame->weights[7] / frame->weights[0] - 2) < 1e-14);
    assert_true(frame->response[2] == 8 && fabs(frame->columns[1].values[2] - log(4)) < 1e-15);
}

static void conditions_select_rows(void **unused)
{
    (void)unused;
    static const struct {
        const char *where;
        size_t n;
    } expected[] = {
        {"g == \"cbt\"", 4}, {"g != 'cbt' & x > 5", 5},     {"'tau' == g | y >= 8", 7}, {"!(x < 5) && x <= 10", 6},
        {"m > 5", 6},        {"is.na(m)", 2},               {"!is.na(m) & m < 3", 2},   {"m > 5 | y == 2", 7},
        {"h == \"first\"", 5}, {"s == 10", 4},              {"x^2 + 1 > 101", 2},       {"-x < -10", 2},
        {"`baseline score` == 2", 1}, {"x == z | log(x) > 2.4", 1}, {"m > 100 | is.na(h)", 1}, {"factor(s) == '10'", 4},
    };
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        const size_t *rows = NULL;
        size_t n = 0;
        assert_int_equal(bd_where_rows(&table, expected[k].where, arena, &rows, &n), BD_OK);
        assert_int_equal(n, expected[k].n);
    }
    const bd_frame *frame = build((bd_frame_spec){.formula = "y ~ x", .where = "g == \"ipt\" & y > 5"});
    assert_int_equal(frame->n_excluded, 9);
    assert_int_equal(frame->n_rows, 3);
    assert_true(frame->columns[1].values[0] == 4 && frame->response[2] == 8);
}

static void transformations_use_the_selected_rows_and_say_so(void **unused)
{
    (void)unused;
    const bd_frame *frame = build((bd_frame_spec){.formula = "y ~ center(x) + scale(z)", .where = "x < 5"});
    assert_true(fabs(frame->columns[1].values[0] - (1.5 - 2.75)) < 1e-15);
    assert_true(fabs(frame->columns[2].values[3] - (3 - 2.5) / sqrt(5.0 / 3)) < 1e-15);
    assert_int_equal(frame->n_notes, 2);
    assert_string_equal(frame->notes[0], "center(x): the mean 2.75 of 4 values subtracted.");
}

static void between_within_and_lag(void **unused)
{
    (void)unused;
    const bd_frame *frame = of("y ~ between(x, id) + within(x, id)");
    const double means[] = {2.75, 6.625, 10.625};
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs(frame->columns[1].values[i] - means[i / 4]) < 1e-14);
        assert_true(fabs(frame->columns[2].values[i] - (x[i] - means[i / 4])) < 1e-14);
    }
    frame = of("y ~ lag(x, id)");
    assert_int_equal(frame->n_rows, 9);
    assert_string_equal(frame->drops[0].reason, "lag(x, id)");
    assert_true(frame->columns[1].values[0] == 1.5 && frame->columns[1].values[3] == 5);
    frame = of("y ~ between(m, s)"); /* groups may be numbers; a mean is of what is there */
    assert_int_equal(frame->n_rows, 12);
    assert_true(fabs(frame->columns[1].values[2] - 7.5) < 1e-14);
}

static void references_can_be_chosen(void **unused)
{
    (void)unused;
    const bd_frame *frame = of("y ~ factor(g, ref = \"tau\") + factor(s, ref = 2)");
    assert_string_equal(frame->columns[1].name, "factor(g, ref = \"tau\")[cbt]");
    assert_string_equal(frame->factors[0].levels[0], "tau");
    assert_int_equal(frame->factors[0].counts[0], 4);
    assert_string_equal(frame->factors[1].levels[0], "2");
    assert_string_equal(frame->factors[1].levels[2], "10");
}

static void groups_are_numbered_as_they_occur(void **unused)
{
    (void)unused;
    const bd_frame *frame =
        build((bd_frame_spec){.formula = "y ~ x", .where = "g != \"ipt\"", .cluster = "g", .strata = "h"});
    assert_int_equal(frame->cluster->n_levels, 2);
    assert_string_equal(frame->cluster->levels[1], "tau");
    assert_int_equal(frame->n_rows, 7);
    assert_int_equal(frame->cluster->codes[1], 1);
    assert_int_equal(frame->strata->n_levels, 2);
}

static void wanted_columns_are_found(void **unused)
{
    (void)unused;
    const bd_frame_spec spec = {.formula = "log(y) ~ x * g + factor(s) + between(z, id) + `baseline score`",
                                .where = "h == \"a\" & w > 2 & x == m",
                                .weights = "w",
                                .cluster = "id",
                                .strata = "g"};
    static const struct {
        const char *name;
        bd_use use;
    } expected[] = {{"y", BD_USE_NUMBERS}, {"x", BD_USE_ANY},     {"g", BD_USE_ANY},        {"s", BD_USE_CATEGORIES},
                    {"z", BD_USE_NUMBERS}, {"id", BD_USE_CATEGORIES}, {"baseline score", BD_USE_ANY},
                    {"h", BD_USE_CATEGORIES}, {"w", BD_USE_NUMBERS}, {"m", BD_USE_ANY}};
    const bd_wanted *wanted = NULL;
    size_t n = 0;
    assert_int_equal(bd_frame_wanted(&spec, arena, &wanted, &n), BD_OK);
    assert_int_equal(n, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(wanted[i].name, expected[i].name);
        assert_int_equal(wanted[i].use, expected[i].use);
    }
}

static void wrong_formulas_get_a_caret(void **unused)
{
    (void)unused;
    static const struct {
        const char *formula, *message;
    } expected[] = {
        {"y ~ x +", "formula: a name or a number is missing here\n  y ~ x +\n         ^"},
        {"y ~ (x + z", "formula: this parenthesis is never closed\n  y ~ (x + z\n      ^"},
        {"y ~ x z", "formula: expected an operator\n  y ~ x z\n        ^"},
        {"y = x", "formula: compare with ==\n  y = x\n    ^"},
        {"y x", "formula: expected an operator\n  y x\n    ^"},
        {"y + x", "formula: a formula needs a ~, as in outcome ~ alliance + baseline\n  y + x\n       ^"},
        {"y ~ 2", "formula: only 1 and 0 (with or without intercept) are numbers of a formula; arithmetic goes into I( )\n"
                  "  y ~ 2\n      ^"},
        {"y ~ x^2", "formula: ^ crosses terms; for the square of a variable write I(x^2)\n  y ~ x^2\n       ^"},
        {"y ~ log(x, 2)", "formula: log takes 1 argument: log(x)\n  y ~ log(x, 2)\n      ^"},
        {"y ~ between(x)", "formula: between takes 2 arguments: between(x, cluster)\n  y ~ between(x)\n      ^"},
        {"y ~ `x", "formula: this quotation mark is never closed\n  y ~ `x\n      ^"},
        {"y ~ 2x", "formula: a name cannot begin with a digit; put it in backquotes\n  y ~ 2x\n      ^"},
        {"y ~ \"x\"", "formula: text is not a predictor; names with spaces go in backquotes\n  y ~ \"x\"\n      ^"},
        {"y ~ x ~ z", "formula: a formula has one ~\n  y ~ x ~ z\n        ^"},
        {"", "formula: a name or a number is missing here\n  \n  ^"},
        {"y ~ x + @", "formula: expected a name or a number\n  y ~ x + @\n          ^"},
        {"\xc3\xa4 ~ \xc3\xb6 )", "formula: expected an operator\n  \xc3\xa4 ~ \xc3\xb6 )\n        ^"},
    };
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        const bd_frame *frame;
        const bd_frame_spec spec = {.formula = expected[k].formula};
        assert_int_equal(bd_frame_build(&table, &spec, arena, &frame), BD_EUSAGE);
        assert_string_equal(bd_message(), expected[k].message);
    }
}

static void data_that_cannot_answer(void **unused)
{
    (void)unused;
    static const struct {
        bd_frame_spec spec;
        const char *message;
    } expected[] = {
        {{.formula = "y ~ xx"}, "trial.csv: no column 'xx'; nearest: 'x'"},
        {{.formula = "y ~ negativ"}, "trial.csv: no column 'negativ'; nearest: 'negative'"},
        {{.formula = "g ~ x"}, "trial.csv: g holds text such as 'cbt', and the outcome needs numbers"},
        {{.formula = "y ~ log(g)"}, "trial.csv: g holds text such as 'cbt', and log needs numbers"},
        {{.formula = "y ~ log(negative)"}, "trial.csv: log(negative) is not a finite number in row 4 (the header not counted); "
                                           "leave such rows out with --where, or transform otherwise"},
        {{.formula = "y ~ I(x / (z - 2))"}, "trial.csv: x / (z - 2) is not a finite number in row 1 (the header not counted); "
                                            "leave such rows out with --where, or transform otherwise"},
        {{.formula = "y ~ empty"}, "trial.csv: no row can be used; of 12 rows, empty is missing in 12"},
        {{.formula = "y ~ only"}, "only is 'cbt' in every used row; a category needs two levels at least"},
        {{.formula = "y ~ factor(g, ref = 'act')"}, "factor(g, ref = \"act\"): no used row has the level 'act'; there are "
                                                    "'cbt', 'ipt', 'tau'"},
        {{.formula = "y ~ scale(only)"}, "trial.csv: only holds text such as 'cbt', and scale needs numbers"},
        {{.formula = "y ~ x", .weights = "negative"}, "trial.csv: weight -2 in row 4 (the header not counted) is negative"},
        {{.formula = "y ~ x", .weights = "g"}, "trial.csv: g holds text such as 'cbt', and --weights needs numbers"},
        {{.formula = "y ~ x", .where = "g == 'act'"}, "--where: trial.csv: no row has g 'act'; there are 'cbt', 'ipt', 'tau'"},
        {{.formula = "y ~ x", .where = "x > 100"}, "trial.csv: no row is left by --where 'x > 100'"},
        {{.formula = "y ~ x", .where = "g"}, "--where: trial.csv: g holds text such as 'cbt', and a condition needs numbers"},
        {{.formula = "y ~ x", .cluster = "therapst"}, "trial.csv: no column 'therapst'; there are 'y', 'x', 'z', 's', 'm', "
                                                      "'w', 'negative', 'empty', 'g', 'h', 'id', 'only', ..."},
    };
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        const bd_frame *frame;
        assert_int_equal(bd_frame_build(&table, &expected[k].spec, arena, &frame), BD_EDATA);
        assert_string_equal(bd_message(), expected[k].message);
    }
}

/* However deep, long or odd: an answer, never a crash. */
static void any_text_is_survived(void **unused)
{
    (void)unused;
    static const char alphabet[] = "xyg~+-*:/^()&|!=<>,\"'` 012.logI";
    char text[40];
    uint64_t random = 88172645463325252u;
    for (int k = 0; k < 200000; k++) {
        const bd_mark mark = bd_arena_mark(arena);
        const bd_frame *frame;
        size_t n = 0;
        do {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            text[n++] = alphabet[random % (sizeof alphabet - 1)];
        } while (n < sizeof text - 1 && random >> 40 & 15);
        text[n] = '\0';
        const bd_frame_spec spec = {.formula = text};
        const bd_status status = bd_frame_build(&table, &spec, arena, &frame);
        assert_true(status == BD_OK || status == BD_EUSAGE || status == BD_EDATA);
        bd_arena_rewind(arena, mark);
    }
    static char deep[20001];
    memset(deep, '(', sizeof deep - 1);
    const bd_frame *frame;
    const bd_frame_spec spec = {.formula = deep};
    assert_int_equal(bd_frame_build(&table, &spec, arena, &frame), BD_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(designs_are_those_of_r),
        cmocka_unit_test(marginality_holds_without_an_intercept),
        cmocka_unit_test(plain_columns_are_not_copied),
        cmocka_unit_test(rows_are_dropped_with_their_reasons),
        cmocka_unit_test(conditions_select_rows),
        cmocka_unit_test(transformations_use_the_selected_rows_and_say_so),
        cmocka_unit_test(between_within_and_lag),
        cmocka_unit_test(references_can_be_chosen),
        cmocka_unit_test(groups_are_numbered_as_they_occur),
        cmocka_unit_test(wanted_columns_are_found),
        cmocka_unit_test(wrong_formulas_get_a_caret),
        cmocka_unit_test(data_that_cannot_answer),
        cmocka_unit_test(any_text_is_survived),
    };
    return cmocka_run_group_tests_name("frame", tests, set_up, tear_down);
}
