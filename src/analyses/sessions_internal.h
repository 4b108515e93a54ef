/* Rows of sessions in order, and the models of them. */
#ifndef BORDIN_SRC_ANALYSES_SESSIONS_INTERNAL_H
#define BORDIN_SRC_ANALYSES_SESSIONS_INTERNAL_H

#include <bordin/analyses/sessions.h>

typedef struct session_key {
    uint32_t patient;
    double session;
    size_t row; /* of its frame */
} session_key;

typedef struct named_code {
    const char *name;
    uint32_t code;
} named_code;

/* Outcomes with an earlier alliance, by patient and session. */
typedef struct session_rows {
    const session_key *alliances; /* in order */
    size_t n_alliances;
    const double *alliance; /* by row of its frame */
    double *mean;           /* by patient */
    size_t n;
    size_t *row;            /* n: of the frame of outcomes */
    double *y, *session, *within, *between;
    uint32_t *patient, *therapist;
} session_rows;

/* Fills s->fits. */
BD_CHECKED bd_status sessions_fit(bd_sessions *s, const session_rows *rows, bd_arena *arena);

#endif
