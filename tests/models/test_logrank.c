/* Log-rank tests held to survival 3.5-3, or to their definition in R: Rscript scripts/reference-survival-curves.R */
#include "models/survival_data.h"

#include <bordin/models/logrank.h>

enum { MOST = 4 };

static const char cells[] = "1 * (celltype == \"smallcell\") + 2 * (celltype == \"adeno\") + "
                            "3 * (celltype == \"large\")";
static const source veteran = {.file = "veteran", .stop = "time", .event = "status"};
static const source veteran_prior = {.file = "veteran", .stop = "time", .event = "status", .strata = "prior"};
static const source ecog = {.file = "lung", .stop = "time", .event = "status == 2", .where = "ph.ecog > -1"};

typedef struct reference {
    const source *source;
    const char *group;
    weighting weighting;
    bd_logrank_options options;
    double observed[MOST], expected[MOST], covariance[MOST * MOST], statistic, p;
} reference;

static const reference references[] = {
    {&deaths, "sex", NO_WEIGHTS, {0, 0, 0},
     {112, 53}, {91.5817390295728, 73.4182609704272},
     {40.3714339796426, -40.3714339796426, -40.3714339796426, 40.3714339796427},
     10.3267419548856, 0.00131116452035549},
    {&ecog, "ph.ecog", NO_WEIGHTS, {0, 0, 0},
     {37, 82, 44, 1}, {54.1526970189229, 83.5275645750819, 26.1473530653302, 0.172385340664962},
     {35.8276937064502, -27.3466236176708, -8.43314387044384, -0.0479262183355154, -27.3466236176708,
      40.7241102139535, -13.288981742073, -0.0885048542096926, -8.43314387044384, -13.288981742073, 21.75676017165,
      -0.0346345591331572, -0.0479262183355154, -0.0885048542096926, -0.0346345591331572, 0.171065631678365},
     21.962131682476, 6.64253535580017e-05},
    {&veteran_prior, cells, NO_WEIGHTS, {0, 0, 0},
     {31, 45, 26, 26}, {46.4477664926996, 30.3722436930826, 16.2145306376865, 34.9654591765313},
     {26.1484042250911, -9.35448228745588, -4.43392340511563, -12.3599985325196, -9.35448228745588,
      21.7923282036615, -4.60617626893757, -7.83166964726808, -4.43392340511563, -4.60617626893757,
      13.1060723300385, -4.06597265598527, -12.3599985325196, -7.83166964726808, -4.06597265598527, 24.257640835773},
     23.784607803668, 2.77046426451264e-05},
    {&deaths, "sex", NO_WEIGHTS, {0, 1, 0},
     {70.3775422947522, 28.7286532721899}, {55.5710854717843, 43.5351100951578},
     {17.2430826669607, -17.2430826669607, -17.2430826669607, 17.2430826669607},
     12.7141514011575, 0.000362898927598911},
    {&ecog, "ph.ecog", NO_WEIGHTS, {0, 1, 0},
     {19.8768912640697, 47.8142297329236, 30.00171385955, 0.845546593953463}, {31.1895063849117, 50.3464793551159,
      16.8434920591913, 0.158903651277871},
     {14.8724950803892, -11.0352563011374, -3.79648780130729, -0.0407509779445173, -11.0352563011374,
      17.4909004648549, -6.38036381127132, -0.0752803524461566, -3.79648780130729, -6.38036381127132,
      10.2065339783216, -0.0296823657429965, -0.0407509779445173, -0.0752803524461566, -0.0296823657429965,
      0.14571369613367},
     23.395293370343, 3.34024468384645e-05},
    {&veteran_prior, cells, NO_WEIGHTS, {0, 1, 0},
     {13.5588654773029, 28.6985522223734, 16.0507625933766, 9.67462331831495}, {20.3208453700894, 19.012016008725,
      10.9933520314735, 17.6565902010798},
     {9.07254269426623, -3.69895093073168, -2.08686244558491, -3.28672931794964, -3.69895093073168,
      9.51451147702203, -2.58078263950226, -3.23477790678809, -2.08686244558491, -2.58078263950226,
      6.51108907032127, -1.8434439852341, -3.28672931794964, -3.23477790678809, -1.8434439852341, 8.36495120997182},
     20.2230146676249, 0.000152602486649816},
    {&deaths, "sex", NO_WEIGHTS, {0, 0.5, 0},
     {86.3699928949584, 37.6801690031705}, {69.1317755501832, 54.9183863479457},
     {24.2563204753666, -24.2563204753666, -24.2563204753666, 24.2563204753666},
     12.2506683372477, 0.000465091546369088},
    {&ecog, "ph.ecog", NO_WEIGHTS, {0, 0.5, 0},
     {26.1118154977816, 60.7829725176666, 35.5066113992603, 0.919536075395339}, {39.7261154612226, 62.9566772242348,
      20.4726873341601, 0.165455470486363},
     {21.1342517600386, -15.8537887239229, -5.23632566222667, -0.0441373738891084, -15.8537887239229,
      24.519078558982, -8.58376627572309, -0.0815235593360775, -5.23632566222667, -8.58376627572309,
      13.8521153019645, -0.032023364014712, -0.0441373738891084, -0.0815235593360776, -0.032023364014712,
      0.157684297239898},
     23.3228968022399, 3.45841669871678e-05},
    {&veteran_prior, cells, NO_WEIGHTS, {0, 0.5, 0},
     {18.6641381077419, 34.9908631326734, 20.0268178482854, 15.0356688284539}, {28.4687507231825, 23.2981204652278,
      13.1615415625148, 23.7890751662293},
     {13.590554566839, -5.25011614247663, -2.87966959620093, -5.4607688281614, -5.25011614247663, 13.1861942331787,
      -3.32773684916383, -4.60834124153827, -2.87966959620093, -3.32773684916383, 8.79544218503261,
      -2.58803573966785, -5.4607688281614, -4.60834124153827, -2.58803573966785, 12.6571458093675},
     22.4802845461303, 5.18177154252498e-05},
    {&deaths, "sex", COUNTS, {0, 0, 0},
     {227, 98}, {174.230748134419, 150.769251865581},
     {78.6929994312329, -78.692999431233, -78.692999431233, 78.6929994312329},
     35.385535722101, 2.70488167738791e-09},
    {&deaths, "sex", NO_WEIGHTS, {0, 1, 0},
     {70.3775422947522, 28.7286532721899}, {55.5710854717842, 43.5351100951578},
     {17.2430826669607, -17.2430826669607, -17.2430826669607, 17.2430826669607},
     12.7141514011575, 0.000362898927598907},
    {&deaths, "sex", NO_WEIGHTS, {1, 0, 0},
     {14557, 5678}, {11409, 8826},
     {794563.539986604, -794563.539986604, -794563.539986604, 794563.539986604},
     12.4721353312626, 0.000413067632019392},
    {&veteran, cells, NO_WEIGHTS, {1, 0, 0},
     {1773, 3842, 2161, 1234}, {2663, 2564, 1464, 2319},
     {165409.721013435, -69002.3914939702, -39831.2510462894, -56576.0784731757, -69002.3914939702,
      175589.505255979, -46639.4586120916, -59947.6551499169, -39831.2510462894, -46639.4586120916,
      121188.469558456, -34717.7599000748, -56576.0784731757, -59947.6551499169, -34717.7599000748, 151241.493523167},
     19.4331263580028, 0.000222430999447417},
    {&veteran, cells, NO_WEIGHTS, {0.5, 0, 0},
     {209.304319400669, 403.632395602734, 232.04585407441, 167.330986859538}, {323.846206004476, 268.873855526228,
      149.45586771868, 270.137626687968},
     {1814.67901890763, -715.241384631164, -400.541460427734, -698.89617384873, -715.241384631164, 1777.15522867214,
      -438.164393422565, -623.749450618414, -400.541460427734, -438.164393422565, 1193.84391690234,
      -355.138063052036, -698.89617384873, -623.749450618414, -355.138063052036, 1677.78368751918},
     22.5728425080666, 4.95680111099773e-05},
    {&veteran, cells, NO_WEIGHTS, {0, 1, 1},
     {4.25518949346623, 7.80721656473871, 4.83866279202928, 4.52457577453566}, {7.39699420136263, 5.00380388327471,
      2.7230019708216, 6.30184456931094},
     {0.927489044256176, -0.315488571941262, -0.169802182041207, -0.442198290273707, -0.315488571941262,
      0.744393483761167, -0.143073178756379, -0.285831733063527, -0.169802182041207, -0.143073178756379,
      0.47166246013373, -0.158787099336144, -0.442198290273707, -0.285831733063527, -0.158787099336144,
      0.886817122673378},
     26.9147644971233, 6.13462969844232e-06},
    {&deaths, "sex", NO_WEIGHTS, {0, 0, 1},
     {41.6224577052478, 24.2713467278101}, {36.0106535577885, 29.8831508752694},
     {9.10187569587019, -9.10187569587019, -9.10187569587019, 9.10187569587019},
     3.45998416609115, 0.0628709169850084},
};

static const bd_logrank *test_of(const bd_survival_rows *rows, const bd_logrank_options *options)
{
    const bd_logrank *test = NULL;
    must(bd_logrank_test(rows, options, arena, &test));
    return test;
}

static void test_logrank__agrees_with_survdiff(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof references / sizeof *references; k++) {
        const reference *r = &references[k];
        const bd_survival_rows rows = rows_of(r->source, r->group, r->weighting);
        const bd_logrank *test = test_of(&rows, &r->options);
        for (size_t g = 0; g < test->n_groups; g++) {
            assert_close(test->groups[g].observed, r->observed[g], 1e-12);
            assert_close(test->groups[g].expected, r->expected[g], 1e-12);
        }
        assert_all_close(test->n_groups * test->n_groups, test->covariance, r->covariance, 1e-12);
        assert_close(test->statistic, r->statistic, 1e-12);
        assert_true(fabs(test->p / r->p - 1) < 1e-11);
        assert_true(test->df == (double)(test->n_groups - 1));
    }
}

/* In start-stop data too: intervals cut in two say the same. */
static void test_logrank__cut_intervals_change_nothing(void **state)
{
    (void)state;
    const bd_survival_rows rows = rows_of(&deaths, "sex", NO_WEIGHTS);
    const size_t n = rows.n_rows;
    double *columns = bd_arena_alloc(arena, 6 * n, sizeof *columns);
    double *start = columns, *stop = columns + 2 * n, *event = stop + 2 * n;
    uint32_t *group = bd_arena_alloc(arena, 2 * n, sizeof *group);
    assert_true(columns != NULL && group != NULL);
    for (size_t i = 0; i < n; i++) {
        start[n + i] = stop[i] = rows.stop[i] / 3;
        stop[n + i] = rows.stop[i];
        event[n + i] = rows.event[i];
        group[i] = group[n + i] = rows.group[i];
    }
    const bd_survival_rows cut = {.n_rows = 2 * n, .start = start, .stop = stop, .event = event, .group = group,
                                  .n_groups = 2};
    const bd_logrank_options options = {.at_risk = 1, .rho = 0.5};
    assert_close(test_of(&cut, &options)->statistic, test_of(&rows, &options)->statistic, 1e-13);
}

/* survdiff leaves out a group that is gone before the first event. */
static void test_logrank__a_group_never_at_risk_does_not_count(void **state)
{
    (void)state;
    const double stop[] = {1, 1, 2, 3, 4, 5, 6}, event[] = {0, 0, 1, 1, 0, 1, 1};
    const uint32_t group[] = {0, 0, 1, 2, 1, 2, 1}, without[] = {0, 0, 0, 1, 0, 1, 0};
    const bd_survival_rows rows = {.n_rows = 7, .stop = stop, .event = event, .group = group, .n_groups = 3};
    const bd_survival_rows fewer = {.n_rows = 5, .stop = stop + 2, .event = event + 2, .group = without + 2,
                                    .n_groups = 2};
    const bd_logrank *one = test_of(&rows, &BD_LOGRANK_DEFAULTS), *other = test_of(&fewer, &BD_LOGRANK_DEFAULTS);
    assert_true(one->df == 1);
    assert_close(one->statistic, other->statistic, 1e-14);
}

static void test_logrank__refuses_what_cannot_be_compared(void **state)
{
    (void)state;
    const double stop[] = {1, 2, 3}, event[] = {1, 0, 1}, start[] = {0, 1, 2}, two[] = {1, 0, 2};
    const uint32_t same[] = {1, 1, 1}, each[] = {0, 1, 2};
    const char *const names[] = {"CBT", "waiting list", "drug"};
    const struct {
        bd_survival_rows rows;
        bd_logrank_options options;
        bd_status status;
        const char *message;
    } cases[] = {
        {{.n_rows = 3, .stop = stop, .event = event}, {0, 0, 0}, BD_EDATA,
         "there is one group; a log-rank test compares two or more"},
        {{.n_rows = 3, .stop = stop, .event = event, .group = same, .n_groups = 3, .group_names = names}, {0, 0, 0},
         BD_EDATA, "all rows are of group 'waiting list'; a log-rank test compares two groups or more"},
        {{.n_rows = 3, .start = start, .stop = stop, .event = event, .group = each, .n_groups = 3}, {0, 0, 0}, BD_EDATA,
         "no two groups are at risk together when an event happens; they cannot be compared"},
        {{.n_rows = 3, .stop = stop, .event = two, .group = each, .n_groups = 3}, {0, 0, 0}, BD_EDATA,
         "the event in row 3 is 2; it is 1 where the event happened and 0 where it did not (codes of another kind are "
         "compared, as in status == 2)"},
        {{.n_rows = 3, .stop = stop, .event = event, .group = each, .n_groups = 3}, {0, -1, 0}, BD_EUSAGE,
         "the weights of a log-rank test have an exponent of -1; exponents are 0 or more"},
    };
    const bd_logrank *test;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_fails(bd_logrank_test(&cases[k].rows, &cases[k].options, arena, &test), cases[k].status,
                     cases[k].message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_logrank__agrees_with_survdiff, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_logrank__cut_intervals_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_logrank__a_group_never_at_risk_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_logrank__refuses_what_cannot_be_compared, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
