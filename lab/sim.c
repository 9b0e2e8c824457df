#include "lab/sim.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/agenda.h"
#include "wire/rtp.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which things of one moment happen. */
enum { ARRIVES_AT_RECEIVER, ARRIVES_AT_SENDER };

/* One datagram under way. */
struct flight {
    size_t len;
    uint8_t bytes[];
};

/* A sender with its networks. */
struct post {
    struct sim *sim;
    int number;
    struct vox_talker *talker;
    struct vox_route *there;
    struct vox_route *back;
};

struct sim {
    const struct vox_sim_config *config;
    struct vox_sim_result *result;
    struct vox_receiver *receiver;
    struct vox_lab_device speaker;
    struct vox_agenda agenda;
    struct post posts[VOX_SIM_MAX_SENDERS];
    int64_t now_ns;
    int err;
};

void vox_sim_config_init(struct vox_sim_config *config)
{
    memset(config, 0, sizeof *config);
    vox_receiver_config_init(&config->receiver);
    config->end_ns = VOX_NS_NEVER;
}

/* ---- datagrams ---- */

/* Puts the copies on their ways. */
static void launch(struct sim *sim, int kind, int who, const void *bytes, size_t len,
                   const struct vox_fate *fate)
{
    for (int i = 0; i < fate->copies; i++) {
        struct flight *flight = malloc(sizeof *flight + len);
        struct vox_appointment arrival = {
            .t_ns = fate->deliver_ns[i], .kind = kind, .who = who, .what = flight};
        if (!flight || vox_agenda_add(&sim->agenda, &arrival) < 0) {
            free(flight);
            sim->err = VOX_ENOMEM;
            return;
        }
        flight->len = len;
        memcpy(flight->bytes, bytes, len);
    }
}

static void tell_sent(struct post *post, const struct vox_datagram *datagram,
                      const struct vox_fate *fate)
{
    const struct vox_sim_observer *observer = &post->sim->config->observer;
    struct vox_rtp rtp;
    if (!observer->on_sent || vox_rtp_parse(datagram->bytes, datagram->len, &rtp) < 0)
        return;
    observer->on_sent(observer->ctx, &(struct vox_sim_sent){.sender = post->number,
                                                            .ssrc = rtp.ssrc,
                                                            .seq = rtp.seq,
                                                            .send_ns = datagram->send_ns,
                                                            .bytes = datagram->len,
                                                            .fate = *fate});
}

static void send_there(void *ctx, const struct vox_datagram *datagram)
{
    struct post *post = ctx;
    struct vox_fate fate;
    static const enum vox_route_kind kinds[] = {[VOX_DATAGRAM_RTP] = VOX_ROUTE_MEDIA,
                                                [VOX_DATAGRAM_RTCP] = VOX_ROUTE_RTCP,
                                                [VOX_DATAGRAM_RTX] = VOX_ROUTE_REPEAT};
    const struct vox_sim_observer *observer = &post->sim->config->observer;
    if (observer->on_datagram)
        observer->on_datagram(observer->ctx, post->number, post->sim->now_ns, datagram);
    vox_route_datagram(post->there, kinds[datagram->kind], datagram->send_ns, datagram->len, &fate);
    if (datagram->kind == VOX_DATAGRAM_RTP)
        tell_sent(post, datagram, &fate);
    launch(post->sim, ARRIVES_AT_RECEIVER, post->number, datagram->bytes, datagram->len, &fate);
}

/* Reports are lost on the way back like anything else: no sender hangs on one. */
static void send_back(void *ctx, uint32_t path, const uint8_t *bytes, size_t len)
{
    struct sim *sim = ctx;
    struct vox_fate fate;
    const struct vox_sim_observer *observer = &sim->config->observer;
    if (path >= (uint32_t)sim->config->sender_count)
        return;
    if (observer->on_returned)
        observer->on_returned(observer->ctx, (int)path, sim->now_ns, len);
    vox_route_datagram(sim->posts[path].back, VOX_ROUTE_MEDIA, sim->now_ns, len, &fate);
    sim->result->back_sent++;
    sim->result->back_lost += fate.copies == 0;
    launch(sim, ARRIVES_AT_SENDER, (int)path, bytes, len, &fate);
}

static void arrive(struct sim *sim, const struct vox_appointment *arrival)
{
    struct flight *flight = arrival->what;
    const struct vox_sim_observer *observer = &sim->config->observer;
    if (arrival->kind == ARRIVES_AT_RECEIVER && observer->on_arrived)
        observer->on_arrived(observer->ctx, arrival->who, arrival->t_ns, flight->bytes,
                             flight->len);
    if (arrival->kind == ARRIVES_AT_RECEIVER)
        vox_receiver_push(sim->receiver, flight->bytes, flight->len, arrival->t_ns,
                          (uint32_t)arrival->who);
    else
        vox_talker_feed(sim->posts[arrival->who].talker, flight->bytes, flight->len, arrival->t_ns);
    free(flight);
}

/* ---- the loudspeaker, or the file ---- */

static bool is_file(const struct sim *sim)
{
    return sim->config->speaker.block_frames == 0;
}

static int64_t next_pull_ns(const struct sim *sim)
{
    return is_file(sim) ? vox_receiver_next_pull_ns(sim->receiver)
                        : vox_lab_device_next_ns(&sim->speaker);
}

static void pull_frames(struct sim *sim, int frames, int64_t playout_ns)
{
    enum { MOST = 960 };
    const struct vox_sim_observer *observer = &sim->config->observer;
    float pcm[MOST * 2];
    int hz = sim->config->receiver.output_hz;
    for (int made = 0; made < frames; made += MOST) {
        int n = frames - made < MOST ? frames - made : MOST;
        int64_t t_ns = playout_ns + vox_ticks_to_ns(made, hz);
        bool was_idle = vox_receiver_is_idle(sim->receiver, -1);
        int valid = vox_receiver_pull(sim->receiver, pcm, n, sim->now_ns, t_ns);
        if (observer->on_pcm)
            observer->on_pcm(observer->ctx, sim->receiver, pcm, n, valid, was_idle, t_ns);
    }
}

static void pull(struct sim *sim)
{
    if (is_file(sim)) {
        pull_frames(sim, vox_receiver_block_frames(sim->receiver), sim->now_ns);
        return;
    }
    if (vox_lab_device_stalls(&sim->speaker)) {
        int64_t silent_ns = vox_lab_device_wait(&sim->speaker);
        vox_receiver_underrun(sim->receiver, sim->now_ns, silent_ns);
        return;
    }
    vox_lab_device_advance(&sim->speaker);
    pull_frames(sim, sim->speaker.config.block_frames,
                sim->now_ns + sim->speaker.config.latency_ns);
}

/* ---- the course of events ---- */

static struct post *next_post(struct sim *sim, int64_t *t_ns)
{
    struct post *first = NULL;
    *t_ns = VOX_NS_NEVER;
    for (int i = 0; i < sim->config->sender_count; i++) {
        int64_t due_ns = vox_talker_next_ns(sim->posts[i].talker);
        if (due_ns < *t_ns) {
            *t_ns = due_ns;
            first = &sim->posts[i];
        }
    }
    return first;
}

static bool is_over(const struct sim *sim, int64_t post_ns)
{
    return post_ns == VOX_NS_NEVER && vox_agenda_next_ns(&sim->agenda) == VOX_NS_NEVER &&
           vox_receiver_all_ended(sim->receiver);
}

/* Does what is due first. False: nothing is. */
static bool step(struct sim *sim)
{
    struct vox_appointment arrival;
    int64_t post_ns;
    struct post *post = next_post(sim, &post_ns);
    int64_t tick_ns = vox_receiver_next_deadline_ns(sim->receiver);
    int64_t pull_ns = next_pull_ns(sim);
    int64_t first_ns = tick_ns < pull_ns ? tick_ns : pull_ns;
    first_ns = post_ns < first_ns ? post_ns : first_ns;
    bool arrives = vox_agenda_next_ns(&sim->agenda) <= first_ns;
    first_ns = arrives ? vox_agenda_next_ns(&sim->agenda) : first_ns;
    if (first_ns >= sim->config->end_ns || is_over(sim, post_ns))
        return false;
    sim->now_ns = first_ns > sim->now_ns ? first_ns : sim->now_ns;
    if (arrives && vox_agenda_take(&sim->agenda, &arrival))
        arrive(sim, &arrival);
    else if (post_ns == first_ns)
        sim->err = vox_talker_step(post->talker, sim->now_ns);
    else if (tick_ns == first_ns)
        vox_receiver_tick(sim->receiver, sim->now_ns);
    else
        pull(sim);
    return sim->err >= 0;
}

/* ---- beginning and end ---- */

static void tell_event(void *ctx, const struct vox_event *event)
{
    const struct vox_sim_observer *observer = &((struct sim *)ctx)->config->observer;
    if (observer->on_event)
        observer->on_event(observer->ctx, event);
}

static void tell_played(void *ctx, const struct vox_played_packet *packet)
{
    const struct vox_sim_observer *observer = &((struct sim *)ctx)->config->observer;
    if (observer->on_played)
        observer->on_played(observer->ctx, packet);
}

static int open_receiver(struct sim *sim)
{
    struct vox_receiver_config config = sim->config->receiver;
    config.follow_source = is_file(sim);
    config.on_rtcp = send_back;
    config.on_event = tell_event;
    config.on_played = tell_played;
    config.ctx = sim;
    int err = vox_receiver_create(&config, &sim->receiver);
    for (int i = 0; err >= 0 && i < sim->config->sender_count; i++)
        vox_receiver_set_path_local(sim->receiver, (uint32_t)i, true);
    return err;
}

static void tell_sender_event(void *ctx, const struct vox_sender_event *event)
{
    const struct post *post = ctx;
    const struct vox_sim_observer *observer = &post->sim->config->observer;
    if (observer->on_sender_event)
        observer->on_sender_event(observer->ctx, post->number, event);
}

static int open_post(struct sim *sim, int number)
{
    const struct vox_sim_sender *sender = &sim->config->senders[number];
    struct post *post = &sim->posts[number];
    struct vox_talker_config talker = sender->talker;
    post->sim = sim;
    post->number = number;
    talker.on_datagram = send_there;
    talker.on_event = tell_sender_event;
    talker.ctx = post;
    int err = vox_talker_create(&talker, &post->talker);
    if (err >= 0)
        err = vox_route_create(sender->there, &post->there);
    if (err >= 0)
        err = vox_route_create(sender->back, &post->back);
    return err;
}

static int open_all(struct sim *sim)
{
    const struct vox_sim_config *c = sim->config;
    if (c->sender_count < 1 || c->sender_count > VOX_SIM_MAX_SENDERS)
        return VOX_EINVAL;
    struct vox_lab_device_config speaker = c->speaker;
    speaker.hz = c->receiver.output_hz;
    vox_lab_device_init(&sim->speaker, &speaker, c->speaker_start_ns);
    vox_agenda_init(&sim->agenda);
    int err = open_receiver(sim);
    for (int i = 0; i < c->sender_count && err >= 0; i++)
        err = open_post(sim, i);
    return err;
}

static void finish(struct sim *sim)
{
    vox_receiver_finish(sim->receiver, sim->now_ns);
    sim->result->end_ns = sim->now_ns;
    vox_receiver_read_stats(sim->receiver, &sim->result->receiver);
    for (int i = 0; i < sim->config->sender_count; i++) {
        vox_talker_read_stats(sim->posts[i].talker, &sim->result->senders[i]);
        sim->result->there[i] = vox_route_stats(sim->posts[i].there);
    }
}

static void close_all(struct sim *sim)
{
    struct vox_appointment left;
    while (vox_agenda_take(&sim->agenda, &left))
        free(left.what);
    vox_agenda_clear(&sim->agenda);
    for (int i = 0; i < VOX_SIM_MAX_SENDERS; i++) {
        vox_talker_destroy(sim->posts[i].talker);
        vox_route_destroy(sim->posts[i].there);
        vox_route_destroy(sim->posts[i].back);
    }
    vox_receiver_destroy(sim->receiver);
}

int vox_sim_run(const struct vox_sim_config *config, struct vox_sim_result *result)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim)
        return VOX_ENOMEM;
    memset(result, 0, sizeof *result);
    sim->config = config;
    sim->result = result;
    int err = open_all(sim);
    if (err >= 0) {
        while (step(sim))
            ;
        err = sim->err;
    }
    if (err >= 0)
        finish(sim);
    close_all(sim);
    free(sim);
    return err;
}
