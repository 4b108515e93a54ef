/* A team of MPI processes (library built with -DBORDIN_MPI=ON).
 *
 *     bd_team team;
 *     BD_TRY(bd_mpi_begin(&argc, &argv, arena, &team));        each rank reads the data and calls bd_resample with &team
 *     ...
 *     const size_t failed = team.agree(team.context, status != BD_OK);
 *     bd_mpi_end();
 */
#ifndef BORDIN_RESAMPLING_MPI_H
#define BORDIN_RESAMPLING_MPI_H

#include <bordin/resampling/resample.h>

/* Initialises MPI; *team: all its processes. Once a rank has failed, `agree` goes on saying so without waiting for others.
 * BD_ENUMERIC: MPI could not start. */
BD_CHECKED bd_status bd_mpi_begin(int *argc, char ***argv, bd_arena *arena, bd_team *team);

void bd_mpi_end(void);

#endif
