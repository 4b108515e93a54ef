/* Shared frailty of survival data: proportional hazards in which the rows of a cluster share a multiple of the hazard.
 *
 *     spec.formula = "Surv(weeks, dropout) ~ alliance + frailty(therapist)";
 *     BD_TRY(bd_survival_build(table, &spec, arena, &data));
 *     BD_TRY(bd_share_frailty(data, &BD_FRAILTY_DEFAULTS, 0, arena, &shared));
 *     BD_TRY(bd_frailty_document(shared, arena, &document));
 */
#ifndef BORDIN_ANALYSES_FRAILTY_H
#define BORDIN_ANALYSES_FRAILTY_H

#include <bordin/analyses/survival.h>
#include <bordin/models/frailty.h>

typedef struct bd_shared_frailty {
    const bd_survival_data *data;
    const bd_frailty *fit; /* coefficients in the order of data->design.columns, groups in that of the clusters */
} bd_shared_frailty;

/* Fails as bd_frailty_fit does. BD_EUSAGE: no predictors. BD_ENUMERIC: theta was not found. */
BD_CHECKED bd_status bd_share_frailty(const bd_survival_data *data, const bd_frailty_options *options, int n_threads,
                                      bd_arena *arena, const bd_shared_frailty **shared);

/* The tables "coefficients", "fit", "frailties" (printed where they are few), a sentence, notes, warnings, provenance. */
BD_CHECKED bd_status bd_frailty_document(const bd_shared_frailty *shared, bd_arena *arena, bd_document **document);

#endif
