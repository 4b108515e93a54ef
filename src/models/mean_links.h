/* What a linear predictor says of a mean or a precision: the inverse of a link and two derivatives. */
#ifndef BORDIN_MODELS_MEAN_LINKS_H
#define BORDIN_MODELS_MEAN_LINKS_H

#include <bordin/core/status.h>

typedef struct linked {
    double value, rest;   /* rest: 1 - value, with all its digits, of links to shares; otherwise 0 */
    double first, second; /* derivatives of the value by the predictor */
} linked;

typedef struct mean_link {
    const char *name;
    linked (*of)(double predictor);
    double (*predictor)(double value);
} mean_link;

/* BD_EUSAGE: no such link, the message lists them. */
BD_CHECKED bd_status bd_share_link_find(const char *name, const mean_link **link);
BD_CHECKED bd_status bd_precision_link_find(const char *name, const mean_link **link);

#endif
