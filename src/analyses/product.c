/* The distribution of the product of two normal estimates, and what it says of an indirect effect. */
#include <bordin/analyses/product.h>

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_roots.h>

#include <bordin/core/version.h>
#include <bordin/random/normal.h>
#include <bordin/random/philox.h>
#include <bordin/report/number.h>

#include "core/quantile.h"

enum { WORKSPACE = 1000, MAX_ITERATIONS = 200 };
static const double near = 9, reach = 37; /* standard errors of A beyond which nothing is left of the integral: 1e-300 */

typedef struct integrand {
    double q;
    bool upper; /* P(AB > q) */
    const bd_product_options *o;
} integrand;

/* At A = a + z se_a: the density of z times P(AB <= q | A), or its complement, B | A being normal. */
static double conditional(double z, void *context)
{
    const integrand *f = context;
    const bd_product_options *o = f->o;
    const double a = o->a + z * o->se_a;
    const double mean = o->b + o->correlation * o->se_b * z;
    const double sd = o->se_b * sqrt(1 - o->correlation * o->correlation);
    const double at = (f->q / a - mean) / sd;
    return gsl_ran_ugaussian_pdf(z) * ((a > 0) != f->upper ? gsl_cdf_ugaussian_P(at) : gsl_cdf_ugaussian_Q(at));
}

static double integrate(double from, double to, integrand *f, gsl_integration_workspace *workspace)
{
    double value = 0, error;
    const gsl_function function = {.function = conditional, .params = f};
    if (from < to)
        gsl_integration_qags(&function, from, to, 1e-300, 1e-11, WORKSPACE, workspace, &value, &error);
    return value;
}

/* Over a range of z; where A = 0 the integrand has a step. */
static double between(double from, double to, integrand *f, gsl_integration_workspace *workspace)
{
    const double zero = fmin(fmax(-f->o->a / f->o->se_a, from), to);
    return integrate(from, zero, f, workspace) + integrate(zero, to, f, workspace);
}

/* P(AB <= q), or P(AB > q). What lies beyond 9 standard errors of A counts where the rest is as small. */
static double probability(double q, bool upper, const bd_product_options *o, gsl_integration_workspace *workspace)
{
    integrand f = {.q = q, .upper = upper, .o = o};
    const double cuts[] = {-reach, -18, -near, near, 18, reach};
    double sum = between(-near, near, &f, workspace);
    if (sum > 1e-8)
        return sum;
    for (size_t i = 0; i < 5; i++)
        sum += i == 2 ? 0 : between(cuts[i], cuts[i + 1], &f, workspace);
    return sum;
}

static double cdf(double q, const bd_product_options *o, gsl_integration_workspace *workspace)
{
    return probability(q, false, o, workspace);
}

double bd_product_cdf(double q, const bd_product_options *options)
{
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(WORKSPACE);
    if (workspace == NULL)
        return NAN;
    const double p = cdf(q, options, workspace);
    gsl_integration_workspace_free(workspace);
    return p;
}

typedef struct quantile_equation {
    double p;
    const bd_product_options *o;
    gsl_integration_workspace *workspace;
} quantile_equation;

static double miss(double q, void *context)
{
    const quantile_equation *e = context;
    return cdf(q, e->o, e->workspace) - e->p;
}

/* Mean and SD of the product. */
static void moments(const bd_product_options *o, double *mean, double *sd)
{
    const double cov = o->correlation * o->se_a * o->se_b;
    const double va = o->se_a * o->se_a, vb = o->se_b * o->se_b;
    *mean = o->a * o->b + cov;
    *sd = sqrt(o->a * o->a * vb + o->b * o->b * va + va * vb + 2 * o->a * o->b * cov + cov * cov);
}

static bd_status quantile(double p, const bd_product_options *o, gsl_integration_workspace *workspace, double *q)
{
    quantile_equation equation = {.p = p, .o = o, .workspace = workspace};
    gsl_function function = {.function = miss, .params = &equation};
    double mean, sd, width = 4;
    moments(o, &mean, &sd);
    while (width < 1e4 && (miss(mean - width * sd, &equation) > 0 || miss(mean + width * sd, &equation) < 0))
        width *= 2;
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (solver == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    int status = gsl_root_fsolver_set(solver, &function, mean - width * sd, mean + width * sd);
    for (int i = 0; status == 0 && i < MAX_ITERATIONS; i++) {
        status = gsl_root_fsolver_iterate(solver);
        if (gsl_root_test_interval(gsl_root_fsolver_x_lower(solver), gsl_root_fsolver_x_upper(solver), 1e-13 * sd,
                                   1e-13) == 0)
            break;
    }
    *q = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    return status == 0 ? BD_OK : bd_fail(BD_ENUMERIC, "the distribution of the product could not be inverted");
}

static bd_status check_options(const bd_product_options *o)
{
    if (!isfinite(o->a) || !isfinite(o->b) || !isfinite(o->se_a) || !isfinite(o->se_b))
        return bd_fail(BD_EUSAGE, "a, se_a, b and se_b must all be given, as finite numbers");
    if (o->se_a <= 0 || o->se_b <= 0)
        return bd_fail(BD_EUSAGE, "a standard error must be above 0 (se_a = %g, se_b = %g)", o->se_a, o->se_b);
    if (!(fabs(o->correlation) < 1))
        return bd_fail(BD_EUSAGE, "the correlation of the two estimates must lie between -1 and 1, not %g",
                       o->correlation);
    return BD_OK;
}

static double two_sided(double z)
{
    return 2 * gsl_cdf_ugaussian_Q(fabs(z));
}

static void delta(bd_product *product)
{
    const bd_product_options *o = &product->options;
    const double va = o->se_a * o->se_a, vb = o->se_b * o->se_b;
    const double first = o->a * o->a * vb + o->b * o->b * va + 2 * o->a * o->b * o->correlation * o->se_a * o->se_b;
    const double z = gsl_cdf_ugaussian_Qinv((1 - o->level) / 2);
    product->delta_se = sqrt(first);
    product->delta_z = product->estimate / product->delta_se;
    product->delta_p = two_sided(product->delta_z);
    product->delta_low = product->estimate - z * product->delta_se;
    product->delta_high = product->estimate + z * product->delta_se;
    product->second_order_se = sqrt(first + va * vb * (1 + o->correlation * o->correlation));
    product->second_order_z = product->estimate / product->second_order_se;
    product->second_order_p = two_sided(product->second_order_z);
}

static bd_status monte_carlo(bd_arena *arena, bd_product *product)
{
    const bd_product_options *o = &product->options;
    const double rest = sqrt(1 - o->correlation * o->correlation), tail = (1 - o->level) / 2;
    const size_t n = o->n_draws;
    double *za, *zb;
    const bd_mark scratch = bd_arena_mark(arena);
    BD_NEW(arena, za, n);
    BD_NEW(arena, zb, n);
    bd_random_normals(o->seed, 0, BD_PURPOSE_MONTE_CARLO, n, za);
    bd_random_normals(o->seed, 1, BD_PURPOSE_MONTE_CARLO, n, zb);
    for (size_t i = 0; i < n; i++)
        za[i] = (o->a + o->se_a * za[i]) * (o->b + o->se_b * (o->correlation * za[i] + rest * zb[i]));
    product->mc_low = quantile_of(za, n, tail);
    product->mc_high = quantile_of(za, n, 1 - tail);
    bd_arena_rewind(arena, scratch);
    return BD_OK;
}

static bd_status distribution(const bd_product_options *o, gsl_integration_workspace *workspace, bd_product *product)
{
    const double tail = (1 - o->level) / 2, below = cdf(0, o, workspace);
    product->p = fmin(1, 2 * fmin(below, probability(0, true, o, workspace)));
    BD_TRY(quantile(tail, o, workspace, &product->low));
    return quantile(1 - tail, o, workspace, &product->high);
}

bd_status bd_product_of(const bd_product_options *options, bd_arena *arena, const bd_product **out)
{
    bd_product *product;
    BD_TRY(check_options(options));
    BD_NEW(arena, product, 1);
    product->options = *options;
    product->estimate = options->a * options->b;
    delta(product);
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(WORKSPACE);
    if (workspace == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    const bd_status status = distribution(options, workspace, product);
    gsl_integration_workspace_free(workspace);
    BD_TRY(status);
    BD_TRY(monte_carlo(arena, product));
    *out = product;
    return BD_OK;
}

static bd_status effects_table(const bd_product *product, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Effect", BD_TEXT},          {"estimate", "Estimate", BD_ESTIMATE},
                                   {"se", "SE", BD_ESTIMATE},            {"p", "p", BD_P_VALUE},
                                   {"ci_low", "CI low", BD_ESTIMATE},    {"ci_high", "CI high", BD_ESTIMATE}};
    double mean, sd;
    bd_document_rows *rows;
    bd_cell *cells;
    moments(&product->options, &mean, &sd);
    BD_TRY(bd_document_table(document, "effects", "Indirect effect (distribution of the product)", headings, 6, &rows));
    BD_TRY(bd_document_row(rows, &cells));
    cells[0] = bd_text("indirect");
    cells[1] = bd_number(product->estimate);
    cells[2] = bd_number(sd);
    cells[3] = bd_number(product->p);
    cells[4] = bd_number(product->low);
    cells[5] = bd_number(product->high);
    return BD_OK;
}

static bd_status checks_table(const bd_product *product, bd_document *document)
{
    const bd_heading headings[] = {{"term", "Effect", BD_TEXT},       {"method", "Method", BD_TEXT},
                                   {"se", "SE", BD_ESTIMATE},         {"statistic", "z", BD_STATISTIC},
                                   {"p", "p", BD_P_VALUE},            {"ci_low", "CI low", BD_ESTIMATE},
                                   {"ci_high", "CI high", BD_ESTIMATE}};
    const struct {
        const char *method;
        double values[5];
    } lines[] = {
        {"Sobel (delta method)",
         {product->delta_se, product->delta_z, product->delta_p, product->delta_low, product->delta_high}},
        {"Aroian (second order)",
         {product->second_order_se, product->second_order_z, product->second_order_p, NAN, NAN}},
        {"Monte Carlo", {NAN, NAN, NAN, product->mc_low, product->mc_high}},
    };
    bd_document_rows *rows;
    BD_TRY(bd_document_table(document, "checks", "Second opinions", headings, 7, &rows));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        bd_cell *cells;
        BD_TRY(bd_document_row(rows, &cells));
        cells[0] = bd_text("indirect");
        cells[1] = bd_text(lines[i].method);
        for (size_t k = 0; k < 5; k++)
            cells[2 + k] = bd_number(lines[i].values[k]);
    }
    return BD_OK;
}

bd_status bd_product_document(const bd_product *product, bd_arena *arena, bd_document **out)
{
    const bd_product_options *o = &product->options;
    bd_document *document;
    BD_TRY(bd_document_new(arena, "mediate", "Indirect effect from published estimates", &document));
    BD_TRY(effects_table(product, document));
    BD_TRY(checks_table(product, document));
    BD_TRY(bd_document_say(document, BD_SENTENCE,
                           "The indirect effect is %s, %g %% CI [%s, %s], %s: the interval %s zero.",
                           bd_show_as(product->estimate, product->delta_se).text, 100 * o->level,
                           bd_show_as(product->low, product->delta_se).text,
                           bd_show_as(product->high, product->delta_se).text, bd_show_p(product->p).text,
                           product->low > 0 || product->high < 0 ? "leaves out" : "includes"));
    BD_TRY(bd_document_say(document, BD_NOTE,
                           "From a = %g (SE %g) and b = %g (SE %g), normal with correlation %g. SE: standard deviation "
                           "of the distribution of the product; its interval by quadrature; p by inverting it.",
                           o->a, o->se_a, o->b, o->se_b, o->correlation));
    BD_TRY(bd_document_say(document, BD_NOTE, "Monte Carlo: %zu draws, seed %llu.", o->n_draws,
                           (unsigned long long)o->seed));
    BD_TRY(bd_document_fact(document, "version", "bordin", BD_TEXT, bd_text(bd_version())));
    BD_TRY(bd_document_fact(document, "seed", "Seed", BD_COUNT, bd_number((double)o->seed)));
    *out = document;
    return BD_OK;
}
