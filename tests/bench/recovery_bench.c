/*
 * What recovery costs while nothing is lost, beside the codec and within one run:
 *
 * - the sender: copies of earlier packets (RED), the history that retransmissions come from, and
 *   the controller with reports as receivers send them, over encoding;
 * - the receiver: a stream with copies, all of which are of no use, and keeping watch for what is
 *   missing, over decoding. Each is the same packets pushed and pulled as plain ones are, so what
 *   it takes more is what it adds.
 *
 *     bench_recovery SPEECH              medians over 4,000 packets of each kind
 *     bench_recovery SPEECH KIND WAY     one way to receive alone, for a profiler: see receive()
 *
 * SPEECH is any mono sound file of 48 kHz. The ways take turns packet by packet, in an order that
 * changes: so each finds the caches full of the others, as on a machine that has more to do.
 */
#include "recovery.h"

#include "audio/file.h"
#include "base/rng.h"
#include "base/time.h"
#include "receiver/receiver.h"
#include "wire/rtp.h"

#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PULL = 480 };

static const struct kind kinds[] = {
    {"voice", VOX_PROFILE_VOICE, 960},
    {"music", VOX_PROFILE_MUSIC, 960},
    {"lowdelay", VOX_PROFILE_LOWDELAY, 120},
};

const int copies[STREAMS][VOX_SENDER_MAX_COPIES] = {{0}, {2}, {2, 4}, {1, 2, 3, 4}};
const char *const copies_names[STREAMS] = {"none", "1 copy", "2 copies", "4 copies"};

enum { RTX = STREAMS, TWO_AND_RTX, DECODING, WAYS };
static const struct way {
    const char *name;
    int stream;
    bool rtx;
} ways[WAYS] = {
    [PLAIN] = {"plain", PLAIN, false},       [ONE] = {"1 copy", ONE, false},
    [TWO] = {"2 copies", TWO, false},        [FOUR] = {"4 copies", FOUR, false},
    [RTX] = {"asking", PLAIN, true},         [TWO_AND_RTX] = {"2 copies, asking", TWO, true},
    [DECODING] = {"decoding", PLAIN, false},
};

static struct packet packets[STREAMS][PACKETS];

static float *speech;
static int64_t speech_frames;

/* ---- measuring ---- */

void row(const char *name, double ns, double of_ns)
{
    printf("  %-36s %8.2f us %7.2f %%\n", name, ns / 1e3, 100 * ns / of_ns);
}

/* ---- packets ---- */

static void load(const char *path)
{
    struct vox_file_reader *file;
    struct vox_audio_error error;
    if (vox_file_open(path, &file, &error) < 0) {
        fprintf(stderr, "bench_recovery: %s\n", error.text);
        exit(1);
    }
    const struct vox_file_info *info = vox_file_info(file);
    if (info->channels != 1 || info->rate_hz != VOX_RTP_HZ || info->frames < MOST_TICKS) {
        fprintf(stderr, "bench_recovery: %s is not mono at 48 kHz\n", path);
        exit(1);
    }
    speech = calloc((size_t)info->frames, sizeof *speech);
    check(speech ? 0 : -1, "memory");
    speech_frames = vox_file_read(file, speech, (size_t)info->frames, &error);
    vox_file_close(file);
}

/* The next packet's worth, from the beginning again at the end. */
const float *sound(int64_t i, int ticks)
{
    return speech + i % (speech_frames / ticks) * ticks;
}

struct vox_sender_config sender_config(const struct kind *kind)
{
    struct vox_sender_config config;
    vox_sender_config_init(&config, kind->profile);
    config.frame_ticks = kind->ticks;
    config.ssrc = SSRC;
    config.rtx_ssrc = RTX_SSRC;
    return config;
}

static void make_packets(const struct kind *kind, int stream)
{
    struct vox_sender_config config = sender_config(kind);
    memcpy(config.red_distances, copies[stream], sizeof config.red_distances);
    record(&config, sound, packets[stream], PACKETS);
}

/* ---- the receiver ---- */

static double way_ns[WAYS][PACKETS];

static void ignore(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    (void)ctx, (void)path, (void)bytes, (void)len;
}

static struct vox_receiver *open_receiver(const struct way *way)
{
    struct vox_receiver *receiver;
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.output_channels = 1;
    config.follow_source = true;
    config.rtx = way->rtx;
    config.on_rtcp = ignore;
    check(vox_receiver_create(&config, &receiver), "receiver");
    return receiver;
}

static void tick(struct vox_receiver *receiver, int64_t now_ns)
{
    if (vox_receiver_next_deadline_ns(receiver) <= now_ns)
        vox_receiver_tick(receiver, now_ns);
}

/* All that a host does for a packet. It comes in the middle between two pulls. */
static void receive_packet(struct vox_receiver *receiver, const struct packet *packet, int ticks,
                           int64_t t_ns)
{
    float pcm[PULL];
    int pull = ticks < PULL ? ticks : PULL;
    vox_receiver_push(receiver, packet->bytes, packet->len, t_ns, 0);
    tick(receiver, t_ns);
    for (int at = 0; at < ticks; at += pull) {
        int64_t pull_ns = t_ns + vox_rtp_to_ns(at + pull / 2);
        vox_receiver_pull(receiver, pcm, pull, pull_ns, pull_ns);
        tick(receiver, pull_ns);
    }
}

static void decode_packet(OpusDecoder *decoder, const struct packet *packet, int ticks)
{
    float pcm[MOST_TICKS];
    struct vox_rtp rtp;
    vox_rtp_parse(packet->bytes, packet->len, &rtp);
    int n = opus_decode_float(decoder, rtp.payload, (opus_int32)rtp.payload_bytes, pcm, ticks, 0);
    check(n == ticks ? 0 : -1, "decoding");
}

/* What ran just before leaves its code in the cache: so that is not always the same. */
static void shuffle(int turns[WAYS], struct vox_rng *rng)
{
    for (int k = WAYS - 1; k > 0; k--) {
        int other = (int)(vox_rng_u32(rng) % (uint32_t)(k + 1));
        int turn = turns[k];
        turns[k] = turns[other];
        turns[other] = turn;
    }
}

/*
 * Each packet, all ways or `only` one. What is counted by a profiler that starts and stops at
 * vox_receiver_push, _pull, _next_deadline_ns and _tick (valgrind --tool=callgrind
 * --toggle-collect=...) is the same as what is timed here.
 */
static void receive(const struct kind *kind, int only)
{
    static struct packet packet; /* fresh from the network, so in the cache */
    struct vox_receiver *receivers[WAYS] = {NULL};
    int turns[WAYS], err;
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 1);
    OpusDecoder *decoder = opus_decoder_create(VOX_RTP_HZ, 1, &err);
    for (int k = 0; k < WAYS; k++)
        turns[k] = k;
    for (int k = 0; k < DECODING; k++)
        receivers[k] = open_receiver(&ways[k]);
    for (int i = 0; i < PACKETS; i++) {
        int64_t t_ns = VOX_NS_PER_S + vox_rtp_to_ns((int64_t)i * kind->ticks);
        shuffle(turns, &rng);
        for (int turn = 0; turn < WAYS; turn++) {
            int k = turns[turn];
            if (only < WAYS && k != only)
                continue;
            packet = packets[ways[k].stream][i];
            double from = now();
            if (k == DECODING)
                decode_packet(decoder, &packet, kind->ticks);
            else
                receive_packet(receivers[k], &packet, kind->ticks, t_ns);
            way_ns[k][i] = now() - from;
        }
    }
    for (int k = 0; k < DECODING; k++)
        vox_receiver_destroy(receivers[k]);
    opus_decoder_destroy(decoder);
}

/* In the median of the packets, so that what else the machine does falls out. */
static double beyond(int way, int than)
{
    static double more[PACKETS];
    for (int i = 0; i < PACKETS; i++)
        more[i] = way_ns[way][i] - way_ns[than][i];
    return median(more, PACKETS);
}

static void report_receive(const struct kind *kind)
{
    receive(kind, WAYS);
    double plain = beyond(PLAIN, DECODING);
    double more[WAYS];
    for (int k = ONE; k < DECODING; k++)
        more[k] = beyond(k, PLAIN);
    double decoding = median(way_ns[DECODING], PACKETS) - clock_cost();
    row("decoding", decoding, decoding);
    row("all that receives a plain stream", plain, decoding);
    for (int k = ONE; k < DECODING; k++) {
        char name[40];
        snprintf(name, sizeof name, "more for %s", ways[k].name);
        row(name, more[k], decoding);
    }
}

/* ---- all ---- */

static void measure(const struct kind *kind)
{
    for (int k = 0; k < STREAMS; k++)
        make_packets(kind, k);
    printf("%s, %g ms a packet\n", kind->name, kind->ticks / 48.0);
    measure_sender(kind, packets[PLAIN]);
    report_receive(kind);
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_recovery SPEECH [voice|music|lowdelay WAY]; ways:");
    for (int k = 0; k < WAYS; k++)
        fprintf(stderr, "%s \"%s\"", k > 0 ? "," : "", ways[k].name);
    fprintf(stderr, "\n");
    return 2;
}

static int receive_only(const char *kind, const char *way)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int k = 0; k < WAYS; k++) {
            if (strcmp(kinds[i].name, kind) != 0 || strcmp(ways[k].name, way) != 0)
                continue;
            make_packets(&kinds[i], ways[k].stream);
            receive(&kinds[i], k);
            return 0;
        }
    return usage();
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 4)
        return usage();
    load(argv[1]);
    if (argc == 4)
        return receive_only(argv[2], argv[3]);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        measure(&kinds[i]);
    free(speech);
    return 0;
}
