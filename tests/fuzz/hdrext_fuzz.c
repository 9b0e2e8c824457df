#include "fuzz.h"
#include "wire/hdrext.h"

/* What the one-byte writer takes must be found again, and a capture time must read as written. */
static void check_rewritten(uint8_t id, const uint8_t *data, size_t len)
{
    uint8_t bytes[VOX_HDREXT_MAX_BYTES];
    struct vox_writer w = vox_writer_of(bytes, sizeof bytes);
    struct vox_capture_time capture;
    if (vox_capture_time_parse(data, len, &capture) == 0)
        vox_hdrext_write_capture_time(&w, id, &capture);
    else
        vox_hdrext_write(&w, id, data, len);
    struct vox_rtp rtp = {.has_extension = true,
                          .extension_profile = VOX_HDREXT_PROFILE_ONE_BYTE,
                          .extension = bytes};
    int written = vox_hdrext_finish(&w);
    if (written < 0)
        return;
    rtp.extension_bytes = (size_t)written;
    const uint8_t *again;
    size_t again_len;
    FUZZ_CHECK(written % 4 == 0 && vox_hdrext_find(&rtp, id, &again, &again_len) == 1);
    FUZZ_CHECK(again_len == len && memcmp(again, data, len) == 0);
}

/* Input: the profile in two bytes, then the extension. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct vox_rtp rtp = {.has_extension = true,
                          .extension_profile = (uint16_t)(data[0] << 8 | data[1]),
                          .extension = data + 2,
                          .extension_bytes = size - 2};
    for (int id = 0; id <= UINT8_MAX; id++) {
        const uint8_t *found = NULL;
        size_t len = 0;
        if (vox_hdrext_find(&rtp, (uint8_t)id, &found, &len) <= 0)
            continue;
        FUZZ_CHECK(found >= data + 2 && len <= (size_t)(data + size - found));
        check_rewritten((uint8_t)id, found, len);
    }
    return 0;
}
