#include "fuzz.h"
#include "wire/rtp.h"

enum { MAX_BYTES = 4096, PADDING_BIT = 0x20 };

/* Without its padding, an accepted datagram comes out of the writer as it went in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[MAX_BYTES];
    struct vox_rtp rtp;
    vox_rtp_is_rtcp(data, size);
    if (size > sizeof out || vox_rtp_parse(data, size, &rtp) < 0)
        return 0;
    int len = vox_rtp_write(&rtp, out, sizeof out);
    FUZZ_CHECK(len >= VOX_RTP_HEADER_BYTES && (size_t)len + rtp.padding_bytes == size);
    FUZZ_CHECK(out[0] == (data[0] & ~PADDING_BIT));
    FUZZ_CHECK(memcmp(out + 1, data + 1, (size_t)len - 1) == 0);
    FUZZ_CHECK(vox_rtp_write(&rtp, out, (size_t)len - 1) < 0);
    return 0;
}
