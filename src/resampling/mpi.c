/* The team of all MPI processes. */
#include <bordin/resampling/mpi.h>

#include <mpi.h>

enum { LARGEST_MESSAGE = 1 << 30 };

typedef struct ranks {
    int rank, n, failed; /* failed: the lowest that did, or n */
} ranks;

static size_t agree(void *context, bool failed)
{
    ranks *all = context;
    const int mine = failed ? all->rank : all->n;
    if (all->failed == all->n)
        MPI_Allreduce(&mine, &all->failed, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return (size_t)all->failed;
}

static double largest(void *context, double value)
{
    double result;
    (void)context;
    MPI_Allreduce(&value, &result, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return result;
}

/* A message's size is an int. */
static bd_status broadcast(char *data, size_t n_bytes, int root)
{
    for (size_t from = 0; from < n_bytes; from += LARGEST_MESSAGE) {
        const size_t n = n_bytes - from < LARGEST_MESSAGE ? n_bytes - from : LARGEST_MESSAGE;
        if (MPI_Bcast(data + from, (int)n, MPI_BYTE, root, MPI_COMM_WORLD) != MPI_SUCCESS)
            return bd_fail(BD_EIO, "MPI could not send replicates");
    }
    return BD_OK;
}

static bd_status share(void *context, void *data, size_t size, const size_t *starts)
{
    const ranks *all = context;
    for (int rank = 0; rank < all->n; rank++)
        BD_TRY(broadcast((char *)data + starts[rank] * size, (starts[rank + 1] - starts[rank]) * size, rank));
    return BD_OK;
}

bd_status bd_mpi_begin(int *argc, char ***argv, bd_arena *arena, bd_team *team)
{
    int provided;
    ranks *all;
    BD_NEW(arena, all, 1);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
        return bd_fail(BD_ENUMERIC, "MPI could not start");
    MPI_Comm_rank(MPI_COMM_WORLD, &all->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &all->n);
    all->failed = all->n;
    *team = (bd_team){.rank = (size_t)all->rank,
                      .n_ranks = (size_t)all->n,
                      .agree = agree,
                      .share = share,
                      .largest = largest,
                      .context = all};
    return BD_OK;
}

void bd_mpi_end(void)
{
    MPI_Finalize();
}
