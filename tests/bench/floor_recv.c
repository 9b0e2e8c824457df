/*
 * floor_recv CHANNELS [write]
 *
 * The least that a receiver can do: a blocking recvmmsg() for up to 32 datagrams, which returns
 * with the first that comes (MSG_WAITFORONE), so that each packet of a paced stream costs one call;
 * then opus_decode() to 16 bits of what stands behind 12 bytes of RTP header; with `write`, write()
 * of that to stdout, packet by packet. No order, no time, no statistics. The port, chosen by the
 * system, is the first line on stderr; an empty datagram ends it.
 */
#include "floor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <opus.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 32, MAX_BYTES = 1600, MAX_FRAMES = 5760, RTP_BYTES = 12 };

struct floor {
    OpusDecoder *opus;
    int channels;
    bool writes;
    uint64_t packets, frames;
    opus_int16 pcm[MAX_FRAMES * 2];
    uint8_t bytes[BATCH][MAX_BYTES];
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];
};

static int open_socket(void)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t len = sizeof local;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&local, sizeof local) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        give_up("socket");
    fprintf(stderr, "%u\n", (unsigned)ntohs(local.sin_port));
    return fd;
}

static void decode(struct floor *f, const uint8_t *datagram, unsigned len)
{
    int n = opus_decode(f->opus, datagram + RTP_BYTES, (opus_int32)len - RTP_BYTES, f->pcm,
                        MAX_FRAMES, 0);
    f->packets++;
    if (n <= 0)
        return;
    f->frames += (uint64_t)n;
    size_t bytes = (size_t)(n * f->channels) * sizeof *f->pcm;
    if (f->writes && write(STDOUT_FILENO, f->pcm, bytes) < 0)
        give_up("write");
}

int main(int argc, char **argv)
{
    static struct floor f;
    int err;
    f.channels = argc > 1 ? atoi(argv[1]) : 0;
    f.writes = argc > 2 && strcmp(argv[2], "write") == 0;
    f.opus = opus_decoder_create(48000, f.channels, &err);
    if (err != OPUS_OK) {
        fprintf(stderr, "usage: floor_recv 1|2 [write]\n");
        return 2;
    }
    for (int i = 0; i < BATCH; i++) {
        f.iov[i] = (struct iovec){.iov_base = f.bytes[i], .iov_len = MAX_BYTES};
        f.messages[i].msg_hdr = (struct msghdr){.msg_iov = &f.iov[i], .msg_iovlen = 1};
    }
    int fd = open_socket();
    for (bool going = true; going;) {
        int count = recvmmsg(fd, f.messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < count && going; i++) {
            going = f.messages[i].msg_len > RTP_BYTES;
            if (going)
                decode(&f, f.bytes[i], f.messages[i].msg_len);
        }
    }
    fprintf(stderr, "floor_recv: %llu packets, %.2f s\n", (unsigned long long)f.packets,
            (double)f.frames / 48000);
    opus_decoder_destroy(f.opus);
    return 0;
}
