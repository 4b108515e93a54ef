/* What documents of proportional hazards say alike. */
#ifndef BORDIN_ANALYSES_SURVIVAL_DOCUMENT_H
#define BORDIN_ANALYSES_SURVIVAL_DOCUMENT_H

#include <bordin/models/cox.h>
#include <bordin/report/document.h>

/* Infinite coefficients, no convergence, few events; `of` goes before each: "pcm: ", or "". */
BD_CHECKED bd_status cox_warnings(const bd_cox *fit, const char *of, bd_document *document);

#endif
