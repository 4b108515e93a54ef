/* How mixed models are fitted: --ml and --df. */
#include <string.h>

#include "cli.h"

static int ml;
static char *df;

struct poptOption cli_mixed_options[] = {
    {"ml", 0, POPT_ARG_NONE, &ml, 0, "maximum likelihood (default: restricted, REML)", NULL},
    {"df", 0, POPT_ARG_STRING, &df, 0, "degrees of freedom: satterthwaite (default), kenward-roger or normal", "NAME"},
    POPT_TABLEEND};

bd_status cli_mixed_fit(bd_mixed_options *fit)
{
    static const char *const names[] = {[BD_MIXED_SATTERTHWAITE] = "satterthwaite",
                                        [BD_MIXED_KENWARD_ROGER] = "kenward-roger",
                                        [BD_MIXED_NORMAL] = "normal"};
    size_t i = 0;
    fit->reml = !ml;
    BD_TRY(cli_level(&fit->level));
    BD_TRY(cli_threads(&fit->n_threads));
    if (df == NULL)
        return BD_OK;
    while (i < sizeof names / sizeof *names && strcmp(df, names[i]) != 0)
        i++;
    if (i == sizeof names / sizeof *names)
        return bd_fail(BD_EUSAGE, "--df takes satterthwaite, kenward-roger or normal, not '%s'", df);
    fit->df = (bd_mixed_df)i;
    return BD_OK;
}
