/* The partial likelihood's score and information of one replicate: the sweep of cox_sums.c by columns, for vectors. */
#include "models/cox_pass.h"

#include "models/glm_exp.h"

/* Four numbers that are added side by side. */
typedef double lanes __attribute__((vector_size(COX_LANES * sizeof(double)), aligned(sizeof(double)), may_alias));

#define LANES_AT(x) (*(const lanes *)(const void *)(x))

GLM_INLINE double total(const lanes *a)
{
    return ((*a)[0] + (*a)[1]) + ((*a)[2] + (*a)[3]);
}

/* n is padded to COX_PAD. */
GLM_INLINE double dot(size_t n, const double *a, const double *b)
{
    lanes first = {0, 0, 0, 0}, second = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i += COX_PAD) {
        first += LANES_AT(a + i) * LANES_AT(b + i);
        second += LANES_AT(a + i + COX_LANES) * LANES_AT(b + i + COX_LANES);
    }
    first += second;
    return total(&first);
}

/* sums[0 .. n_sums - 1], n_sums <= 4: of factor * a times each of the columns x. */
GLM_INLINE void dots(size_t n_sums, size_t n, const double *factor, const double *a, const double *x, size_t stride,
                     double *sums)
{
    lanes sum[4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};
    for (size_t i = 0; i < n; i += COX_LANES) {
        const lanes both = LANES_AT(factor + i) * LANES_AT(a + i);
        for (size_t k = 0; k < n_sums; k++)
            sum[k] += both * LANES_AT(x + k * stride + i);
    }
    for (size_t k = 0; k < n_sums; k++)
        sums[k] = total(&sum[k]);
}

/* row[i] <- row[i] + sign * the sum of factor * x_j * x_i, i <= j */
GLM_INLINE void add_row_of_products(size_t j, size_t n, double sign, const double *factor, const double *x,
                                    size_t stride, double *row)
{
    const double *a = x + j * stride;
    for (size_t i = 0; i <= j; i += 4) {
        double sums[4];
        const size_t n_sums = j + 1 - i;
        if (n_sums >= 4)
            dots(4, n, factor, a, x + i * stride, stride, sums);
        else if (n_sums == 3)
            dots(3, n, factor, a, x + i * stride, stride, sums);
        else if (n_sums == 2)
            dots(2, n, factor, a, x + i * stride, stride, sums);
        else
            dots(1, n, factor, a, x + i * stride, stride, sums);
        for (size_t k = 0; k < 4 && k < n_sums; k++)
            row[i + k] += sign * sums[k];
    }
}

GLM_INLINE void exponentiate(size_t n, const double *restrict weights, double *restrict risk)
{
    for (size_t i = 0; i < n; i++)
        risk[i] = glm_clamp(risk[i]);
    for (size_t i = 0; i < n; i++)
        risk[i] = weights[i] * glm_exp_inside(risk[i]);
}

GLM_INLINE void predict(const cox_pass *s, size_t p, const double *gamma)
{
    const size_t stride = s->stride;
    double *restrict risk = s->risk;
    const double *restrict u = s->u;
    for (size_t i = 0; i < stride; i += COX_LANES) {
        lanes eta = {0, 0, 0, 0};
        if (s->offset != NULL)
            eta = LANES_AT(s->offset + i);
        for (size_t j = 0; j < p; j++)
            eta += LANES_AT(u + j * stride + i) * gamma[j];
        *(lanes *)(void *)(risk + i) = eta;
    }
    exponentiate(stride, s->weights, risk);
}

/* The sums of each risk set of the events of group g, from those of its first. */
GLM_INLINE size_t add_sets(const cox_pass *s, size_t p, size_t g, size_t n_sets, const double *sums)
{
    const size_t d = s->efron ? s->n_events[g] : 1, stride = s->stride, set_stride = s->set_stride;
    double dying[p + 1], weight = 0;
    for (size_t j = 0; j <= p; j++)
        dying[j] = 0;
    for (size_t k = s->group[g]; k < s->group[g + 1]; k++) {
        if (!s->event[k])
            continue;
        weight += s->weights[k];
        dying[0] += s->risk[k];
        for (size_t j = 0; d > 1 && j < p; j++)
            dying[j + 1] += s->risk[k] * s->u[j * stride + k];
    }
    for (size_t l = 0; l < d; l++) {
        const double share = (double)l / (double)d;
        for (size_t j = 0; j <= p; j++)
            s->sets[j * set_stride + n_sets + l] = sums[j] - share * dying[j];
        s->sets[(p + 1) * set_stride + n_sets + l] = weight / (double)d;
    }
    return n_sets + d;
}

/* `sums`: p + 1, in registers where p is known. */
GLM_INLINE size_t collect_sets(const cox_pass *s, size_t p, double *sums)
{
    const double *restrict risk = s->risk, *restrict u = s->u;
    const size_t n_groups = s->n_groups, stride = s->stride;
    size_t n_sets = 0;
    for (size_t j = 0; j <= p; j++)
        sums[j] = 0;
    for (size_t g = 0; g < n_groups; g++) {
        if (s->opens[g])
            for (size_t j = 0; j <= p; j++)
                sums[j] = 0;
        for (size_t k = s->group[g], end = s->group[g + 1]; k < end; k++) {
            sums[0] += risk[k];
            for (size_t j = 0; j < p; j++)
                sums[j + 1] += risk[k] * u[j * stride + k];
        }
        if (s->group[g + 1] - s->group[g] > 1) {
            if (s->n_events[g] > 0)
                n_sets = add_sets(s, p, g, n_sets, sums);
            continue;
        }
        for (size_t j = 0; j <= p; j++) /* overwritten by the next one, unless this is an event: no branch */
            s->sets[j * s->set_stride + n_sets] = sums[j];
        s->sets[(p + 1) * s->set_stride + n_sets] = s->weights[s->group[g]];
        n_sets += s->n_events[g];
    }
    return n_sets;
}

/* score and information <- less the means' share; sets: m / total in the row after m. */
GLM_INLINE void use_means(const cox_pass *s, size_t p, size_t n_sets)
{
    const size_t stride = s->set_stride, padded = cox_pass_stride(n_sets + 1); /* one more may be looked at */
    double *totals = s->sets, *m = s->sets + (p + 1) * stride, *jumps = s->sets + (p + 2) * stride;
    for (size_t e = n_sets; e < padded; e++) {
        for (size_t j = 1; j <= p + 1; j++)
            s->sets[j * stride + e] = 0;
        totals[e] = 1;
    }
    for (size_t e = 0; e < padded; e += COX_LANES) {
        const lanes inverse = 1 / LANES_AT(totals + e);
        *(lanes *)(void *)(totals + e) = inverse;
        *(lanes *)(void *)(jumps + e) = LANES_AT(m + e) * inverse;
    }
    for (size_t j = 0; j < p; j++) {
        double *mean = s->sets + (j + 1) * stride;
        for (size_t e = 0; e < padded; e += COX_LANES)
            *(lanes *)(void *)(mean + e) = LANES_AT(mean + e) * LANES_AT(totals + e);
        s->score[j] = s->event_sum[j] - dot(padded, mean, m);
    }
    memset(s->information, 0, p * p * sizeof *s->information);
    for (size_t j = 0; j < p; j++)
        add_row_of_products(j, padded, -1, m, s->sets + stride, stride, s->information + j * p);
}

/* factor <- risk times the cumulative hazard, ascending in time. */
GLM_INLINE void accumulate(const cox_pass *s, size_t p, size_t n_sets)
{
    const double *restrict jumps = s->sets + (p + 2) * s->set_stride, *restrict risk = s->risk;
    double *restrict factor = s->factor, hazard = 0;
    for (size_t g = s->n_groups; g-- > 0;) {
        if (s->group[g + 1] - s->group[g] == 1) {
            n_sets -= s->n_events[g];
            hazard += jumps[n_sets] * s->n_events[g];
            factor[s->group[g]] = risk[s->group[g]] * hazard;
            hazard = s->opens[g] ? 0 : hazard;
            continue;
        }
        const size_t d = s->n_events[g] == 0 ? 0 : s->efron ? s->n_events[g] : 1;
        double own = hazard;
        n_sets -= d;
        for (size_t l = 0; l < d; l++) {
            hazard += jumps[n_sets + l];
            own += l == 0 ? jumps[n_sets] : jumps[n_sets + l] * (1 - (double)l / (double)d);
        }
        for (size_t k = s->group[g], end = s->group[g + 1]; k < end; k++)
            factor[k] = risk[k] * (s->event[k] ? own : hazard);
        if (s->opens[g])
            hazard = 0;
    }
    for (size_t k = s->n; k < s->stride; k++)
        s->factor[k] = 0;
}

GLM_INLINE void run(const cox_pass *pass, size_t p, const double *gamma, double *sums)
{
    const cox_pass copy = *pass, *s = &copy; /* which nothing that is written can be */
    predict(s, p, gamma);
    const size_t n_sets = collect_sets(s, p, sums);
    use_means(s, p, n_sets);
    accumulate(s, p, n_sets);
    for (size_t j = 0; j < p; j++)
        add_row_of_products(j, s->stride, 1, s->factor, s->u, s->stride, s->information + j * p);
}

#define CASE(P)                     \
    case P: {                       \
        double sums[P + 1];         \
        run(s, P, gamma, sums);     \
        break;                      \
    }

/* The same code for numbers of predictors that are often met, which the compiler then unrolls. */
GLM_INLINE void run_any(const cox_pass *s, const double *gamma)
{
    switch (s->p) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
    default: {
        double sums[s->p + 1];
        run(s, s->p, gamma, sums);
    }
    }
}

GLM_AVX2 static void run_avx2(const cox_pass *s, const double *gamma)
{
    run_any(s, gamma);
}

static void run_baseline(const cox_pass *s, const double *gamma)
{
    run_any(s, gamma);
}

void cox_pass_run(const cox_pass *pass, const double *gamma)
{
    (GLM_HAS_AVX2 ? run_avx2 : run_baseline)(pass, gamma);
}
