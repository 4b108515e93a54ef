/* bordin: the table of commands, help, exit codes. Nothing below this file exits, or prints to standard error anything but
 * the progress of watch.c. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gsl/gsl_errno.h>

#include <bordin/core/version.h>

#include "cli.h"

enum { EXIT_DONE = 0, EXIT_ANALYSIS = 1, EXIT_USAGE = 2, EXIT_DATA = 3, EXIT_INTERRUPTED = 130 };

static const cli_command *const commands[] = {
    &cli_regress,  &cli_mixed,     &cli_therapist, &cli_sessions, &cli_mediate,
    &cli_describe, &cli_survival,  &cli_adherence, &cli_meta,     &cli_reproduce,
    &cli_simulate, NULL,
};

static int exit_of(bd_status status)
{
    switch (status) {
    case BD_OK: return EXIT_DONE;
    case BD_EUSAGE: return EXIT_USAGE;
    case BD_EIO:
    case BD_EDATA: return EXIT_DATA;
    case BD_ESTOPPED: return EXIT_INTERRUPTED;
    default: return EXIT_ANALYSIS;
    }
}

static atomic_flag ending = ATOMIC_FLAG_INIT;

static void interrupted(int number)
{
    static const char message[] = "\nbordin: interrupted; nothing was written\n";
    (void)number;
    if (cli_watch_stop())
        return;
    while (atomic_flag_test_and_set(&ending)) /* a second signal, in another thread: the first one exits */
        pause();
    cli_files_abandon();
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(EXIT_INTERRUPTED);
    _exit(EXIT_INTERRUPTED);
}

/* Whoever was reading has seen enough, as with | head. */
static void pipe_closed(int number)
{
    cli_files_abandon();
    signal(number, SIG_DFL);
    raise(number);
}

static const cli_command *find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_overview(FILE *stream)
{
    fprintf(stream, "bordin %s: from the therapeutic alliance to adherence to outcome\n\n", bd_version());
    fprintf(stream, "Example:\n  %s\n\nCommands:\n", cli_mediate.example);
    for (size_t i = 0; commands[i] != NULL; i++)
        fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(stream, "\n'bordin help COMMAND' tells what a command does. Exit status: 0 done, 1 the analysis failed,\n"
                    "2 the command was misused, 3 the data could not be read or cannot answer, 130 interrupted.\n");
}

static void print_help(const cli_command *command, poptContext context)
{
    printf("Example:\n  %s\n\n%s\n\n", command->example, command->text);
    poptPrintHelp(context, stdout, 0);
    if (command->more_help != NULL)
        command->more_help();
}

static bd_status join(int argc, char **argv, bd_arena *arena, const char **line)
{
    *line = "bordin";
    for (int i = 1; i < argc; i++) {
        const bool plain = argv[i][0] != '\0' && strpbrk(argv[i], " \t\n'\"\\$&|;<>()*?[]~`#!{}") == NULL;
        BD_TRY(bd_print(arena, line, plain ? "%s %s" : "%s '%s'", *line, argv[i]));
    }
    return BD_OK;
}

static bd_status parse(poptContext context, bool *help)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0)
        *help |= code == '?';
    if (code < -1 && errno != ENOMEM)
        return bd_fail(BD_EUSAGE, "%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
    return errno == ENOMEM ? bd_fail(BD_ENOMEM, "out of memory") : BD_OK; /* popt then takes an option as not given */
}

static const struct poptOption *find_option(const struct poptOption *table, const char *name, size_t length)
{
    for (const struct poptOption *o = table; o->longName != NULL || o->shortName != 0 || o->arg != NULL; o++) {
        const struct poptOption *found = NULL;
        if ((o->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE)
            found = find_option(o->arg, name, length);
        else if (length == 1 ? o->shortName == *name
                             : o->longName != NULL && strlen(o->longName) == length && memcmp(o->longName, name, length) == 0)
            found = o;
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Of two values popt would keep the last without a word. */
static bd_status refuse_twice(int n, char **words, const struct poptOption *table, bd_arena *arena)
{
    const struct poptOption **seen;
    size_t n_seen = 0;
    BD_NEW(arena, seen, n);
    for (int i = 1; i < n && strcmp(words[i], "--") != 0; i++) {
        const size_t dashes = strspn(words[i], "-"), length = strcspn(words[i] + dashes, "=");
        const struct poptOption *option =
            dashes == 1 || dashes == 2 ? find_option(table, words[i] + dashes, dashes == 1 ? 1 : length) : NULL;
        if (option == NULL || (option->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE)
            continue;
        for (size_t k = 0; k < n_seen; k++)
            if (seen[k] == option && (option->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING)
                return bd_fail(BD_EUSAGE, "--%s is given twice", option->longName);
        seen[n_seen++] = option;
        if (words[i][dashes == 1 ? 2 : dashes + length] == '\0')
            i++; /* its value */
    }
    return BD_OK;
}

static bd_status run(const cli_command *command, int argc, char **argv, bool help, bd_arena *arena)
{
    struct poptOption help_options[] = {{"help", '?', POPT_ARG_NONE, NULL, '?', "this text", NULL}, POPT_TABLEEND};
    struct poptOption options[] = {CLI_INCLUDE(command->options, NULL), CLI_INCLUDE(help_options, "Help:"),
                                   POPT_TABLEEND};
    const char *name;
    BD_TRY(bd_print(arena, &name, "bordin %s", command->name));
    BD_TRY(refuse_twice(argc, argv, options, arena));
    const char **named;
    BD_NEW(arena, named, argc + 1);
    memcpy(named, argv, (size_t)argc * sizeof *named);
    named[0] = name; /* what the usage line calls the program */
    errno = 0; /* for parse() */
    poptContext context = poptGetContext(name, argc, named, options, 0);
    if (context == NULL)
        return bd_fail(BD_ENOMEM, "out of memory");
    poptSetOtherOptionHelp(context, command->arguments);
    bd_status status = parse(context, &help);
    if (status == BD_OK && help) {
        print_help(command, context);
    } else if (status == BD_OK) {
        const char **arguments = poptGetArgs(context);
        size_t n = 0;
        while (arguments != NULL && arguments[n] != NULL)
            n++;
        status = command->run(n, arguments, arena);
    }
    poptFreeContext(context);
    return status;
}

static bd_status no_such_command(const char *name, bd_arena *arena)
{
    const char *names = commands[0]->name;
    for (size_t i = 1; commands[i] != NULL; i++)
        BD_TRY(bd_print(arena, &names, "%s, %s", names, commands[i]->name));
    return bd_fail(BD_EUSAGE, "there is no command '%s'; there are %s and help", name, names);
}

static bd_status dispatch(int argc, char **argv, bd_arena *arena, const cli_command **command)
{
    bool help = argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0;
    const char *name = argc < 2 ? NULL : help ? argv[2] : argv[1];
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("bordin %s\n", bd_version());
        return BD_OK;
    }
    if (name == NULL) {
        print_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? bd_fail(BD_EUSAGE, "give a command") : BD_OK;
    }
    *command = find(name);
    if (*command == NULL)
        return no_such_command(name, arena);
    BD_TRY(join(argc, argv, arena, &cli_command_line));
    if (help)
        return run(*command, 1, argv, true, arena);
    return run(*command, argc - 1, argv + 1, false, arena);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, pipe_closed);
    signal(SIGINT, interrupted);
    signal(SIGTERM, interrupted);
    if (signal(SIGHUP, SIG_IGN) != SIG_IGN) /* nohup stays in force */
        signal(SIGHUP, interrupted);
    gsl_set_error_handler_off();
    bd_arena *arena = bd_arena_new();
    if (arena == NULL || atexit(cli_files_abandon) != 0) { /* OpenMP's and popt's libraries exit when memory gives out */
        fputs("bordin: out of memory\n", stderr);
        return EXIT_ANALYSIS;
    }
    const cli_command *command = NULL;
    bd_status status = cli_team_begin(&argc, &argv, arena);
    if (status == BD_OK)
        status = dispatch(argc, argv, arena, &command);
    if (status == BD_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = bd_fail(BD_EIO, "cannot write standard output");
    if (status != BD_OK)
        cli_files_abandon();
    if (cli_team_end(status != BD_OK)) {
        fprintf(stderr, "bordin: %s\n", bd_message());
        if (status == BD_EUSAGE)
            fprintf(stderr, "Try 'bordin help%s%s'.\n", command ? " " : "", command ? command->name : "");
    }
    bd_arena_free(arena);
    return exit_of(status);
}
