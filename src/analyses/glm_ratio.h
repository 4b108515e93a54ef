/* What exp(coefficient) is called. */
#ifndef BORDIN_SRC_ANALYSES_GLM_RATIO_H
#define BORDIN_SRC_ANALYSES_GLM_RATIO_H

/* "odds_ratio", as bd_glm_ratio has it, in words. */
const char *glm_ratio_heading(const char *ratio);

#endif
