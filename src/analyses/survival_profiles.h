/* What curves and predictions are of: groups; profiles in the columns of the model. */
#ifndef BORDIN_ANALYSES_SURVIVAL_PROFILES_H
#define BORDIN_ANALYSES_SURVIVAL_PROFILES_H

#include <bordin/analyses/survival.h>
#include <bordin/analyses/survival_prediction.h>

typedef struct survival_profile {
    const char *name;
    const double *values; /* of each column of the design */
    const bool *strata;   /* n_strata: whether it is asked of this one */
} survival_profile;

/* The baseline, if it is asked for, and the profiles. */
BD_CHECKED bd_status survival_profiles(const bd_survival_data *data, const bd_survival_prediction_options *options,
                                       bd_arena *arena, survival_profile **profiles, size_t *n_profiles,
                                       bd_survival_predictions *predictions);

/* bd_cox_predict of a fit of another design, in the columns and strata of the data's: rows of them, weighted. */
BD_CHECKED bd_status survival_predict(const bd_survival_data *data, const bd_cox_design *design, const bd_cox *fit,
                                      const bd_survival_prediction_options *options, bd_arena *arena,
                                      const bd_survival_predictions **predictions);

/* What curves are of: the strata, or one group, "all". */
BD_CHECKED bd_status survival_groups(const bd_survival_data *data, bd_arena *arena, const char *const **groups,
                                     size_t *n_groups);

/* By weight; 0 without an offset. */
double survival_mean_offset(const bd_survival_data *data);

#endif
