#include "sender/cli.h"

#include "base/err.h"
#include "base/time.h"
#include "channel/impair.h"
#include "cli/message.h"
#include "net/transport.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the table writes into besides the result. */
struct given {
    bool rate, loop;
};

enum { MAX_ROWS = 44, DEFAULT_RAW_HZ = 48000 };

#define CONNECT_TIMEOUT_NS (10 * VOX_NS_PER_S)

static void defaults(struct vox_send_options *o, struct given *given)
{
    *o = (struct vox_send_options){
        .dscp = 46,
        .rate_hz = DEFAULT_RAW_HZ,
        .buffer_ns = VOX_BUFFER_DEFAULT,
        .connect_timeout_ns = CONNECT_TIMEOUT_NS,
    };
    vox_encoding_options_init(&o->encoding);
    vox_network_options_init(&o->network);
    *given = (struct given){0};
}

static size_t source_rows(struct vox_option *rows, struct vox_send_options *o, struct given *given)
{
    const struct vox_option table[] = {
        {.name = "rate",
         .argument = "HZ",
         .group = "Source",
         .kind = VOX_OPTION_INT,
         .min = 1000,
         .max = 768000,
         .target.integer = &o->rate_hz,
         .given = &given->rate,
         .help = "of raw PCM, or wanted of the microphone (default 48000)"},
        {.name = "loop",
         .group = "Source",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->loop,
         .given = &given->loop,
         .help = "play the file again and again"},
        {.name = "duration",
         .argument = "S",
         .group = "Source",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.001,
         .max = 1e8,
         .target.ns = &o->duration_ns,
         .help = "stop after so many seconds of audio"},
        {.name = "buffer",
         .argument = "MS",
         .group = "Source",
         .kind = VOX_OPTION_MS,
         .min = 0,
         .max = 2000,
         .target.ns = &o->buffer_ns,
         .help = "how far ahead audio is read and encoded (default 100); of a microphone, the "
                 "latency asked of its driver (default: the lowest)"},
        {.name = "list-devices",
         .group = "Source",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->list_devices,
         .help = "list the microphones there are, and end"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t network_rows(struct vox_option *rows, struct vox_send_options *o)
{
    const struct vox_option table[] = {
        {.name = "listen",
         .group = "Network",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->listen,
         .help = "wait at DESTINATION for receivers to connect, as many as come (tcp:// and "
                 "unix-stream:); the stream starts with the first"},
        {.name = "connect-timeout",
         .argument = "S",
         .group = "Network",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.001,
         .max = 1e8,
         .word = "never",
         .word_value = -1,
         .target.ns = &o->connect_timeout_ns,
         .help = "give up if nobody answers for so long at the start, or never (default 10); a "
                 "connection that was there is tried again for ever"},
        {.name = "tcp-congestion",
         .argument = "NAME",
         .group = "Network",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->congestion,
         .help = "TCP's congestion control, like cubic or bbr (default: the system's)"},
        {.name = "sdp",
         .argument = "FILE",
         .group = "Network",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->sdp,
         .help = "write a description of the stream (SDP) for other players to open"},
        {.name = "no-rtcp-mux",
         .group = "Network",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->no_rtcp_mux,
         .help = "send RTCP to the port above PORT, for receivers that look for it only there; "
                 "their reports come back then"},
        {.name = "interface",
         .argument = "IF",
         .group = "Network",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->interface,
         .help = "to send multicast on, by name or number"},
        {.name = "ttl",
         .argument = "N",
         .group = "Network",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = 255,
         .target.integer = &o->ttl,
         .help = "hops that packets may take (default: the system's; 1 for multicast)"},
        {.name = "dscp",
         .argument = "N",
         .group = "Network",
         .kind = VOX_OPTION_INT,
         .max = 63,
         .target.integer = &o->dscp,
         .help = "priority mark (default 46: EF, voice)"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t output_rows(struct vox_option *rows, struct vox_send_options *o)
{
    const struct vox_option table[] = {
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
        {.name = "stats",
         .argument = "FILE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->stats,
         .help = "write statistics as JSON at the end; with -, to standard output each second"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static const char description[] =
    "Sends sound in Opus packets (RTP, RFC 3550 and 7587), live, in the time it lasts: over UDP, "
    "or for comparison over TCP or Unix sockets. voxgram-recv plays it; so do FFmpeg, GStreamer, "
    "and VLC where it is built with live555, from the file of --sdp.";

static const char arguments_help[] =
    "SOURCE\taudio file (WAV, FLAC, Ogg, Opus, MP3, ...) | mic | mic:NAME | - (raw 16-bit "
    "little-endian PCM on standard input) | tone:HZ | marker\n"
    "DESTINATION\t[udp://]HOST[:PORT] | [V6]:PORT | multicast or broadcast address | "
    "tcp://HOST[:PORT] (RTP framed by RFC 4571) | unix:PATH (datagrams) | unix-stream:PATH; PORT "
    "is a number or service name, 5004 by default\n";

static const char examples[] =
    "  voxgram-send speech.flac studio.example:5004\n"
    "  voxgram-send mic 239.1.2.3 --profile lowdelay\n"
    "  voxgram-send song.mp3 [::1]:5004 --loss 5 --burst 3 --jitter 30\n"
    "  voxgram-send mic tcp://:5004 --listen\n"
    "  arecord -t raw -f cd | voxgram-send - host --rate 44100 --channels 2\n";

static bool parse_tone(const char *text, double *hz)
{
    char *end;
    *hz = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*hz) && *hz > 0;
}

int vox_source_parse(const char *text, struct vox_source_spec *out)
{
    struct vox_source_spec spec = {.kind = VOX_SOURCE_FILE, .name = text};
    if (strcmp(text, "-") == 0) {
        spec = (struct vox_source_spec){.kind = VOX_SOURCE_RAW};
    } else if (strcmp(text, "mic") == 0) {
        spec = (struct vox_source_spec){.kind = VOX_SOURCE_MIC};
    } else if (strncmp(text, "mic:", 4) == 0) {
        spec.kind = VOX_SOURCE_MIC;
        spec.name = text[4] != '\0' ? text + 4 : NULL;
    } else if (strcmp(text, "marker") == 0) {
        spec = (struct vox_source_spec){.kind = VOX_SOURCE_MARKER};
    } else if (strncmp(text, "tone:", 5) == 0) {
        spec = (struct vox_source_spec){.kind = VOX_SOURCE_TONE};
        if (!parse_tone(text + 5, &spec.tone_hz))
            return VOX_EINVAL;
    }
    *out = spec;
    return 0;
}

static bool take_source(struct vox_send_options *o, const struct given *given)
{
    if (vox_source_parse(o->source_text, &o->source) < 0) {
        vox_message_error("%s: a tone needs its frequency, like tone:440", o->source_text);
        return false;
    }
    enum vox_source_kind kind = o->source.kind;
    if (given->rate && kind != VOX_SOURCE_RAW && kind != VOX_SOURCE_MIC) {
        vox_message_error("--rate is for raw PCM and microphones; %s has a rate of its own",
                          o->source_text);
        return false;
    }
    if (given->loop && kind != VOX_SOURCE_FILE) {
        vox_message_error("--loop is for files; %s cannot be played again", o->source_text);
        return false;
    }
    return true;
}

/* Options that mean something for some transports only. */
static bool fits_transport(const struct vox_send_options *o, enum vox_scheme scheme)
{
    if (o->listen && !vox_transport_is_stream(scheme))
        vox_message_error(
            "--listen is for tcp:// and unix-stream:, which connect; to %s, datagrams "
            "are just sent",
            o->destination);
    else if (o->congestion && scheme != VOX_SCHEME_TCP)
        vox_message_error("--tcp-congestion is for tcp://, and %s is not", o->destination);
    else if (o->sdp && scheme != VOX_SCHEME_UDP)
        vox_message_error("--sdp describes streams over UDP, and %s is none; leave it out",
                          o->destination);
    else if (o->no_rtcp_mux && scheme != VOX_SCHEME_UDP)
        vox_message_error("--no-rtcp-mux needs a second port, and %s has none; leave it out",
                          o->destination);
    else
        return true;
    return false;
}

static bool take_arguments(const struct vox_arguments *arguments, struct vox_send_options *o)
{
    if (o->list_devices)
        return true;
    if (arguments->count < 2) {
        vox_message_error("%s is missing; usage: voxgram-send SOURCE DESTINATION [options], more "
                          "with --help",
                          arguments->count == 0 ? "SOURCE" : "DESTINATION");
        return false;
    }
    o->source_text = arguments->items[0];
    o->destination = arguments->items[1];
    struct vox_endpoint endpoint;
    struct vox_net_error error;
    if (vox_address_parse(o->destination, &endpoint, &error) >= 0)
        return fits_transport(o, endpoint.scheme);
    vox_message_error("%s", error.text);
    return false;
}

static bool take_rest(struct vox_send_options *o, const struct given *given)
{
    return vox_network_options_check(&o->network) && vox_encoding_options_settle(&o->encoding) &&
           (o->list_devices || take_source(o, given));
}

enum vox_options_outcome vox_send_options_parse(int argc, char **argv, struct vox_send_options *out)
{
    struct given given;
    struct vox_option rows[MAX_ROWS];
    struct vox_arguments arguments;
    defaults(out, &given);
    size_t count = source_rows(rows, out, &given);
    count += vox_encoding_options_rows(&out->encoding, rows + count);
    count += vox_budget_options_rows(&out->encoding, rows + count);
    count += vox_network_options_rows(&out->network, "Simulated network, applied before sending",
                                      rows + count);
    count += network_rows(rows + count, out);
    count += output_rows(rows + count, out);
    const struct vox_options command = {
        .program = "voxgram-send",
        .version = VOX_VERSION,
        .usage = "SOURCE DESTINATION [options]\n--list-devices",
        .description = description,
        .arguments = arguments_help,
        .examples = examples,
        .options = rows,
        .count = count,
        .min_arguments = 0,
        .max_arguments = 2,
    };
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &arguments);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    return take_arguments(&arguments, out) && take_rest(out, &given) ? VOX_OPTIONS_RUN
                                                                     : VOX_OPTIONS_WRONG;
}

void vox_send_options_impair(const struct vox_send_options *o, struct vox_impair_config *out)
{
    vox_network_options_impair(&o->network, out);
    out->packet_ns = vox_rtp_to_ns(o->encoding.frame_ticks);
}
