/* Replicates of the regressions of competing risks. */
#ifndef BORDIN_ANALYSES_COMPETING_BOOTSTRAP_H
#define BORDIN_ANALYSES_COMPETING_BOOTSTRAP_H

#include <bordin/analyses/competing.h>

/* One regression as it was fitted. */
typedef struct competing_model {
    bd_cox_design design;         /* n_rows is 0: none */
    const bd_fine_gray *expanded; /* its rows; NULL: the data's */
} competing_model;

/* `models`: of each cause the cause-specific one, and Fine and Gray's. */
BD_CHECKED bd_status competing_resample(const bd_competing *competing, const competing_model *models, bd_arena *arena,
                                        const bd_bootstrap_result **result);

BD_CHECKED bd_status competing_bootstrap_table(const bd_competing *competing, bd_document *document);

#endif
