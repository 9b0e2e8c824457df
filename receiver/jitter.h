/*
 * The jitter buffer: packets by extended sequence number in a ring of slots. It orders and drops
 * duplicates; it knows nothing of time.
 *
 *     vox_jitter_create(1024, &jitter);
 *     vox_jitter_insert(jitter, &packet);
 *     const struct vox_packet *head = vox_jitter_head(jitter);   // lowest number not yet played
 *     vox_jitter_pop(jitter);
 *
 * Before the first pop any number may become the head; after it, lower numbers are late.
 *
 * Thread rule: one owner. All but create and destroy are RT-safe.
 */
#ifndef VOX_RECEIVER_JITTER_H
#define VOX_RECEIVER_JITTER_H

#include "wire/opus_toc.h"
#include "wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet made comparable: index and ts neither wrap nor jump. */
struct vox_packet {
    int64_t index; /* extended sequence number */
    int64_t ts;    /* extended RTP timestamp, 48 kHz ticks */
    int64_t arrival_ns;
    bool marker;
    bool is_copy;   /* brought by another packet: it may itself still come */
    bool is_repeat; /* if a copy: it was asked for */
    bool has_capture;
    int64_t capture_unix_ns; /* when its first decoded sample was captured, if has_capture */
    struct vox_opus_info info;
    const uint8_t *payload;
    size_t payload_bytes; /* at most VOX_RTP_MAX_BYTES */
};

enum vox_insert {
    VOX_INSERT_STORED,
    VOX_INSERT_REPLACED, /* its copy was here, or was played */
    VOX_INSERT_DUPLICATE,
    VOX_INSERT_LATE,
    VOX_INSERT_FULL,
};

struct vox_jitter;

/* slots: a power of two. Errors: VOX_EINVAL, VOX_ENOMEM. */
int vox_jitter_create(size_t slots, struct vox_jitter **out);
void vox_jitter_destroy(struct vox_jitter *jitter);
/* Empty, as after create. */
void vox_jitter_reset(struct vox_jitter *jitter);

/*
 * Copies the packet in. FULL: its number lies a whole ring or more away from the head's, or its
 * payload is too long. LATE: its number has been played or passed over. A copy is stored if nothing
 * is known of its number; else it is a DUPLICATE, and nothing changes.
 */
enum vox_insert vox_jitter_insert(struct vox_jitter *jitter, const struct vox_packet *packet);

/*
 * This number holds no audio: what came with it is of another payload type (FEC of other programs,
 * comfort noise). Nobody waits for it. Audio that comes with it all the same is taken.
 */
void vox_jitter_blank(struct vox_jitter *jitter, int64_t index);

/* The number in front of this one, those without audio left out. */
int64_t vox_jitter_before(const struct vox_jitter *jitter, int64_t index);

/* Whether a copy of it would be a DUPLICATE. */
bool vox_jitter_knows(const struct vox_jitter *jitter, int64_t index);

/* The packet with the lowest number, or NULL. Borrowed until pop, insert or reset. */
const struct vox_packet *vox_jitter_head(const struct vox_jitter *jitter);

/* The packet with this number, or NULL. Borrowed likewise. */
const struct vox_packet *vox_jitter_find(const struct vox_jitter *jitter, int64_t index);

/* Drops the head; all numbers up to it are late from now on. */
void vox_jitter_pop(struct vox_jitter *jitter);

/*
 * What can be played in one piece: packets from number `index` on that are inside and follow each
 * other without a gap, the first at ts. Returns how many; *ticks is their length.
 */
size_t vox_jitter_run(const struct vox_jitter *jitter, int64_t index, int64_t ts, int64_t *ticks);

size_t vox_jitter_count(const struct vox_jitter *jitter);
/* Highest number in the buffer; only while count > 0. */
int64_t vox_jitter_newest(const struct vox_jitter *jitter);

#endif
