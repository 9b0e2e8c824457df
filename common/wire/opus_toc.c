#include "wire/opus_toc.h"

#include "base/bytes.h"
#include "base/err.h"

enum { DTX_FRAME_BYTES = 1, SILK_FRAME_TICKS = 960 };

/* Sizes of a packet's frames, as far as they matter here. */
struct frames {
    int count;
    const uint8_t *first;
    size_t first_bytes;
    size_t largest_bytes;
};

static void add_frame(struct frames *f, size_t bytes)
{
    if (f->count++ == 0)
        f->first_bytes = bytes;
    if (bytes > f->largest_bytes)
        f->largest_bytes = bytes;
}

static enum vox_opus_mode mode_of(int config)
{
    if (config < 12)
        return VOX_OPUS_SILK;
    return config < 16 ? VOX_OPUS_HYBRID : VOX_OPUS_CELT;
}

/* Table 2. */
static int frame_ticks_of(int config)
{
    static const int silk[] = {480, 960, 1920, 2880};
    static const int hybrid[] = {480, 960};
    static const int celt[] = {120, 240, 480, 960};
    switch (mode_of(config)) {
    case VOX_OPUS_SILK:
        return silk[config & 3];
    case VOX_OPUS_HYBRID:
        return hybrid[config & 1];
    case VOX_OPUS_CELT:
        return celt[config & 3];
    }
    return 0;
}

/* Section 3.2.1: one byte up to 251, else the second counts fours. */
static size_t read_size(struct vox_reader *r)
{
    size_t size = vox_read_u8(r);
    return size < 252 ? size : size + 4 * (size_t)vox_read_u8(r);
}

/* Everything left is `count` frames of equal size (R3, R6); code 0 is the case of one. */
static int split_equally(struct vox_reader *r, int count, struct frames *f)
{
    size_t bytes = r->left / (size_t)count;
    if (bytes * (size_t)count != r->left)
        return VOX_EFORMAT;
    f->first = r->at;
    for (int i = 0; i < count; i++)
        add_frame(f, bytes);
    return 0;
}

/* Sizes of all frames but the last stand in front, the last takes what is left (R4, R7). */
static int split_by_sizes(struct vox_reader *r, int count, struct frames *f)
{
    size_t all_bytes = 0;
    for (int i = 0; i < count - 1; i++) {
        size_t bytes = read_size(r);
        add_frame(f, bytes);
        all_bytes += bytes;
    }
    if (r->failed || all_bytes > r->left)
        return VOX_EFORMAT;
    f->first = r->at;
    add_frame(f, r->left - all_bytes);
    return 0;
}

/* Takes the padding off the end; its size comes in bytes of which 255 means "254 and more". */
static void drop_padding(struct vox_reader *r)
{
    uint8_t part;
    do {
        part = vox_read_u8(r);
        size_t bytes = part == 255 ? 254 : part;
        r->failed = r->failed || bytes > r->left;
        r->left -= r->failed ? 0 : bytes;
    } while (part == 255 && !r->failed);
}

/* Section 3.2.5: any number of frames, with a byte that says how many and how they are coded. */
static int split_code_3(struct vox_reader *r, int frame_ticks, struct frames *f)
{
    uint8_t head = vox_read_u8(r);
    int count = head & 0x3f;
    if (r->failed || count == 0 || count * frame_ticks > VOX_OPUS_MAX_TICKS) /* R5 */
        return VOX_EFORMAT;
    if (head & 0x40)
        drop_padding(r);
    if (r->failed)
        return VOX_EFORMAT;
    return head & 0x80 ? split_by_sizes(r, count, f) : split_equally(r, count, f);
}

static int split(struct vox_reader *r, int code, int frame_ticks, struct frames *f)
{
    switch (code) {
    case 0:
        return split_equally(r, 1, f);
    case 1:
        return split_equally(r, 2, f);
    case 2:
        return split_by_sizes(r, 2, f);
    }
    return split_code_3(r, frame_ticks, f);
}

/*
 * A SILK frame opens with its header bits (sections 4.2.3, 4.2.4): for each channel a VAD flag per
 * 20 ms, then the LBRR flag. They are coded with probability 1/2 at the very start, where the range
 * coder's output is the bits themselves from the top of the first byte. Eight bits at most (stereo,
 * 60 ms). A frame of one byte is not coded audio but "lost on purpose".
 */
static bool has_lbrr(const struct vox_opus_info *info, const struct frames *f)
{
    if (info->mode == VOX_OPUS_CELT || f->first_bytes <= DTX_FRAME_BYTES)
        return false;
    int vad_flags =
        info->frame_ticks <= SILK_FRAME_TICKS ? 1 : info->frame_ticks / SILK_FRAME_TICKS;
    int flags_per_channel = vad_flags + 1;
    for (int channel = 1; channel <= info->channels; channel++)
        if (f->first[0] >> (8 - channel * flags_per_channel) & 1)
            return true;
    return false;
}

int vox_opus_parse(const void *packet, size_t len, struct vox_opus_info *out)
{
    struct vox_reader r = vox_reader_of(packet, len);
    uint8_t toc = vox_read_u8(&r);
    if (r.failed) /* R1 */
        return VOX_EFORMAT;
    struct vox_opus_info info = {.config = toc >> 3, .channels = toc & 4 ? 2 : 1};
    info.mode = mode_of(info.config);
    info.frame_ticks = frame_ticks_of(info.config);
    struct frames f = {0};
    int err = split(&r, toc & 3, info.frame_ticks, &f);
    if (err < 0)
        return err;
    if (f.largest_bytes > VOX_OPUS_MAX_FRAME_BYTES) /* R2 */
        return VOX_EFORMAT;
    info.frame_count = f.count;
    info.duration_ticks = f.count * info.frame_ticks;
    info.has_lbrr = has_lbrr(&info, &f);
    info.is_dtx = f.largest_bytes <= DTX_FRAME_BYTES;
    *out = info;
    return 0;
}
