/* Proportional hazards held to survival 3.5-3: Rscript scripts/reference-survival.R */
#include "models/cox_data.h"

enum { MOST = 5 };

static source lung_clusters, lung_strata, lung_weights, lung_weighted_clusters, heart_strata;
static const source veteran = {.file = "veteran", .stop = "time", .event = "status",
                               .terms = "trt + factor(celltype, ref = \"squamous\") + karno"};
static const source ovarian = {.file = "ovarian", .stop = "futime", .event = "fustat", .terms = "age + rx",
                               .offset = "0.1 * ecog.ps"};
static const source rats = {.file = "rats", .stop = "time", .event = "status", .terms = "rx", .strata = "sex",
                            .cluster = "litter"};

static int make_sources(void **state)
{
    lung_clusters = lung_strata = lung_weights = lung;
    lung_clusters.cluster = "inst";
    lung_strata.terms = "age + ph.ecog";
    lung_strata.strata = "sex";
    lung_weights.weighted = true;
    lung_weighted_clusters = lung_clusters;
    lung_weighted_clusters.weighted = true;
    heart_strata = heart;
    heart_strata.terms = "age + year + surgery";
    heart_strata.strata = "transplant";
    heart_strata.cluster = "id";
    return set_up(state);
}

typedef struct reference {
    const source *source;
    bd_cox_ties ties;
    bd_cox_se se;
    double estimates[MOST], errors[MOST], naive_errors[MOST];
    double log_likelihoods[2], tests[3], robust_score, concordance[2]; /* tests: score, Wald, likelihood ratio */
} reference;

static const reference references[] = {
    {&lung, BD_COX_EFRON, BD_COX_MODEL,
     {0.0136355907938532, -0.576084983126246, 0.461852328840051},
     {0.00973140349305022, 0.175234777656999, 0.119612659814185},
     {0.00973140349305022, 0.175234777656999, 0.119612659814185},
     {-669.98403687281, -655.44646062926},
     {29.0510385210982, 28.505876664725, 29.0751524870991}, NAN, {0.643260430286461, 0.0266355814969856}},
    {&lung, BD_COX_BRESLOW, BD_COX_MODEL,
     {0.0136076417291779, -0.5752865847355, 0.460958444862433},
     {0.00973068388156652, 0.175237261604093, 0.119609659707001},
     {0.00973068388156652, 0.175237261604093, 0.119609659707001},
     {-670.17316754978, -655.682780947713},
     {28.955880058796, 28.4138472476091, 28.9807732041338}, NAN, {0.643260430286461, 0.0266355814969856}},
    {&lung, BD_COX_EXACT, BD_COX_MODEL,
     {0.0136403354365208, -0.576855325018376, 0.462343595304573},
     {0.00974517331524509, 0.175475251150886, 0.119818356666408},
     {0.00974517331524509, 0.175475251150886, 0.119818356666408},
     {-655.022480972943, -640.493039993195},
     {29.0304549666741, 28.4773224342254, 29.0588819594961}, NAN, {0.643260430286461, 0.0266355814969856}},
    {&lung_clusters, BD_COX_EFRON, BD_COX_ROBUST,
     {0.0136355907938532, -0.576084983126246, 0.461852328840051},
     {0.00688713986797608, 0.126066727602295, 0.133176171828077},
     {0.00973140349305022, 0.175234777656999, 0.119612659814185},
     {-669.98403687281, -655.44646062926},
     {29.0510385210982, 28.2876976294925, 29.0751524870991}, 6.73403045713174, {0.643260430286461, 0.0334391848598913}},
    {&lung, BD_COX_BRESLOW, BD_COX_ROBUST,
     {0.0136076417291779, -0.5752865847355, 0.460958444862433},
     {0.0104446612509035, 0.173512596832563, 0.133345933122641},
     {0.00973068388156652, 0.175237261604093, 0.119609659707001},
     {-670.17316754978, -655.682780947713},
     {28.955880058796, 21.3939870739626, 28.9807732041338}, 24.8390088187191, {0.643260430286461, 0.0266355814969856}},
    {&lung_strata, BD_COX_EFRON, BD_COX_MODEL,
     {0.0131216570766043, 0.462692700815581},
     {0.00969578426269807, 0.121155311232221},
     {0.00969578426269807, 0.121155311232221},
     {-572.512870954759, -563.15492420764},
     {19.2358042400485, 18.9079523311066, 18.7158934942363}, NAN, {0.614274394385329, 0.0274511558841565}},
    {&lung_weights, BD_COX_EFRON, BD_COX_MODEL,
     {0.00280624887162097, -0.643742304936887, 0.604768165611454},
     {0.00685486432830603, 0.12697663385086, 0.0870656142221276},
     {0.00685486432830603, 0.12697663385086, 0.0870656142221276},
     {-1541.99951725836, -1505.78020866711},
     {73.4319218854296, 72.1212512326069, 72.4386171824958}, NAN, {0.658341495266079, 0.0276372709987118}},
    {&lung_weighted_clusters, BD_COX_EFRON, BD_COX_ROBUST,
     {0.00280624887162097, -0.643742304936887, 0.604768165611454},
     {0.00733218267785513, 0.156966106110698, 0.134159429121227},
     {0.00685486432830603, 0.12697663385086, 0.0870656142221276},
     {-1541.99951725836, -1505.78020866711},
     {73.4319218854296, 39.043305819985, 72.4386171824958}, 6.96678367596938, {0.658341495266079, 0.0329066177502719}},
    {&lung_weights, BD_COX_BRESLOW, BD_COX_MODEL,
     {0.00279732512003375, -0.642554626710446, 0.603071276699045},
     {0.00685470049932262, 0.126972645490488, 0.0870620920163935},
     {0.00685470049932262, 0.126972645490488, 0.0870620920163935},
     {-1542.39995692502, -1506.33811489833},
     {73.1077575431133, 71.8035814445802, 72.1236840533902}, NAN, {0.658415694654676, 0.0276469916079339}},
    {&lung_weighted_clusters, BD_COX_BRESLOW, BD_COX_ROBUST,
     {0.00279732512003375, -0.642554626710446, 0.603071276699045},
     {0.00731367803528849, 0.156435603371853, 0.133335546781891},
     {0.00685470049932262, 0.126972645490488, 0.0870620920163935},
     {-1542.39995692502, -1506.33811489833},
     {73.1077575431133, 39.4321260017607, 72.1236840533902}, 6.99547025077238, {0.658415694654676, 0.0327422877963867}},
    {&heart, BD_COX_EFRON, BD_COX_MODEL,
     {0.0271666409576767, -0.146346345674196, -0.637209889966967, -0.0102507724090828},
     {0.0137141152103185, 0.0704679795188561, 0.367225996180325, 0.313754798337491},
     {0.0137141152103185, 0.0704679795188561, 0.367225996180325, 0.313754798337491},
     {-298.121355672984, -290.565616218489},
     {15.0341979130413, 14.4930452067849, 15.1114789089897}, NAN, {0.635760123921221, 0.0330796245569992}},
    {&heart, BD_COX_BRESLOW, BD_COX_MODEL,
     {0.0271520807645268, -0.146115750002599, -0.635843475598152, -0.0118958509638206},
     {0.0137211312396094, 0.0704657060509134, 0.367210695737067, 0.313644376741173},
     {0.0137211312396094, 0.0704657060509134, 0.367210695737067, 0.313644376741173},
     {-298.325606736462, -290.794534647673},
     {14.9838964681169, 14.4465910639493, 15.062144177578}, NAN, {0.635538836025669, 0.0331208599582491}},
    {&heart, BD_COX_EXACT, BD_COX_MODEL,
     {0.0273304377378133, -0.147194151213954, -0.638039105508746, -0.0123616340973613},
     {0.0137661970421089, 0.0707101714702654, 0.367678442402952, 0.314593334483639},
     {0.0137661970421089, 0.0707101714702654, 0.367678442402952, 0.314593334483639},
     {-287.89404700138, -280.31909908571},
     {15.0712961655698, 14.5259127047979, 15.1498958313416}, NAN, {0.635538836025669, 0.0331208599582491}},
    {&heart_strata, BD_COX_EFRON, BD_COX_ROBUST,
     {0.0293350660537284, -0.152708482468713, -0.617562720543241},
     {0.0135591270423216, 0.0726193292108099, 0.362576204986694},
     {0.0139040985628484, 0.0710465507559423, 0.370699760375913},
     {-262.552383589221, -254.714438961238},
     {15.4686156837212, 17.0170642282996, 15.6758892559652}, 18.1703419202364, {0.636572554169403, 0.0348957893328536}},
    {&veteran, BD_COX_EFRON, BD_COX_MODEL,
     {0.26174409005793, 1.15399441386016, 0.394625463946639, 0.82498018785925, -0.0312712960477846},
     {0.200923055118889, 0.295037737697282, 0.282243309857475, 0.268911292194781, 0.00516508974291802},
     {0.200923055118889, 0.295037737697282, 0.282243309857475, 0.268911292194781, 0.00516508974291802},
     {-505.449054918058, -474.914508924753},
     {66.5485654450161, 63.4072596000327, 61.0690919866101}, NAN, {0.737051340299864, 0.0215583829932995}},
    {&ovarian, BD_COX_EFRON, BD_COX_MODEL,
     {0.146998667506628, -0.814255272558988},
     {0.0462634250832405, 0.631067560172369},
     {0.0462634250832405, 0.631067560172369},
     {-34.881674219656, -27.0273720754644},
     {18.3170865842763, 13.3128284207038, 15.7086042883833}, NAN, {0.798165137614679, 0.0780691656056167}},
    {&rats, BD_COX_EFRON, BD_COX_ROBUST,
     {0.801005636073696},
     {0.292799803524158},
     {0.309432242642661},
     {-195.390598078464, -192.124383294771},
     {7.06197974501139, 7.48392767604445, 6.53242956738467}, 6.39776070095107, {0.572059148090929, 0.0362406565381839}},
};

/* survival stops with eleven digits or more; the likelihood ratio loses those that its parts share. */
static void assert_reference(const bd_cox *fit, const reference *r)
{
    assert_int_equal(fit->end, BD_COX_CONVERGED);
    for (size_t j = 0; j < fit->n_columns; j++) {
        assert_close(fit->coefficients[j].estimate, r->estimates[j], 1e-11);
        assert_close(fit->coefficients[j].se, r->errors[j], 1e-11);
        assert_close(fit->coefficients[j].naive_se, r->naive_errors[j], 1e-11);
    }
    assert_close(fit->log_likelihood_null, r->log_likelihoods[0], 1e-13);
    assert_close(fit->log_likelihood, r->log_likelihoods[1], 1e-13);
    assert_close(fit->score.statistic, r->tests[0], 1e-11);
    assert_close(fit->wald.statistic, r->tests[1], 1e-11);
    assert_close(fit->likelihood_ratio.statistic, r->tests[2], 1e-10);
    assert_true(isnan(r->robust_score) == isnan(fit->robust_score.statistic));
    if (!isnan(r->robust_score))
        assert_close(fit->robust_score.statistic, r->robust_score, 1e-11);
    assert_close(fit->concordance.concordance, r->concordance[0], 1e-13);
    assert_close(fit->concordance.se, r->concordance[1], 1e-13);
}

static void test_cox__agrees_with_survival(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof references / sizeof *references; k++) {
        const bd_cox_design design = design_of(references[k].source);
        assert_reference(fit_of(&design, references[k].ties, references[k].se), &references[k]);
    }
}

/* pnorm and qnorm of the estimate and error above. */
static void test_cox__z_and_intervals_follow_from_the_error(void **state)
{
    (void)state;
    const bd_cox_design design = design_of(&lung);
    const bd_cox_coefficient *c = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL)->coefficients;
    assert_close(c[1].z, -3.28750371831934, 1e-12);
    assert_close(c[1].p, 0.00101079854241065, 1e-12);
    assert_close(c[1].hazard_ratio, 0.56209467460431, 1e-12);
    assert_close(c[1].hazard_ratio_low, 0.398702866034144, 1e-12);
    assert_close(c[1].hazard_ratio_high, 0.792445829048712, 1e-12);
    assert_close(c[1].ci_high, log(0.792445829048712), 1e-12);
}

typedef struct proportional {
    const source *source;
    bd_cox_ties ties;
    double statistics[4][MOST]; /* km, rank, identity, log: each term, then all */
} proportional;

static const proportional proportionals[] = {
    {&lung, BD_COX_EFRON,
     {{0.532179788409777, 2.49416471689623, 2.30964077424945, 5.10383331513468},
      {0.463519973688628, 2.24663740429554, 2.87258321167953, 5.42962668769233},
      {0.466328870862123, 2.63451243187507, 1.80227887411843, 4.65456906829805},
      {4.3075982291104, 1.7383795603038, 0.617834475184939, 6.09446198871002}}},
    {&lung, BD_COX_BRESLOW,
     {{0.532835391273247, 2.48753997360055, 2.30695909092822, 5.09243676085586},
      {0.464761577913052, 2.23977159512302, 2.86914973972666, 5.41707989684299},
      {0.466316769487104, 2.62882679663375, 1.80104527013708, 4.64595066760962},
      {4.29797006602165, 1.73301981679103, 0.617195502450348, 6.07480890437118}}},
    {&lung_strata, BD_COX_EFRON,
     {{0.436312208647694, 2.51580562583126, 2.67029289121556},
      {0.396699854106419, 3.12087385364678, 3.23027154902821},
      {0.353455994478598, 1.94476933243644, 2.06132870461215},
      {4.1097445874748, 0.666251864259976, 4.30604021261156}}},
    {&lung_weights, BD_COX_EFRON,
     {{2.79497178043371, 5.14389112959657, 7.46504909871502, 14.319628447869},
      {2.86152836021535, 4.4152912019433, 9.35630853680792, 15.5342276083422},
      {2.29347020890852, 5.88167550881142, 5.52962424881656, 12.8078784571339},
      {11.4598691909633, 4.08879900152359, 3.03370457833448, 16.3420437923249}}},
    {&lung_weights, BD_COX_BRESLOW,
     {{2.81085831139453, 5.14322300868817, 7.49442504932048, 14.3408257421332},
      {2.87898813237735, 4.41333303043026, 9.38779270589005, 15.5549556485912},
      {2.30623860855855, 5.88328238917113, 5.55758108403345, 12.8320933091312},
      {11.4802797631097, 4.09103734560797, 3.05556264059597, 16.3618518451154}}},
    {&heart, BD_COX_EFRON,
     {{0.866874710915408, 1.71641442920761, 0.0973950591161542, 0.202934388153058, 3.47310229884558},
      {0.830716096126628, 1.05186779335794, 0.00384785906561823, 0.252438483631453, 2.68432681072651},
      {1.75729093008011, 1.51220047556383, 1.37611056122272, 0.122029301619968, 4.68794841096184},
      {0.436569032889326, 1.05789835799545, 0.00994337922663841, 0.126654443144259, 2.11629894859417}}},
    {&heart, BD_COX_BRESLOW,
     {{0.879762341927814, 1.69998291534088, 0.0969785313095795, 0.200356969640487, 3.46952482192067},
      {0.843825736514162, 1.03930430708981, 0.00375298094224052, 0.248735475497192, 2.68216352123358},
      {1.76672877927321, 1.49983630715219, 1.37224277019301, 0.122706286025604, 4.68523876635494},
      {0.445195830952122, 1.04880919280265, 0.0099894866358413, 0.125267577419583, 2.11553251906521}}},
    {&heart_strata, BD_COX_EFRON,
     {{0.83739244923673, 1.49842539416145, 0.112831248039106, 2.56022916360035},
      {0.790679098327395, 0.948389318397239, 0.00639485701652667, 1.94162729424375},
      {1.23529961877494, 1.12439304251049, 1.10685857989935, 3.3670309606539},
      {0.391350461286439, 0.924229815005732, 0.00916078856383623, 1.58142450721511}}},
    {&veteran, BD_COX_EFRON,
     {{0.206307412063775, 14.5317103964116, 12.8133255911361, 22.8596852749608},
      {0.21510306158535, 14.675680798147, 13.3938961658269, 23.2937996024589},
      {0.0049311841854693, 18.4139123965017, 6.05159505980775, 20.8708584438743},
      {0.214861003375029, 13.5857340409588, 10.079175415709, 21.4513567682656}}},
};

static void test_cox__proportional_hazards_agree_with_cox_zph(void **state)
{
    (void)state;
    static const size_t terms_of_veteran[] = {0, 1, 1, 1, 2};
    for (size_t k = 0; k < sizeof proportionals / sizeof *proportionals; k++) {
        const proportional *r = &proportionals[k];
        const bd_cox_design design = design_of(r->source);
        const bd_cox *fit = fit_of(&design, r->ties, BD_COX_MODEL);
        const size_t *terms = r->source == &veteran ? terms_of_veteran : NULL;
        for (size_t t = 0; t < 4; t++) {
            const bd_cox_zph *zph = NULL;
            must(bd_cox_proportional(&design, fit, (bd_cox_transform)t, terms, 3, arena, &zph));
            for (size_t j = 0; j < zph->n_terms; j++)
                assert_close(zph->terms[j].statistic, r->statistics[t][j], 1e-9);
            assert_close(zph->global.statistic, r->statistics[t][zph->n_terms], 1e-9);
        }
    }
}

/* Rows 1, 4, 10 and 100 of heart, and events 1, 2 and 40. */
static void test_cox__residuals_agree_with_survival(void **state)
{
    (void)state;
    static const size_t rows[] = {0, 3, 9, 99}, events[] = {0, 1, 39};
    static const double martingale[] = {0.566661570646998, 0.683299154942894, -0.591632336913611, 0.595566706957196};
    static const double scores[][4] = {{-9.29217863253004, -1.72950371113026, -0.0566946189951172, -0.518493941466599},
                                      {4.6928926240747, -1.80251331360785, -0.0560771518899623, 0.491891298114611},
                                      {-2.35408552907415, 2.36352085770531, 0.0523074042066898, -0.180360254638153},
                                      {-4.63153514189806, 0.530803856175472, -0.0731667895304102, -0.566503183652251}};
    static const double schoenfelds[][4] = {
        {6.03772669275316, -1.76416411989832, 0.921144907872942, 0},
        {-4.30565025000957, 0.298693440534053, 0.93072891951383, -0.0272620217707063},
        {-2.05465855022827, 1.33761914150042, -0.10549539935567, 0.252944306945087}};
    const bd_cox_design design = design_of(&heart);
    const bd_cox *fit = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    const double *residuals = NULL, *score = NULL;
    const bd_cox_schoenfeld *schoenfeld = NULL;
    must(bd_cox_martingale(&design, fit, arena, &residuals));
    must(bd_cox_score_residuals(&design, fit, arena, &score));
    must(bd_cox_schoenfeld_residuals(&design, fit, arena, &schoenfeld));
    for (size_t k = 0; k < 4; k++) {
        assert_close(residuals[rows[k]], martingale[k], 1e-11);
        assert_all_close(4, score + rows[k] * 4, scores[k], 1e-10);
    }
    assert_int_equal(schoenfeld->n_events, 75);
    for (size_t k = 0; k < 3; k++)
        assert_all_close(4, schoenfeld->residuals + events[k] * 4, schoenfelds[k], 1e-10);
}

/* The last event at or before a time. */
static size_t at_time(const bd_cox_curve *curve, double time)
{
    size_t i = curve->n_times;
    while (i > 0 && curve->times[i - 1] > time)
        i--;
    assert_true(i > 0);
    return i - 1;
}

static void test_cox__curves_agree_with_survfit(void **state)
{
    (void)state;
    static const double times[] = {5, 100, 310, 800}, profile[] = {60, 2, 1};
    static const double expected[2][5][4] = {
        {{0.00298455581305707, 0.0848503987373332, 0.461254780117809, 1.75097016445307},
         {0.00301239025287327, 0.0200674174521377, 0.0756501438797251, 0.307725664777202},
         {0.997019893546089, 0.918649705277891, 0.630492020101622, 0.173605435900873},
         {0.991150655774642, 0.883219244477957, 0.54360829494147, 0.094978817632315},
         {1, 0.955501463859032, 0.731262181079531, 0.317321778957143}},
        {{0.0029871742546149, 0.0848115676836554, 0.4608022639946, 1.75002532790592},
         {0.00301500672855725, 0.0200578388485732, 0.0755648354023667, 0.307633950656415},
         {0.997017282911184, 0.91868537810651, 0.630777392469201, 0.173769542176092},
         {0.991142977717397, 0.88327012358631, 0.543945283013396, 0.095085690221062},
         {1, 0.955520628864824, 0.731470850608417, 0.317564648454326}}};
    const bd_cox_design design = design_of(&lung);
    for (int ties = 0; ties < 2; ties++) {
        const bd_cox_curve *curve = NULL;
        must(bd_cox_survival(&design, fit_of(&design, (bd_cox_ties)ties, BD_COX_MODEL), 0, profile, arena, &curve));
        for (size_t k = 0; k < 4; k++) {
            const size_t i = at_time(curve, times[k]);
            const double values[] = {curve->hazard[i], curve->hazard_se[i], curve->survival[i], curve->low[i],
                                     curve->high[i]};
            for (size_t v = 0; v < 5; v++)
                assert_close(values[v], expected[ties][v][k], 1e-11);
        }
    }
}

static void test_cox__curves_of_strata_and_intervals_agree_with_survfit(void **state)
{
    (void)state;
    static const double times[] = {10, 100, 500}, profile[] = {5, 2, 1};
    static const double hazards[] = {0.0761143885883506, 0.637811148987391, 0.985096757006154};
    static const double errors[] = {0.0808585198577746, 0.272375933146821, 0.38907152077516};
    const bd_cox_design design = design_of(&heart_strata);
    const bd_cox *fit = fit_of(&design, BD_COX_EFRON, BD_COX_MODEL);
    const bd_cox_curve *curve = NULL;
    must(bd_cox_survival(&design, fit, 1, profile, arena, &curve));
    for (size_t k = 0; k < 3; k++) {
        assert_close(curve->hazard[at_time(curve, times[k])], hazards[k], 1e-11);
        assert_close(curve->hazard_se[at_time(curve, times[k])], errors[k], 1e-11);
    }
    assert_int_equal(bd_cox_survival(&design, fit, 2, profile, arena, &curve), BD_EUSAGE);
    assert_string_equal(bd_message(), "there is no stratum 2 with rows in it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cox__agrees_with_survival, make_sources, tear_down),
        cmocka_unit_test_setup_teardown(test_cox__proportional_hazards_agree_with_cox_zph, make_sources, tear_down),
        cmocka_unit_test_setup_teardown(test_cox__residuals_agree_with_survival, make_sources, tear_down),
        cmocka_unit_test_setup_teardown(test_cox__curves_agree_with_survfit, make_sources, tear_down),
        cmocka_unit_test_setup_teardown(test_cox__curves_of_strata_and_intervals_agree_with_survfit, make_sources,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_cox__z_and_intervals_follow_from_the_error, make_sources, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
