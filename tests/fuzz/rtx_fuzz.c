#include "fuzz.h"
#include "wire/rtx.h"

enum { OPUS = 96, SOURCE = 0x12345678, MAX_BYTES = 8192, PADDING_BIT = 0x20 };

/* Input: an RTP packet. What it repeats, repeated once more, is the packet without its padding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[MAX_BYTES];
    struct vox_rtp rtx, original;
    if (size > sizeof out || vox_rtp_parse(data, size, &rtx) < 0 ||
        vox_rtx_parse(&rtx, OPUS, SOURCE, &original) < 0)
        return 0;
    FUZZ_CHECK(original.payload_type == OPUS && original.ssrc == SOURCE);
    FUZZ_CHECK(original.payload_bytes + VOX_RTX_HEADER_BYTES == rtx.payload_bytes);
    int written = vox_rtx_write(&original, rtx.payload_type, rtx.ssrc, rtx.seq, out, sizeof out);
    FUZZ_CHECK(written > 0 && (size_t)written == size - rtx.padding_bytes);
    out[0] |= data[0] & PADDING_BIT;
    FUZZ_CHECK(memcmp(out, data, (size_t)written) == 0);
    return 0;
}
