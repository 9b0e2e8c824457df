#include "lab/tcp_model.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/agenda.h"
#include "lab/tcp_receiver.h"

#include <stdlib.h>

enum { SEGMENT, ACK }; /* kinds of appointments */

enum {
    SACK_OPTION_BYTES = 4, /* with its padding; and for each block: */
    SACK_BLOCK_BYTES = 8,
    IMPAIR_HEADER_BYTES = 28, /* that it adds to what it is told */
    FIRST_ROOM = 1024,        /* messages */
    MAX_TIMEOUTS = 15,        /* Linux, tcp_retries2 */
};

struct packet {
    struct vox_tcp_segment segment;
    struct vox_tcp_ack ack;
};

struct message {
    int64_t end; /* in the stream */
    int64_t written_ns, readable_ns;
};

struct vox_tcp_model {
    struct vox_tcp_model_config config;
    struct vox_impair *there, *back;
    struct vox_tcp_sender *sender;
    struct vox_tcp_receiver receiver;
    struct vox_tcp_model_stats stats;
    struct vox_agenda agenda;
    int64_t now_ns;
    int timeouts_at_once; /* since the last answer */
    uint64_t timeouts;
    struct message *messages;
    size_t written, room, ready, read;
};

/* ---- the network ---- */

static void carry(struct vox_tcp_model *m, struct vox_impair *way, int kind, int wire_bytes,
                  const struct packet *packet)
{
    struct vox_fate fate;
    size_t bytes = wire_bytes > IMPAIR_HEADER_BYTES ? (size_t)wire_bytes - IMPAIR_HEADER_BYTES : 0;
    vox_impair_packet(way, m->now_ns, bytes, &fate);
    int64_t host_ns = kind == ACK ? m->config.host_ns : 0;
    for (int i = 0; i < fate.copies; i++) {
        struct packet *copy = malloc(sizeof *copy);
        if (!copy)
            return;
        *copy = *packet;
        struct vox_appointment arrival = {
            .t_ns = fate.deliver_ns[i] + host_ns, .kind = kind, .what = copy};
        if (vox_agenda_add(&m->agenda, &arrival) < 0)
            free(copy);
    }
}

static void carry_segment(void *ctx, const struct vox_tcp_segment *segment)
{
    struct vox_tcp_model *m = ctx;
    int bytes = m->config.header_bytes + (int)(segment->range.end - segment->range.begin);
    m->stats.bytes_there += (uint64_t)bytes;
    carry(m, m->there, SEGMENT, bytes, &(struct packet){.segment = *segment});
}

static void carry_ack(struct vox_tcp_model *m)
{
    struct packet packet = {.ack = {0}};
    vox_tcp_receiver_ack(&m->receiver, &packet.ack);
    int blocks = packet.ack.blocks + packet.ack.duplicate;
    int options = blocks > 0 ? SACK_OPTION_BYTES + blocks * SACK_BLOCK_BYTES : 0;
    int bytes = m->config.header_bytes + options;
    m->stats.bytes_back += (uint64_t)bytes;
    m->stats.acks++;
    carry(m, m->back, ACK, bytes, &packet);
}

/* ---- beginning and end ---- */

void vox_tcp_model_config_init(struct vox_tcp_model_config *config)
{
    *config = (struct vox_tcp_model_config){.header_bytes = 52,
                                            .mss = 1448,
                                            .rto_min_ns = 200 * VOX_NS_PER_MS,
                                            .host_ns = 100 * VOX_NS_PER_US};
    vox_impair_config_init(&config->there);
    vox_impair_config_init(&config->back);
}

static bool is_valid(const struct vox_tcp_model_config *c)
{
    return c->mss > 0 && c->mss <= UINT16_MAX && c->header_bytes > 0 &&
           c->header_bytes <= UINT16_MAX && c->rto_min_ns > 0 && c->delayed_ack_ns >= 0 &&
           c->host_ns >= 0;
}

int vox_tcp_model_create(const struct vox_tcp_model_config *config, struct vox_tcp_model **out)
{
    if (!is_valid(config))
        return VOX_EINVAL;
    struct vox_tcp_model *m = calloc(1, sizeof *m);
    if (!m)
        return VOX_ENOMEM;
    m->config = *config;
    m->now_ns = INT64_MIN;
    vox_agenda_init(&m->agenda);
    vox_tcp_receiver_init(&m->receiver, config->delayed_ack_ns);
    struct vox_tcp_sender_config sender = {
        .mss = config->mss,
        .rto_min_ns = config->rto_min_ns,
        .rtt_ns = config->there.delay_ns + config->back.delay_ns,
        .on_segment = carry_segment,
        .ctx = m,
    };
    int err = vox_impair_create(&config->there, &m->there);
    if (err >= 0)
        err = vox_impair_create(&config->back, &m->back);
    if (err >= 0)
        err = vox_tcp_sender_create(&sender, &m->sender);
    if (err < 0)
        vox_tcp_model_destroy(m);
    else
        *out = m;
    return err;
}

void vox_tcp_model_destroy(struct vox_tcp_model *model)
{
    if (!model)
        return;
    struct vox_appointment left;
    while (vox_agenda_take(&model->agenda, &left))
        free(left.what);
    vox_agenda_clear(&model->agenda);
    vox_tcp_sender_destroy(model->sender);
    vox_impair_destroy(model->there);
    vox_impair_destroy(model->back);
    free(model->messages);
    free(model);
}

/* ---- time ---- */

static void note_readable(struct vox_tcp_model *m)
{
    for (; m->ready < m->written && m->messages[m->ready].end <= m->receiver.next; m->ready++)
        m->messages[m->ready].readable_ns = m->now_ns;
}

static void arrive(struct vox_tcp_model *m)
{
    struct vox_appointment arrival;
    vox_agenda_take(&m->agenda, &arrival);
    struct packet *packet = arrival.what;
    if (arrival.kind == SEGMENT) {
        vox_tcp_receiver_take(&m->receiver, &packet->segment, m->now_ns);
        note_readable(m);
    } else {
        m->timeouts_at_once = 0;
        vox_tcp_sender_ack(m->sender, &packet->ack, m->now_ns);
    }
    free(packet);
}

static void fire(struct vox_tcp_model *m)
{
    vox_tcp_sender_fire(m->sender, m->now_ns);
    uint64_t timeouts = vox_tcp_sender_stats(m->sender)->timeouts;
    m->timeouts_at_once += timeouts > m->timeouts;
    m->timeouts = timeouts;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_ns(const struct vox_tcp_model *m)
{
    int64_t sender_ns =
        m->timeouts_at_once < MAX_TIMEOUTS ? vox_tcp_sender_deadline_ns(m->sender) : VOX_NS_NEVER;
    return earlier(earlier(sender_ns, m->receiver.ack_due_ns), vox_agenda_next_ns(&m->agenda));
}

/* What comes at the same time comes before what is answered, and that before what is given up. */
static void step(struct vox_tcp_model *m, int64_t t_ns)
{
    m->now_ns = t_ns > m->now_ns ? t_ns : m->now_ns;
    if (vox_agenda_next_ns(&m->agenda) <= t_ns)
        arrive(m);
    else if (m->receiver.ack_due_ns <= t_ns)
        carry_ack(m);
    else
        fire(m);
}

static int remember(struct vox_tcp_model *m, int64_t bytes)
{
    if (m->written == m->room) {
        size_t room = m->room ? 2 * m->room : FIRST_ROOM;
        struct message *larger = realloc(m->messages, room * sizeof *larger);
        if (!larger)
            return VOX_ENOMEM;
        m->messages = larger;
        m->room = room;
    }
    int64_t begin = m->written > 0 ? m->messages[m->written - 1].end : 0;
    m->messages[m->written++] = (struct message){.end = begin + bytes, .written_ns = m->now_ns};
    return 0;
}

int vox_tcp_model_write(struct vox_tcp_model *m, int64_t now_ns, size_t bytes)
{
    if (now_ns < m->now_ns || bytes == 0 || bytes > INT32_MAX)
        return VOX_EINVAL;
    for (int64_t t_ns = next_ns(m); t_ns <= now_ns; t_ns = next_ns(m))
        step(m, t_ns);
    m->now_ns = now_ns;
    int err = remember(m, (int64_t)bytes);
    if (err >= 0)
        vox_tcp_sender_write(m->sender, (int64_t)bytes, now_ns);
    return err;
}

bool vox_tcp_model_read(struct vox_tcp_model *m, int64_t until_ns, struct vox_tcp_message *out)
{
    if (m->read == m->written)
        return false;
    while (m->ready == m->read) {
        int64_t t_ns = next_ns(m);
        if (t_ns > until_ns || t_ns == VOX_NS_NEVER)
            return false;
        step(m, t_ns);
    }
    const struct message *message = &m->messages[m->read];
    if (message->readable_ns > until_ns)
        return false;
    *out = (struct vox_tcp_message){
        .index = m->read++, .written_ns = message->written_ns, .readable_ns = message->readable_ns};
    return true;
}

void vox_tcp_model_read_stats(const struct vox_tcp_model *m, struct vox_tcp_model_stats *out)
{
    *out = m->stats;
    out->sender = *vox_tcp_sender_stats(m->sender);
}
