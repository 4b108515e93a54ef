/* What to say of a name that is not there. */
#ifndef BORDIN_SRC_DATA_NEAREST_H
#define BORDIN_SRC_DATA_NEAREST_H

#include <stdbool.h>

#include <bordin/data/table.h>

/* "nearest: 'a', 'b'", or "there are ..." when none is near. */
BD_CHECKED bd_status nearest_names(const char *wanted, const char *const *names, size_t n, bd_arena *arena,
                                   const char **text);

/* Fails with BD_EDATA and the nearest names. */
bd_status no_such_column(const char *source, const char *wanted, const char *const *names, size_t n);

#endif
