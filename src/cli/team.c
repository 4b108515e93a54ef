/* Several processes: one of them talks. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#ifdef BORDIN_HAS_MPI
#include <bordin/resampling/mpi.h>

static bd_team team;

static bool launched(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMI_SIZE") != NULL || getenv("PMIX_RANK") != NULL;
}

bd_status cli_team_begin(int *argc, char ***argv, bd_arena *arena)
{
    if (!launched())
        return BD_OK;
    BD_TRY(bd_mpi_begin(argc, argv, arena, &team));
    if (team.rank > 0 && freopen("/dev/null", "w", stdout) == NULL)
        return bd_fail(BD_EIO, "cannot open /dev/null");
    for (int i = 1; i < *argc; i++)
        if (strcmp((*argv)[i], "-") == 0)
            return bd_fail(BD_EUSAGE, "standard input reaches only one of several processes; give a file");
    return BD_OK;
}

bool cli_team_end(bool failed)
{
    if (team.n_ranks == 0)
        return failed;
    const bool speaks = team.agree(team.context, failed) == team.rank;
    signal(SIGTERM, SIG_IGN); /* mpirun ends the others when one of them reports a failure */
    bd_mpi_end();
    return speaks;
}

bool cli_is_first(void)
{
    return team.rank == 0;
}

const bd_team *cli_team(void)
{
    return team.n_ranks > 0 ? &team : NULL;
}

#else

bd_status cli_team_begin(int *argc, char ***argv, bd_arena *arena)
{
    (void)argc;
    (void)argv;
    (void)arena;
    return BD_OK;
}

bool cli_team_end(bool failed)
{
    return failed;
}

bool cli_is_first(void)
{
    return true;
}

const bd_team *cli_team(void)
{
    return NULL;
}
#endif
