#include "lab/link_options.h"

#include "base/time.h"
#include "cli/message.h"

#include <limits.h>
#include <string.h>

enum { MAX_ROWS = 24 };

static const char *const untils[] = {"a", "b", "both", "either", NULL};

static const char description[] =
    "Runs two commands in networks of their own, joined by a link that loses and delays packets "
    "both ways: any programs, any protocols. B is started first, A when B has a socket or after "
    "--wait. A is 10.77.0.1 and fd77::1, B is 10.77.0.2 and fd77::2; the commands also find them "
    "in $VOX_A, $VOX_B, $VOX_PEER, and with a 6 behind for IPv6.\n"
    "Needs no root where users may make namespaces. The exit status is that of A, or of B if A's "
    "is 0; see the manual.";

static const char arguments_help[] = "COMMAND-A\twith its arguments, in the first network\n"
                                     "COMMAND-B\twith its arguments, in the second network\n";

static const char examples[] =
    "  voxgram-lab link --delay 20 --loss 1 -- ping -c 9 10.77.0.2 -- sleep 60\n"
    "  voxgram-lab link --rate-limit 5000 -- iperf3 -c 10.77.0.2 -- iperf3 -s -1\n"
    "  voxgram-lab link --loss 5 --burst 3 --jitter 30 \\\n"
    "      -- voxgram-send talk.flac 10.77.0.2 -- voxgram-recv --output heard.wav\n";

static size_t link_rows(struct vox_option *rows, struct vox_link_options *o)
{
    const struct vox_option table[] = {
        {.name = "one-way",
         .group = "Simulated network, the same both ways",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->one_way,
         .help = "only from A to B; the way back is perfect"},
        {.name = "until",
         .argument = "WHO",
         .group = "Commands",
         .kind = VOX_OPTION_CHOICE,
         .choices = untils,
         .target.integer = &o->until,
         .help = "whose end ends the run (default a); a command that fails ends it in any case"},
        {.name = "wait",
         .argument = "S",
         .group = "Commands",
         .kind = VOX_OPTION_SECONDS,
         .max = 3600,
         .target.ns = &o->wait_ns,
         .help = "how long A waits for B to open a socket (default 0.5)"},
        {.name = "grace",
         .argument = "S",
         .group = "Commands",
         .kind = VOX_OPTION_SECONDS,
         .max = 3600,
         .target.ns = &o->grace_ns,
         .help = "how long the other may go on by itself before SIGTERM; SIGKILL comes 2 s after "
                 "that (default 1)"},
        {.name = "quiet",
         .letter = 'q',
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quiet,
         .help = "errors only"},
        {.name = "stats",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->stats,
         .help = "write the summary as JSON; with -, to standard output"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

/* The two commands, each ended by NULL where the -- between them was. */
static bool take_commands(const struct vox_arguments *arguments, char **argv,
                          struct vox_link_options *o)
{
    char **words = argv + (arguments->items - argv);
    int parting = 0;
    while (parting < arguments->count && strcmp(words[parting], "--") != 0)
        parting++;
    if (parting == 0 || parting + 1 >= arguments->count) {
        vox_message_error("%s is missing; usage: voxgram-lab link [options] -- COMMAND-A ... -- "
                          "COMMAND-B ...",
                          parting == 0 ? "COMMAND-A" : "COMMAND-B");
        return false;
    }
    words[parting] = NULL;
    o->commands[VOX_LINK_A] = words;
    o->commands[VOX_LINK_B] = words + parting + 1;
    return true;
}

enum vox_options_outcome vox_link_options_parse(int argc, char **argv, struct vox_link_options *out)
{
    struct vox_option rows[MAX_ROWS];
    struct vox_arguments arguments;
    *out = (struct vox_link_options){.wait_ns = VOX_NS_PER_S / 2, .grace_ns = VOX_NS_PER_S};
    vox_network_options_init(&out->network);
    size_t count =
        vox_network_options_rows(&out->network, "Simulated network, the same both ways", rows);
    count += link_rows(rows + count, out);
    const struct vox_options command = {
        .program = "voxgram-lab link",
        .version = VOX_VERSION,
        .usage = "[options] -- COMMAND-A ... -- COMMAND-B ...",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = count,
        .max_arguments = INT_MAX,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &arguments);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    return vox_network_options_check(&out->network) && take_commands(&arguments, argv, out)
               ? VOX_OPTIONS_RUN
               : VOX_OPTIONS_WRONG;
}
