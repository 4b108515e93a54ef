/* Status codes and the message that goes with them.
 *
 *     if (column == NULL)
 *         return bd_fail(BD_EDATA, "no column named '%s'", name);
 *     BD_TRY(bd_formula_parse(text, arena, &formula));              pass a failure on
 *     return bd_while(read_rows(file), "reading %s", path);         and say where it happened
 *
 * The message belongs to the calling thread, and is kept until that thread's next failure.
 */
#ifndef BORDIN_CORE_STATUS_H
#define BORDIN_CORE_STATUS_H

#include <stddef.h>

typedef enum bd_status {
    BD_OK = 0,
    BD_ENOMEM,   /* out of memory */
    BD_EUSAGE,   /* the call is wrong: an option, a formula, a path */
    BD_EIO,      /* a file could not be read or written */
    BD_EDATA,    /* the data cannot answer: a missing column, text among numbers, one row */
    BD_ENUMERIC, /* the arithmetic broke down: collinear predictors, too many failed replicates */
    BD_ESTOPPED, /* the caller asked to stop; what was finished is kept where a file was given for it */
} bd_status;

#define BD_CHECKED __attribute__((warn_unused_result))
#define BD_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Sets this thread's message and returns `status`. Earlier messages may be among the arguments. */
bd_status bd_fail(bd_status status, const char *format, ...) BD_PRINTF(2, 3);

/* If `status` is a failure, puts "<where>: " before this thread's message. Returns `status`. */
bd_status bd_while(bd_status status, const char *format, ...) BD_PRINTF(2, 3);

/* This thread's last message, never NULL. */
const char *bd_message(void);

#define BD_TRY(call)                          \
    do {                                      \
        const bd_status bd_try_ = (call);     \
        if (bd_try_ != BD_OK) return bd_try_; \
    } while (0)

#endif
