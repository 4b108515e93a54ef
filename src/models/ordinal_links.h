/* Links of ordered categories. */
#ifndef BORDIN_MODELS_ORDINAL_LINKS_H
#define BORDIN_MODELS_ORDINAL_LINKS_H

#include <bordin/core/status.h>

/* A distribution between whose thresholds the categories lie. */
typedef struct ordinal_link {
    const char *name;
    double (*between)(double low, double high); /* F(high) - F(low), either may be infinite */
    double (*density)(double x);
    double (*slope)(double x); /* of the density */
    double (*quantile)(double share);
} ordinal_link;

/* BD_EUSAGE: no such link. */
BD_CHECKED bd_status bd_ordinal_link_find(const char *name, const ordinal_link **link);

#endif
