/* Simulated data as text: numbers from counters, formatted in parallel, written in order. */
#include "analyses/simulation_internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <omp.h>

#include <bordin/random/normal.h>

enum { BLOCKS_PER_THREAD = 4 };

bd_status simulation_set(const effect *effects, size_t n, void *simulation, const char *name, double value)
{
    char names[512] = "";
    for (size_t i = 0; i < n; i++) {
        if (strcmp(effects[i].name, name) == 0) {
            if (!(value >= effects[i].low && value <= effects[i].high))
                return bd_fail(BD_EUSAGE, "%s takes a number from %g to %g, not %g", name, effects[i].low,
                               effects[i].high, value);
            memcpy((char *)simulation + effects[i].offset, &value, sizeof value);
            return BD_OK;
        }
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i > 0 ? ", " : "", effects[i].name);
    }
    return bd_fail(BD_EUSAGE, "there is no effect '%s'; there are %s", name, names);
}

bool simulation_effect(const effect *effects, size_t n, const void *simulation, size_t i, const char **name,
                       double *value)
{
    if (i >= n)
        return false;
    *name = effects[i].name;
    memcpy(value, (const char *)simulation + effects[i].offset, sizeof *value);
    return true;
}

void simulation_words(uint64_t seed, uint32_t kind, size_t row, uint32_t part, uint32_t words[4])
{
    const bd_counter counter = {.index = part << 1 | kind,
                                .block = (uint32_t)((uint64_t)row >> 32),
                                .stream = (uint32_t)row,
                                .purpose = BD_PURPOSE_SIMULATE};
    bd_philox(seed, counter, words);
}

void simulation_normals(uint64_t seed, uint32_t kind, size_t row, uint32_t part, double z[4])
{
    uint32_t words[4];
    simulation_words(seed, kind, row, part, words);
    bd_normal_pair(words[0], words[1], &z[0], &z[1]);
    bd_normal_pair(words[2], words[3], &z[2], &z[3]);
}

double simulation_rounded(double x, double low, double high)
{
    return nearbyint(fmin(fmax(x, low), high) * 100) / 100;
}

char *simulation_put_whole(char *out, uint64_t x)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + x % 10);
    while ((x /= 10) > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

char *simulation_put_real(char *out, double x, bool missing)
{
    *out++ = ',';
    if (missing)
        return out;
    const int64_t hundredths = llrint(x * 100);
    const uint64_t magnitude = (uint64_t)(hundredths < 0 ? -hundredths : hundredths);
    if (hundredths < 0)
        *out++ = '-';
    out = simulation_put_whole(out, magnitude / 100);
    *out++ = '.';
    *out++ = (char)('0' + magnitude / 10 % 10);
    *out++ = (char)('0' + magnitude % 10);
    return out;
}

bd_status simulation_cannot_write(void)
{
    return bd_fail(BD_EIO, "cannot write: %s", strerror(errno));
}

bd_status simulation_write(const simulation_text *text, const char *header, int n_threads, FILE *stream, bd_arena *arena)
{
    const int threads = n_threads > 0 ? n_threads : omp_get_max_threads();
    const size_t at_once = (size_t)threads * BLOCKS_PER_THREAD, units = text->block_units;
    const size_t n_blocks = (text->n_units + units - 1) / units, bytes = units * text->unit_bytes;
    char *out;
    size_t *sizes;
    BD_NEW(arena, out, at_once * bytes);
    BD_NEW(arena, sizes, at_once);
    if (fputs(header, stream) == EOF)
        return simulation_cannot_write();
    for (size_t first = 0; first < n_blocks; first += at_once) {
        const size_t n = n_blocks - first < at_once ? n_blocks - first : at_once;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (size_t b = 0; b < n; b++) {
            const size_t from = (first + b) * units, end = from + units < text->n_units ? from + units : text->n_units;
            sizes[b] = text->format(text->context, from, end, out + b * bytes);
        }
        for (size_t b = 0; b < n; b++)
            if (fwrite(out + b * bytes, 1, sizes[b], stream) != sizes[b])
                return simulation_cannot_write();
    }
    return fflush(stream) == 0 ? BD_OK : simulation_cannot_write();
}
