/* Processes that share the work of a run: each computes a part, and all end with the same.
 *
 *     BD_TRY(bd_team_agree(team));                                   nobody waits for a rank that failed
 *     BD_TRY(team->share(team->context, values, sizeof *values, starts));
 *
 * bordin/resampling/mpi.h makes one of all MPI processes.
 */
#ifndef BORDIN_CORE_TEAM_H
#define BORDIN_CORE_TEAM_H

#include <stdbool.h>

#include <bordin/core/status.h>

/* Every function is called by every rank, in the same order; a rank that fails calls `agree` once and no other, and the
 * others learn of it when they call theirs. */
typedef struct bd_team {
    size_t rank, n_ranks;
    /* The lowest rank that says so; n_ranks when none does. */
    size_t (*agree)(void *context, bool failed);
    /* data[starts[r] .. starts[r + 1]) of rank r to every rank, for each r; items of `size` bytes. */
    bd_status (*share)(void *context, void *data, size_t size, const size_t *starts);
    double (*largest)(void *context, double value); /* over all ranks */
    void *context;
} bd_team;

/* Before ranks wait for each other. BD_OK also when `team` is NULL. BD_ESTOPPED: another rank failed. */
BD_CHECKED bd_status bd_team_agree(const bd_team *team);

/* Whether all ranks have the same value. */
bool bd_team_same(const bd_team *team, double value);

#endif
