/* What the pages of meta-analyses share. */
#ifndef BORDIN_SRC_ANALYSES_META_INTERNAL_H
#define BORDIN_SRC_ANALYSES_META_INTERNAL_H

#include <bordin/analyses/meta.h>

/* In the units in which effects were reported. */
double meta_back(const bd_meta_analysis *meta, double effect);

BD_CHECKED bd_status meta_say_measure(const bd_meta_analysis *meta, bd_document *document);
BD_CHECKED bd_status meta_study_table(const bd_meta_analysis *meta, const double *weights, bd_arena *arena,
                                      bd_document *document);

/* The tables of several effects a study. */
BD_CHECKED bd_status meta_levels_document(const bd_meta_analysis *meta, bd_arena *arena, bd_document *document);

#endif
