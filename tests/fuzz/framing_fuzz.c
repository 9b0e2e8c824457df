#include "fuzz.h"
#include "wire/framing.h"

enum { KEEP = 32, BUFFER = 48 };

/* What comes out next must be the frame at data; moves past it and the empty ones before it. */
static void check(const struct vox_framing_packet *packet, const uint8_t **data, const uint8_t *end)
{
    const uint8_t *at = *data;
    while (end - at >= 2 && at[0] == 0 && at[1] == 0)
        at += 2;
    FUZZ_CHECK(end - at >= 2);
    size_t len = (size_t)at[0] << 8 | at[1];
    size_t kept = len < KEEP ? len : KEEP;
    FUZZ_CHECK(packet->len == kept && packet->truncated == (len > kept));
    FUZZ_CHECK((size_t)(end - at - 2) >= kept && memcmp(packet->bytes, at + 2, kept) == 0);
    size_t left = (size_t)(end - at - 2);
    *data = at + 2 + (len < left ? len : left);
}

/* Input: how long the pieces are, then the stream. However it is cut, the same packets come out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t buffer[BUFFER];
    struct vox_framing framing;
    struct vox_framing_packet packet;
    const uint8_t *read = data + 1, *checked = data + 1, *end = data + size;
    vox_framing_init(&framing, buffer, sizeof buffer, KEEP);
    while (read < end) {
        size_t room, piece = 1 + data[0] % BUFFER;
        uint8_t *at = vox_framing_room(&framing, &room);
        FUZZ_CHECK(room > 0);
        piece = piece < room ? piece : room;
        piece = piece < (size_t)(end - read) ? piece : (size_t)(end - read);
        memcpy(at, read, piece);
        vox_framing_filled(&framing, piece);
        read += piece;
        while (vox_framing_next(&framing, &packet))
            check(&packet, &checked, end);
    }
    return 0;
}
