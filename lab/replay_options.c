#include "lab/replay.h"

#include "base/time.h"
#include "cli/message.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 64 };

static const char description[] =
    "Streams sound files through a simulated network in virtual time, with the very sender and "
    "receiver of voxgram-send and voxgram-recv, as fast as the codec allows. The same seed gives "
    "the same bytes. Several files are several senders into one receiver.\n"
    "Quality is told against the clean decode: the same packets, none lost or late.";

static const char arguments_help[] = "FILE\tsound file (WAV, FLAC, Ogg, Opus, MP3, ...)\n";

static const char examples[] =
    "  voxgram-lab replay talk.wav --out heard.wav --loss 5 --burst 3 --jitter 30\n"
    "  voxgram-lab replay talk.wav --trace call.trace --fec --report call.html\n"
    "  voxgram-lab replay a.wav b.wav --speaker-block 2.7 --speaker-skew 80 --stats -\n";

static size_t card_rows(struct vox_option *rows, struct vox_replay_options *o)
{
    struct vox_replay_card *mic = &o->microphone;
    struct vox_replay_card *speaker = &o->speaker;
    const char *group = "Simulated sound cards";
    const struct vox_option table[] = {
        {.name = "mic-block",
         .argument = "MS",
         .group = group,
         .kind = VOX_OPTION_NUMBER,
         .max = 100,
         .target.number = &mic->block_ms,
         .help = "the sound comes from a microphone, in blocks of this length (default: a file)"},
        {.name = "mic-skew",
         .argument = "PPM",
         .group = group,
         .kind = VOX_OPTION_NUMBER,
         .min = -500,
         .max = 500,
         .target.number = &mic->skew_ppm,
         .help = "by which its clock runs fast"},
        {.name = "mic-stall",
         .argument = "S:MS",
         .group = group,
         .kind = VOX_OPTION_LIST,
         .target.list = &mic->stall_texts,
         .help = "it stands still at S seconds for MS milliseconds; may be repeated, in order"},
        {.name = "speaker-block",
         .argument = "MS",
         .group = group,
         .kind = VOX_OPTION_NUMBER,
         .max = 100,
         .target.number = &speaker->block_ms,
         .help = "a loudspeaker asks for blocks of this length (default: a file, which follows "
                 "the sender's clock)"},
        {.name = "speaker-skew",
         .argument = "PPM",
         .group = group,
         .kind = VOX_OPTION_NUMBER,
         .min = -500,
         .max = 500,
         .target.number = &speaker->skew_ppm,
         .help = "by which its clock runs fast"},
        {.name = "speaker-stall",
         .argument = "S:MS",
         .group = group,
         .kind = VOX_OPTION_LIST,
         .target.list = &speaker->stall_texts,
         .help = "as --mic-stall"},
        {.name = "speaker-latency",
         .argument = "MS",
         .group = group,
         .kind = VOX_OPTION_MS,
         .max = 1000,
         .target.ns = &speaker->latency_ns,
         .help = "between its asking and the sound"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t source_rows(struct vox_option *rows, struct vox_replay_options *o)
{
    const struct vox_option table[] = {
        {.name = "loop",
         .group = "Source",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->loop,
         .help = "play each file again and again, for --duration"},
        {.name = "duration",
         .argument = "S",
         .group = "Source",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.001,
         .max = 1e6,
         .target.ns = &o->duration_ns,
         .help = "stop after so many seconds of audio"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t output_rows(struct vox_option *rows, struct vox_replay_options *o)
{
    const struct vox_option table[] = {
        {.name = "out",
         .letter = 'o',
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->out,
         .help = "what was heard, as FILE.wav or FILE.flac"},
        {.name = "reference",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->reference,
         .help = "the clean decode, as FILE.wav or FILE.flac"},
        {.name = "stats",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->stats,
         .help = "write statistics as JSON, with the names of voxgram-recv; with -, to standard "
                 "output"},
        {.name = "events",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->events,
         .help = "write every glitch with its cause and every change of delay as JSON lines"},
        {.name = "trace-out",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->trace_out,
         .help = "write what the network did to each packet of the first sender, for --trace"},
        {.name = "report",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->report,
         .help = "write a page to look at and listen to: FILE.html"},
        {.name = "quality",
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quality,
         .help = "compare what was heard with the clean decode: segmental SNR, log-spectral "
                 "distance, dropouts, clicks"},
        {.name = "score-with",
         .argument = "CMD",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->score_with,
         .help = "run CMD REFERENCE.wav HEARD.wav (PESQ, ViSQOL, ...) and tell the last number "
                 "that it prints"},
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
         .help = "say more"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t all_rows(struct vox_option *rows, struct vox_replay_options *o)
{
    static const char network[] = "Simulated network, the same both ways";
    size_t n = source_rows(rows, o);
    n += vox_encoding_options_rows(&o->encoding, rows + n);
    n += vox_network_options_rows(&o->network, network, rows + n);
    rows[n++] = (struct vox_option){.name = "one-way",
                                    .group = network,
                                    .kind = VOX_OPTION_FLAG,
                                    .target.flag = &o->one_way,
                                    .help = "the way back, of RTCP, is perfect"};
    n += vox_playout_options_rows(&o->playout, true, rows + n);
    n += card_rows(rows + n, o);
    return n + output_rows(rows + n, o);
}

/* ---- what goes together ---- */

static bool parse_stall(const char *text, struct vox_lab_stall *out)
{
    char *colon, *end;
    double at_s = strtod(text, &colon);
    if (colon == text || *colon != ':' || !(at_s >= 0) || at_s > 1e6)
        return false;
    double length_ms = strtod(colon + 1, &end);
    if (end == colon + 1 || *end != '\0' || !(length_ms > 0) || length_ms > 1e6)
        return false;
    out->at_ns = (int64_t)(at_s * VOX_NS_PER_S);
    out->length_ns = (int64_t)(length_ms * VOX_NS_PER_MS);
    return true;
}

static bool take_card(const char *name, struct vox_replay_card *card)
{
    for (size_t i = 0; i < card->stall_texts.count; i++) {
        const char *text = card->stall_texts.items[i];
        struct vox_lab_stall *stall = &card->stalls[card->stall_count];
        if (!parse_stall(text, stall)) {
            vox_message_error("--%s-stall %s: write when and how long, like 4.5:200 for 200 ms at "
                              "4.5 s",
                              name, text);
            return false;
        }
        if (i > 0 && stall->at_ns < stall[-1].at_ns + stall[-1].length_ns) {
            vox_message_error("--%s-stall %s begins before the one in front of it is over; give "
                              "them in order",
                              name, text);
            return false;
        }
        card->stall_count++;
    }
    bool unused = card->block_ms == 0 &&
                  (card->skew_ppm != 0 || card->stall_count > 0 || card->latency_ns > 0);
    if (unused)
        vox_message_error("a file has no clock that could stall or run wrong: add --%s-block MS",
                          name);
    return !unused;
}

static bool is_sound_file(const char *option, const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    if (!path || (dot && (strcmp(dot, ".wav") == 0 || strcmp(dot, ".flac") == 0)))
        return true;
    vox_message_error("--%s %s: choose a name that ends in .wav or .flac", option, path);
    return false;
}

/* The delay that the receiver may choose is what repairs may take. */
static void share_budget(struct vox_replay_options *o)
{
    struct vox_playout_options defaults;
    vox_playout_options_init(&defaults);
    if (o->playout.max_delay_ns != defaults.max_delay_ns)
        o->encoding.max_delay_ns = o->playout.max_delay_ns;
    o->encoding.prefer = o->playout.prefer;
}

static bool settle(struct vox_replay_options *o)
{
    if (o->loop && o->duration_ns == 0) {
        vox_message_error("--loop has no end: add --duration S");
        return false;
    }
    share_budget(o);
    return vox_network_options_check(&o->network) && vox_encoding_options_settle(&o->encoding) &&
           vox_playout_options_check(&o->playout) && take_card("mic", &o->microphone) &&
           take_card("speaker", &o->speaker) && is_sound_file("out", o->out) &&
           is_sound_file("reference", o->reference);
}

enum vox_options_outcome vox_replay_options_parse(int argc, char **argv,
                                                  struct vox_replay_options *out)
{
    struct vox_option rows[MAX_ROWS];
    struct vox_arguments arguments;
    *out = (struct vox_replay_options){0};
    vox_encoding_options_init(&out->encoding);
    vox_network_options_init(&out->network);
    vox_playout_options_init(&out->playout);
    const struct vox_options command = {
        .program = "voxgram-lab replay",
        .version = VOX_VERSION,
        .usage = "FILE... [options]",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = all_rows(rows, out),
        .min_arguments = 1,
        .max_arguments = INT_MAX,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &arguments);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    out->files = (const char *const *)arguments.items;
    out->file_count = arguments.count;
    return settle(out) ? VOX_OPTIONS_RUN : VOX_OPTIONS_WRONG;
}
