/*
 * RTP and RTCP packets in a stream of bytes (RFC 4571, section 2): in front of each its length, 16
 * bits, big endian. Incremental: bytes go in as they come, in pieces of any length; packets come
 * out. Pure.
 *
 *     struct vox_framing framing;
 *     uint8_t buffer[4096];
 *     vox_framing_init(&framing, buffer, sizeof buffer, 2048);
 *     ...
 *     size_t room;
 *     uint8_t *at = vox_framing_room(&framing, &room);
 *     vox_framing_filled(&framing, recv(fd, at, room, 0));
 *     struct vox_framing_packet packet;
 *     while (vox_framing_next(&framing, &packet))
 *         take(packet.bytes, packet.len);
 *
 * Any bytes are frames of some kind: whoever reads must judge by what comes out whether the other
 * side speaks this at all. Empty packets (section 2: to be ignored) do not come out.
 *
 * Thread rule: values, one owner. RT-safe.
 */
#ifndef VOX_WIRE_FRAMING_H
#define VOX_WIRE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_FRAMING_HEADER_BYTES = 2,
    VOX_FRAMING_MAX_BYTES = 65535, /* of a packet */
};

/* All private. */
struct vox_framing {
    uint8_t *bytes;
    size_t capacity;
    size_t keep_bytes;
    size_t begin, end; /* of what is not taken yet */
    size_t skip_bytes; /* of a packet that was cut, still to come */
};

struct vox_framing_packet {
    const uint8_t *bytes; /* in the buffer; borrowed until the next vox_framing_room */
    size_t len;
    bool truncated; /* longer than keep_bytes: this is its beginning */
};

/*
 * buffer stays the caller's. Of each packet keep_bytes are kept, and the rest skipped as it comes.
 * Pre: capacity >= keep_bytes + VOX_FRAMING_HEADER_BYTES, keep_bytes > 0.
 */
void vox_framing_init(struct vox_framing *framing, void *buffer, size_t capacity,
                      size_t keep_bytes);

/* Where the next bytes go; never without room once vox_framing_next has returned false. */
uint8_t *vox_framing_room(struct vox_framing *framing, size_t *room_bytes);
/* So many have been put there; at most room_bytes. */
void vox_framing_filled(struct vox_framing *framing, size_t len);

/* The next packet; false: its end has not come yet. */
bool vox_framing_next(struct vox_framing *framing, struct vox_framing_packet *out);

/* What goes in front of a packet. Errors: VOX_ELIMIT (len over VOX_FRAMING_MAX_BYTES). */
int vox_framing_write_header(size_t len, uint8_t out[VOX_FRAMING_HEADER_BYTES]);

#endif
