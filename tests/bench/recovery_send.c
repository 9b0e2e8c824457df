/* What recovery costs the sender. */
#include "recovery.h"

#include "base/rng.h"
#include "base/time.h"
#include "receiver/receiver.h"
#include "sender/encoder.h"
#include "sender/protect.h"
#include "sender/repeat.h"
#include "wire/rtp.h"

#include <stdio.h>
#include <string.h>

enum { CONTROL_S = 60, ROUNDS = 3, MOST_WAITING = 16 };

/* ---- the sender ---- */

static double encode_ns[PACKETS], protect_ns[STREAMS][PACKETS], history_ns[PACKETS];

static struct vox_encoder *open_encoder(const struct kind *kind)
{
    const struct vox_profile_settings *settings = vox_profile_settings(kind->profile);
    struct vox_encoder *encoder;
    struct vox_encoder_config config = {
        .profile = kind->profile,
        .channels = 1,
        .frame_ticks = kind->ticks,
        .bitrate_bps = settings->bitrate_bps[0],
        .complexity = settings->complexity,
        .input_bits = 24,
    };
    check(vox_encoder_create(&config, &encoder), "encoder");
    return encoder;
}

static void protect(struct vox_protect *p, const struct vox_protect_frame *frame, double *ns)
{
    static uint8_t red[MOST_BYTES];
    double from = now();
    vox_protect_wrap(p, frame, red, VOX_ENCODER_MAX_BYTES);
    vox_protect_keep(p, frame);
    *ns = now() - from;
}

/* As the sender does it: what was sent is read again, and its payload put in place of RED. */
static void keep_history(struct vox_repeat *repeat, const struct packet *packet, int64_t t_ns,
                         double *ns)
{
    struct vox_rtp rtp;
    double from = now();
    if (vox_rtp_parse(packet->bytes, packet->len, &rtp) >= 0)
        vox_repeat_sent(repeat, &rtp, t_ns);
    *ns = now() - from;
}

static void send(const struct kind *kind, const struct packet packets[PACKETS])
{
    static struct vox_protect protects[STREAMS];
    static uint8_t payload[VOX_ENCODER_MAX_BYTES];
    struct vox_encoder *encoder = open_encoder(kind);
    struct vox_repeat *repeat;
    struct vox_repeat_config config = {
        .media_ssrc = SSRC, .rtx_ssrc = RTX_SSRC, .packet_ns = vox_rtp_to_ns(kind->ticks)};
    check(vox_repeat_create(&config, &repeat), "history");
    for (int k = 0; k < STREAMS; k++) {
        vox_protect_init(&protects[k], &(struct vox_protect_config){.payload_type = 96,
                                                                    .frame_ticks = kind->ticks});
        vox_protect_set(&protects[k], copies[k]);
    }
    for (int i = 0; i < PACKETS; i++) {
        struct vox_encoded encoded;
        double from = now();
        vox_encoder_encode(encoder, sound(i, kind->ticks), payload, sizeof payload, &encoded);
        encode_ns[i] = now() - from;
        struct vox_protect_frame frame = {.position_ticks = (int64_t)i * kind->ticks,
                                          .payload = payload,
                                          .payload_bytes = encoded.bytes};
        for (int k = 0; k < STREAMS; k++)
            protect(&protects[(i + k) % STREAMS], &frame, &protect_ns[(i + k) % STREAMS][i]);
        keep_history(repeat, &packets[i], vox_rtp_to_ns((int64_t)i * kind->ticks), &history_ns[i]);
    }
    vox_repeat_destroy(repeat);
    vox_encoder_destroy(encoder);
}

static double report_send(const struct kind *kind, const struct packet packets[PACKETS])
{
    double clock_ns = clock_cost();
    send(kind, packets);
    double encoding = median(encode_ns, PACKETS) - clock_ns;
    double history = median(history_ns, PACKETS) - clock_ns;
    row("encoding", encoding, encoding);
    row("history", history, encoding);
    for (int k = ONE; k < STREAMS; k++) {
        char name[40];
        double ns = median(protect_ns[k], PACKETS) - clock_ns;
        snprintf(name, sizeof name, "RED with %s", copies_names[k]);
        row(name, ns, encoding);
        if (k == TWO)
            row("the same and history", ns + history, encoding);
    }
    return encoding;
}

/* ---- the controller ---- */

/* A stream and what its receiver reports and asks for, which reaches the sender a packet later. */
struct call {
    struct vox_sender *sender;
    struct vox_receiver *receiver;
    struct vox_rng rng;
    double loss;
    int64_t now_ns;
    struct packet waiting[MOST_WAITING];
    int waiting_count;
    double feed_ns;
};

static void on_datagram(void *ctx, const struct vox_datagram *datagram)
{
    struct call *call = ctx;
    if (vox_rng_uniform(&call->rng) >= call->loss)
        vox_receiver_push(call->receiver, datagram->bytes, datagram->len, call->now_ns, 0);
}

static void on_report(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct call *call = ctx;
    (void)path;
    check(call->waiting_count < MOST_WAITING && len <= MOST_BYTES ? 0 : -1, "room for RTCP");
    struct packet *report = &call->waiting[call->waiting_count++];
    report->len = len;
    memcpy(report->bytes, bytes, len);
}

static void feed(struct call *call)
{
    for (int i = 0; i < call->waiting_count; i++) {
        double from = now();
        vox_sender_feed(call->sender, call->waiting[i].bytes, call->waiting[i].len, call->now_ns);
        call->feed_ns += now() - from;
    }
    call->waiting_count = 0;
}

static void open_call(struct call *call, const struct kind *kind, double loss, bool adapt)
{
    struct vox_sender_config from = sender_config(kind);
    struct vox_receiver_config to;
    memset(call, 0, sizeof *call);
    call->loss = loss;
    vox_rng_init(&call->rng, 1, 1);
    from.adapt = adapt;
    from.rtx = true;
    from.complexity = 0;
    from.on_datagram = on_datagram;
    from.ctx = call;
    check(vox_sender_create(&from, &call->sender), "sender");
    vox_receiver_config_init(&to);
    to.output_channels = 1;
    to.rtx = true;
    to.on_rtcp = on_report;
    to.ctx = call;
    check(vox_receiver_create(&to, &call->receiver), "receiver");
}

/* Returns what feeding the sender took, per second. */
static double hold_call(const struct kind *kind, double loss, bool adapt, double *reports_a_second)
{
    static struct call call;
    float pcm[MOST_TICKS];
    struct vox_sender_stats stats;
    open_call(&call, kind, loss, adapt);
    for (int64_t i = 0; i * kind->ticks < (int64_t)CONTROL_S * VOX_RTP_HZ; i++) {
        call.now_ns = VOX_NS_PER_S + vox_rtp_to_ns(i * kind->ticks);
        vox_sender_push(call.sender, sound(i, kind->ticks), (size_t)kind->ticks, call.now_ns);
        vox_sender_tick(call.sender, call.now_ns);
        vox_receiver_pull(call.receiver, pcm, kind->ticks, call.now_ns, call.now_ns);
        vox_receiver_tick(call.receiver, call.now_ns);
        feed(&call);
    }
    vox_sender_read_stats(call.sender, &stats);
    *reports_a_second = (double)stats.reports / CONTROL_S;
    vox_receiver_destroy(call.receiver);
    vox_sender_destroy(call.sender);
    return call.feed_ns / CONTROL_S;
}

/* What reports take more where somebody goes by them. */
static void report_control(const struct kind *kind, double encoding, double loss)
{
    double more_ns[ROUNDS], reports, ignored;
    for (int i = 0; i < ROUNDS; i++) {
        more_ns[i] = hold_call(kind, loss, true, &reports);
        more_ns[i] -= hold_call(kind, loss, false, &ignored);
    }
    char name[60];
    snprintf(name, sizeof name, "controller, a s of %.1f reports, %.0f %%", reports, 100 * loss);
    row(name, median(more_ns, ROUNDS), encoding * VOX_RTP_HZ / kind->ticks);
}

void measure_sender(const struct kind *kind, const struct packet packets[PACKETS])
{
    double encoding = report_send(kind, packets);
    report_control(kind, encoding, 0);
    report_control(kind, encoding, 0.1);
}
