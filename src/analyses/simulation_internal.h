/* What simulated data have in common: effects by name, numbers from counters, text in blocks. */
#ifndef BORDIN_SRC_ANALYSES_SIMULATION_INTERNAL_H
#define BORDIN_SRC_ANALYSES_SIMULATION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <bordin/core/arena.h>
#include <bordin/random/philox.h>

/* A planted effect: a double in a structure. */
typedef struct effect {
    const char *name;
    size_t offset;
    double low, high;
} effect;

BD_CHECKED bd_status simulation_set(const effect *effects, size_t n, void *simulation, const char *name, double value);
bool simulation_effect(const effect *effects, size_t n, const void *simulation, size_t i, const char **name,
                       double *value);

/* Which numbers a counter's block is for. */
enum { OF_THERAPIST, OF_PATIENT };

/* Words of a row or therapist: `part` tells apart as many as are needed. */
void simulation_words(uint64_t seed, uint32_t kind, size_t row, uint32_t part, uint32_t words[4]);
void simulation_normals(uint64_t seed, uint32_t kind, size_t row, uint32_t part, double z[4]);

/* As it will be printed. */
double simulation_rounded(double x, double low, double high);
char *simulation_put_whole(char *out, uint64_t x);
/* A comma, and two decimals, or nothing. */
char *simulation_put_real(char *out, double x, bool missing);

/* Rows of units from `first` to `end` as text; returns how many bytes. */
typedef struct simulation_text {
    size_t n_units, block_units, unit_bytes; /* at most so many bytes a unit */
    size_t (*format)(const void *context, size_t first, size_t end, char *out);
    const void *context;
} simulation_text;

/* Blocks formatted in parallel, written in order. */
BD_CHECKED bd_status simulation_write(const simulation_text *text, const char *header, int n_threads, FILE *stream,
                                      bd_arena *arena);
BD_CHECKED bd_status simulation_cannot_write(void);

#endif
