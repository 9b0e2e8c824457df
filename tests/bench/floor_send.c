/*
 * floor_send PORT PCM PROFILE FRAME_TICKS CHANNELS
 *
 * The least that a paced sender can do: for each frame opus_encode_float(), 12 bytes of RTP header,
 * clock_nanosleep() to the frame's absolute due time, sendto() to 127.0.0.1:PORT. One thread, one
 * sleep and one datagram per frame. PCM is raw float of CHANNELS at 48 kHz, read whole before the
 * first frame. An empty datagram says that it is over.
 *
 * The encoder is set up by the same table as voxgram-send's, so the packets are the same.
 */
#include "floor.h"
#include "sender/encoder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <opus.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

enum { RTP_BYTES = 12, MAX_BYTES = 1500 };

static float *read_all(const char *path, size_t *samples)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) < 0)
        give_up(path);
    *samples = (size_t)info.st_size / sizeof(float);
    float *pcm = malloc((size_t)info.st_size + 1);
    if (!pcm || fread(pcm, sizeof(float), *samples, file) != *samples)
        give_up(path);
    fclose(file);
    return pcm;
}

static enum vox_profile profile_named(const char *name)
{
    for (int i = 0; i <= VOX_PROFILE_LOWDELAY; i++)
        if (strcmp(vox_profile_settings((enum vox_profile)i)->name, name) == 0)
            return (enum vox_profile)i;
    fprintf(stderr, "floor_send: no profile %s\n", name);
    exit(2);
}

static OpusEncoder *open_encoder(const char *profile, int channels)
{
    const struct vox_profile_settings *s = vox_profile_settings(profile_named(profile));
    int err;
    OpusEncoder *opus = opus_encoder_create(48000, channels, s->application, &err);
    if (err != OPUS_OK)
        give_up("encoder");
    opus_encoder_ctl(opus, OPUS_SET_BITRATE(s->bitrate_bps[channels == 2]));
    opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(s->complexity));
    return opus;
}

static void write_header(uint8_t *rtp, uint32_t count, uint32_t ticks)
{
    const uint16_t seq = htons((uint16_t)count);
    const uint32_t words[2] = {htonl(count * ticks), htonl(0x766f7867)};
    rtp[0] = 0x80;
    rtp[1] = 96;
    memcpy(rtp + 2, &seq, sizeof seq);
    memcpy(rtp + 4, words, sizeof words);
}

static void sleep_until(const struct timespec *start, int64_t after_ns)
{
    int64_t ns = start->tv_nsec + after_ns;
    struct timespec t = {.tv_sec = start->tv_sec + ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        continue;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: floor_send PORT PCM PROFILE FRAME_TICKS CHANNELS\n");
        return 2;
    }
    int ticks = atoi(argv[4]), channels = atoi(argv[5]);
    size_t samples, per_frame = (size_t)(ticks * channels);
    float *pcm = read_all(argv[2], &samples);
    OpusEncoder *opus = open_encoder(argv[3], channels);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        give_up("socket");
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint8_t bytes[RTP_BYTES + MAX_BYTES];
    for (uint32_t i = 0; (i + 1) * per_frame <= samples; i++) {
        int n = opus_encode_float(opus, pcm + i * per_frame, ticks, bytes + RTP_BYTES, MAX_BYTES);
        if (n < 0)
            give_up("opus_encode_float");
        write_header(bytes, i, (uint32_t)ticks);
        sleep_until(&start, (int64_t)(i + 1) * ticks * 1000000 / 48);
        sendto(fd, bytes, (size_t)(RTP_BYTES + n), 0, (const struct sockaddr *)&to, sizeof to);
    }
    sendto(fd, bytes, 0, 0, (const struct sockaddr *)&to, sizeof to);
    opus_encoder_destroy(opus);
    free(pcm);
    return 0;
}
