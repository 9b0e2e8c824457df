#include "base/err.h"
#include "fuzz.h"
#include "wire/red.h"

enum { MAX_BYTES = 8192 };

static void check_within(const struct vox_red_block *block, const uint8_t *data, size_t size)
{
    FUZZ_CHECK(block->data >= data && block->data_bytes <= (size_t)(data + size - block->data));
}

/* Blocks lie within the payload, and the writer's bytes are those that were read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[MAX_BYTES];
    struct vox_red red;
    int err = vox_red_parse(data, size, &red);
    if (err < 0) {
        FUZZ_CHECK(err == VOX_ETRUNCATED || err == VOX_ELIMIT);
        return 0;
    }
    for (int i = 0; i < red.copy_count; i++)
        check_within(&red.copies[i].block, data, size);
    check_within(&red.primary, data, size);
    FUZZ_CHECK(red.copies_skipped == 0 || red.copy_count == VOX_RED_MAX_COPIES);
    int written = vox_red_write(&red, out, sizeof out);
    FUZZ_CHECK(written > 0 || size > sizeof out);
    if (written > 0 && red.copies_skipped == 0)
        FUZZ_CHECK((size_t)written == size && memcmp(out, data, size) == 0);
    return 0;
}
