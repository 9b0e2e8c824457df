/*
 * A peer that does what no good sender does, in real time:
 *
 *     rtpblast HOST PORT [key=value...]
 *
 *     packets=100     of 20 ms, mono, a tone of hz=440
 *     clock=48000     rate that the timestamps count
 *     pt=96 ssrc=1
 *     seq_jump=0 ts_jump=0   added once, in front of packet at=50
 *     foreign=0       in front of every so many, one of payload type 13 from the same source
 *     garbage=0       in front of each packet so many datagrams of random bytes, from seed=1
 *     bye=1           say goodbye at the end
 *
 * HOST is an address in numbers.
 */
#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"
#include "dsp/signal.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#include <errno.h>
#include <netdb.h>
#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_TICKS = 960, FOREIGN_TYPE = 13, FIRST_SEQ = 65500 };

struct plan {
    long packets, clock, pt, ssrc, hz, at, seq_jump, ts_jump, foreign, garbage, seed, bye;
};

struct blaster {
    struct plan plan;
    int fd;
    OpusEncoder *opus;
    struct vox_signal signal;
    struct vox_rng rng;
    uint16_t seq;
    uint32_t timestamp;
};

static void die(const char *what)
{
    fprintf(stderr, "rtpblast: %s\n", what);
    exit(2);
}

static void read_plan(struct plan *plan, int count, char **pairs)
{
    const struct {
        const char *key;
        long *value;
    } keys[] = {
        {"packets", &plan->packets},   {"clock", &plan->clock},     {"pt", &plan->pt},
        {"ssrc", &plan->ssrc},         {"hz", &plan->hz},           {"at", &plan->at},
        {"seq_jump", &plan->seq_jump}, {"ts_jump", &plan->ts_jump}, {"foreign", &plan->foreign},
        {"garbage", &plan->garbage},   {"seed", &plan->seed},       {"bye", &plan->bye},
    };
    for (int i = 0; i < count; i++) {
        size_t len = strcspn(pairs[i], "=");
        size_t k = 0;
        while (k < sizeof keys / sizeof keys[0] &&
               (strlen(keys[k].key) != len || strncmp(keys[k].key, pairs[i], len) != 0))
            k++;
        if (k == sizeof keys / sizeof keys[0] || pairs[i][len] != '=')
            die(pairs[i]);
        *keys[k].value = strtol(pairs[i] + len + 1, NULL, 10);
    }
}

static int connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *to;
    if (getaddrinfo(host, port, &hints, &to) != 0)
        die("HOST and PORT are to be numbers");
    int fd = socket(to->ai_family, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0)
        die(strerror(errno));
    freeaddrinfo(to);
    return fd;
}

/* A refusal of an earlier datagram is no reason to end. */
static void put(const struct blaster *b, const void *bytes, size_t len)
{
    if (send(b->fd, bytes, len, 0) < 0 && errno != ECONNREFUSED)
        die(strerror(errno));
}

static void put_rtp(const struct blaster *b, uint8_t payload_type, const uint8_t *payload,
                    size_t len)
{
    uint8_t bytes[VOX_RTP_MAX_BYTES];
    const struct vox_rtp rtp = {.payload_type = payload_type,
                                .seq = b->seq,
                                .timestamp = b->timestamp,
                                .ssrc = (uint32_t)b->plan.ssrc,
                                .payload = payload,
                                .payload_bytes = len};
    int n = vox_rtp_write(&rtp, bytes, sizeof bytes);
    if (n < 0)
        die("the packet does not fit");
    put(b, bytes, (size_t)n);
}

/* Random bytes; most begin like RTP or RTCP of version 2, so that they get past the first look. */
static void put_garbage(struct blaster *b)
{
    uint8_t bytes[256];
    size_t len = (size_t)(vox_rng_u64(&b->rng) % (sizeof bytes + 1));
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)vox_rng_u64(&b->rng);
    if (len > 0 && vox_rng_u64(&b->rng) % 4 != 0)
        bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x3f));
    put(b, bytes, len);
}

static void put_bye(const struct blaster *b)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    vox_rtcp_write_rr(&w, &(struct vox_rtcp_report){.ssrc = (uint32_t)b->plan.ssrc});
    vox_rtcp_write_sdes(&w, (uint32_t)b->plan.ssrc, "blast");
    vox_rtcp_write_bye(&w, (uint32_t)b->plan.ssrc, NULL);
    put(b, bytes, w.size);
}

static void step(struct blaster *b, long number)
{
    const struct plan *plan = &b->plan;
    float pcm[FRAME_TICKS];
    uint8_t payload[400];
    for (long i = 0; i < plan->garbage; i++)
        put_garbage(b);
    if (number == plan->at) {
        b->seq = (uint16_t)(b->seq + plan->seq_jump);
        b->timestamp += (uint32_t)plan->ts_jump;
    }
    if (plan->foreign > 0 && number % plan->foreign == 0)
        put_rtp(b, FOREIGN_TYPE, (const uint8_t *)"\x40", 1);
    vox_signal_read(&b->signal, pcm, FRAME_TICKS);
    int len = opus_encode_float(b->opus, pcm, FRAME_TICKS, payload, sizeof payload);
    if (len < 0)
        die(opus_strerror(len));
    put_rtp(b, (uint8_t)plan->pt, payload, (size_t)len);
    b->seq++;
    b->timestamp += (uint32_t)(plan->clock * FRAME_TICKS / VOX_RTP_HZ);
}

static void run(struct blaster *b)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long i = 0; i < b->plan.packets; i++) {
        step(b, i);
        due.tv_nsec += 20 * VOX_NS_PER_MS;
        if (due.tv_nsec >= VOX_NS_PER_S) {
            due.tv_nsec -= VOX_NS_PER_S;
            due.tv_sec++;
        }
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
        }
    }
    if (b->plan.bye)
        put_bye(b);
}

int main(int argc, char **argv)
{
    struct blaster b = {.plan = {.packets = 100,
                                 .clock = VOX_RTP_HZ,
                                 .pt = 96,
                                 .ssrc = 1,
                                 .hz = 440,
                                 .at = 50,
                                 .seed = 1,
                                 .bye = 1},
                        .seq = FIRST_SEQ};
    if (argc < 3)
        die("usage: rtpblast HOST PORT [key=value...]; see its source");
    read_plan(&b.plan, argc - 3, argv + 3);
    b.fd = connect_to(argv[1], argv[2]);
    int err;
    b.opus = opus_encoder_create(VOX_RTP_HZ, 1, OPUS_APPLICATION_AUDIO, &err);
    if (!b.opus || vox_signal_init_tone(&b.signal, (double)b.plan.hz, VOX_RTP_HZ, -12) < 0)
        die("no such tone");
    vox_rng_init(&b.rng, (uint64_t)b.plan.seed, 0);
    run(&b);
    opus_encoder_destroy(b.opus);
    close(b.fd);
    return 0;
}
