/* Kaplan-Meier curves held to survival 3.5-3: Rscript scripts/reference-survival-curves.R */
#include "models/survival_data.h"

enum { N_TIMES = 6, N_SUMS = 9 };

static const double shares[4] = {0.1, 0.25, 0.5, 0.75}, points[N_TIMES] = {0, 5, 100, 365, 900, 2000};

typedef struct reference {
    size_t n_rows, n_times;
    double sums[N_SUMS]; /* at_risk, events, censored, survival, low, high, hazard, se, hazard_se */
    double quantiles[3][4], mean[2], at[4][N_TIMES];
} reference;

/* In the order of `curves`, by group. */
static const reference references[] = {
    /* lung ~ sex log-log */
    {138, 119,
     {7833, 112, 26, 60.8024838215865, 51.8839663876451, 69.1434699159912, 104.251590132637, 4.40078480563361,
      14.1466364119809},
    {{59, 144, 270, 457},
     {15, 105, 210, 371},
     {88, 176, 306, 567}},
     {297.267480575811, 16.9122475619312},
     {{1, 1, 0.826086956521739, 0.336087834639379, 0.0357138702934946, 0.0357138702934946},
     {0, 0, 0.0322655755878818, 0.0434235888417982, 0.0215977664662789, 0.0215977664662789},
     {1, 1, 0.751851722985931, 0.252729143327973, 0.00860267883494887, 0.00860267883494887},
     {1, 1, 0.879870543128555, 0.421302168222719, 0.096827832008604, 0.096827832008604}}},
    {90, 87,
     {3932, 53, 37, 53.5403468831043, 44.4274822117, 61.3205037413441, 51.7334178310046, 4.29821067804641,
      10.2659697834899},
    {{122, 226, 426, 687},
     {62, 167, 345, 524},
     {182, 310, 524, 765}},
     {397.414735527222, 21.4293640273467},
     {{1, 0.988888888888889, 0.922088353413655, 0.526463030185906, 0.0832144435133582, 0.0832144435133582},
     {0, 0.0110492102890195, 0.0282794136527423, 0.0597368539904425, 0.0499212744378468, 0.0499212744378468},
     {1, 0.923743477867069, 0.843505205595354, 0.403579823266731, 0.0185052512121564, 0.0185052512121564},
     {1, 0.998427343805424, 0.962077737665589, 0.635316232824086, 0.212363854831863, 0.212363854831863}}},
    /* lung ~ sex log */
    {138, 119,
     {7833, 112, 26, 60.8024838215865, 53.0496908190393, 70.5623778957277, 104.251590132637, 4.40078480563361,
      14.1466364119809},
    {{59, 144, 270, 457},
     {30, 107, 212, 387},
     {93, 177, 310, 574}},
     {297.267480575811, 16.9122475619312},
     {{1, 1, 0.826086956521739, 0.336087834639379, 0.0357138702934946, 0.0357138702934946},
     {0, 0, 0.0322655755878818, 0.0434235888417982, 0.0215977664662789, 0.0215977664662789},
     {1, 1, 0.765207566185233, 0.260900503789725, 0.010916350446892, 0.010916350446892},
     {1, 1, 0.891809869493838, 0.432942945497811, 0.116841295774239, 0.116841295774239}}},
    {90, 87,
     {3932, 53, 37, 53.5403468831043, 46.0925582732003, 63.2986126217122, 51.7334178310046, 4.29821067804641,
      10.2659697834899},
    {{122, 226, 426, 687},
     {79, 186, 348, 550},
     {194, 340, 550, NAN}},
     {397.414735527222, 21.4293640273467},
     {{1, 0.988888888888889, 0.922088353413655, 0.526463030185906, 0.0832144435133582, 0.0832144435133582},
     {0, 0.0110492102890195, 0.0282794136527423, 0.0597368539904425, 0.0499212744378468, 0.0499212744378468},
     {1, 0.967468240209196, 0.868294683322417, 0.421486340829101, 0.0256775389570916, 0.0256775389570916},
     {1, 1, 0.979214715731928, 0.657585537902179, 0.269677075392984, 0.269677075392984}}},
    /* lung ~ sex plain */
    {138, 119,
     {7833, 112, 26, 60.8024838215865, 52.1969550212143, 69.4252718420453, 104.251590132637, 4.40078480563361,
      14.1466364119809},
    {{59, 144, 270, 457},
     {30, 107, 212, 371},
     {93, 177, 306, 567}},
     {297.267480575811, 16.9122475619312},
     {{1, 1, 0.826086956521739, 0.336087834639379, 0.0357138702934946, 0.0357138702934946},
     {0, 0, 0.0322655755878818, 0.0434235888417982, 0.0215977664662789, 0.0215977664662789},
     {1, 1, 0.762847590429036, 0.250979164429979, 0, 0},
     {1, 1, 0.889326322614443, 0.421196504848778, 0.0780447147139081, 0.0780447147139081}}},
    {90, 87,
     {3932, 53, 37, 53.5403468831043, 45.1598971255093, 61.9421563429902, 51.7334178310046, 4.29821067804641,
      10.2659697834899},
    {{122, 226, 426, 687},
     {79, 186, 345, 524},
     {186, 310, 524, 735}},
     {397.414735527222, 21.4293640273467},
     {{1, 0.988888888888889, 0.922088353413655, 0.526463030185906, 0.0832144435133582, 0.0832144435133582},
     {0, 0.0110492102890195, 0.0282794136527423, 0.0597368539904425, 0.0499212744378468, 0.0499212744378468},
     {1, 0.967232834664801, 0.866661721150369, 0.40938094781491, 0, 0},
     {1, 1, 0.97751498567694, 0.643545112556901, 0.181058343473878, 0.181058343473878}}},
    /* lung weights */
    {228, 186,
     {40069, 325, 131, 100.528265262026, 92.555260123176, 108.177491605333, 143.285140423824, 3.98398194999258,
      11.4233804988596},
    {{71, 166, 306, 567},
     {60, 145, 286, 519},
     {95, 182, 351, 643}},
     {336.911755309397, 9.74483789406169},
     {{1, 0.99780701754386, 0.866172970113727, 0.413794992305021, 0.0519796202554473, 0.0519796202554473},
     {0, 0.00219057655036265, 0.0159475591553603, 0.025308839597726, 0.0183717079693771, 0.0183717079693771},
     {1, 0.984535580908527, 0.831359526048523, 0.363932819794558, 0.0238134336480002, 0.0238134336480002},
     {1, 0.999690797548992, 0.894258975282346, 0.462876858656094, 0.096391681370571, 0.096391681370571}}},
    /* lung fraction robust */
    {138, 119,
     {9784.5, 138, 33.5, 61.4395700470179, 51.5934117103701, 70.5807185936452, 101.006033776976, 4.84551656159102,
      14.5066242789841},
    {{54, 135, 269, 519},
     {15, 93, 207, 394},
     {88, 176, 337, 574}},
     {303.391491397231, 15.596457321216},
     {{1, 1, 0.817784256559767, 0.379409554761721, 0.0378807769843074, 0.0378807769843074},
     {0, 0, 0.0356735426614454, 0.0481100411863456, 0.0240859327708754, 0.0240859327708754},
     {1, 1, 0.735137985017975, 0.285806095950016, 0.0083127978579771, 0.0083127978579771},
     {1, 1, 0.876773966139699, 0.472404567268107, 0.106791071261196, 0.106791071261196}}},
    {90, 87,
     {5132.25, 66.5, 46.5, 54.7524684173212, 45.1246551231465, 62.8318485421458, 49.1377847968414, 4.50892933476284,
      10.0658972762524},
    {{122, 239, 433, 705},
     {62, 186, 348, 524},
     {194, 340, 550, 765}},
     {405.296586872083, 18.8071567681696},
     {{1, 0.993362831858407, 0.922375374037054, 0.559262443086556, 0.102954039449458, 0.102954039449458},
     {0, 0.0066349586764432, 0.0299195941403621, 0.0620979364018917, 0.0578563356248074, 0.0578563356248074},
     {1, 0.953559109936491, 0.837383112701034, 0.4295096630524, 0.0249581015777334, 0.0249581015777334},
     {1, 0.999067888556439, 0.963879220140104, 0.67057777109381, 0.246470162646344, 0.246470162646344}}},
    /* lung cluster */
    {227, 185,
     {19829, 164, 63, 99.6457623137047, 89.4420741891968, 109.078785100835, 146.09254077473, 4.99754054517148,
      13.7821724126078},
    {{79, 170, 310, 550},
     {54, 145, 284, 473},
     {95, 194, 353, 641}},
     {335.65107119854, 13.7028120118372},
     {{1, 0.995594713656388, 0.863369376585236, 0.412183921367781, 0.0507075342062138, 0.0507075342062138},
     {0, 0.00440789306007902, 0.0214270706222513, 0.0300163188181233, 0.0214244144549215, 0.0214244144549215},
     {1, 0.968976187913264, 0.814993538142356, 0.353048179620678, 0.0195221228403538, 0.0195221228403538},
     {1, 0.999381684602145, 0.899871575651603, 0.470266473795059, 0.104493937354329, 0.104493937354329}}},
    /* heart */
    {103, 56,
     {2344, 30, 73, 39.4721795074896, 32.5033193825333, 45.0603345890511, 21.6010285207792, 3.23608271150035,
      5.85331023679116},
    {{6, 36, 149, 340},
     {2, 18, 69, 149},
     {18, 69, 340, NAN}},
     {235.251102825366, 49.2619506181196},
     {{1, 0.918985333608759, 0.562714010979086, 0.236339884611216, 0.236339884611216, 0.236339884611216},
     {0, 0.0274964219519223, 0.0810268174959235, 0.121977227033632, 0.121977227033632, 0.121977227033632},
     {1, 0.844394952011472, 0.390886808174718, 0.0545592795601195, 0.0545592795601195, 0.0545592795601195},
     {1, 0.958676663871663, 0.703310367694095, 0.488989179332182, 0.488989179332182, 0.488989179332182}}},
    {69, 64,
     {1727, 45, 24, 26.6760899604956, 16.7775381294729, 35.278476531767, 61.4771320910899, 4.75151330304305,
      12.6595525189674},
    {{16, 30, 90, 852},
     {5, 5, 28, 219},
     {28, 68, 285, NAN}},
     {248.104868554836, 40.4458007806305},
     {{1, 0.909090909090909, 0.467875421481527, 0.321095219194386, 0.246378831651077, 0.137972145724603},
     {0, 0.0866784172041448, 0.0801620759573622, 0.06525838036697, 0.0599848332861655, 0.0538149324415739},
     {1, 0.50808020576993, 0.306709951544931, 0.199264341279447, 0.139538949841063, 0.054276711693311},
     {1, 0.986673822667823, 0.613760980487453, 0.449318512612698, 0.369176752753821, 0.260154284340013}}},
    /* heart robust */
    {172, 111,
     {5800, 75, 97, 60.3810004875316, 51.6694810939397, 71.36334694269, 79.105914488622, 4.96381591099264,
      11.8636877179343},
    {{6, 36, 100, 980},
     {3, 18, 72, 343},
     {18, 58, 263, NAN}},
     {251.957992221637, 25.349224016135},
     {{1, 0.912621359223301, 0.494008259839503, 0.321224014934242, 0.250654993646167, 0.151912117361313},
     {0, 0.0278246265709492, 0.0499462573155231, 0.0477296189245803, 0.0487307120004341, 0.0492768927193097},
     {1, 0.859683540552059, 0.405204490838623, 0.240066063301711, 0.171234511382734, 0.0804417809390518},
     {1, 0.968818996785422, 0.602274077181555, 0.429818635551136, 0.366911584191873, 0.286881905544612}}},
    /* ovarian */
    {13, 13,
     {91, 7, 6, 7.61538461538461, 3.72363813283832, 10.251824737892, 7, 1.70192537000595, 3.02388123330243},
    {{115, 268, 638, NAN},
     {59, 59, 156, 431},
     {268, 638, NAN, NAN}},
     {427.538461538461, 57.0792675637727},
     {{1, 1, 0.923076923076923, 0.615384615384615, 0.430769230769231, 0.430769230769231},
     {0, 0, 0.0739053017561941, 0.134932002970312, 0.14667301126951, 0.14667301126951},
     {1, 1, 0.566359466130522, 0.308336888199959, 0.155652244486203, 0.155652244486203},
     {1, 1, 0.988794062303689, 0.818448711840862, 0.682971547936587, 0.682971547936587}}},
    {13, 13,
     {91, 5, 8, 8.82051282051282, 4.5356130738903, 11.1874221999709, 5, 1.68173034656014, 2.51026463000994},
    {{365, 475, NAN, NAN},
     {353, 353, 464, 563},
     {475, NAN, NAN, NAN}},
     {534.905982905983, 25.6842417120977},
     {{1, 1, 1, 0.846153846153846, 0.564102564102564, 0.564102564102564},
     {0, 0, 0, 0.100068251628922, 0.14875799562071, 0.14875799562071},
     {1, 1, 1, 0.512203590685393, 0.243634696686057, 0.243634696686057},
     {1, 1, 1, 0.959145460528641, 0.792848178467047, 0.792848178467047}}},
};

static const source institutions = {.file = "lung", .stop = "time", .event = "status == 2", .where = "inst > 0",
                                    .cluster = "inst"};
static const source hearts = {.file = "heart", .start = "start", .stop = "stop", .event = "event"};
static const source patients = {.file = "heart", .start = "start", .stop = "stop", .event = "event", .cluster = "id"};
static const source ovaries = {.file = "ovarian", .stop = "futime", .event = "fustat"};

static const struct {
    const source *source;
    const char *group;
    weighting weighting;
    bd_survival_curve_options options;
} curves[] = {
    {&deaths, "sex", NO_WEIGHTS, {BD_SURVIVAL_LOG_LOG, 0.95, false}},
    {&deaths, "sex", NO_WEIGHTS, {BD_SURVIVAL_LOG, 0.95, false}},
    {&deaths, "sex", NO_WEIGHTS, {BD_SURVIVAL_PLAIN, 0.95, false}},
    {&deaths, NULL, COUNTS, {BD_SURVIVAL_LOG_LOG, 0.95, false}},
    {&deaths, "sex", FRACTIONS, {BD_SURVIVAL_LOG_LOG, 0.95, true}},
    {&institutions, NULL, NO_WEIGHTS, {BD_SURVIVAL_LOG_LOG, 0.95, true}},
    {&hearts, "transplant", NO_WEIGHTS, {BD_SURVIVAL_LOG_LOG, 0.95, false}},
    {&patients, NULL, NO_WEIGHTS, {BD_SURVIVAL_LOG, 0.95, true}},
    {&ovaries, "rx", NO_WEIGHTS, {BD_SURVIVAL_LOG_LOG, 0.95, false}},
};

static double sum_of(size_t n, const double *values)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += isnan(values[i]) ? 0 : values[i];
    return sum;
}

static void assert_same(double value, double expected)
{
    if (isnan(expected))
        assert_true(isnan(value));
    else
        assert_close(value, expected, 1e-12);
}

static void assert_reference(const bd_survival_curve *curve, const reference *r)
{
    const double *columns[N_SUMS] = {curve->at_risk, curve->events, curve->censored, curve->survival, curve->low,
                                     curve->high,    curve->hazard, curve->se,       curve->hazard_se};
    assert_int_equal(curve->n_rows, r->n_rows);
    assert_int_equal(curve->n_times, r->n_times);
    for (size_t k = 0; k < N_SUMS; k++)
        assert_close(sum_of(curve->n_times, columns[k]), r->sums[k], 1e-12);
    for (size_t k = 0; k < 4; k++) {
        const bd_survival_estimate q = bd_survival_quantile(curve, shares[k]);
        assert_same(q.value, r->quantiles[0][k]);
        assert_same(q.low, r->quantiles[1][k]);
        assert_same(q.high, r->quantiles[2][k]);
    }
    const bd_survival_mean mean = bd_survival_restricted_mean(curve, 600);
    assert_close(mean.mean, r->mean[0], 1e-12);
    assert_close(mean.se, r->mean[1], 1e-12);
    for (size_t k = 0; k < N_TIMES; k++) {
        const bd_survival_point at = bd_survival_at(curve, points[k]);
        assert_close(at.survival, r->at[0][k], 1e-12);
        assert_close(at.se, r->at[1][k], 1e-12);
        assert_same(at.low, r->at[2][k]);
        assert_same(at.high, r->at[3][k]);
    }
}

static const bd_survival_curves *curves_of(const bd_survival_rows *rows, const bd_survival_curve_options *options)
{
    const bd_survival_curves *found = NULL;
    must(bd_survival_curves_find(rows, options, arena, &found));
    return found;
}

static void test_survival_curve__agrees_with_survfit(void **state)
{
    (void)state;
    const reference *r = references;
    for (size_t k = 0; k < sizeof curves / sizeof *curves; k++) {
        const bd_survival_rows rows = rows_of(curves[k].source, curves[k].group, curves[k].weighting);
        const bd_survival_curves *found = curves_of(&rows, &curves[k].options);
        for (size_t g = 0; g < found->n_curves; g++)
            assert_reference(&found->curves[g], r++);
    }
    assert_true(r == references + sizeof references / sizeof *references);
}

/* A weight of two is the row written twice. */
static void test_survival_curve__weights_are_counts(void **state)
{
    (void)state;
    const bd_survival_rows rows = rows_of(&hearts, NULL, COUNTS);
    double *copies = bd_arena_alloc(arena, 9 * rows.n_rows, sizeof *copies);
    double *start = copies, *stop = copies + 3 * rows.n_rows, *event = stop + 3 * rows.n_rows;
    size_t n = 0;
    assert_non_null(copies);
    for (size_t i = 0; i < rows.n_rows; i++)
        for (int copy = 0; copy < (int)rows.weights[i]; copy++, n++) {
            start[n] = rows.start[i];
            stop[n] = rows.stop[i];
            event[n] = rows.event[i];
        }
    const bd_survival_rows repeated = {.n_rows = n, .start = start, .stop = stop, .event = event};
    const bd_survival_curve *one = curves_of(&rows, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    const bd_survival_curve *other = curves_of(&repeated, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    assert_int_equal(one->n_times, other->n_times);
    assert_all_close(one->n_times, one->at_risk, other->at_risk, 0);
    assert_all_close(one->n_times, one->survival, other->survival, 1e-13);
    assert_all_close(one->n_times, one->se, other->se, 1e-13);
    assert_close(bd_survival_at(one, 50.5).at_risk, bd_survival_at(other, 50.5).at_risk, 0);
}

static void test_survival_curve__numbers_at_risk_between_times_are_counts(void **state)
{
    (void)state;
    const bd_survival_rows rows = rows_of(&hearts, NULL, NO_WEIGHTS);
    const bd_survival_curve *curve = curves_of(&rows, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    for (double time = 0.5; time < 1900; time += 0.5) {
        double n = 0;
        for (size_t i = 0; i < rows.n_rows; i++)
            n += rows.start[i] < time && time <= rows.stop[i];
        assert_close(bd_survival_at(curve, time).at_risk, n, 0);
    }
}

/* quantile(survfit(Surv(c(1, 2, 2, 3, 4), c(1, 1, 0, 1, 1)) ~ 1), c(0, .2, .4, .7, 1))$quantile is 0, 1.5, 2.5, 3.5, 4;
 * of Surv(c(1, 2, 2, 3), c(1, 1, 0, 0)), at .5 and .6, it is 2.5 and NA. */
static void test_survival_curve__level_stretches_have_their_middle(void **state)
{
    (void)state;
    const double stop[] = {1, 2, 2, 3, 4}, event[] = {1, 1, 0, 1, 1}, fewer[] = {1, 1, 0, 0};
    const double p[] = {0, 0.2, 0.4, 0.7, 1}, expected[] = {0, 1.5, 2.5, 3.5, 4};
    const bd_survival_rows rows = {.n_rows = 5, .stop = stop, .event = event};
    const bd_survival_rows censored = {.n_rows = 4, .stop = stop, .event = fewer};
    const bd_survival_curve *curve = curves_of(&rows, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    for (size_t k = 0; k < 5; k++)
        assert_close(bd_survival_quantile(curve, p[k]).value, expected[k], 0);
    curve = curves_of(&censored, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    assert_close(bd_survival_quantile(curve, 0.5).value, 2.5, 0);
    assert_true(isnan(bd_survival_quantile(curve, 0.6).value));
}

/* Without censoring the restricted mean at the last time is the mean, its variance the data's over n. */
static void test_survival_curve__restricted_mean_without_censoring_is_the_mean(void **state)
{
    (void)state;
    const double stop[] = {1, 2, 2, 3, 7}, event[] = {1, 1, 1, 1, 1};
    const bd_survival_rows rows = {.n_rows = 5, .stop = stop, .event = event};
    const bd_survival_curve *curve = curves_of(&rows, &BD_SURVIVAL_CURVE_DEFAULTS)->curves;
    assert_close(bd_survival_restricted_mean(curve, 7).mean, 3, 1e-15);
    assert_close(bd_survival_restricted_mean(curve, 7).se, sqrt(22.0) / 5, 1e-14);
    assert_close(bd_survival_restricted_mean(curve, 0.5).mean, 0.5, 0);
    assert_close(bd_survival_restricted_mean(curve, 0.5).se, 0, 0);
}

static void test_survival_curve__refuses_bad_data(void **state)
{
    (void)state;
    const double start[] = {0, 1, 1}, stop[] = {2, 3, 4}, event[] = {1, 0, 1}, negative[] = {2, -3, 4};
    const double two[] = {1, 2, 1}, none[] = {0, 0, 0}, missing[] = {1, NAN, 1}, late[] = {0, 3, 1};
    const struct {
        bd_survival_rows rows;
        const char *message;
    } cases[] = {
        {{.n_rows = 3, .stop = negative, .event = event},
         "the time in row 2 is negative (-3); times count from when observation began"},
        {{.n_rows = 3, .stop = missing, .event = event}, "the time in row 2 is not a number"},
        {{.n_rows = 3, .start = late, .stop = stop, .event = event},
         "the interval in row 2 begins at 3 and ends at 3; it must end after it begins"},
        {{.n_rows = 3, .stop = stop, .event = two},
         "the event in row 2 is 2; it is 1 where the event happened and 0 where it did not (codes of another kind are "
         "compared, as in status == 2)"},
        {{.n_rows = 3, .stop = stop, .event = none}, "none of the 3 rows has the event; all are censored"},
        {{.n_rows = 3, .start = start, .stop = stop, .event = event, .weights = negative},
         "the weight in row 2 is -3; weights are 0 or more"},
        {{.n_rows = 3, .stop = stop, .event = event, .weights = none}, "there are no rows"},
    };
    const bd_survival_curves *found;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        assert_fails(bd_survival_curves_find(&cases[k].rows, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &found), BD_EDATA,
                     cases[k].message);
    const bd_survival_curve_options percent = {.level = 95};
    const bd_survival_rows rows = {.n_rows = 3, .stop = stop, .event = event};
    assert_fails(bd_survival_curves_find(&rows, &percent, arena, &found), BD_EUSAGE,
                 "the level of confidence is 95; it lies between 0 and 1, as .95");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_survival_curve__agrees_with_survfit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curve__weights_are_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curve__numbers_at_risk_between_times_are_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curve__level_stretches_have_their_middle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curve__restricted_mean_without_censoring_is_the_mean, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_survival_curve__refuses_bad_data, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
