#include "lab/tcp_window.h"

#include "base/time.h"

#include <limits.h>
#include <math.h>

#define CUBIC_C 0.4

/* CUBIC keeps 717/1024 of the window after a loss, and must then gain a segment for every 15/8 of a
 * window to be no worse than Reno (RFC 9438, section 4.3; Linux, net/ipv4/tcp_cubic.c). */
enum { KEEP = 717, OF = 1024, FRIENDLY_15 = 15, FRIENDLY_8 = 8, LEAST = 2 };

void vox_tcp_window_init(struct vox_tcp_window *window)
{
    *window = (struct vox_tcp_window){.size = VOX_TCP_WINDOW_START, .threshold = INT_MAX};
}

/* ---- growth ---- */

static bool may_grow(const struct vox_tcp_window *w)
{
    bool slow_start = w->size < w->threshold;
    return w->limited || (slow_start && w->size < 2 * w->most_out);
}

static void begin_epoch(struct vox_tcp_window *w, int acked, int64_t now_ns)
{
    bool below = w->last_most > w->size;
    w->epoch_ns = now_ns;
    w->friendly_acked = acked;
    w->friendly = w->size;
    w->origin = below ? w->last_most : w->size;
    w->to_origin_s = below ? cbrt((w->last_most - w->size) / CUBIC_C) : 0;
}

/* After how many acknowledged segments the window grows by one. */
static int growth_interval(struct vox_tcp_window *w, int64_t now_ns, int64_t least_rtt_ns)
{
    double t_s = (double)(now_ns - w->epoch_ns + least_rtt_ns) / 1e9 - w->to_origin_s;
    double target = w->origin + CUBIC_C * t_s * t_s * t_s;
    double interval = target > w->size ? w->size / (target - w->size) : 100.0 * w->size;
    if (w->last_most == 0 && interval > 20)
        interval = 20;
    int round = w->size * FRIENDLY_15 / FRIENDLY_8;
    for (; w->friendly_acked > round; w->friendly_acked -= round)
        w->friendly++;
    if (w->friendly > w->size)
        interval = fmin(interval, (double)w->size / (w->friendly - w->size));
    return interval > 2 ? (int)interval : 2;
}

void vox_tcp_window_grow(struct vox_tcp_window *w, int acked, int64_t now_ns, int64_t least_rtt_ns)
{
    if (!may_grow(w))
        return;
    if (w->size < w->threshold) {
        int step = acked < w->threshold - w->size ? acked : w->threshold - w->size;
        w->size += step;
        acked -= step;
    }
    if (acked == 0)
        return;
    w->friendly_acked += acked;
    if (w->epoch_ns == 0)
        begin_epoch(w, acked, now_ns);
    int interval = growth_interval(w, now_ns, least_rtt_ns);
    if (w->grown_acked >= interval) { /* gathered while it grew more slowly: no leap */
        w->grown_acked = 0;
        w->size++;
    }
    w->grown_acked += acked;
    w->size += w->grown_acked / interval;
    w->grown_acked %= interval;
}

/* ---- loss ---- */

static int larger(int a, int b)
{
    return a > b ? a : b;
}

void vox_tcp_window_reduce(struct vox_tcp_window *w)
{
    bool shrinks = w->size < w->last_most; /* fast convergence: others want their share */
    w->last_most = shrinks ? w->size * (OF + KEEP) / (2 * OF) : w->size;
    w->epoch_ns = 0;
    w->grown_acked = 0;
    w->before = w->size;
    w->threshold_before = larger(w->threshold, w->size / 2 + w->size / 4);
    w->threshold = w->size * KEEP / OF > LEAST ? w->size * KEEP / OF : LEAST;
    w->delivered = 0;
    w->sent = 0;
}

void vox_tcp_window_delivered(struct vox_tcp_window *w, int delivered, int in_flight, bool advanced)
{
    int room = w->threshold - in_flight;
    w->delivered += delivered;
    int more;
    if (room < 0) {
        more = (w->threshold * w->delivered + w->before - 1) / w->before - w->sent;
    } else {
        more = larger(w->delivered - w->sent, delivered) + advanced;
        more = more < room ? more : room;
    }
    more = larger(more, w->sent > 0 ? 0 : 1); /* the first repetition always leaves */
    w->size = in_flight + more;
}

void vox_tcp_window_sent(struct vox_tcp_window *w)
{
    w->sent++;
}

void vox_tcp_window_settle(struct vox_tcp_window *w)
{
    w->size = w->threshold;
}

void vox_tcp_window_collapse(struct vox_tcp_window *w, int in_flight)
{
    w->size = in_flight + 1;
    w->last_most = 0;
    w->epoch_ns = 0;
    w->grown_acked = 0;
}

void vox_tcp_window_undo(struct vox_tcp_window *w)
{
    w->size = larger(w->size, w->before);
    w->threshold = larger(w->threshold, w->threshold_before);
}
