/* Where a result comes from: the file, the rows, the coding; on the page of every analysis. */
#ifndef BORDIN_ANALYSES_PROVENANCE_H
#define BORDIN_ANALYSES_PROVENANCE_H

#include <bordin/data/frame.h>
#include <bordin/report/document.h>

/* File, size, checksum, and the version. */
BD_CHECKED bd_status bd_provenance_table(const bd_table *table, bd_document *document);

/* Rows read, excluded, dropped by column, used; how categories were coded; what was transformed. */
BD_CHECKED bd_status bd_provenance_frame(const bd_frame *frame, bd_document *document);

#endif
