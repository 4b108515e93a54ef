/* What the files of the mediation analysis share. */
#ifndef BORDIN_ANALYSES_MEDIATION_INTERNAL_H
#define BORDIN_ANALYSES_MEDIATION_INTERNAL_H

#include <bordin/analyses/mediation.h>

#include "mediation_model.h"

/* Fills the names, estimates and counts of `mediation` from the triangle of (1, covariates, nodes). */
BD_CHECKED bd_status mediation_estimate(const mediation_model *model, const double *triangle, bd_arena *arena,
                                        bd_mediation *mediation);

/* Fills the checks of `mediation`, whose equations, estimates and level are there. */
BD_CHECKED bd_status mediation_check(const mediation_model *model, const double *triangle,
                                     const bd_mediation_options *options, bd_arena *arena, bd_mediation *mediation);

#endif
