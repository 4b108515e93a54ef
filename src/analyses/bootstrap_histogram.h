/* The distribution of the replicates, for a figure. */
#ifndef BORDIN_ANALYSES_BOOTSTRAP_HISTOGRAM_H
#define BORDIN_ANALYSES_BOOTSTRAP_HISTOGRAM_H

#include <bordin/analyses/bootstrap.h>

/* The table "distribution": for each value thirty bins of equal width between its 0.5 and 99.5 % quantiles, of which the
 * first and the last hold the tails too. */
BD_CHECKED bd_status bootstrap_histogram(const bd_bootstrap_result *result, bd_arena *arena, bd_document *document);

#endif
