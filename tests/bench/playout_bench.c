/*
 * What the receiving engine costs beside the codec: a packet pushed, with all that is learned from
 * it, and 10 ms pulled, over bare opus_decode of the same packets. Nothing is lost or stretched. A
 * device has a clock of its own, so what it plays is resampled too.
 *
 *     bench_playout            medians over 20,000 packets
 */
#include "recording.h"
#include "stopwatch.h"

#include "base/time.h"
#include "dsp/resample.h"
#include "receiver/receiver.h"
#include "wire/rtp.h"

#include <opus.h>
#include <math.h>
#include <stdio.h>

enum { PACKETS = 20000, TICKS = 960, PULL = 480 };

static struct packet packets[PACKETS];
static double push_ns[PACKETS], pull_ns[PACKETS], decode_ns[PACKETS], over_ns[PACKETS];

static const float *tone(int64_t i, int ticks)
{
    static float pcm[TICKS];
    for (int k = 0; k < ticks; k++)
        pcm[k] = 0.3F * sinf(0.02F * (float)((i * ticks + k) % 94248));
    return pcm;
}

static void make_packets(void)
{
    struct vox_sender_config config;
    vox_sender_config_init(&config, VOX_PROFILE_MUSIC);
    config.frame_ticks = TICKS;
    config.complexity = 0;
    record(&config, tone, packets, PACKETS);
}

/* Each packet comes 5 ms before a pull. */
static void run_engine(bool follow)
{
    float pcm[PULL];
    struct vox_receiver *receiver;
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.output_channels = 1;
    config.follow_source = follow;
    check(vox_receiver_create(&config, &receiver), "receiver");
    for (int i = 0; i < PACKETS; i++) {
        int64_t t_ns = VOX_NS_PER_S + vox_rtp_to_ns((int64_t)i * TICKS);
        double from = now();
        vox_receiver_push(receiver, packets[i].bytes, packets[i].len, t_ns, 0);
        push_ns[i] = now() - from;
        pull_ns[i] = 0;
        for (int k = 0; k < 2; k++) {
            int64_t pull_at_ns = t_ns + (5 + 10 * k) * VOX_NS_PER_MS;
            from = now();
            vox_receiver_pull(receiver, pcm, PULL, pull_at_ns, pull_at_ns);
            pull_ns[i] += now() - from;
        }
    }
    vox_receiver_destroy(receiver);
}

static void run_codec(void)
{
    float pcm[TICKS];
    int err;
    OpusDecoder *decoder = opus_decoder_create(VOX_RTP_HZ, 1, &err);
    for (int i = 0; i < PACKETS; i++) {
        struct vox_rtp rtp;
        vox_rtp_parse(packets[i].bytes, packets[i].len, &rtp);
        double from = now();
        int n =
            opus_decode_float(decoder, rtp.payload, (opus_int32)rtp.payload_bytes, pcm, TICKS, 0);
        decode_ns[i] = now() - from;
        check(n == TICKS ? 0 : -1, "decoding");
    }
    opus_decoder_destroy(decoder);
}

static double resample_cost(void)
{
    static float in[PULL], out[PULL + 8];
    struct vox_resample *resample;
    struct vox_resample_config config = {
        .channels = 1, .in_hz = VOX_RTP_HZ, .out_hz = VOX_RTP_HZ, .variable = true};
    check(vox_resample_create(&config, &resample), "resampler");
    vox_resample_set_ppm(resample, 30);
    for (int i = 0; i < PACKETS; i++) {
        size_t used;
        double from = now();
        vox_resample_process(resample, in, PULL, &used, out, PULL + 8);
        over_ns[i] = now() - from;
    }
    vox_resample_destroy(resample);
    return median(over_ns, PACKETS);
}

static void measure(const char *name, bool follow)
{
    double clock_ns = clock_cost();
    run_engine(follow);
    run_codec();
    for (int i = 0; i < PACKETS; i++)
        over_ns[i] = (pull_ns[i] - decode_ns[i] - clock_ns) / 2;
    printf("%s: push %.2f us, 10 ms pulled %.2f us beyond opus_decode (which takes %.2f us)\n",
           name, (median(push_ns, PACKETS) - clock_ns) / 1e3, median(over_ns, PACKETS) / 1e3,
           (median(decode_ns, PACKETS) - clock_ns) / 2e3);
}

int main(void)
{
    make_packets();
    measure("a file  ", true);
    measure("a device", false);
    printf("its resampler alone: %.2f us\n", (resample_cost() - clock_cost()) / 1e3);
    return 0;
}
