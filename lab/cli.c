#include "lab/cli.h"

#include "cli/message.h"
#include "cli/options.h"
#include "lab/link.h"
#include "lab/playout.h"
#include "lab/replay.h"
#include "lab/sweep.h"
#include "lab/versus.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"replay", "stream files through a bad network, faster than real time", vox_replay_main},
    {"playout", "score the playout on recorded networks", vox_playout_main},
    {"sweep", "try every combination of settings, a row of a table each", vox_sweep_main},
    {"link", "run two programs at the ends of a bad network", vox_link_main},
    {"versus", "compare TCP and UDP with each protection on one network", vox_versus_main},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    printf("Usage: voxgram-lab COMMAND [options]\n\n"
           "The laboratory of Voxgram: networks that do not exist.\n\n"
           "Commands; `voxgram-lab COMMAND --help` tells more:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-24s  %s\n", commands[i].name, commands[i].summary);
    printf("\nHelp:\n"
           "  -h, --help                print this and leave\n"
           "  -V, --version             print the version and leave\n");
    return VOX_EXIT_DONE;
}

static int print_version(void)
{
    printf("voxgram-lab %s\n", VOX_VERSION);
    return VOX_EXIT_DONE;
}

static bool is_one_of(const char *word, const char *letter, const char *name)
{
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

int vox_lab_main(int argc, char **argv)
{
    if (argc < 2) {
        vox_message_error("COMMAND is missing; --help lists all");
        return VOX_EXIT_USAGE;
    }
    if (is_one_of(argv[1], "-h", "--help"))
        return print_help();
    if (is_one_of(argv[1], "-V", "--version"))
        return print_version();
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    vox_message_error("there is no command \"%.80s\"; --help lists all", argv[1]);
    return VOX_EXIT_USAGE;
}
