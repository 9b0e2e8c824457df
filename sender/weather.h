/*
 * The network as the sender sees it: what share of its packets is lost lately, in bursts how long,
 * and how much comes through.
 *
 *     vox_weather_init(&weather);
 *     vox_weather_sent(&weather, seq, wire_bytes, send_ns);         // every packet
 *     if (vox_weather_told(&weather, fates, arrival_ns))            // a report was taken over
 *         vox_weather_loss(&weather, fates, &loss);
 *
 * Loss is judged over the last half second, 2 s and 8 s, and the worst of the three counts, each
 * made smaller by what chance alone may have added: so it follows a step upwards within a report
 * or two, and forgets 8 s later.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_SENDER_WEATHER_H
#define VOX_SENDER_WEATHER_H

#include "sender/fates.h"
#include "sender/odds.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_WEATHER_REPORTS = 16 };

struct vox_weather {
    int64_t newest; /* sent; -1: none */
    int64_t told;   /* newest whose fate was told; -1: none */
    int64_t came;   /* wire bytes of those that came, or may have, in all */
    struct {
        int64_t send_ns;
        int64_t wire_bytes;
    } sent[VOX_FATES_PACKETS]; /* by extended number, in a ring */
    struct {
        int64_t arrival_ns;
        int64_t came;
    } reports[VOX_WEATHER_REPORTS]; /* the latest, in a ring */
    uint64_t report_count;
};

void vox_weather_init(struct vox_weather *weather);

/* seq: extended, as in fates.h. wire_bytes: with headers. */
void vox_weather_sent(struct vox_weather *weather, int64_t seq, int64_t wire_bytes,
                      int64_t send_ns);

/* Fates have been taken over. False: of no new packet. */
bool vox_weather_told(struct vox_weather *weather, const struct vox_fates *fates,
                      int64_t arrival_ns);

/* The loss to be reckoned with. */
void vox_weather_loss(const struct vox_weather *weather, const struct vox_fates *fates,
                      struct vox_odds_loss *out);

/*
 * Between which bounds the round trip is, by when the report came that told of the newest packet:
 * since the packet was sent at most, since the one after it was sent at least, unless that was
 * lost. So each report tells of the way that the audio itself takes, and no other packet is needed.
 * least < 0, most VOX_NS_NEVER: not known.
 */
void vox_weather_round(const struct vox_weather *weather, int64_t *least_ns, int64_t *most_ns);

/* What came through in the last second or two, bit/s on the wire; 0: not known yet. Of packets that
 * nobody told of, all. */
int64_t vox_weather_delivered_bps(const struct vox_weather *weather);

#endif
