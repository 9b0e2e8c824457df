/*
 * The receiving engine as a whole. The input is a host's afternoon: one byte of configuration, then
 * datagrams, each with one byte of time before it and two of length (big endian). The host pulls
 * meanwhile, as a device or as a file would.
 */
#include "fuzz.h"

#include "base/time.h"
#include "receiver/receiver.h"

#include <math.h>

enum { BLOCK = 480, MAX_PULLS = 300, MAX_PATHS = 3 };

struct host {
    struct vox_receiver *receiver;
    bool follow;
    int channels;
    int64_t now_ns;
    int64_t device_ns; /* next pull of the device */
    int pulls;
    uint64_t pushed;
};

static void on_rtcp(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    FUZZ_CHECK(path < MAX_PATHS && bytes && len >= 8 && len % 4 == 0);
}

static void on_event(void *ctx, const struct vox_event *event)
{
    (void)ctx;
    FUZZ_CHECK(event->kind < VOX_EVENT_KINDS);
}

static void on_decoded(void *ctx, const struct vox_played_packet *packet)
{
    (void)ctx;
    FUZZ_CHECK(packet->duration_ticks > 0 && packet->duration_ticks <= 5760);
    FUZZ_CHECK(packet->payload_bytes > 0);
}

static void open_host(struct host *h, unsigned bits)
{
    struct vox_receiver_config config;
    vox_receiver_config_init(&config);
    *h = (struct host){.follow = bits & 1, .channels = bits & 2 ? 1 : 2, .now_ns = VOX_NS_PER_S};
    config.follow_source = h->follow;
    config.output_channels = h->channels;
    config.output_hz = !h->follow && (bits & 4) ? 44100 : 48000;
    config.delay_ns = bits & 8 ? -1 : 40 * VOX_NS_PER_MS;
    config.clock_synced = bits & 16;
    config.max_sources = 2;
    config.on_rtcp = on_rtcp;
    config.on_event = on_event;
    config.on_decoded = on_decoded;
    h->device_ns = h->now_ns;
    FUZZ_CHECK(vox_receiver_create(&config, &h->receiver) == 0);
}

static int64_t next_pull_ns(const struct host *h)
{
    return h->follow ? vox_receiver_next_pull_ns(h->receiver) : h->device_ns;
}

static void pull(struct host *h, int64_t due_ns)
{
    float pcm[VOX_RECEIVER_MAX_BLOCK_FRAMES * 2];
    int frames = h->follow ? vox_receiver_block_frames(h->receiver) : BLOCK;
    FUZZ_CHECK(frames > 0 && frames <= VOX_RECEIVER_MAX_BLOCK_FRAMES);
    int valid = vox_receiver_pull(h->receiver, pcm, frames, h->now_ns, due_ns);
    FUZZ_CHECK(valid >= 0 && valid <= frames);
    float sum = 0;
    for (int i = 0; i < frames * h->channels; i++)
        sum += pcm[i];
    FUZZ_CHECK(isfinite(sum));
    h->device_ns += 10 * VOX_NS_PER_MS;
    h->pulls++;
}

/* All that is due before then; time stands still when there is too much. */
static void run(struct host *h, int64_t until_ns)
{
    while (h->pulls < MAX_PULLS) {
        int64_t pull_ns = next_pull_ns(h);
        int64_t tick_ns = vox_receiver_next_deadline_ns(h->receiver);
        int64_t next_ns = pull_ns < tick_ns ? pull_ns : tick_ns;
        if (next_ns >= until_ns) {
            h->now_ns = until_ns;
            return;
        }
        h->now_ns = next_ns > h->now_ns ? next_ns : h->now_ns;
        if (pull_ns <= tick_ns)
            pull(h, pull_ns);
        else
            vox_receiver_tick(h->receiver, h->now_ns);
    }
}

static int64_t step_ns(unsigned byte)
{
    if (byte < 200)
        return (int64_t)byte * VOX_NS_PER_MS / 2;
    return (int64_t)(byte - 199) * 100 * VOX_NS_PER_MS; /* up to 5.7 s: idle, time-out */
}

static void close_host(struct host *h)
{
    static struct vox_receiver_stats stats;
    uint64_t counted = 0;
    run(h, h->now_ns + 200 * VOX_NS_PER_MS);
    vox_receiver_finish(h->receiver, h->now_ns);
    vox_receiver_read_stats(h->receiver, &stats);
    for (int i = 0; i < VOX_PUSH_RESULTS; i++)
        counted += stats.pushed[i];
    FUZZ_CHECK(counted == h->pushed);
    vox_receiver_destroy(h->receiver);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host h;
    if (size < 1)
        return 0;
    open_host(&h, data[0]);
    for (size_t at = 1; size - at >= 3;) {
        size_t len = (size_t)data[at + 1] << 8 | data[at + 2];
        run(&h, h.now_ns + step_ns(data[at]));
        at += 3;
        len = len < size - at ? len : size - at;
        vox_receiver_push(h.receiver, data + at, len, h.now_ns, (uint32_t)(h.pushed % MAX_PATHS));
        h.pushed++;
        at += len;
    }
    close_host(&h);
    return 0;
}
