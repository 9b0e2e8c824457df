/*
 * What somebody else's program does with the installed library: one second of a tone through the
 * sending engine straight into the receiving one, in virtual time. Ends with 0 if as many frames
 * came out as went in.
 */
#include <voxgram/base/time.h>
#include <voxgram/receiver.h>
#include <voxgram/sender.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { RATE_HZ = 48000, FRAMES = 48000 };

static struct vox_receiver *receiver;

static void cross(void *ctx, const struct vox_datagram *datagram)
{
    (void)ctx;
    vox_receiver_push(receiver, datagram->bytes, datagram->len, datagram->send_ns, 0);
}

static int send_tone(void)
{
    struct vox_sender_config config;
    struct vox_sender *sender;
    static float pcm[FRAMES];
    for (int i = 0; i < FRAMES; i++)
        pcm[i] = 0.3f * sinf(6.2831853f * 440.0f * (float)i / RATE_HZ);
    vox_sender_config_init(&config, VOX_PROFILE_VOICE);
    config.on_datagram = cross;
    if (vox_sender_create(&config, &sender) < 0)
        return -1;
    int err = vox_sender_push(sender, pcm, FRAMES, 0);
    vox_sender_finish(sender, 0);
    vox_sender_destroy(sender);
    return err;
}

static long hear(void)
{
    float pcm[VOX_RECEIVER_MAX_BLOCK_FRAMES * 2];
    long heard = 0;
    for (int64_t t; (t = vox_receiver_next_pull_ns(receiver)) != VOX_NS_NEVER;)
        heard += vox_receiver_pull(receiver, pcm, vox_receiver_block_frames(receiver), t, t);
    return heard;
}

int main(void)
{
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    config.follow_source = true;
    config.delay_ns = 60 * VOX_NS_PER_MS;
    if (vox_receiver_create(&config, &receiver) < 0 || send_tone() < 0)
        return 1;
    long heard = hear();
    vox_receiver_destroy(receiver);
    printf("%ld of %d frames\n", heard, FRAMES);
    return heard == FRAMES ? 0 : 1;
}
