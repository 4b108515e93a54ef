/* Reading in blocks of a size that tests choose. */
#ifndef BORDIN_SRC_DATA_CSV_READ_H
#define BORDIN_SRC_DATA_CSV_READ_H

#include <bordin/data/csv.h>

/* bd_csv_read with blocks of about `block_size` bytes; the table does not depend on it. */
BD_CHECKED bd_status csv_read_blocks(const char *path, const bd_wanted *wanted, size_t n_wanted,
                                     const bd_csv_options *options, size_t block_size, bd_arena *arena,
                                     const bd_table **table);

#endif
