/* The text of a profile, taken apart. */
#ifndef BORDIN_SRC_DATA_PROFILE_TEXT_H
#define BORDIN_SRC_DATA_PROFILE_TEXT_H

#include <bordin/core/arena.h>

typedef struct assignment {
    const char *name;  /* of a column as it is, of an expression in canonical text */
    const char *value; /* without quotes */
} assignment;

/* The text that names nothing. */
#define PROFILE_OF_MEANS "means"

/* "age=60, sex=female": commas and = within brackets, quotes or backquotes are part of a name or value. BD_EUSAGE: a
 * part without =, without a name or without a value; a name that is given twice. */
BD_CHECKED bd_status profile_parse(const char *text, bd_arena *arena, const assignment **assignments, size_t *n);

#endif
