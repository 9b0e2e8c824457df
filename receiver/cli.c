#include "receiver/cli.h"

#include "base/err.h"
#include "base/time.h"
#include "cli/message.h"
#include "receiver/receiver.h"
#include "wire/hdrext.h"
#include "wire/sdp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_NS (10 * VOX_NS_PER_S)

static const char description[] =
    "Receives Opus audio over RTP (RFC 3550, RFC 7587): puts the packets in order, conceals what "
    "is missing, and plays or records it, after a delay that it learns from the arrivals.\n"
    "Where a sender runs on this machine, or with --clock-synced, delays are counted from the "
    "capture of the sound; else from the fastest packet.";

static const char arguments[] =
    "LISTEN\t[HOST]:PORT to hear on (default [::]:5004, which takes IPv4 too; port 0: any free "
    "one), a multicast group, tcp://[HOST]:PORT, unix:PATH, unix-stream:PATH, or a session "
    "description FILE.sdp\n";

static const char examples[] =
    "  voxgram-recv                                  play what comes to port 5004\n"
    "  voxgram-recv :5006 --output call.wav          record, mixed\n"
    "  voxgram-recv --output talk.opus --separate    a file per speaker, as it came\n"
    "  voxgram-recv 239.1.2.3:5004 --interface eth0  hear a multicast group\n"
    "  voxgram-recv tcp://studio:5004 --connect      call a sender that listens\n"
    "  voxgram-recv --output - | aplay -f S16_LE -r 48000 -c 2\n";

/* ---- the table: each takes `rows` to fill, and returns how many it filled ---- */

static size_t output_rows(struct vox_option *rows, struct vox_recv_options *o, const char **output)
{
    const struct vox_option table[] = {
        {.name = "output",
         .letter = 'o',
         .argument = "WHERE",
         .group = "Output",
         .kind = VOX_OPTION_STRING,
         .target.string = output,
         .help = "speaker (default), speaker:NAME, FILE.wav, FILE.flac, FILE.opus (the packets as "
                 "they came), - (raw s16le, 48 kHz, to stdout), or null"},
        {.name = "channels",
         .argument = "N",
         .group = "Output",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = 2,
         .target.integer = &o->channels,
         .help = "1 or 2; default: 2 for speaker and stdout, as the first source has for a file"},
        {.name = "separate",
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->separate,
         .help = "a file for each source, like FILE-1a2b3c4d.wav by its SSRC, instead of a mix"},
        {.name = "buffer",
         .argument = "MS",
         .group = "Output",
         .kind = VOX_OPTION_NUMBER,
         .min = 0,
         .max = 1000,
         .target.number = &o->buffer_ms,
         .help = "latency asked of the sound card; default: the lowest it offers"},
        {.name = "list-devices",
         .group = "Output",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->list_devices,
         .help = "list sound devices and end"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t playout_rows(struct vox_option *rows, struct vox_recv_options *o)
{
    size_t n = vox_playout_options_rows(&o->playout, false, rows);
    rows[n++] = (struct vox_option){
        .name = "clock-synced",
        .group = "Playout",
        .kind = VOX_OPTION_FLAG,
        .target.flag = &o->clock_synced,
        .help = "the sender's wall clock is ours (PTP, a good NTP): delays become absolute",
    };
    return n;
}

static size_t network_rows(struct vox_option *rows, struct vox_recv_options *o)
{
    const struct vox_option table[] = {
        {.name = "rtx",
         .group = "Network",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->rtx,
         .help = "ask for lost packets again where that can still help (RFC 4585, 4588); without "
                 "it, where the session description says that the sender answers"},
        {.name = "max-streams",
         .argument = "N",
         .group = "Network",
         .kind = VOX_OPTION_INT,
         .min = 1,
         .max = VOX_RECEIVER_MAX_SOURCES,
         .target.integer = &o->max_streams,
         .help = "sources at the same time; default 16"},
        {.name = "interface",
         .argument = "IF",
         .group = "Network",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->transport.interface,
         .help = "where to join a multicast group"},
        {.name = "source",
         .argument = "HOST",
         .group = "Network",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->source_text,
         .help = "of a multicast group, hear this sender only (RFC 4607)"},
        {.name = "connect",
         .group = "Network",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->connect,
         .help = "call a sender that waits with --listen at LISTEN (tcp:// and unix-stream:), and "
                 "again whenever it is gone"},
        {.name = "connect-timeout",
         .argument = "S",
         .group = "Network",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.001,
         .max = 1e8,
         .word = "never",
         .word_value = -1,
         .target.ns = &o->connect_timeout_ns,
         .help = "give up if nobody answers for so long at the start, or never (default 10)"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t end_rows(struct vox_option *rows, struct vox_recv_options *o)
{
    const struct vox_option table[] = {
        {.name = "duration",
         .argument = "S",
         .group = "End",
         .kind = VOX_OPTION_SECONDS,
         .min = 0.001,
         .max = 1e9,
         .target.ns = &o->duration_ns,
         .help = "stop after so many seconds"},
        {.name = "idle-exit",
         .argument = "S",
         .group = "End",
         .kind = VOX_OPTION_SECONDS,
         .min = 0,
         .max = 1e9,
         .word = "never",
         .word_value = -1,
         .target.ns = &o->idle_exit_ns,
         .help = "stop so many seconds after the last source has ended, or never; default: 1, with "
                 "a speaker never"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t report_rows(struct vox_option *rows, struct vox_recv_options *o)
{
    const struct vox_option table[] = {
        {.name = "stats",
         .argument = "FILE",
         .group = "Reports",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->stats_path,
         .help = "write statistics as JSON at the end; with -, to standard output each second"},
        {.name = "events",
         .argument = "FILE",
         .group = "Reports",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->events_path,
         .help = "write every glitch with its cause and every change of delay as JSON lines"},
        {.name = "trace-out",
         .argument = "FILE",
         .group = "Reports",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->trace_path,
         .help = "write when each packet of the first source was sent and came, for voxgram-lab "
                 "and --trace"},
        {.name = "pcap",
         .argument = "FILE",
         .group = "Reports",
         .kind = VOX_OPTION_STRING,
         .target.string = &o->pcap_path,
         .help = "write every packet as it came, for Wireshark, tcpdump and the like"},
        {.name = "quiet",
         .letter = 'q',
         .group = "Reports",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->quiet,
         .help = "errors only"},
        {.name = "verbose",
         .letter = 'v',
         .group = "Reports",
         .kind = VOX_OPTION_FLAG,
         .target.flag = &o->verbose,
         .help = "say more"},
    };
    memcpy(rows, table, sizeof table);
    return sizeof table / sizeof table[0];
}

static size_t fill_table(struct vox_option *rows, struct vox_recv_options *o, const char **output)
{
    size_t n = output_rows(rows, o, output);
    n += playout_rows(rows + n, o);
    n += network_rows(rows + n, o);
    n += end_rows(rows + n, o);
    n += report_rows(rows + n, o);
    return n;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);
    return n >= k && strcasecmp(text + n - k, end) == 0;
}

static bool read_output(const char *text, struct vox_recv_options *o)
{
    o->output_name = text;
    if (!text || strcmp(text, "speaker") == 0) {
        o->output = VOX_OUTPUT_SPEAKER;
        o->output_name = "";
    } else if (strncmp(text, "speaker:", 8) == 0) {
        o->output = VOX_OUTPUT_SPEAKER;
        o->output_name = text + 8;
    } else if (strcmp(text, "-") == 0) {
        o->output = VOX_OUTPUT_STDOUT;
    } else if (strcmp(text, "null") == 0) {
        o->output = VOX_OUTPUT_NULL;
    } else if (ends_with(text, ".opus") || ends_with(text, ".ogg")) {
        o->output = VOX_OUTPUT_OGG;
    } else if (ends_with(text, ".wav") || ends_with(text, ".flac")) {
        o->output = VOX_OUTPUT_FILE;
    } else {
        vox_message_error("--output %s: not speaker, null or -, nor a file ending in .wav, .flac "
                          "or .opus; choose one of these",
                          text);
        return false;
    }
    return true;
}

/* unix:/run/x.sdp is a socket. */
static bool is_description(const char *text)
{
    return ends_with(text, ".sdp") && strncmp(text, "unix", 4) != 0;
}

static bool read_file(const char *path, char *text, size_t capacity, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file)
        *len = fread(text, 1, capacity, file);
    bool failed = !file || ferror(file);
    if (failed) /* opening a folder succeeds, reading it does not */
        vox_message_error("cannot read the session description %s: %s; check its name and "
                          "permissions",
                          path, strerror(errno));
    if (file)
        fclose(file);
    return !failed;
}

static void explain_description(const char *path, int err, int line)
{
    static const char want[] = "one audio stream over RTP/AVP as \"opus/48000/2\" is wanted";
    if (err == VOX_EUNSUPPORTED)
        vox_message_error("%s, line %d: this stream cannot be played; %s", path, line, want);
    else if (err == VOX_EFORMAT)
        vox_message_error("%s, line %d makes no sense in a session description; %s", path, line,
                          want);
    else if (err == VOX_ELIMIT)
        vox_message_error("%s has more than %d bytes, too many for a session description; %s", path,
                          VOX_SDP_MAX_BYTES, want);
    else
        vox_message_error("%s describes no audio; %s", path, want);
}

/* Where a description says that the media goes: its group, or its port on this machine. */
static bool listen_as_described(const char *path, struct vox_recv_options *o)
{
    char text[VOX_SDP_MAX_BYTES + 1];
    size_t len;
    struct vox_sdp sdp;
    int line;
    if (!read_file(path, text, sizeof text, &len))
        return false;
    int err = vox_sdp_parse(text, len, &sdp, &line);
    if (err < 0) {
        explain_description(path, err, line);
        return false;
    }
    o->payload_type = sdp.payload_type;
    o->red_payload_type = sdp.red_payload_type;
    o->rtx_payload_type = sdp.rtx_payload_type;
    o->rtx |= sdp.nack && sdp.rtx_payload_type > 0;
    o->capture_time_id = sdp.capture_time_id;
    struct vox_endpoint endpoint = {.host_is_v6 = sdp.ipv6, .port = sdp.port, .has_port = true};
    struct vox_address_hints hints = {.listening = true};
    struct vox_net_error error;
    snprintf(endpoint.host, sizeof endpoint.host, "%s", sdp.address);
    bool found = vox_address_resolve(&endpoint, &hints, &o->transport.address, &error) == 0;
    if (found && !vox_address_is_multicast(&o->transport.address)) {
        endpoint.host[0] = '\0'; /* a unicast address there is the receiver's own: hear on all */
        endpoint.host_is_v6 = false;
        found = vox_address_resolve(&endpoint, &hints, &o->transport.address, &error) == 0;
    }
    if (found && sdp.source_filter[0])
        found = vox_address_lookup(sdp.source_filter, &hints, &o->transport.source, &error) == 0;
    if (!found)
        vox_message_error("%s: %s", path, error.text);
    return found;
}

/* What is wrong with it as it stands; whether there is such a host is another question. */
static bool check_listen(const struct vox_recv_options *o)
{
    struct vox_endpoint endpoint = {.scheme = VOX_SCHEME_UDP};
    struct vox_net_error error;
    if (!is_description(o->listen_text) &&
        vox_address_parse(o->listen_text, &endpoint, &error) < 0) {
        vox_message_error("%s", error.text);
        return false;
    }
    if (!o->connect || vox_transport_is_stream(endpoint.scheme))
        return true;
    vox_message_error("--connect is for tcp:// and unix-stream:; at %s there is nobody to call",
                      o->listen_text);
    return false;
}

bool vox_recv_find_listen(struct vox_recv_options *o)
{
    if (is_description(o->listen_text))
        return listen_as_described(o->listen_text, o);
    struct vox_net_error error;
    const struct vox_address_hints hints = {.family = 0};
    o->transport.role = o->connect ? VOX_TRANSPORT_CALL : VOX_TRANSPORT_LISTEN;
    int err = vox_transport_lookup(o->listen_text, 0, &o->transport, &error);
    if (err >= 0 && o->source_text)
        err = vox_address_lookup(o->source_text, &hints, &o->transport.source, &error);
    if (err < 0)
        vox_message_error("%s", error.text);
    return err >= 0;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool are_all_different(const struct vox_recv_options *o)
{
    bool to_file = o->output == VOX_OUTPUT_FILE || o->output == VOX_OUTPUT_OGG;
    const struct {
        const char *option, *path;
    } files[] = {{"--stats", o->stats_path},
                 {"--events", o->events_path},
                 {"--trace-out", o->trace_path},
                 {"--pcap", o->pcap_path},
                 {"--output", to_file ? o->output_name : NULL}};
    size_t count = sizeof files / sizeof files[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            const char *a = files[i].path, *b = files[j].path;
            if (!a || !b || is_stdout(a) || strcmp(a, b) != 0)
                continue;
            vox_message_error("%s and %s both want %s: name two files", files[i].option,
                              files[j].option, a);
            return false;
        }
    }
    return true;
}

static bool is_consistent(const struct vox_recv_options *o)
{
    bool to_file = o->output == VOX_OUTPUT_FILE || o->output == VOX_OUTPUT_OGG;
    if (o->separate && !to_file)
        vox_message_error("--separate writes a file for each source: add --output FILE.wav, .flac "
                          "or .opus");
    else if (o->output == VOX_OUTPUT_STDOUT && is_stdout(o->stats_path))
        vox_message_error("--output - and --stats - both want stdout: send one of them to a file");
    else if (o->output == VOX_OUTPUT_STDOUT && is_stdout(o->events_path))
        vox_message_error("--output - and --events - both want stdout: send one of them to a file");
    else if (is_stdout(o->trace_path))
        vox_message_error(
            "--trace-out - is no file, and a trace is set right at the end: name one");
    else if (is_stdout(o->pcap_path))
        vox_message_error("--pcap - is no file: name one");
    else
        return are_all_different(o) && vox_playout_options_check(&o->playout);
    return false;
}

enum vox_options_outcome vox_recv_parse(int argc, char **argv, struct vox_recv_options *out)
{
    struct vox_recv_options o = {
        .payload_type = -1,
        .capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID,
        .max_streams = 16,
        .connect_timeout_ns = CONNECT_TIMEOUT_NS,
        .idle_exit_ns = INT64_MIN, /* not said */
    };
    const char *output = NULL; /* as given, to be taken apart */
    vox_playout_options_init(&o.playout);
    vox_transport_config_init(&o.transport);
    struct vox_option table[VOX_OPTIONS_MAX];
    struct vox_options command = {
        .program = "voxgram-recv",
        .version = VOX_VERSION,
        .usage = "[LISTEN] [options]",
        .description = description,
        .arguments = arguments,
        .examples = examples,
        .options = table,
        .count = fill_table(table, &o, &output),
        .max_arguments = 1,
    };
    struct vox_arguments positional;
    enum vox_options_outcome outcome = vox_options_parse(&command, argc, argv, &positional);
    if (outcome != VOX_OPTIONS_RUN)
        return outcome;
    o.listen_text = positional.count > 0 ? positional.items[0] : ":5004";
    if (!read_output(output, &o) || !is_consistent(&o) || !check_listen(&o))
        return VOX_OPTIONS_WRONG;
    if (o.idle_exit_ns == INT64_MIN)
        o.idle_exit_ns = o.output == VOX_OUTPUT_SPEAKER ? -1 : VOX_NS_PER_S;
    *out = o;
    return VOX_OPTIONS_RUN;
}
