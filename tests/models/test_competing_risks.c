/* Cumulative incidence and Fine-Gray rows held to survival 3.5-3, Gray's test to cmprsk 2.2-11:
 * Rscript scripts/reference-survival-curves.R */
#include "models/survival_data.h"

#include <bordin/models/competing_risks.h>

enum { N_TIMES = 6, N_SUMS = 8 };

static const double points[N_TIMES] = {0, 12, 60, 120, 300, 600};

#define MGUS .file = "../../tests/data/mgus2", .stop = "etime", .event = "event"
static const source gammopathy = {MGUS};
static const source by_age = {MGUS, .cluster = "age"};
static const source by_sex = {MGUS, .strata = "sex"};
static const char ages[] = "(age > 60) + (age > 75)";

typedef struct reference {
    size_t n_times;
    double sums[N_SUMS]; /* at_risk, censored, event_free, events, incidence, se, low, high */
    double at[4][N_TIMES];
} reference;

/* In the order of `curves`, by group and cause. */
static const reference references[] = {
    /* mgus log-log */
    {227, {59500, 202, 111.391691737647, 59, 15.4017015933782, 2.41466738512678, 11.1366905577961, 20.6129228022347},
     {{0, 0.0127018820397735, 0.0397896215044053, 0.0738856643759262, 0.115128747885446, 0.198554321073056},
     {0, 0.00446218625045384, 0.00779833408808593, 0.0107697973764881, 0.0172150478388401, 0.0399976113701276},
     {0, 0.0060251935260927, 0.0264605466193882, 0.0546295816690181, 0.0841149914215326, 0.126957411874086},
     {0, 0.0240164780024957, 0.0571532934889317, 0.0968440462665102, 0.151430023435178, 0.281848899768645}}},
    {227, {59500, 202, 111.391691737647, 370, 100.206606668975, 4.48574149995153, 91.2584438690477, 108.828020995936},
     {{0, 0.0936093186247653, 0.263965145457701, 0.480490045774695, 0.721862072925606, 0.760281744788321},
     {0, 0.0116027238918556, 0.0175806957234412, 0.0208049145180222, 0.025682419386148, 0.0323686906321686},
     {0, 0.072479256876389, 0.230135419327608, 0.439146456548972, 0.667861698342705, 0.689624724170127},
     {0, 0.117921768899966, 0.298915950221651, 0.520579632360454, 0.768630845547683, 0.816990438869076}}},
    {227, {62230, 207, 97.5642203640708, 56, 12.2949925699155, 1.94047443719132, 8.88968407762515, 16.5227109333013},
     {{0, 0.00664010624169987, 0.0293462844583663, 0.0553102406481571, 0.104460229976652, 0.104460229976652},
     {0, 0.00295967031624724, 0.00616458366286076, 0.00864431655219645, 0.0158156196773295, 0.0158156196773295},
     {0, 0.00255692569386827, 0.0189625747038199, 0.0400386665897163, 0.0760726198403147, 0.0760726198403147},
     {0, 0.0148036263276255, 0.0432834703908697, 0.0739675561650276, 0.13794936505818, 0.13794936505818}}},
    {227, {62230, 207, 97.5642203640708, 490, 117.140787066014, 4.11244708486829, 108.863432623887, 124.980691831125},
     {{0, 0.146082337317397, 0.367626985608863, 0.575178488879491, 0.799436406979631, 0.895539770023348},
     {0, 0.0128709132964748, 0.0176074421125398, 0.0189385922542251, 0.0237626605570388, 0.0158156196773295},
     {0, 0.12193580961214, 0.333169930657159, 0.53712446820117, 0.747971254647488, 0.859858416193302},
     {0, 0.17231650571118, 0.402088627374119, 0.611302721152974, 0.841512918159059, 0.922545442144547}}},
    /* mgus log */
    {227, {59500, 202, 111.391691737647, 59, 15.4017015933782, 2.41466738512678, 11.3567369731813, 21.0106925738507},
     {{0, 0.0127018820397735, 0.0397896215044053, 0.0738856643759262, 0.115128747885446, 0.198554321073056},
     {0, 0.00446218625045384, 0.00779833408808593, 0.0107697973764881, 0.0172150478388401, 0.0399976113701276},
     {0, 0.00638028328481872, 0.0270983932691198, 0.0555247328325098, 0.0858825146211988, 0.133785716970997},
     {0, 0.0252869347880223, 0.058424643990535, 0.0983181930247075, 0.154334425908844, 0.294678829021253}}},
    {227, {59500, 202, 111.391691737647, 370, 100.206606668975, 4.48574149995153, 91.8391192883947, 109.459318854788},
     {{0, 0.0936093186247653, 0.263965145457701, 0.480490045774695, 0.721862072925606, 0.760281744788321},
     {0, 0.0116027238918556, 0.0175806957234412, 0.0208049145180222, 0.025682419386148, 0.0323686906321686},
     {0, 0.0734199403316866, 0.231661878128291, 0.441395506301639, 0.673240390717854, 0.699415090077228},
     {0, 0.119350472008093, 0.300772827102431, 0.52304720096266, 0.773995231885653, 0.826445325042313}}},
    {227, {62230, 207, 97.5642203640708, 56, 12.2949925699155, 1.94047443719132, 9.05004791930584, 16.8206985780966},
     {{0, 0.00664010624169987, 0.0293462844583663, 0.0553102406481571, 0.104460229976652, 0.104460229976652},
     {0, 0.00295967031624724, 0.00616458366286076, 0.00864431655219645, 0.0158156196773295, 0.0158156196773295},
     {0, 0.00277186497933362, 0.0194422594729007, 0.0407167513976059, 0.0776383481150016, 0.0776383481150016},
     {0, 0.0159066228801886, 0.0442954900746864, 0.0751342534841059, 0.140548323241134, 0.140548323241134}}},
    {227, {62230, 207, 97.5642203640708, 490, 117.140787066014, 4.11244708486829, 109.388251898982, 125.529451464385},
     {{0, 0.146082337317397, 0.367626985608863, 0.575178488879491, 0.799436406979631, 0.895539770023348},
     {0, 0.0128709132964748, 0.0176074421125398, 0.0189385922542251, 0.0237626605570388, 0.0158156196773295},
     {0, 0.122913809800652, 0.334687279617365, 0.539231905509369, 0.754193145946808, 0.865072068627835},
     {0, 0.17361799549395, 0.403808596198727, 0.613521363794649, 0.847393764102938, 0.927080539041769}}},
    /* mgus plain */
    {227, {59500, 202, 111.391691737647, 59, 15.4017015933782, 2.41466738512678, 10.6727043819934, 20.1343627028701},
     {{0, 0.0127018820397735, 0.0397896215044053, 0.0738856643759262, 0.115128747885446, 0.198554321073056},
     {0, 0.00446218625045384, 0.00779833408808593, 0.0107697973764881, 0.0172150478388401, 0.0399976113701276},
     {0, 0.00395615769657411, 0.0245051675523459, 0.0527772493972156, 0.0813878741291856, 0.120160443319976},
     {0, 0.0214476063829728, 0.0550740754564648, 0.0949940793546369, 0.148869621641707, 0.276948198826136}}},
    {227, {59500, 202, 111.391691737647, 370, 100.206606668975, 4.48574149995153, 91.4147148851134, 108.998498452837},
     {{0, 0.0936093186247653, 0.263965145457701, 0.480490045774695, 0.721862072925606, 0.760281744788321},
     {0, 0.0116027238918556, 0.0175806957234412, 0.0208049145180222, 0.025682419386148, 0.0323686906321686},
     {0, 0.070868397674166, 0.229507615016599, 0.439713162617937, 0.671525455892902, 0.696840276922551},
     {0, 0.116350239575365, 0.298422675898803, 0.521266928931453, 0.772198689958309, 0.82372321265409}}},
    {227, {62230, 207, 97.5642203640708, 56, 12.2949925699155, 1.94047443719132, 8.49658244366319, 16.0982525797311},
     {{0, 0.00664010624169987, 0.0293462844583663, 0.0553102406481571, 0.104460229976652, 0.104460229976652},
     {0, 0.00295967031624724, 0.00616458366286076, 0.00864431655219645, 0.0158156196773295, 0.0158156196773295},
     {0, 0.000839259015743016, 0.0172639224994752, 0.0383676915348886, 0.0734621850159028, 0.0734621850159028},
     {0, 0.0124409534676567, 0.0414286464172574, 0.0722527897614256, 0.1354582749374, 0.1354582749374}}},
    {227, {62230, 207, 97.5642203640708, 490, 117.140787066014, 4.11244708486829, 109.080538891345, 125.201035240682},
     {{0, 0.146082337317397, 0.367626985608863, 0.575178488879491, 0.799436406979631, 0.895539770023348},
     {0, 0.0128709132964748, 0.0176074421125398, 0.0189385922542251, 0.0237626605570388, 0.0158156196773295},
     {0, 0.120855810808169, 0.333117033208411, 0.538059530143321, 0.752862448110985, 0.864541725062599},
     {0, 0.171308863826625, 0.402136938009315, 0.612297447615662, 0.846010365848277, 0.926537814984097}}},
    /* mgus weights */
    {268, {159316.5, 509, 112.543552357852, 148, 18.2041717057873, 2.16689759507492, 14.2775935821972,
      22.7790744410714},
     {{0, 0.0107024084026976, 0.0343698227638539, 0.0652577037928505, 0.111368870404973, 0.152029156126101},
     {0, 0.00307083292627431, 0.0052832211312024, 0.007525981390682, 0.0123217212750604, 0.0253539892744063},
     {0, 0.00588120137711452, 0.0250788322945318, 0.0515567778353588, 0.0886704079572585, 0.106392442382772},
     {0, 0.0181629646516386, 0.0458504888894863, 0.0810668815964623, 0.136910622256401, 0.205233593016192}}},
    {268, {159316.5, 509, 112.543552357852, 1073, 137.252275936361, 3.99744389646284, 129.232785557891,
      144.901344112211},
     {{0, 0.12362868415686, 0.318972587142495, 0.529801660604826, 0.764807375513287, 0.847970843873899},
     {0, 0.00956850069671246, 0.0134816347513459, 0.0151326416630736, 0.0190204284088952, 0.0253539892744063},
     {0, 0.105630545909282, 0.2927119341461, 0.499685922422912, 0.724997996524181, 0.790353596165124},
     {0, 0.143108766882238, 0.345507056332466, 0.558966202930894, 0.799665599785988, 0.890842029889747}}},
    /* mgus late */
    {227, {56927, 202, 87.1089959423055, 59, 14.4839397955319, 2.6725811691876, 9.89288230673279, 20.4098672847629},
     {{0, 0.0208446693781784, 0.0419897518772923, 0.0686056177140481, 0.100800567184281, 0.165923780211753},
     {0, 0.00861624246707749, 0.00996732782177606, 0.0116642777064652, 0.0158739026297506, 0.0327461634863076},
     {0, 0.00846476957845185, 0.0254396267517879, 0.0481121377847726, 0.0724408691684838, 0.107760304395367},
     {0, 0.0432973091348033, 0.0647248587831916, 0.0938518288536574, 0.134550211867133, 0.234986135993185}}},
    {227, {56927, 202, 87.1089959423055, 370, 125.407064262163, 5.91113096619093, 113.517537443347, 136.643985845856},
     {{0, 0.281528885448862, 0.414511115925883, 0.583533595128819, 0.771952102097567, 0.801943055465482},
     {0, 0.0324264924705698, 0.0288508100963779, 0.0247038862398398, 0.0231579667209872, 0.0274438328205074},
     {0, 0.219891591890865, 0.357647957917551, 0.533465810937592, 0.722639886978499, 0.741486698836516},
     {0, 0.346202077859339, 0.470349709602836, 0.630177897908387, 0.813641475218762, 0.849695413811835}}},
    {227, {59354, 207, 76.9945254685235, 56, 9.98247337392971, 1.63314235043883, 7.14338527847882, 13.5807021391649},
     {{0, 0.00661109330935608, 0.0244781069562727, 0.0449085975101798, 0.0835836894476438, 0.0835836894476438},
     {0, 0.0030647926763515, 0.00529955065769637, 0.00722932157473542, 0.0128667511760214, 0.0128667511760214},
     {0, 0.0024417194156725, 0.0156148803767357, 0.0322178096887735, 0.0606445116049085, 0.0606445116049085},
     {0, 0.0151781660130587, 0.0365523992453039, 0.060620406883407, 0.111045995105846, 0.111045995105846}}},
    {227, {59354, 207, 76.9945254685235, 490, 140.023001157547, 4.59849402296012, 130.702625729668, 148.720440154456},
     {{0, 0.326684033717166, 0.501012853682101, 0.664330762402312, 0.840794597262168, 0.916416310552356},
     {0, 0.0254643862535343, 0.0223800521878682, 0.0189420744572033, 0.0195082551737422, 0.0128667511760214},
     {0, 0.277354161993128, 0.456365361086425, 0.625716555904008, 0.798194129500254, 0.887244126948269},
     {0, 0.376830907012204, 0.543953682864303, 0.699953990018861, 0.875109247214975, 0.938303439914154}}},
    /* mgus clusters */
    {268, {126926, 409, 112.462709692438, 115, 17.6712576587071, 1.99379800653567, 14.0542291934816,
      21.8828484453615},
     {{0, 0.00940125934464974, 0.034103712974349, 0.0637221680131129, 0.109151655830587, 0.161291680606584},
     {0, 0.0027399604297579, 0.00502972096566585, 0.00593728349100931, 0.0134504785132937, 0.0290935643939976},
     {0, 0.00512018323875157, 0.025219508910924, 0.0527583022537861, 0.084568129716121, 0.109191520991601},
     {0, 0.0160947429430904, 0.0449902866317178, 0.0760374889092906, 0.13721621436242, 0.222428863620596}}},
    {268, {126926, 409, 112.462709692438, 860, 137.866032648855, 6.98309100668696, 123.547116657335,
      150.902457831582},
     {{0, 0.122185402813274, 0.320367010267878, 0.531817704080208, 0.762748843261515, 0.838708319393416},
     {0, 0.00926527778926637, 0.0207480905373304, 0.0302249925026985, 0.0270478054704611, 0.0290935643939976},
     {0, 0.104745796339321, 0.280110765603626, 0.470822102233649, 0.704644886909123, 0.77190749693377},
     {0, 0.141038220674831, 0.361253478781519, 0.588996523855694, 0.810968479977183, 0.887361696344356}}},
};

static const struct {
    const source *source;
    const char *group;
    weighting weighting;
    bd_survival_interval interval;
    bool late;
} curves[] = {
    {&gammopathy, "sex", NO_WEIGHTS, BD_SURVIVAL_LOG_LOG, false},
    {&gammopathy, "sex", NO_WEIGHTS, BD_SURVIVAL_LOG, false},
    {&gammopathy, "sex", NO_WEIGHTS, BD_SURVIVAL_PLAIN, false},
    {&gammopathy, NULL, FRACTIONS, BD_SURVIVAL_LOG_LOG, false},
    {&gammopathy, "sex", NO_WEIGHTS, BD_SURVIVAL_LOG_LOG, true},
    {&by_age, NULL, NO_WEIGHTS, BD_SURVIVAL_LOG_LOG, false},
};

/* Under observation late: from 0 to 9 months on, where the time is above 10. */
static void make_late(bd_survival_rows *rows)
{
    double *start = bd_arena_alloc(arena, rows->n_rows, sizeof *start);
    assert_non_null(start);
    for (size_t i = 0; i < rows->n_rows; i++)
        start[i] = rows->stop[i] > 10 ? (double)((i + 1) % 10) : 0;
    rows->start = start;
}

static double sum_of(size_t n, const double *values)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += isnan(values[i]) ? 0 : values[i];
    return sum;
}

static void assert_reference(const bd_incidence_curve *curve, size_t cause, const reference *r)
{
    const bd_incidence_cause *of = &curve->causes[cause - 1];
    const double *columns[N_SUMS] = {curve->at_risk, curve->censored, curve->event_free, of->events,
                                     of->incidence,  of->se,          of->low,           of->high};
    assert_int_equal(curve->n_times, r->n_times);
    for (size_t k = 0; k < N_SUMS; k++)
        assert_close(sum_of(curve->n_times, columns[k]), r->sums[k], 1e-12);
    for (size_t k = 0; k < N_TIMES; k++) {
        const bd_incidence_point at = bd_incidence_at(curve, cause, points[k]);
        assert_close(at.incidence, r->at[0][k], 1e-12);
        assert_close(at.se, r->at[1][k], 1e-12);
        assert_close(at.low, r->at[2][k], 1e-12);
        assert_close(at.high, r->at[3][k], 1e-12);
    }
}

static const bd_incidence *incidence_of(const bd_survival_rows *rows, bd_survival_interval interval)
{
    const bd_survival_curve_options options = {.interval = interval, .level = 0.95};
    const bd_incidence *incidence = NULL;
    must(bd_incidence_find(rows, 2, &options, arena, &incidence));
    return incidence;
}

static void test_incidence__agrees_with_survfit(void **state)
{
    (void)state;
    const reference *r = references;
    for (size_t k = 0; k < sizeof curves / sizeof *curves; k++) {
        bd_survival_rows rows = rows_of(curves[k].source, curves[k].group, curves[k].weighting);
        if (curves[k].late)
            make_late(&rows);
        const bd_incidence *incidence = incidence_of(&rows, curves[k].interval);
        for (size_t g = 0; g < incidence->n_curves; g++)
            for (size_t cause = 1; cause <= 2; cause++)
                assert_reference(&incidence->curves[g], cause, r++);
    }
    assert_true(r == references + sizeof references / sizeof *references);
}

/* Everyone is free of events or has had one; with one cause it is 1 - Kaplan and Meier, and their robust error. */
static void test_incidence__shares_add_up(void **state)
{
    (void)state;
    bd_survival_rows rows = rows_of(&gammopathy, NULL, FRACTIONS);
    make_late(&rows);
    const bd_incidence_curve *two = incidence_of(&rows, BD_SURVIVAL_LOG_LOG)->curves;
    for (size_t t = 0; t < two->n_times; t++)
        assert_close(two->event_free[t] + two->causes[0].incidence[t] + two->causes[1].incidence[t], 1, 1e-13);
    double *any = bd_arena_alloc(arena, rows.n_rows, sizeof *any);
    assert_non_null(any);
    for (size_t i = 0; i < rows.n_rows; i++)
        any[i] = rows.event[i] > 0;
    rows.event = any;
    const bd_survival_curve_options options = {.level = 0.95, .robust = true};
    const bd_survival_curves *survival = NULL;
    const bd_incidence *one = NULL;
    must(bd_survival_curves_find(&rows, &options, arena, &survival));
    must(bd_incidence_find(&rows, 1, &options, arena, &one));
    for (size_t t = 0; t < two->n_times; t++) {
        assert_close(one->curves[0].causes[0].incidence[t], 1 - survival->curves[0].survival[t], 1e-13);
        assert_close(one->curves[0].causes[0].se[t], survival->curves[0].se[t], 1e-13);
    }
}

/* cmprsk::cuminc */
static void test_gray__agrees_with_cmprsk(void **state)
{
    (void)state;
    static const struct {
        const source *source;
        const char *group;
        double rho, statistics[2], p[2];
    } tests[] = {
        {&gammopathy, "sex", 0, {1.19450782507551, 11.6512590121277}, {0.274422156788004, 0.000641590976407924}},
        {&gammopathy, ages, 0, {4.17292903071099, 271.142190125552}, {0.124125203721727, 0}},
        {&by_sex, ages, 0, {4.68607526074609, 274.996227258961}, {0.0960354744382992, 0}},
        {&gammopathy, "sex", 1, {1.22935883355998, 13.9305097149487}, {0.267531765914269, 0.00018969427813087}},
        {&gammopathy, ages, 1, {3.58569142395616, 209.699230960096}, {0.166485724499679, 0}},
        {&by_sex, ages, 1, {4.01736805300518, 220.043919045326}, {0.134165116284404, 0}},
    };
    for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
        for (size_t cause = 1; cause <= 2; cause++) {
            const bd_survival_rows rows = rows_of(tests[k].source, tests[k].group, NO_WEIGHTS);
            const bd_gray *test = NULL;
            must(bd_gray_test(&rows, 2, cause, tests[k].rho, arena, &test));
            assert_close(test->statistic, tests[k].statistics[cause - 1], 1e-11);
            assert_close(test->p, tests[k].p[cause - 1], 1e-12);
            assert_true(test->df == (double)(test->n_groups - 1));
        }
}

/* survival::finegray, and coxph of its rows. */
static void test_fine_gray__agrees_with_finegray(void **state)
{
    (void)state;
    static const struct {
        const source *source;
        size_t cause, n_rows;
        double sums[6]; /* start, stop, weight, its square, stop * weight, event */
        double estimates[2], errors[2];
    } models[] = {
        {&gammopathy, 1, 41775, {5767419, 6013853, 29459.1733295056, 23905.4849769338, 3407330.91461668, 115},
         {-0.0173017048049785, -0.2597567913442}, {0.0070221987592048, 0.187048577502288}},
        {&gammopathy, 2, 12910, {1723363, 1872809, 9249.87913680563, 7431.24289654287, 1153537.64401464, 860},
         {0.0588233220293619, 0.372315414206449}, {0.00354565754351523, 0.0694516587890995}},
        {&by_sex, 1, 23611, {3062968, 3276269, 17202.7280056686, 14112.3079912902, 1973256.769381, 115},
         {-0.0126519662812296, -0.197158544832868}, {0.00711058850225531, 0.195214476884946}},
    };
    source predictors = gammopathy;
    predictors.terms = "age + sex";
    const bd_cox_design data = design_of(&predictors);
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        const bd_survival_rows rows = rows_of(models[k].source, NULL, NO_WEIGHTS);
        const bd_fine_gray *made = NULL;
        double sums[6] = {0}, *columns[2];
        must(bd_fine_gray_rows(&rows, 2, models[k].cause, arena, &made));
        assert_int_equal(made->n_rows, models[k].n_rows);
        for (size_t j = 0; j < 2; j++) {
            columns[j] = bd_arena_alloc(arena, made->n_rows, sizeof **columns);
            assert_non_null(columns[j]);
        }
        for (size_t i = 0; i < made->n_rows; i++) {
            const double w = made->weights[i];
            const double values[6] = {made->start[i], made->stop[i], w, w * w, made->stop[i] * w, made->event[i]};
            for (size_t j = 0; j < 6; j++)
                sums[j] += values[j];
            for (size_t j = 0; j < 2; j++)
                columns[j][i] = data.columns[j][made->row[i]];
        }
        assert_all_close(6, sums, models[k].sums, 1e-13);
        const bd_cox_design design = {.n_rows = made->n_rows, .n_columns = 2, .columns = (const double *const *)columns,
                                      .names = data.names, .start = made->start, .stop = made->stop,
                                      .event = made->event, .weights = made->weights};
        const bd_cox *fit = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
        for (size_t j = 0; j < 2; j++) {
            assert_close(fit->coefficients[j].estimate, models[k].estimates[j], 1e-11);
            assert_close(fit->coefficients[j].se, models[k].errors[j], 1e-11);
        }
    }
}

static void test_competing_risks__refuse_bad_data(void **state)
{
    (void)state;
    static const double stop[] = {1, 2, 3, 4}, event[] = {1, 0, 2, 1}, negative[] = {1, -2, 3, 4}, none[4] = {0};
    static const double one[] = {1, 0, 1, 0}, start[] = {0, 0, 1, 0}, text[] = {1, 0.5, 2, 1};
    static const uint32_t group[] = {0, 1, 0, 1}, same[] = {1, 1, 1, 1};
    const bd_survival_rows good = {.n_rows = 4, .stop = stop, .event = event, .group = group, .n_groups = 2};
    const struct {
        const double *start, *stop, *event;
        const char *message;
    } cases[] = {
        {NULL, negative, event, "the time in row 2 is negative (-2); times count from when observation began"},
        {NULL, stop, none, "none of the 4 rows has the event; all are censored"},
        {NULL, stop, one, "no row has an event of cause 2; the causes are 1 to 2"},
        {NULL, stop, text,
         "the event in row 2 is 0.5; it is 0 where none happened, or the number of its cause, 1 to 2"},
    };
    const bd_incidence *incidence;
    const bd_gray *gray;
    const bd_fine_gray *rows_made;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        bd_survival_rows rows = good;
        rows.stop = cases[k].stop;
        rows.event = cases[k].event;
        assert_fails(bd_incidence_find(&rows, 2, &BD_SURVIVAL_CURVE_DEFAULTS, arena, &incidence), BD_EDATA,
                     cases[k].message);
        assert_fails(bd_gray_test(&rows, 2, 1, 0, arena, &gray), BD_EDATA, cases[k].message);
        assert_fails(bd_fine_gray_rows(&rows, 2, 1, arena, &rows_made), BD_EDATA, cases[k].message);
    }
    bd_survival_rows rows = good;
    rows.start = start;
    assert_fails(bd_gray_test(&rows, 2, 1, 0, arena, &gray), BD_EUSAGE,
                 "Gray's test takes rows that are at risk from 0, not late entry");
    assert_fails(bd_fine_gray_rows(&rows, 2, 1, arena, &rows_made), BD_EUSAGE,
                 "Fine and Gray's weights take rows that are at risk from 0, not late entry");
    assert_fails(bd_gray_test(&good, 2, 3, 0, arena, &gray), BD_EUSAGE, "there is no cause 3; they are 1 to 2");
    assert_fails(bd_fine_gray_rows(&good, 2, 0, arena, &rows_made), BD_EUSAGE, "there is no cause 0; they are 1 to 2");
    rows = good;
    rows.weights = stop;
    assert_fails(bd_gray_test(&rows, 2, 1, 0, arena, &gray), BD_EUSAGE, "Gray's test takes no weights");
    rows = good;
    rows.group = same;
    assert_fails(bd_gray_test(&rows, 2, 1, 0, arena, &gray), BD_EDATA,
                 "all rows are of group 2; Gray's test compares two groups or more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_incidence__agrees_with_survfit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_incidence__shares_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gray__agrees_with_cmprsk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fine_gray__agrees_with_finegray, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_competing_risks__refuse_bad_data, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
