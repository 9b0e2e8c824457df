#include "base/err.h"
#include "fuzz.h"
#include "wire/sdp.h"

/* What was read can be written, and reads as the same again. Only an address may be missing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_sdp sdp;
    char text[VOX_SDP_MAX_BYTES];
    char again[VOX_SDP_MAX_BYTES];
    int bad_line;
    if (vox_sdp_parse((const char *)data, size, &sdp, &bad_line) < 0)
        return 0;
    int len = vox_sdp_write(&sdp, text, sizeof text);
    if (sdp.address[0] == '\0') {
        FUZZ_CHECK(len == VOX_EINVAL);
        return 0;
    }
    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(vox_sdp_parse(text, (size_t)len, &sdp, &bad_line) == 0);
    FUZZ_CHECK(vox_sdp_write(&sdp, again, sizeof again) == len);
    FUZZ_CHECK(memcmp(text, again, (size_t)len) == 0);
    return 0;
}
