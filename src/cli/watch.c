/* Progress of a long run on a terminal, and its end by a signal. */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t resumable, stop;
static double started;
static size_t n_before; /* replicates that were there at the start */
static bool shown;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool on_terminal(void)
{
    return !cli.quiet && cli_is_first() && isatty(STDERR_FILENO);
}

static void clear(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}

static void show(size_t n_done, size_t n_asked)
{
    enum { WIDTH = 30 };
    static const char bar[WIDTH + 1] = "##############################";
    const double seconds = now() - started;
    if (n_done >= n_asked) {
        clear();
        return;
    }
    if (seconds < 1 || n_done == n_before)
        return;
    const double left = seconds / (double)(n_done - n_before) * (double)(n_asked - n_done);
    const int filled = (int)(WIDTH * n_done / n_asked);
    fprintf(stderr, "\r[%-*.*s] %zu of %zu replicates, %.0f s left\033[K", WIDTH, filled, bar, n_done, n_asked, left);
    shown = true;
}

static bool go_on(void *context, size_t n_done, size_t n_asked)
{
    (void)context;
    if (started == 0) {
        started = now();
        n_before = n_done;
        resumable = cli.checkpoint != NULL;
    } else if (on_terminal()) {
        show(n_done, n_asked);
    }
    if (stop)
        clear();
    return !stop;
}

static const bd_watch watch = {.go_on = go_on};

const bd_watch *cli_watch(void)
{
    return cli.checkpoint != NULL || on_terminal() ? &watch : NULL;
}

void cli_watch_resumed(const bd_replicates *replicates)
{
    if (replicates->n_resumed > 0 && !cli.quiet && cli_is_first())
        fprintf(stderr, "bordin: %zu of %zu replicates came from %s\n", replicates->n_resumed,
                replicates->n_replicates, cli.checkpoint);
}

bool cli_watch_stop(void)
{
    if (!resumable || stop)
        return false;
    stop = 1;
    return true;
}
