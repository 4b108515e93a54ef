/* What documents of proportional hazards say alike. */
#ifndef BORDIN_ANALYSES_SURVIVAL_DOCUMENT_H
#define BORDIN_ANALYSES_SURVIVAL_DOCUMENT_H

#include <bordin/analyses/survival.h>

/* Infinite coefficients, no convergence, few events; `of` goes before each: "pcm: ", or "". */
BD_CHECKED bd_status cox_warnings(const bd_cox *fit, const char *of, bd_document *document);

/* How ties were treated, intervals of time, strata, weights, offset. */
BD_CHECKED bd_status survival_data_notes(const bd_survival_data *data, bd_cox_ties ties, size_t n_ties,
                                         bd_document *document);

#endif
