/* The provenance of a result: file, rows, coding. */
#include <bordin/analyses/provenance.h>

#include <inttypes.h>
#include <stdio.h>

#include <bordin/core/version.h>

bd_status bd_provenance_table(const bd_table *table, bd_document *document)
{
    char checksum[16];
    snprintf(checksum, sizeof checksum, "%08" PRIx32, table->checksum);
    BD_TRY(bd_document_fact(document, "version", "bordin", BD_TEXT, bd_text(bd_version())));
    BD_TRY(bd_document_fact(document, "data.file", "Data", BD_TEXT, bd_text(table->source)));
    BD_TRY(bd_document_fact(document, "data.bytes", "Bytes", BD_COUNT, bd_number((double)table->n_bytes)));
    return bd_document_fact(document, "data.crc32", "CRC-32", BD_TEXT, bd_text(checksum));
}

static bd_status rows(const bd_frame *frame, bd_document *document)
{
    BD_TRY(bd_document_fact(document, "rows.read", "Rows read", BD_COUNT, bd_number((double)frame->n_read)));
    if (frame->n_excluded > 0)
        BD_TRY(bd_document_fact(document, "rows.excluded", "Rows excluded by --where", BD_COUNT,
                                bd_number((double)frame->n_excluded)));
    BD_TRY(bd_document_fact(document, "rows.dropped", "Rows dropped", BD_COUNT,
                            bd_number((double)frame->n_dropped)));
    for (size_t i = 0; i < frame->n_drops; i++) {
        char heading[256];
        snprintf(heading, sizeof heading, "  for %s", frame->drops[i].reason);
        BD_TRY(bd_document_fact_in(document, "rows.missing", frame->drops[i].reason, heading, BD_COUNT,
                                   bd_number((double)frame->drops[i].n_rows)));
    }
    return bd_document_fact(document, "rows.used", "Rows used", BD_COUNT, bd_number((double)frame->n_rows));
}

static bd_status coding(const bd_factor *factor, bd_document *document)
{
    char text[1024];
    size_t used = 0;
    for (size_t i = 1; i < factor->n_levels && used < sizeof text - 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s (%zu)", i > 1 ? ", " : "", factor->levels[i],
                                 factor->counts[i]);
    return bd_document_say(document, BD_NOTE, "%s: reference level '%s' (%zu rows) against %s%s.", factor->name,
                           factor->levels[0], factor->counts[0], text, used >= sizeof text - 64 ? " ..." : "");
}

bd_status bd_provenance_frame(const bd_frame *frame, bd_document *document)
{
    for (size_t i = 0; i < frame->n_factors; i++)
        BD_TRY(coding(&frame->factors[i], document));
    for (size_t i = 0; i < frame->n_notes; i++)
        BD_TRY(bd_document_say(document, BD_NOTE, "%s", frame->notes[i]));
    if (frame->n_dropped > 0)
        BD_TRY(bd_document_say(document, BD_NOTE, "%zu of %zu rows were dropped because a value was missing%s.",
                               frame->n_dropped, frame->n_read - frame->n_excluded,
                               frame->weights != NULL ? " or their weight is zero" : ""));
    return rows(frame, document);
}
