/* Times whole processes side by side: every round runs each command once, so that a busy machine is busy for all.
 *     bench_side_by_side ROUNDS NAME COMMAND [NAME COMMAND ...]
 * Prints seconds (median and least), their ratio to the first command's, peak memory as the operating system counts it,
 * and the seconds that a command says it computed for, on a line 'compute SECONDS' of its output. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ROUNDS = 99, MOST_COMMANDS = 16 };

typedef struct timing {
    double seconds[MOST_ROUNDS], compute[MOST_ROUNDS], megabytes;
} timing;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The last 'compute SECONDS' among the lines. */
static double read_compute(FILE *output)
{
    char line[4096];
    double compute = NAN, value;
    while (fgets(line, sizeof line, output) != NULL)
        if (sscanf(line, "compute %lf", &value) == 1)
            compute = value;
    return compute;
}

static void become(const char *command, int output)
{
    dup2(output, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int run(const char *command, timing *times, size_t round)
{
    int ends[2], state;
    struct rusage usage;
    if (pipe(ends) != 0)
        return 1;
    const double start = now();
    const pid_t child = fork();
    if (child == 0)
        become(command, ends[1]);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    if (child < 0 || output == NULL)
        return 1;
    times->compute[round] = read_compute(output);
    fclose(output);
    if (wait4(child, &state, 0, &usage) != child || !WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return 1;
    times->seconds[round] = now() - start;
    times->megabytes = fmax(times->megabytes, (double)usage.ru_maxrss / 1024);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void print(const char *name, const timing *t, const timing *first, size_t n_rounds)
{
    printf("%-28s %9.3f %9.3f %8.2f %8.2f %8.0f", name, t->seconds[n_rounds / 2], t->seconds[0],
           t->seconds[n_rounds / 2] / first->seconds[n_rounds / 2], t->seconds[0] / first->seconds[0], t->megabytes);
    if (isfinite(t->compute[n_rounds / 2]))
        printf(" %9.3f", t->compute[n_rounds / 2]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static timing timings[MOST_COMMANDS];
    const size_t n_rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, n = argc > 3 ? (size_t)(argc - 2) / 2 : 0;
    if (n_rounds < 1 || n_rounds > MOST_ROUNDS || n < 1 || n > MOST_COMMANDS || argc % 2 != 0) {
        fprintf(stderr, "bench_side_by_side ROUNDS NAME COMMAND [NAME COMMAND ...]\n");
        return 2;
    }
    for (size_t round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < n; i++)
            if (run(argv[3 + 2 * i], &timings[i], round) != 0) {
                fprintf(stderr, "failed: %s\n", argv[3 + 2 * i]);
                return 1;
            }
    printf("%-28s %9s %9s %8s %8s %8s %9s\n", "", "median s", "least s", "ratio", "ratio", "peak MB", "compute s");
    for (size_t i = 0; i < n; i++) {
        qsort(timings[i].seconds, n_rounds, sizeof(double), compare);
        qsort(timings[i].compute, n_rounds, sizeof(double), compare);
        print(argv[2 + 2 * i], &timings[i], &timings[0], n_rounds);
    }
    return 0;
}
