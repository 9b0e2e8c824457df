#include "lab/versus_options.h"

#include "base/time.h"
#include "cli/message.h"
#include "cli/options.h"
#include "lab/versus_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_ROWS = 48, USUAL_BITRATE_BPS = 64000, MOST_BUDGET_MS = 5000, LIST_BYTES = 256 };

static const char description[] =
    "Sends the same sound over the same network by TCP and by UDP, plain and with each kind of "
    "protection, and tells which way to choose for which delay, and why. Each way is a link of "
    "its own (see link) with the same seed, between real programs over the kernel's own TCP and "
    "UDP, all at the same time; it takes as long as the sound, or --duration.\n"
    "Delays count from the end of a frame's capture to the moment when it can be played. Needs no "
    "root where users may make namespaces.";

static const char arguments_help[] =
    "FILE\tsound file (WAV, FLAC, Ogg, Opus, MP3, ...); default: the clip of speech that comes "
    "with the program\n";

static const char examples[] =
    "  voxgram-lab versus --delay 50 --loss 5 --report versus.html\n"
    "  voxgram-lab versus talk.wav --delay 40 --jitter 15 --loss 5 --burst 3 --repeat 5\n"
    "  voxgram-lab versus --trace call.trace --budget 200 --out heard --stats -\n";

/* The arms decide on protection; a stream with pauses has no delay in them. */
static bool is_ours(const char *name)
{
    static const char *const left_out[] = {"dtx", "fec", "rtx", "adapt", "max-bitrate"};
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strcmp(name, left_out[i]) == 0)
            return false;
    return true;
}

static size_t encoding_rows(struct vox_option *rows, struct vox_versus_options *o)
{
    struct vox_option all[VOX_ENCODING_OPTIONS];
    size_t count = vox_encoding_options_rows(&o->encoding, all);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_ours(all[i].name))
            rows[kept++] = all[i];
    for (size_t i = 0; i < kept; i++)
        if (strcmp(rows[i].name, "bitrate") == 0)
            rows[i].help = "of the audio, without headers (default 64: 160 bytes in 20 ms)";
        else if (strcmp(rows[i].name, "red") == 0)
            rows[i].help = "with RED, packets carry whole copies of so many before them (default "
                           "1)";
    return kept;
}

static size_t own_rows(struct vox_option *rows, struct vox_versus_options *o)
{
    const struct vox_option table[] = {
        {.name = "duration",
         .argument = "S",
         .group = "Trial",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.1,
         .max = 3600,
         .target.ns = &o->duration_ns,
         .help =
             "so many seconds; a shorter sound is played again and again (default: as long as the "
             "sound)"},
        {.name = "arms",
         .argument = "LIST",
         .group = "Trial",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->arms_text,
         .help = "only these, parted by commas: plain, concealment, fec, red, retransmission, "
                 "tcp-cubic, tcp-bbr (default: all; tcp-bbr where the kernel has it)"},
        {.name = "budget",
         .argument = "MS",
         .group = "Trial",
         .kind = VOX_OPTION_NUMBER,
         .min = 1,
         .max = MOST_BUDGET_MS,
         .target.number = &o->budget_ms,
         .help = "what the listener lets pass between the end of a frame's capture and its playing "
                 "(default 100); 60, 100, 200 and 400 are told in any case"},
        {.name = "repeat",
         .argument = "N",
         .group = "Trial",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = VOX_VERSUS_MAX_REPEAT,
         .target.integer = &o->repeat,
         .help = "with so many seeds, one after the other from --seed on; figures are medians"},
        {.name = "jobs",
         .letter = 'j',
         .argument = "N",
         .group = "Trial",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = VOX_VERSUS_MAX_JOBS,
         .target.integer = &o->jobs,
         .help = "seeds at a time (default 1); more than a machine carries show as delay"},
        {.name = "virtual",
         .group = "Trial",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->is_virtual,
         .help = "in virtual time, in a second: TCP is then a model of it, not the kernel's"},
        {.name = "report",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->report,
         .help = "write a page to look at and listen to: FILE.html; of more than 3 minutes of "
                 "sound, all ways together, it has what lies around the worst stall of TCP"},
        {.name = "stats",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->stats,
         .help = "write all figures as JSON; with -, to standard output"},
        {.name = "out",
         .letter = 'o',
         .argument = "FOLDER",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->out,
         .help = "write what a listener with --budget would have heard, a WAV for each way"},
        {.name = "quiet",
         .letter = 'q',
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quiet,
         .help = "errors only"},
        {.name = "verbose",
         .letter = 'v',
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->verbose,
         .help = "say more: the commands"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

/* ---- what goes together ---- */

static int arm_by_name(const char *name, size_t len)
{
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++) {
        const char *known = vox_versus_name((enum vox_versus_arm)arm);
        if (strlen(known) == len && strncmp(name, known, len) == 0)
            return arm;
    }
    return -1;
}

static void take_usual_arms(struct vox_versus_options *o)
{
    for (int arm = 0; arm < VOX_VERSUS_ARMS; arm++) {
        const char *congestion =
            vox_versus_congestion(vox_versus_link_of((enum vox_versus_arm)arm));
        o->has[arm] = o->is_virtual ? arm != VOX_VERSUS_BBR
                                    : *congestion == '\0' || vox_versus_kernel_has(congestion);
    }
}

static bool take_arms(struct vox_versus_options *o)
{
    const char *at = o->arms_text;
    if (!at)
        take_usual_arms(o);
    while (at && *at) {
        size_t len = strcspn(at, ",");
        int arm = arm_by_name(at, len);
        if (arm < 0) {
            vox_message_error("--arms: there is no \"%.*s\"; choose among plain, concealment, fec, "
                              "red, retransmission, tcp-cubic, tcp-bbr",
                              (int)len, at);
            return false;
        }
        o->has[arm] = true;
        at += len;
        at += *at == ',';
    }
    return true;
}

/* What was asked for by name must be there. */
static bool check_congestion(const struct vox_versus_options *o)
{
    for (int arm = VOX_VERSUS_CUBIC; arm < VOX_VERSUS_ARMS; arm++) {
        const char *congestion =
            vox_versus_congestion(vox_versus_link_of((enum vox_versus_arm)arm));
        if (!o->has[arm])
            continue;
        if (o->is_virtual && arm == VOX_VERSUS_BBR) {
            vox_message_error("--virtual knows no model of bbr; leave out tcp-bbr");
            return false;
        }
        if (o->is_virtual || vox_versus_kernel_has(congestion))
            continue;
        vox_message_error("this kernel has no %s: see "
                          "/proc/sys/net/ipv4/tcp_available_congestion_control, and try modprobe "
                          "tcp_%s as root, or leave it out of --arms",
                          congestion, congestion);
        return false;
    }
    return true;
}

/* Read once for itself and once by each link: what comes through a pipe has gone by then. */
static bool is_pipe(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return false;
    vox_message_error("%s is no file, and each of the links has to read it; save it in one first",
                      path);
    return true;
}

/* The links run in a folder of their own. */
static bool make_absolute(const char *path, char out[VOX_CLIP_PATH_BYTES])
{
    if (is_pipe(path))
        return false;
    char *full = realpath(path, NULL);
    if (!full || strlen(full) >= VOX_CLIP_PATH_BYTES) {
        vox_message_error("cannot open %s: %s; check the name", path,
                          full ? "its name is too long" : strerror(errno));
        free(full);
        return false;
    }
    snprintf(out, VOX_CLIP_PATH_BYTES, "%s", full);
    free(full);
    return true;
}

static bool find_sound(struct vox_versus_options *o)
{
    char speech[VOX_CLIP_PATH_BYTES];
    if (*o->file)
        return make_absolute(o->file, o->path);
    if (vox_clip_find_speech(speech) >= 0)
        return make_absolute(speech, o->path);
    vox_message_error("the clip of speech that comes with the program is not there; name a sound "
                      "FILE");
    return false;
}

bool vox_versus_find_files(struct vox_versus_options *options)
{
    const char *trace = options->network.trace;
    return find_sound(options) && (!trace || make_absolute(trace, options->trace_path));
}

static bool lets_something_through(const struct vox_network_options *network)
{
    if (network->loss < 1)
        return true;
    vox_message_error("--loss 100 lets nothing through, so there is nothing to compare; choose "
                      "less");
    return false;
}

static bool settle(struct vox_versus_options *o)
{
    if (o->encoding.bitrate_bps == 0)
        o->encoding.bitrate_bps = USUAL_BITRATE_BPS;
    if (o->encoding.red_depth == 0 && !o->encoding.red_at)
        o->encoding.red_depth = 1;
    return vox_network_options_check(&o->network) && lets_something_through(&o->network) &&
           vox_encoding_options_settle(&o->encoding) && take_arms(o) && check_congestion(o);
}

static size_t all_rows(struct vox_option *rows, struct vox_versus_options *o)
{
    static const char network[] = "Simulated network, the same both ways";
    size_t count = vox_network_options_rows(&o->network, network, rows);
    rows[count++] = (struct vox_option){.name = "one-way",
                                        .group = network,
                                        .kind = VOX_OPTION_FLAG,
                                        .target.flag = &o->one_way,
                                        .help = "the way back is perfect"};
    count += encoding_rows(rows + count, o);
    return count + own_rows(rows + count, o);
}

enum vox_options_outcome vox_versus_options_parse(int argc, char **argv,
                                                  struct vox_versus_options *out)
{
    struct vox_option rows[MAX_ROWS];
    struct vox_arguments arguments;
    *out = (struct vox_versus_options){.budget_ms = 100, .repeat = 1, .jobs = 1};
    vox_encoding_options_init(&out->encoding);
    vox_network_options_init(&out->network);
    const struct vox_options command = {
        .program = "voxgram-lab versus",
        .version = VOX_VERSION,
        .usage = "[FILE] [options]",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = all_rows(rows, out),
        .max_arguments = 1,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &arguments);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    out->file = arguments.count > 0 ? arguments.items[0] : "";
    return settle(out) ? VOX_OPTIONS_RUN : VOX_OPTIONS_WRONG;
}
