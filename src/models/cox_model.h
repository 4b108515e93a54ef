/* A model with its sums at the coefficients of a fit, for what is asked of a fit afterwards. */
#ifndef BORDIN_MODELS_COX_MODEL_H
#define BORDIN_MODELS_COX_MODEL_H

#include "models/cox_internal.h"

/* BD_EUSAGE: exact ties. BD_ENUMERIC: the fit did not converge. */
BD_CHECKED bd_status cox_model_at(const bd_cox_design *design, const bd_cox *fit, bd_arena *arena, cox_model **model,
                                  cox_sums *sums);

/* gamma <- the coefficients in the rotated columns. */
BD_CHECKED bd_status cox_gamma_of(const cox_model *model, const bd_cox *fit, bd_arena *arena, double *gamma);

#endif
