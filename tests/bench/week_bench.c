/*
 * A week of one stream on a device whose clock differs, in virtual time: the delay must not creep,
 * timestamps and sequence numbers wrap, and nothing is ever late.
 *
 *     bench_week [DAYS [PPM]]        a line a day; exit status 1 if the delay has moved
 */
#include "recording.h"

#include "base/time.h"
#include "receiver/receiver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICKS = 2880, OUT_HZ = 48000, PULL = 960, LOOP = 100 };

static struct packet packets[LOOP];

static const float *silence(int64_t i, int ticks)
{
    static const float pcm[TICKS];
    (void)i, (void)ticks;
    return pcm;
}

static void make_packets(void)
{
    struct vox_sender_config config;
    vox_sender_config_init(&config, VOX_PROFILE_MUSIC);
    config.frame_ticks = TICKS;
    config.bitrate_bps = 8000;
    record(&config, silence, packets, LOOP);
}

static void number(uint8_t *bytes, int64_t index)
{
    uint32_t ts = (uint32_t)(index * TICKS);
    bytes[2] = (uint8_t)(index >> 8);
    bytes[3] = (uint8_t)index;
    for (int i = 0; i < 4; i++)
        bytes[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
}

static struct vox_receiver *open_receiver(void)
{
    struct vox_receiver *receiver;
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.output_channels = 1;
    config.output_hz = OUT_HZ;
    check(vox_receiver_create(&config, &receiver), "receiver");
    return receiver;
}

/* Whether the delay is where it was after the first hour. */
static bool live(struct vox_receiver *receiver, int64_t days, double ppm)
{
    static struct vox_receiver_stats stats;
    const int64_t a_day = 86400 * (int64_t)VOX_RTP_HZ / TICKS;
    float pcm[PULL];
    double first_ms = 0, last_ms = 0;
    int64_t pull_ns = VOX_NS_PER_S;
    for (int64_t i = 0; i < days * a_day; i++) {
        int64_t media_ns = vox_rtp_to_ns(i * TICKS);
        int64_t t_ns = VOX_NS_PER_S + media_ns - (int64_t)((double)media_ns * ppm * 1e-6);
        for (; pull_ns < t_ns; pull_ns += PULL * VOX_NS_PER_S / OUT_HZ)
            vox_receiver_pull(receiver, pcm, PULL, pull_ns, pull_ns);
        number(packets[i % LOOP].bytes, i);
        vox_receiver_push(receiver, packets[i % LOOP].bytes, packets[i % LOOP].len, t_ns, 0);
        if (i != a_day / 24 && (i + 1) % a_day != 0)
            continue;
        vox_receiver_read_stats(receiver, &stats);
        const struct vox_source_stats *s = &stats.sources[0];
        last_ms = vox_ns_to_ms(s->current_ns);
        first_ms = first_ms > 0 ? first_ms : last_ms;
        printf("%6.2f days: delay %.3f ms, correction %.2f ppm, concealed %.1f ms, %d sources\n",
               (double)(i + 1) / (double)a_day, last_ms, s->resample_ppm,
               vox_ns_to_ms(s->concealed_ns), stats.source_count);
        fflush(stdout);
    }
    return fabs(last_ms - first_ms) < 1 && stats.source_count == 1;
}

int main(int argc, char **argv)
{
    int64_t days = argc > 1 ? atoi(argv[1]) : 7;
    double ppm = argc > 2 ? atof(argv[2]) : 100;
    make_packets();
    struct vox_receiver *receiver = open_receiver();
    bool steady = live(receiver, days, ppm);
    vox_receiver_destroy(receiver);
    puts(steady ? "The delay has not crept." : "The delay has moved.");
    return steady ? 0 : 1;
}
