/* The product of two estimates, as of an indirect effect known only from published numbers.
 *
 *     const bd_product_options options = {.a = .38, .se_a = .1, .b = .5, .se_b = .12, .level = .95};
 *     BD_TRY(bd_product(&options, arena, &product));
 */
#ifndef BORDIN_ANALYSES_PRODUCT_H
#define BORDIN_ANALYSES_PRODUCT_H

#include <stdint.h>

#include <bordin/report/document.h>

typedef struct bd_product_options {
    double a, se_a; /* predictor -> mediator */
    double b, se_b; /* mediator -> outcome, beside the predictor */
    double correlation; /* of the two estimates; 0 for separate equations */
    double level;
    size_t n_draws;
    uint64_t seed;
    int n_threads;
} bd_product_options;

#define BD_PRODUCT_DEFAULTS ((bd_product_options){.level = 0.95, .n_draws = 1000000, .seed = 1})

typedef struct bd_product {
    bd_product_options options;
    double estimate;                                    /* a * b */
    double delta_se, delta_z, delta_p, delta_low, delta_high; /* Sobel (1982) */
    double second_order_se, second_order_z, second_order_p;   /* Aroian (1947) */
    double low, high;       /* distribution of the product, by quadrature: Tofighi & MacKinnon (2011) */
    double p;               /* by inverting that interval */
    double mc_low, mc_high; /* Monte-Carlo: MacKinnon, Lockwood & Williams (2004) */
} bd_product;

/* BD_EUSAGE: a standard error that is not above 0, a number that is not finite, a correlation outside (-1, 1). */
BD_CHECKED bd_status bd_product_of(const bd_product_options *options, bd_arena *arena, const bd_product **product);

/* The tables "effects" and "checks", as those of a mediation. */
BD_CHECKED bd_status bd_product_document(const bd_product *product, bd_arena *arena, bd_document **document);

/* P(AB <= q) for normal A and B. */
double bd_product_cdf(double q, const bd_product_options *options);

#endif
