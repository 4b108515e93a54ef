/* Simulated trials: rows from counters, formatted in parallel, written in order. */
#include <bordin/analyses/simulation.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include <omp.h>

#include <bordin/random/normal.h>

enum { BLOCK_ROWS = 8192, BLOCKS_PER_THREAD = 4, ROW_BYTES = 128 };

/* Which numbers a counter's block is for. */
enum { OF_THERAPIST, OF_PATIENT };

typedef struct effect {
    const char *name;
    size_t offset;
    double low, high;
} effect;

#define EFFECT(name, low, high) {#name, offsetof(bd_simulation, name), low, high}
static const effect effects[] = {
    EFFECT(alliance_treatment, -10, 10), EFFECT(alliance_baseline, -1, 1),   EFFECT(adherence_alliance, -2, 2),
    EFFECT(adherence_treatment, -20, 20), EFFECT(outcome_baseline, -2, 2),   EFFECT(outcome_alliance, -5, 5),
    EFFECT(outcome_adherence, -5, 5),    EFFECT(outcome_treatment, -50, 50), EFFECT(dropout_alliance, -5, 5),
    EFFECT(dropout_adherence, -5, 5),    EFFECT(icc_alliance, 0, 0.99),      EFFECT(icc_outcome, 0, 0.99),
    EFFECT(missing, 0, 0.99),
};
enum { N_EFFECTS = sizeof effects / sizeof *effects };

bd_status bd_simulation_set(bd_simulation *simulation, const char *name, double value)
{
    char names[512] = "";
    for (size_t i = 0; i < N_EFFECTS; i++) {
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

bool bd_simulation_effect(const bd_simulation *simulation, size_t i, const char **name, double *value)
{
    if (i >= N_EFFECTS)
        return false;
    *name = effects[i].name;
    memcpy(value, (const char *)simulation + effects[i].offset, sizeof *value);
    return true;
}

/* Words of a row or therapist: `part` tells apart as many as are needed. */
static void words_of(const bd_simulation *s, uint32_t kind, size_t row, uint32_t part, uint32_t words[4])
{
    const bd_counter counter = {.index = part << 1 | kind,
                                .block = (uint32_t)((uint64_t)row >> 32),
                                .stream = (uint32_t)row,
                                .purpose = BD_PURPOSE_SIMULATE};
    bd_philox(s->seed, counter, words);
}

static void normals_of(const bd_simulation *s, uint32_t kind, size_t row, uint32_t part, double z[4])
{
    uint32_t words[4];
    words_of(s, kind, row, part, words);
    bd_normal_pair(words[0], words[1], &z[0], &z[1]);
    bd_normal_pair(words[2], words[3], &z[2], &z[3]);
}

/* As it will be printed. */
static double rounded(double x, double low, double high)
{
    return nearbyint(fmin(fmax(x, low), high) * 100) / 100;
}

typedef struct patient {
    size_t number, therapist;
    int treatment, age, dropout;
    double baseline, alliance, adherence, outcome;
    bool missing[3]; /* alliance, adherence, outcome */
} patient;

static void draw_patient(const bd_simulation *s, const double (*therapists)[2], size_t row, patient *p)
{
    const double sd_alliance = 6.5, sd_adherence = 10, sd_outcome = 8;
    uint32_t words[4];
    double z[4], more[4];
    words_of(s, OF_PATIENT, row, 0, words);
    normals_of(s, OF_PATIENT, row, 1, z);
    normals_of(s, OF_PATIENT, row, 2, more);
    p->number = row + 1;
    p->therapist = (size_t)((uint64_t)words[0] * s->n_therapists >> 32);
    p->treatment = (int)(words[1] >> 31);
    p->age = (int)nearbyint(fmin(fmax(40 + 12 * more[0], 18), 80));
    p->baseline = rounded(60 + 8 * z[0], 0, 120);
    const double *effects_of_therapist = therapists[p->therapist], treated = p->treatment;
    p->alliance = rounded(60 + s->alliance_treatment * treated + s->alliance_baseline * (p->baseline - 60) +
                              sd_alliance * (effects_of_therapist[0] + sqrt(1 - s->icc_alliance) * z[1]),
                          12, 84);
    p->adherence = rounded(65 + s->adherence_alliance * (p->alliance - 60) + s->adherence_treatment * treated +
                               sd_adherence * z[2],
                           0, 100);
    p->outcome = rounded(50 + s->outcome_baseline * (p->baseline - 60) + s->outcome_alliance * (p->alliance - 60) +
                             s->outcome_adherence * (p->adherence - 65) + s->outcome_treatment * treated +
                             sd_outcome * (effects_of_therapist[1] + sqrt(1 - s->icc_outcome) * z[3]),
                         -1e6, 1e6);
    const double logit = -1.5 + s->dropout_alliance * (p->alliance - 60) + s->dropout_adherence * (p->adherence - 65);
    p->dropout = ((double)words[2] + 0.5) * 0x1p-32 < 1 / (1 + exp(-logit));
    for (uint32_t k = 0; k < 3; k++)
        p->missing[k] = false;
    if (s->missing > 0) {
        words_of(s, OF_PATIENT, row, 3, words);
        for (uint32_t k = 0; k < 3; k++)
            p->missing[k] = (double)words[k] * 0x1p-32 < s->missing;
    }
}

static char *put_whole(char *out, uint64_t x)
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

/* Two decimals. */
static char *put_real(char *out, double x, bool missing)
{
    *out++ = ',';
    if (missing)
        return out;
    const int64_t hundredths = llrint(x * 100);
    const uint64_t magnitude = (uint64_t)(hundredths < 0 ? -hundredths : hundredths);
    if (hundredths < 0)
        *out++ = '-';
    out = put_whole(out, magnitude / 100);
    *out++ = '.';
    *out++ = (char)('0' + magnitude / 10 % 10);
    *out++ = (char)('0' + magnitude % 10);
    return out;
}

static char *put_patient(char *out, const patient *p)
{
    out = put_whole(out, p->number);
    *out++ = ',';
    out = put_whole(out, p->therapist + 1);
    *out++ = ',';
    *out++ = (char)('0' + p->treatment);
    *out++ = ',';
    out = put_whole(out, (uint64_t)p->age);
    out = put_real(out, p->baseline, false);
    out = put_real(out, p->alliance, p->missing[0]);
    out = put_real(out, p->adherence, p->missing[1]);
    *out++ = ',';
    *out++ = (char)('0' + p->dropout);
    out = put_real(out, p->outcome, p->missing[2]);
    *out++ = '\n';
    return out;
}

static size_t format_block(const bd_simulation *s, const double (*therapists)[2], size_t block, char *out)
{
    const size_t first = block * BLOCK_ROWS, left = s->n_patients - first, n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
    char *end = out;
    for (size_t i = 0; i < n; i++) {
        patient p;
        draw_patient(s, therapists, first + i, &p);
        end = put_patient(end, &p);
    }
    return (size_t)(end - out);
}

/* Of each therapist, in standard deviations: the part of alliance and the part of outcome. */
static bd_status draw_therapists(const bd_simulation *s, bd_arena *arena, double (**out)[2])
{
    double(*therapists)[2];
    BD_NEW(arena, therapists, s->n_therapists);
    for (size_t j = 0; j < s->n_therapists; j++) {
        double z[4];
        normals_of(s, OF_THERAPIST, j, 0, z);
        therapists[j][0] = sqrt(s->icc_alliance) * z[0];
        therapists[j][1] = sqrt(s->icc_outcome) * z[1];
    }
    *out = therapists;
    return BD_OK;
}

static bd_status cannot_write(void)
{
    return bd_fail(BD_EIO, "cannot write: %s", strerror(errno));
}

bd_status bd_simulation_write(const bd_simulation *s, int n_threads, FILE *stream, bd_arena *arena)
{
    const int threads = n_threads > 0 ? n_threads : omp_get_max_threads();
    const size_t at_once = (size_t)threads * BLOCKS_PER_THREAD, n_blocks = (s->n_patients + BLOCK_ROWS - 1) / BLOCK_ROWS;
    if (s->n_therapists == 0 || s->n_therapists > UINT32_MAX || s->n_patients < s->n_therapists)
        return bd_fail(BD_EUSAGE, "%zu patients cannot have %zu therapists", s->n_patients, s->n_therapists);
    const bd_mark mark = bd_arena_mark(arena);
    double(*therapists)[2] = NULL;
    char *text;
    size_t *sizes;
    BD_TRY(draw_therapists(s, arena, &therapists));
    BD_NEW(arena, text, at_once * BLOCK_ROWS * ROW_BYTES);
    BD_NEW(arena, sizes, at_once);
    if (fputs("patient,therapist,treatment,age,baseline,alliance,adherence,dropout,outcome\n", stream) == EOF)
        return cannot_write();
    for (size_t first = 0; first < n_blocks; first += at_once) {
        const size_t n = n_blocks - first < at_once ? n_blocks - first : at_once;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (size_t b = 0; b < n; b++)
            sizes[b] = format_block(s, (const double(*)[2])therapists, first + b, text + b * BLOCK_ROWS * ROW_BYTES);
        for (size_t b = 0; b < n; b++)
            if (fwrite(text + b * BLOCK_ROWS * ROW_BYTES, 1, sizes[b], stream) != sizes[b])
                return cannot_write();
    }
    bd_arena_rewind(arena, mark);
    return fflush(stream) == 0 ? BD_OK : cannot_write();
}

bd_status bd_simulation_write_truth(const bd_simulation *s, FILE *stream)
{
    const char *name;
    double value;
    fprintf(stream, "name,value\npatients,%zu\ntherapists,%zu\nseed,%llu\n", s->n_patients, s->n_therapists,
            (unsigned long long)s->seed);
    for (size_t i = 0; bd_simulation_effect(s, i, &name, &value); i++)
        fprintf(stream, "%s,%.15g\n", name, value);
    const double indirect = s->adherence_alliance * s->outcome_adherence;
    fprintf(stream, "indirect_alliance_adherence_outcome,%.15g\ntotal_alliance_outcome,%.15g\n", indirect,
            s->outcome_alliance + indirect);
    return fflush(stream) == 0 && !ferror(stream) ? BD_OK : cannot_write();
}
