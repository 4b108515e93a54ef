/* Replicates of proportional hazards. */
#ifndef BORDIN_SRC_ANALYSES_SURVIVAL_BOOTSTRAP_H
#define BORDIN_SRC_ANALYSES_SURVIVAL_BOOTSTRAP_H

#include <bordin/analyses/survival.h>

/* Of a fit that converged. BD_EUSAGE: intervals of time without patients or clusters; studentised intervals. */
BD_CHECKED bd_status survival_resample(const bd_survival_data *data, const bd_cox_design *design, const bd_cox *fit,
                                       const bd_bootstrap_options *options, bd_arena *arena,
                                       const bd_bootstrap_result **result);

BD_CHECKED bd_status survival_bootstrap_table(const bd_survival *survival, bd_document *document);

bd_replicate_end survival_replicate_end(bd_cox_replicate_end end);

/* The bootstrap of any statistic of the rows of the data. BD_EUSAGE: intervals of time without patients or clusters.
 */
BD_CHECKED bd_status survival_draw(const bd_survival_data *data, const bd_statistic *statistic,
                                   const bd_bootstrap_options *options, bd_arena *arena,
                                   const bd_bootstrap_result **out);

#endif
