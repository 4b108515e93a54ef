/* What curves and predictions are of: groups; profiles in the columns of the model. */
#include "analyses/survival_profiles.h"

#include <string.h>

static size_t n_strata(const bd_survival_data *data)
{
    return data->design.strata != NULL ? data->design.n_strata : 1;
}

static bd_status unknown_stratum(const bd_survival_data *data, const char *profile, bd_arena *arena)
{
    enum { MOST_LISTED = 10 };
    const size_t n = data->design.n_strata;
    const char *names = "";
    for (size_t s = 0; s < n && s < MOST_LISTED; s++)
        BD_TRY(bd_print(arena, &names, "%s%s'%s'", names, s > 0 ? ", " : "", data->strata_levels[s].name));
    return bd_fail(BD_EDATA, "--profile '%s': no used row is of this stratum; those of %s are %s%s", profile,
                   data->strata, names, n > MOST_LISTED ? ", ..." : "");
}

/* Strata whose levels are those that the profile names. */
static bd_status choose_strata(const bd_survival_data *data, const bd_profile *profile, bd_arena *arena,
                                bool *strata)
{
    size_t n = 0;
    for (size_t s = 0; s < n_strata(data); s++) {
        strata[s] = true;
        for (size_t k = 0; profile != NULL && k < data->n_strata_names; k++)
            if (profile->others[k] != NULL && strcmp(profile->others[k], data->strata_levels[s].levels[k]) != 0)
                strata[s] = false;
        n += strata[s];
    }
    return n > 0 ? BD_OK : unknown_stratum(data, profile->name, arena);
}

bd_status survival_groups(const bd_survival_data *data, bd_arena *arena, const char *const **out, size_t *n)
{
    const char **groups;
    *n = n_strata(data);
    BD_NEW(arena, groups, *n);
    for (size_t g = 0; g < *n; g++)
        groups[g] = data->strata_levels != NULL ? data->strata_levels[g].name : "all";
    *out = groups;
    return BD_OK;
}

double survival_mean_offset(const bd_survival_data *data)
{
    const bd_cox_design *design = &data->design;
    double sum = 0, total = 0;
    for (size_t i = 0; design->offset != NULL && i < design->n_rows; i++) {
        const double weight = design->weights != NULL ? design->weights[i] : 1;
        sum += weight * design->offset[i];
        total += weight;
    }
    return total > 0 ? sum / total : 0;
}

static bd_status note_offset(const bd_survival_data *data, bd_arena *arena, const char ***notes,
                             bd_survival_predictions *out)
{
    if (data->offset == NULL)
        return BD_OK;
    return bd_print(arena, &(*notes)[out->n_notes++], "Predictions are at the mean of the offset, %s.", data->offset);
}

bd_status survival_profiles(const bd_survival_data *data, const bd_survival_prediction_options *options,
                            bd_arena *arena, survival_profile **out, size_t *n_out,
                            bd_survival_predictions *predictions)
{
    const size_t p = data->design.n_columns, n_all = options->n_profiles + options->baseline;
    const bd_profile_request request = {.texts = options->profiles, .n = options->n_profiles,
                                        .first_term = data->n_others, .others = data->strata_names,
                                        .n_others = data->n_strata_names};
    const bd_profiles *profiles = NULL;
    survival_profile *all;
    const char **notes;
    BD_NEW(arena, all, n_all + 1);
    if (options->n_profiles > 0)
        BD_TRY(bd_profiles_build(data->table, data->frame_spec, data->frame, &request, arena, &profiles));
    for (size_t i = 0; i < n_all; i++) {
        double *values;
        bool *strata;
        const size_t k = i - options->baseline;
        const bool baseline = options->baseline && i == 0;
        BD_NEW(arena, values, p + 1);
        BD_NEW(arena, strata, n_strata(data));
        for (size_t j = 0; j < p && !baseline; j++)
            values[j] = profiles->frame->columns[j + 1].values[k]; /* after the intercept */
        BD_TRY(choose_strata(data, baseline ? NULL : &profiles->profiles[k], arena, strata));
        all[i] = (survival_profile){baseline ? "baseline" : profiles->profiles[k].name, values, strata};
    }
    BD_NEW(arena, notes, (profiles != NULL ? profiles->n_notes : 0) + 3);
    for (size_t i = 0; profiles != NULL && i < profiles->n_notes; i++)
        notes[predictions->n_notes++] = profiles->notes[i];
    if (options->baseline)
        notes[predictions->n_notes++] =
            "Baseline: every predictor is 0, every category at its reference; center() predictors "
            "where 0 is nobody's value.";
    BD_TRY(note_offset(data, arena, &notes, predictions));
    predictions->notes = notes;
    *out = all;
    *n_out = n_all;
    return BD_OK;
}
