/* Quantiles that interpolate on the normal scale, of values that are sorted no further than they need. */
#include "resampling/quantiles.h"

#include <math.h>

#include <gsl/gsl_cdf.h>

enum { FEW = 16, AROUND = 6 };

static void insertion_sort(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const double value = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > value; j--)
            x[j] = x[j - 1];
        x[j] = value;
    }
}

static double median_of_three(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Quicksort of x (whose first element has rank `first`) that leaves alone the parts without a wanted rank; ranks
 * ascend. */
static void sort_around(double *x, size_t n, size_t first, const size_t *ranks, size_t n_ranks)
{
    while (n_ranks > 0 && n > FEW) {
        const double pivot = median_of_three(x[0], x[n / 2], x[n - 1]);
        size_t i = 0, j = n - 1;
        for (;; i++, j--) {
            while (x[i] < pivot)
                i++;
            while (x[j] > pivot)
                j--;
            if (i >= j)
                break;
            const double swapped = x[i];
            x[i] = x[j];
            x[j] = swapped;
        }
        const size_t cut = i > 0 ? i : 1; /* x[..cut) <= pivot <= x[cut..) */
        size_t below = 0;
        while (below < n_ranks && ranks[below] < first + cut)
            below++;
        sort_around(x, cut, first, ranks, below);
        x += cut;
        n -= cut;
        first += cut;
        ranks += below;
        n_ranks -= below;
    }
    if (n_ranks > 0)
        insertion_sort(x, n);
}

/* Ranks (from 0) of the order statistics around a probability. */
static void ranks_around(double p, size_t n, size_t ranks[2])
{
    const double position = p * (double)(n + 1);
    const size_t k = position < 1 ? 0 : position >= (double)n ? n : (size_t)position;
    ranks[0] = k == 0 ? 0 : k - 1;
    ranks[1] = k == 0 ? 0 : k >= n ? n - 1 : k;
}

static double interpolate(double p, size_t n, const double *sorted)
{
    size_t ranks[2];
    ranks_around(p, n, ranks);
    const double low = sorted[ranks[0]], high = sorted[ranks[1]], k = (double)ranks[0] + 1, total = (double)n + 1;
    if (ranks[0] == ranks[1] || p * total == k)
        return low;
    const double from = gsl_cdf_ugaussian_Pinv(k / total), to = gsl_cdf_ugaussian_Pinv((k + 1) / total);
    return low + (gsl_cdf_ugaussian_Pinv(p) - from) / (to - from) * (high - low);
}

static void find_quantiles(double *values, size_t n_values, const double *probabilities, double *quantiles)
{
    size_t ranks[2 * AROUND];
    for (size_t i = 0; i < AROUND; i++)
        ranks_around(probabilities[i], n_values, ranks + 2 * i);
    for (size_t i = 1; i < 2 * AROUND; i++)
        for (size_t j = i; j > 0 && ranks[j - 1] > ranks[j]; j--) {
            const size_t swapped = ranks[j];
            ranks[j] = ranks[j - 1];
            ranks[j - 1] = swapped;
        }
    sort_around(values, n_values, 0, ranks, 2 * AROUND);
    for (size_t i = 0; i < AROUND; i++)
        quantiles[i] = interpolate(probabilities[i], n_values, values);
}

void locate(double *values, size_t n_values, const double probabilities[2], located ends[2], bool *too_few)
{
    const double n = (double)n_values;
    double all[AROUND], quantiles[AROUND];
    for (size_t e = 0; e < 2; e++) {
        const double p = probabilities[e], distance = sqrt(p * (1 - p) / n);
        all[3 * e] = fmax(p - distance, 1 / (n + 1));
        all[3 * e + 1] = p;
        all[3 * e + 2] = fmin(p + distance, n / (n + 1));
        *too_few |= !(fmin(p, 1 - p) * (n + 1) >= 10 - 1e-9);
    }
    find_quantiles(values, n_values, all, quantiles);
    for (size_t e = 0; e < 2; e++)
        ends[e] = (located){quantiles[3 * e + 1], (quantiles[3 * e + 2] - quantiles[3 * e]) /
                                                      (all[3 * e + 2] - all[3 * e])};
}
