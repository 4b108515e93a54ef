/* bordin reproduce [NAME] */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bordin/analyses/reproduction.h>

#include "cli.h"

extern char **environ;

static char *datasets;

static struct poptOption option_table[] = {
    {"datasets", 0, POPT_ARG_STRING, &datasets, 0,
     "folder of the data and their findings (default: ./datasets, or where bordin was installed)", "FOLDER"},
    CLI_INCLUDE(cli_output_options, "Output:"),
    POPT_TABLEEND};

/* Words of a command, some between single quotes; "datasets/" at the begin of a word is the folder. */
static bd_status split_words(const char *command, const char *folder, bd_arena *arena, char ***words)
{
    size_t n = 0, room = 0;
    *words = NULL;
    for (const char *at = command; *at != '\0';) {
        const bool quoted = *at == '\'';
        const char *text = NULL;
        const size_t length = strcspn(at + quoted, quoted ? "'" : " ");
        if (quoted && at[1 + length] == '\0')
            return bd_fail(BD_EDATA, "a quotation mark is not closed in: bordin %s", command);
        BD_TRY(bd_copy_text(arena, at + quoted, length, &text));
        if (strncmp(text, "datasets/", 9) == 0)
            BD_TRY(bd_print(arena, &text, "%s/%s", folder, text + 9));
        at += length + 2 * (size_t)quoted;
        at += strspn(at, " ");
        BD_PUSH(arena, *words, n, room, (char *)text);
    }
    BD_PUSH(arena, *words, n, room, NULL);
    return BD_OK;
}

/* Runs this program with `words`, ended by NULL, standard output and error into the two files. */
static bd_status run_self(char **words, const int files[2], bool *done)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int how = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return bd_fail(BD_ENOMEM, "out of memory");
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (int i = 0; error == 0 && i < 2; i++)
        error = posix_spawn_file_actions_adddup2(&actions, files[i], i == 0 ? STDOUT_FILENO : STDERR_FILENO);
    if (error == 0)
        error = posix_spawn(&child, "/proc/self/exe", &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return bd_fail(BD_EIO, "cannot run bordin once more: %s", strerror(error));
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR)
            return bd_fail(BD_EIO, "cannot wait for bordin: %s", strerror(errno));
    *done = WIFEXITED(how) && WEXITSTATUS(how) == 0;
    return BD_OK;
}

static bd_status check_claims(bd_claim *claims, size_t n, bool done, const int files[2], bd_arena *arena)
{
    char said[256];
    const char *path = NULL;
    const ssize_t length = pread(files[1], said, sizeof said - 1, 0);
    said[length > 0 ? length : 0] = '\0';
    BD_TRY(bd_print(arena, &path, "/proc/self/fd/%d", files[0]));
    for (size_t i = 0; i < n; i++)
        BD_TRY(done ? bd_claim_check(&claims[i], path, arena) : bd_claim_fail(&claims[i], said, arena));
    return BD_OK;
}

/* Of n claims that share a command. */
static bd_status recompute(bd_claim *claims, size_t n, const char *folder, bd_arena *arena)
{
    const int files[2] = {memfd_create("result", MFD_CLOEXEC), memfd_create("messages", MFD_CLOEXEC)};
    const char *line = NULL;
    char **words = NULL;
    bool done = false;
    bd_status status = files[0] < 0 || files[1] < 0
                           ? bd_fail(BD_EIO, "cannot make a file in memory: %s", strerror(errno))
                           : bd_print(arena, &line, "bordin %s --format csv", claims->command);
    if (status == BD_OK)
        status = split_words(line, folder, arena, &words);
    if (status == BD_OK)
        status = run_self(words, files, &done);
    if (status == BD_OK)
        status = check_claims(claims, n, done, files, arena);
    for (size_t i = 0; i < 2; i++)
        if (files[i] >= 0)
            close(files[i]);
    return status;
}

static const char *find_datasets(void)
{
    return datasets != NULL ? datasets : access("datasets", R_OK) == 0 ? "datasets" : BORDIN_DATASETS;
}

/* Claims of that finding, side by side; all of them. */
static bd_status choose(const char *name, bd_claim **claims, size_t *n)
{
    size_t kept = 0;
    if (strcmp(name, "all") == 0)
        return BD_OK;
    for (size_t i = 0; i < *n; i++)
        if (strcmp((*claims)[i].finding, name) == 0)
            (*claims)[kept++] = (*claims)[i];
    if (kept == 0)
        return bd_fail(BD_EUSAGE, "there is no finding '%s'; 'bordin reproduce' lists them", name);
    *n = kept;
    return BD_OK;
}

static bd_status reproduce(size_t n_arguments, const char *const *arguments, bd_arena *arena)
{
    const char *folder = find_datasets();
    bd_claim *claims = NULL;
    bd_document *document = NULL;
    size_t n = 0;
    if (n_arguments > 1)
        return bd_fail(BD_EUSAGE, "reproduce takes the name of one finding, or 'all': bordin reproduce molloy2014");
    BD_TRY(cli_check_outputs(NULL, arena));
    BD_TRY(bd_claims_read(folder, arena, &claims, &n));
    if (n_arguments == 0) {
        BD_TRY(bd_claims_document(claims, n, arena, &document));
        return cli_write(document, NULL, arena);
    }
    BD_TRY(choose(arguments[0], &claims, &n));
    for (size_t i = 0, count; i < n; i += count) {
        for (count = 1; i + count < n && strcmp(claims[i + count].command, claims[i].command) == 0; count++)
            continue;
        BD_TRY(recompute(claims + i, count, folder, arena));
    }
    BD_TRY(bd_reproduction_document(claims, n, arena, &document));
    BD_TRY(cli_write(document, NULL, arena));
    const size_t open = bd_claims_open(claims, n);
    return open == 0 ? BD_OK : bd_fail(BD_ENUMERIC, "%zu published number%s did not come out, unexplained", open,
                                       open == 1 ? "" : "s");
}

const cli_command cli_reproduce = {
    .name = "reproduce",
    .summary = "published numbers, recomputed from the shipped data: which agree, and why not",
    .arguments = "[NAME|all]",
    .example = "bordin reproduce\n  bordin reproduce molloy2014",
    .text = "Without a name: lists the findings whose data are shipped. With one: runs the commands of that finding and sets\n"
            "each published number beside the one computed; they agree if the computed one is printed so. Exit status 1 if\n"
            "one does not come out and no reason is known. Findings are findings.csv in the folders of the data: finding,\n"
            "quantity, published, command, table, row (column=text), column, times, source, note.",
    .options = option_table,
    .run = reproduce,
};
