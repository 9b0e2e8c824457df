#include "receiver/receiver.h"

#include "base/err.h"
#include "base/time.h"
#include "dsp/pcm.h"
#include "receiver/recover.h"
#include "receiver/repeats.h"
#include "receiver/reporting.h"
#include "receiver/source.h"
#include "wire/hdrext.h"
#include "wire/rtcp.h"
#include "wire/red.h"
#include "wire/rtp.h"

#include <stdlib.h>
#include <string.h>

enum {
    MIX_FRAMES = 480,
    FIRST_DYNAMIC_TYPE = 96, /* RFC 3551, section 6 */
};

#define TIMEOUT_NS (5 * VOX_NS_PER_S)
#define PROBATION_NS (2 * VOX_NS_PER_S)
/* On probation for longer, a source gives its place to a new one. */
#define STALE_NS (100 * VOX_NS_PER_MS)
/* A source that has been quiet for longer, which DTX is not, is over when a new SSRC speaks from
 * the same path. */
#define REPLACE_QUIET_NS VOX_NS_PER_S
/* So long after its goodbye an SSRC is not taken for a new source. */
#define DEPARTED_NS VOX_NS_PER_S
#define SETTLE_PERIOD_NS (VOX_NS_PER_S / 2)
/* So long after its time, a tick is one of a host that stood still. What came meanwhile may still
 * wait to be pushed: that nothing was heard says nothing of the senders. */
#define STOOD_STILL_NS VOX_NS_PER_S

struct vox_receiver {
    struct vox_receiver_config config;
    char cname[VOX_RTCP_MAX_TEXT + 1];
    uint64_t pushed[VOX_PUSH_RESULTS];
    uint64_t underruns;
    int64_t underrun_ns;
    int64_t next_settle_ns;
    int64_t awake_ns; /* no gap in the ticks since */
    struct vox_pcm_meter meter;
    struct vox_source_stats past; /* sums of ended sources whose place was taken */
    uint32_t local_paths[VOX_RECEIVER_MAX_PATHS / 32];
    struct vox_reporting reporting;
    struct vox_source_stats scratch;
    float mix[MIX_FRAMES * 2];
    struct vox_source *sources;
    const struct vox_source *master; /* among them: drives the pulls, if follow_source; or NULL */
};

void vox_receiver_config_init(struct vox_receiver_config *config)
{
    *config = (struct vox_receiver_config){
        .output_hz = VOX_RTP_HZ,
        .output_channels = 2,
        .max_sources = 16,
        .payload_type = -1,
        .capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID,
        .delay_ns = -1,
        .max_delay_ns = 2 * VOX_NS_PER_S,
        .prefer_ms = VOX_PREFER_BALANCED_MS,
        .cname = "voxgram",
    };
}

static bool is_valid(const struct vox_receiver_config *c)
{
    return c->output_hz >= 8000 && c->output_hz <= 192000 &&
           (!c->follow_source || c->output_hz == VOX_RTP_HZ) && c->output_channels >= 1 &&
           c->output_channels <= 2 && c->max_sources >= 1 &&
           c->max_sources <= VOX_RECEIVER_MAX_SOURCES && c->payload_type >= -1 &&
           c->payload_type <= 127 && c->red_payload_type >= 0 && c->red_payload_type <= 127 &&
           c->rtx_payload_type >= 0 && c->rtx_payload_type <= 127 && c->capture_time_id >= 0 &&
           c->capture_time_id <= 255 && c->prefer_ms >= VOX_PREFER_LEAST_MS &&
           c->prefer_ms <= VOX_PREFER_MOST_MS && c->min_delay_ns >= 0 &&
           c->max_delay_ns >= c->min_delay_ns && c->cname && strlen(c->cname) <= VOX_RTCP_MAX_TEXT;
}

int vox_receiver_create(const struct vox_receiver_config *config, struct vox_receiver **out)
{
    if (!config || !is_valid(config))
        return VOX_EINVAL;
    struct vox_receiver *r = calloc(1, sizeof *r);
    if (!r)
        return VOX_ENOMEM;
    r->config = *config;
    memcpy(r->cname, config->cname, strlen(config->cname) + 1);
    r->config.cname = r->cname;
    r->next_settle_ns = VOX_NS_NEVER;
    r->awake_ns = INT64_MIN / 2;
    r->sources = calloc((size_t)config->max_sources, sizeof *r->sources);
    int err = r->sources ? 0 : VOX_ENOMEM;
    for (int i = 0; i < config->max_sources && err == 0; i++)
        err = vox_source_create(&r->sources[i], &r->config, i);
    if (err < 0) {
        vox_receiver_destroy(r);
        return err;
    }
    vox_reporting_init(&r->reporting, &r->config, r->sources);
    *out = r;
    return 0;
}

void vox_receiver_destroy(struct vox_receiver *r)
{
    if (!r)
        return;
    for (int i = 0; r->sources && i < r->config.max_sources; i++)
        vox_source_destroy(&r->sources[i]);
    free(r->sources);
    free(r);
}

/* ---- the table of sources ---- */

/* Whether a source of this SSRC has just ended: packets that its goodbye overtook do not make it a
 * new one (RFC 3550, section 6.3.4). */
static bool has_departed(const struct vox_receiver *r, uint32_t ssrc, int64_t now_ns)
{
    for (int i = 0; i < r->config.max_sources; i++) {
        const struct vox_source *s = &r->sources[i];
        if (s->used && s->emit.ssrc == ssrc && s->state == VOX_SOURCE_ENDED && !s->timed_out &&
            now_ns - s->departed_ns < DEPARTED_NS)
            return true;
    }
    return false;
}

/*
 * One that timed out keeps its place until another needs it. If it goes on, its numbers tell what
 * was lost meanwhile.
 */
static struct vox_source *find_returning(struct vox_receiver *r, const struct vox_rtp *rtp,
                                         int64_t arrival_ns)
{
    for (int i = 0; i < r->config.max_sources; i++)
        if (vox_source_returns(&r->sources[i], rtp, arrival_ns))
            return &r->sources[i];
    return NULL;
}

static void add_to_past(struct vox_receiver *r, const struct vox_source *source)
{
    vox_source_read_stats(source, &r->scratch);
    vox_source_stats_add(&r->past, &r->scratch);
}

/* 0: better to take than 1 and so on; 3: not to be had. */
static int cost_of_place(const struct vox_source *s, int64_t now_ns)
{
    if (!s->used)
        return 0;
    if (s->state == VOX_SOURCE_ENDED)
        return 1;
    bool stale = s->state == VOX_SOURCE_PROBATION && now_ns - s->last_packet_ns > STALE_NS;
    return stale ? 2 : 3;
}

static struct vox_source *take_place(struct vox_receiver *r, int64_t now_ns)
{
    struct vox_source *best = NULL;
    int least = 3;
    for (int i = 0; i < r->config.max_sources; i++) {
        struct vox_source *s = &r->sources[i];
        int cost = cost_of_place(s, now_ns);
        bool older = best && cost == least && s->last_packet_ns < best->last_packet_ns;
        if (cost < least || older) {
            best = s;
            least = cost;
        }
    }
    if (best && best->used && best->state == VOX_SOURCE_ENDED)
        add_to_past(r, best);
    return best;
}

/* A sender that restarts has a new SSRC; its old one plays out what it has. */
static void end_replaced(struct vox_receiver *r, const struct vox_source *fresh, int64_t now_ns)
{
    for (int i = 0; i < r->config.max_sources; i++) {
        struct vox_source *s = &r->sources[i];
        if (s != fresh && s->used && s->state == VOX_SOURCE_ACTIVE && s->path == fresh->path &&
            now_ns - s->last_packet_ns > REPLACE_QUIET_NS)
            vox_source_bye(s, now_ns, true);
    }
}

static bool path_is_absolute(const struct vox_receiver *r, uint32_t path)
{
    bool local = path < VOX_RECEIVER_MAX_PATHS && (r->local_paths[path / 32] >> path % 32 & 1U);
    return r->config.clock_synced || local;
}

void vox_receiver_set_path_local(struct vox_receiver *r, uint32_t path, bool local)
{
    uint32_t bit = 1U << path % 32;
    if (path >= VOX_RECEIVER_MAX_PATHS)
        return;
    if (local)
        r->local_paths[path / 32] |= bit;
    else
        r->local_paths[path / 32] &= ~bit;
}

/* ---- from the network ---- */

static void start_settling(struct vox_receiver *r, int64_t now_ns)
{
    if (r->next_settle_ns == VOX_NS_NEVER)
        r->next_settle_ns = now_ns + SETTLE_PERIOD_NS;
}

static bool type_fits(const struct vox_receiver *r, int payload_type)
{
    if (r->config.payload_type >= 0)
        return payload_type == r->config.payload_type;
    return payload_type >= FIRST_DYNAMIC_TYPE;
}

/* The payload type of what a packet that is known to be RED holds; -1: it is not known. */
static int inner_type(const struct vox_receiver *r, const struct vox_rtp *rtp)
{
    struct vox_red red;
    bool is_red = r->config.red_payload_type > 0 &&
                  rtp->payload_type == r->config.red_payload_type &&
                  vox_red_parse(rtp->payload, rtp->payload_bytes, &red) >= 0;
    return is_red ? red.primary.payload_type : -1;
}

/* A packet of an SSRC that is no source's: does it repeat one of a source? */
static bool is_repeat(struct vox_receiver *r, const struct vox_rtp *rtp, size_t len,
                      int64_t arrival_ns, uint32_t path, enum vox_push_result *result)
{
    *result = VOX_PUSH_UNASKED;
    bool of_others =
        r->config.rtx_payload_type > 0 && rtp->payload_type == r->config.rtx_payload_type;
    for (int i = 0; i < r->config.max_sources; i++)
        switch (vox_repeats_recognise(&r->sources[i], rtp, path)) {
        case VOX_REPEATS_OURS:
            *result = vox_repeats_take(&r->sources[i], rtp, arrival_ns);
            if (*result < VOX_PUSH_NOT_RTP)
                vox_source_count_bytes(&r->sources[i], len, true);
            return true;
        case VOX_REPEATS_UNASKED:
            of_others = true;
            break;
        case VOX_REPEATS_NOT_OURS:
            break;
        }
    return of_others;
}

static void ask(struct vox_receiver *r, struct vox_source *source, int64_t now_ns)
{
    uint8_t bytes[VOX_RTCP_MAX_BYTES];
    if (now_ns < vox_repeats_next_ns(source))
        return;
    size_t len = vox_repeats_request(source, now_ns, bytes, sizeof bytes);
    if (len > 0)
        r->config.on_rtcp(r->config.ctx, source->rtcp_path, bytes, len);
}

static enum vox_push_result push_rtp(struct vox_receiver *r, const void *datagram, size_t len,
                                     int64_t arrival_ns, uint32_t path)
{
    struct vox_rtp rtp;
    struct vox_opus_info info;
    if (vox_rtp_parse(datagram, len, &rtp) < 0)
        return VOX_PUSH_NOT_RTP;
    struct vox_source *source = vox_source_find(r->sources, r->config.max_sources, rtp.ssrc);
    enum vox_push_result result;
    if (!source && (source = find_returning(r, &rtp, arrival_ns)) != NULL) {
        vox_source_resume(source, path, arrival_ns);
        vox_reporting_begin(&r->reporting, source, arrival_ns);
        end_replaced(r, source, arrival_ns);
    }
    if (!source && is_repeat(r, &rtp, len, arrival_ns, path, &result))
        return result;
    if (!source) {
        int inner = inner_type(r, &rtp);
        int type = inner >= 0 ? inner : rtp.payload_type;
        if (has_departed(r, rtp.ssrc, arrival_ns))
            return VOX_PUSH_LATE;
        if (!type_fits(r, type))
            return VOX_PUSH_FOREIGN_PAYLOAD;
        if (inner < 0 && vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) < 0) {
            type = vox_recover_payload_type(&rtp);
            if (type < 0)
                return VOX_PUSH_NOT_OPUS;
        }
        source = take_place(r, arrival_ns);
        if (!source)
            return VOX_PUSH_TOO_MANY_SOURCES;
        vox_source_begin(source, rtp.ssrc, type, path, arrival_ns);
        vox_reporting_begin(&r->reporting, source, arrival_ns);
        start_settling(r, arrival_ns);
    }
    bool was_active = source->state == VOX_SOURCE_ACTIVE;
    result = vox_source_packet(source, &rtp, arrival_ns, path_is_absolute(r, path));
    if (result == VOX_PUSH_TAKEN && source->path != path) { /* its address changed: NAT, roaming */
        source->path = path;
        source->rtcp_path = path;
    }
    if (result < VOX_PUSH_NOT_RTP) {
        vox_source_count_bytes(source, len, false);
        vox_reporting_packet(&r->reporting, source, len, arrival_ns);
    }
    if (!was_active && source->state == VOX_SOURCE_ACTIVE)
        end_replaced(r, source, arrival_ns);
    ask(r, source, arrival_ns);
    return result;
}

enum vox_push_result vox_receiver_push(struct vox_receiver *r, const void *datagram, size_t len,
                                       int64_t arrival_ns, uint32_t path)
{
    enum vox_push_result result =
        vox_rtp_is_rtcp(datagram, len)
            ? vox_reporting_feed(&r->reporting, datagram, len, arrival_ns, path)
            : push_rtp(r, datagram, len, arrival_ns, path);
    r->pushed[result]++;
    return result;
}

/* ---- to the converter ---- */

/* The source whose sender's clock drives a file: the first that plays, as long as it does. */
static const struct vox_source *master_of(const struct vox_receiver *r)
{
    const struct vox_source *first = NULL;
    if (r->master && r->master->clocked && vox_source_plays(r->master))
        return r->master;
    for (int i = 0; i < r->config.max_sources; i++) {
        const struct vox_source *s = &r->sources[i];
        int64_t due = vox_source_next_pull_ns(s);
        if (s->clocked && vox_source_plays(s))
            return s;
        if (due != VOX_NS_NEVER && (!first || due < vox_source_next_pull_ns(first)))
            first = s;
    }
    return first;
}

static int mix_block(struct vox_receiver *r, float *pcm, int frames, int64_t now_ns,
                     int64_t playout_ns)
{
    const struct vox_source *master = r->config.follow_source ? master_of(r) : NULL;
    r->master = master;
    int samples = frames * r->config.output_channels;
    int valid = 0;
    memset(pcm, 0, (size_t)samples * sizeof *pcm);
    for (int i = 0; i < r->config.max_sources; i++) {
        struct vox_source *s = &r->sources[i];
        if (!vox_source_plays(s))
            continue;
        int n = vox_source_pull(s, r->mix, frames, now_ns, playout_ns, s != master);
        for (int k = 0; k < samples; k++)
            pcm[k] += r->mix[k];
        valid = n > valid ? n : valid;
    }
    return valid;
}

int vox_receiver_pull(struct vox_receiver *r, float *pcm, int frames, int64_t now_ns,
                      int64_t playout_ns)
{
    int valid = 0;
    for (int made = 0; made < frames; made += MIX_FRAMES) {
        int n = frames - made < MIX_FRAMES ? frames - made : MIX_FRAMES;
        float *at = pcm + made * r->config.output_channels;
        int got =
            mix_block(r, at, n, now_ns, playout_ns + vox_ticks_to_ns(made, r->config.output_hz));
        valid = got > 0 ? made + got : valid;
    }
    vox_pcm_meter_add(&r->meter, pcm, (size_t)(frames * r->config.output_channels));
    return valid;
}

int64_t vox_receiver_next_pull_ns(const struct vox_receiver *r)
{
    const struct vox_source *master = master_of(r);
    return master ? vox_source_next_pull_ns(master) : VOX_NS_NEVER;
}

int vox_receiver_block_frames(const struct vox_receiver *r)
{
    int least = VOX_RECEIVER_MAX_BLOCK_FRAMES;
    int playing = 0;
    for (int i = 0; i < r->config.max_sources; i++) {
        const struct vox_source *s = &r->sources[i];
        if (!vox_source_plays(s))
            continue;
        /* Of several, none should have to be ready for longer than it must. */
        int block = playing == 0 ? vox_source_ready_frames(s) : vox_source_block_frames(s);
        least = block < least ? block : least;
        playing++;
    }
    return least;
}

int vox_receiver_pull_source(struct vox_receiver *r, int source, float *pcm, int frames,
                             int64_t now_ns, int64_t playout_ns)
{
    struct vox_source *s = &r->sources[source];
    size_t samples = (size_t)(frames * r->config.output_channels);
    if (!vox_source_plays(s)) {
        memset(pcm, 0, samples * sizeof *pcm);
        return 0;
    }
    int valid = vox_source_pull(s, pcm, frames, now_ns, playout_ns, !r->config.follow_source);
    vox_pcm_meter_add(&r->meter, pcm, samples);
    return valid;
}

int64_t vox_receiver_source_next_pull_ns(const struct vox_receiver *r, int source)
{
    return vox_source_next_pull_ns(&r->sources[source]);
}

bool vox_receiver_is_idle(const struct vox_receiver *r, int source)
{
    for (int i = 0; i < r->config.max_sources; i++) {
        const struct vox_source *s = &r->sources[i];
        if ((source < 0 || source == i) && vox_source_plays(s) && !vox_playout_is_idle(s->playout))
            return false;
    }
    return true;
}

/* ---- time ---- */

/* Not in the middle of what it has sent: a long delay keeps that for longer. */
static int64_t timeout_ns(const struct vox_source *s)
{
    bool plays = !vox_playout_is_idle(s->playout);
    return TIMEOUT_NS + (plays ? vox_playout_target_ns(s->playout) : 0);
}

static void look_after_sources(struct vox_receiver *r, int64_t now_ns)
{
    for (int i = 0; i < r->config.max_sources; i++) {
        struct vox_source *s = &r->sources[i];
        int64_t since_ns = s->last_packet_ns > r->awake_ns ? s->last_packet_ns : r->awake_ns;
        int64_t quiet_ns = now_ns - since_ns;
        if (!s->used || s->state == VOX_SOURCE_ENDED)
            continue;
        if (s->state == VOX_SOURCE_PROBATION && quiet_ns > PROBATION_NS)
            s->used = false;
        else if (s->state == VOX_SOURCE_ACTIVE && quiet_ns > timeout_ns(s))
            vox_source_end(s, now_ns, VOX_END_TIMEOUT);
        else
            vox_playout_settle(s->playout, now_ns);
    }
}

int64_t vox_receiver_next_deadline_ns(const struct vox_receiver *r)
{
    int64_t next_ns = vox_reporting_next_deadline_ns(&r->reporting);
    next_ns = next_ns < r->next_settle_ns ? next_ns : r->next_settle_ns;
    for (int i = 0; r->config.rtx && i < r->config.max_sources; i++) {
        if (!vox_source_plays(&r->sources[i]))
            continue;
        int64_t ask_ns = vox_repeats_next_ns(&r->sources[i]);
        next_ns = next_ns < ask_ns ? next_ns : ask_ns;
    }
    return next_ns;
}

void vox_receiver_tick(struct vox_receiver *r, int64_t now_ns)
{
    if (now_ns >= r->next_settle_ns) {
        if (now_ns - r->next_settle_ns > STOOD_STILL_NS)
            r->awake_ns = now_ns;
        look_after_sources(r, now_ns);
        r->next_settle_ns = now_ns + SETTLE_PERIOD_NS;
    }
    vox_reporting_tick(&r->reporting, now_ns);
    for (int i = 0; r->config.rtx && i < r->config.max_sources; i++)
        if (vox_source_plays(&r->sources[i]))
            ask(r, &r->sources[i], now_ns);
}

void vox_receiver_underrun(struct vox_receiver *r, int64_t t_ns, int64_t gap_ns)
{
    r->underruns++;
    r->underrun_ns += gap_ns;
    for (int i = 0; i < r->config.max_sources; i++)
        if (vox_source_plays(&r->sources[i]))
            vox_playout_underrun(r->sources[i].playout, t_ns, gap_ns);
}

void vox_receiver_finish(struct vox_receiver *r, int64_t now_ns)
{
    vox_reporting_goodbye(&r->reporting, now_ns);
    for (int i = 0; i < r->config.max_sources; i++)
        if (vox_source_plays(&r->sources[i]))
            vox_playout_settle(r->sources[i].playout, INT64_MAX);
}

bool vox_receiver_all_ended(const struct vox_receiver *r)
{
    bool any = false;
    for (int i = 0; i < r->config.max_sources; i++) {
        if (r->sources[i].used && r->sources[i].state != VOX_SOURCE_ENDED)
            return false;
        any |= r->sources[i].used;
    }
    return any;
}

void vox_receiver_read_stats(struct vox_receiver *r, struct vox_receiver_stats *out)
{
    memcpy(out->pushed, r->pushed, sizeof out->pushed);
    out->underruns = r->underruns;
    out->underrun_ns = r->underrun_ns;
    out->rms_db = vox_pcm_meter_rms_db(&r->meter, &out->peak_db);
    out->past = r->past;
    out->source_count = 0;
    for (int i = 0; i < r->config.max_sources; i++)
        if (r->sources[i].used)
            vox_source_read_stats(&r->sources[i], &out->sources[out->source_count++]);
}
