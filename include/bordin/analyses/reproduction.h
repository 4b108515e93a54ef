/* Published numbers and what the shipped data give: claims beside the data, each with the command that computes it.
 *
 *     BD_TRY(bd_claims_read("datasets", arena, &claims, &n));
 *     for (size_t i = 0; i < n; i++)
 *         BD_TRY(bd_claim_check(&claims[i], path_of_what_its_command_wrote, arena));
 *     BD_TRY(bd_reproduction_document(claims, n, arena, &document));
 *
 * Claims are rows of datasets/FOLDER/findings.csv: finding (a name), quantity, published (as printed), command (arguments
 * of bordin), table, row ("term=age"; empty: the only one), column (of what the command writes with --format csv), times
 * (a factor; empty: 1), source (where it was printed), note (why the numbers differ, where that is known).
 */
#ifndef BORDIN_ANALYSES_REPRODUCTION_H
#define BORDIN_ANALYSES_REPRODUCTION_H

#include <bordin/data/table.h>
#include <bordin/report/document.h>

typedef enum bd_claim_end {
    BD_CLAIM_UNCHECKED,
    BD_CLAIM_AGREES,    /* to every printed digit */
    BD_CLAIM_EXPLAINED, /* differs, and the note says why */
    BD_CLAIM_DIFFERS,
    BD_CLAIM_FAILED,    /* there is no number: `why` */
} bd_claim_end;

typedef struct bd_claim {
    const char *folder; /* of the datasets */
    const char *finding, *quantity, *published, *command, *table, *row, *column, *times, *source, *note; /* or NULL */
    bd_claim_end end;
    double value;         /* NaN: not computed */
    const char *computed; /* with two digits more than were printed; or NULL */
    const char *why;
} bd_claim;

/* In the order of folders and rows. BD_EIO: no such folder. BD_EDATA: none of its folders has findings.csv; a row without
 * its finding, number or command, or whose number is not one. */
BD_CHECKED bd_status bd_claims_read(const char *datasets, bd_arena *arena, bd_claim **claims, size_t *n);

/* `result`: what the claim's command wrote as CSV. A cell that is not there is an end, not an error. */
BD_CHECKED bd_status bd_claim_check(bd_claim *claim, const char *result, bd_arena *arena);

/* A claim whose command failed. */
BD_CHECKED bd_status bd_claim_fail(bd_claim *claim, const char *why, bd_arena *arena);

/* How many of them differ without an explanation, or failed. */
size_t bd_claims_open(const bd_claim *claims, size_t n);

/* The table "findings": each finding once, with how many numbers and where they were printed. */
BD_CHECKED bd_status bd_claims_document(const bd_claim *claims, size_t n, bd_arena *arena, bd_document **document);

/* The table "numbers", a sentence, and a note for each that differs. */
BD_CHECKED bd_status bd_reproduction_document(const bd_claim *claims, size_t n, bd_arena *arena, bd_document **document);

#endif
