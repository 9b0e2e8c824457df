#include "fuzz.h"
#include "wire/nack.h"

static void read_seqs(struct vox_nack *nack, uint16_t *seqs, size_t *count)
{
    *count = 0;
    for (uint16_t seq; vox_nack_next(nack, &seq);) {
        FUZZ_CHECK(*count < VOX_NACK_MAX_SEQS);
        seqs[(*count)++] = seq;
    }
    FUZZ_CHECK(*count >= nack->item_count && *count <= nack->item_count * VOX_NACK_ITEM_SPAN);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(uint16_t));
}

/* The set of numbers, each once, in an order that does not matter. */
static size_t set_of(uint16_t *seqs, size_t count)
{
    size_t unique = 0;
    qsort(seqs, count, sizeof seqs[0], compare);
    for (size_t i = 0; i < count; i++)
        if (unique == 0 || seqs[unique - 1] != seqs[i])
            seqs[unique++] = seqs[i];
    return unique;
}

/* What was read, in whatever order, can be asked for again. */
static void check(struct vox_nack *nack)
{
    static uint16_t seqs[VOX_NACK_MAX_SEQS], again[VOX_NACK_MAX_SEQS];
    uint8_t out[VOX_RTCP_MAX_BYTES];
    struct vox_writer w = vox_writer_of(out, sizeof out);
    struct vox_rtcp_reader r;
    struct vox_rtcp packet;
    struct vox_nack back;
    size_t count, again_count;
    read_seqs(nack, seqs, &count);
    size_t taken = vox_nack_write(&w, nack->ssrc, nack->media_ssrc, seqs, count);
    FUZZ_CHECK(!w.failed && taken > 0 && taken <= count);
    FUZZ_CHECK(vox_rtcp_begin(&r, out, w.size) == 0 && vox_rtcp_next(&r, &packet) == 1);
    FUZZ_CHECK(vox_nack_parse(&packet, &back) == 0 && back.items_skipped == 0);
    FUZZ_CHECK(back.ssrc == nack->ssrc && back.media_ssrc == nack->media_ssrc);
    FUZZ_CHECK(taken == count || back.item_count == VOX_NACK_MAX_ITEMS);
    read_seqs(&back, again, &again_count);
    size_t unique = set_of(seqs, taken);
    FUZZ_CHECK(set_of(again, again_count) == unique);
    FUZZ_CHECK(memcmp(seqs, again, unique * sizeof seqs[0]) == 0);
}

/* Input: a compound packet, as it comes from the network. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_rtcp_reader r;
    static struct vox_rtcp packet;
    struct vox_nack nack;
    if (vox_rtcp_begin(&r, data, size) < 0)
        return 0;
    while (vox_rtcp_next(&r, &packet) != 0)
        if (vox_nack_parse(&packet, &nack) == 0)
            check(&nack);
    return 0;
}
