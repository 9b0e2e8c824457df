#include "sender/fates.h"

#include "base/rng.h"
#include "base/time.h"
#include "support/test.h"

#include <string.h>

enum { NEAR = 7, FAR = 8, FIRST = 65530 /* the wire's numbers wrap in the middle of things */ };

static struct vox_fates fates;

static int setup(void **state)
{
    (void)state;
    vox_fates_init(&fates);
    return 0;
}

/* "+" came, "-" lost, from that extended number on. */
static bool take(uint32_t reporter, int64_t first, const char *text, int64_t t_ns)
{
    struct vox_rtcp_xr_loss loss = {.begin_seq = (uint16_t)first};
    for (; *text; text++)
        assert_int_equal(vox_rtcp_xr_loss_push(&loss, *text == '+'), 0);
    return vox_fates_take(&fates, reporter, &loss, FIRST + 5000, t_ns);
}

/* The same, and "." for an unknown one. */
static void expect(int64_t first, const char *text)
{
    static const char marks[] = {
        [VOX_FATE_UNKNOWN] = '.', [VOX_FATE_LOST] = '-', [VOX_FATE_CAME] = '+'};
    char got[64];
    size_t count = strlen(text);
    for (size_t i = 0; i < count; i++)
        got[i] = marks[vox_fates_at(&fates, first + (int64_t)i)];
    got[count] = '\0';
    assert_string_equal(got, text);
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    struct vox_fates_count count;
    assert_int_equal(vox_fates_newest(&fates), -1);
    expect(-2, "....");
    expect(FIRST, "...");
    vox_fates_count(&fates, 0, &count);
    assert_int_equal(count.known, 0);
    assert_int_equal(count.bursts, 0);
    assert_false(take(NEAR, FIRST, "", 0));
    assert_int_equal(vox_fates_newest(&fates), -1);
}

static void reports_overlap_and_the_later_knows_better(void **state)
{
    (void)state;
    assert_true(take(NEAR, FIRST + 4995, "+-+-", 0));
    expect(FIRST + 4994, ".+-+-.");
    assert_true(take(NEAR, FIRST + 4996, "-+++-", 0));
    expect(FIRST + 4994, ".+-+++-.");
    assert_int_equal(vox_fates_newest(&fates), FIRST + 5000);
    assert_true(take(NEAR, FIRST + 4996, "---", 0)); /* an older report, overtaken */
    expect(FIRST + 4994, ".+-+++-.");
}

static void what_no_report_told_of_is_unknown(void **state)
{
    (void)state;
    assert_true(take(NEAR, FIRST + 4900, "+-+", 0));
    assert_true(take(NEAR, FIRST + 4906, "-+", 0));
    expect(FIRST + 4900, "+-+...-+.");
}

/* Numbers that were not sent yet, or so long ago that they may mean others. */
static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_false(take(NEAR, FIRST + 5000, "++", 0));
    assert_false(take(NEAR, FIRST + 5001, "+", 0));
    assert_false(take(NEAR, FIRST + 5000 - VOX_FATES_PACKETS, "+", 0));
    assert_true(take(NEAR, FIRST + 5001 - VOX_FATES_PACKETS, "+", 0));
    assert_int_equal(vox_fates_newest(&fates), FIRST + 5001 - VOX_FATES_PACKETS);
}

static void counts_losses_and_bursts(void **state)
{
    (void)state;
    struct vox_fates_count count;
    assert_true(take(NEAR, FIRST + 4900, "--+-+---", 0));
    assert_true(take(NEAR, FIRST + 4909, "-+-", 0));
    vox_fates_count(&fates, 0, &count);
    assert_int_equal(count.known, 11);
    assert_int_equal(count.lost, 8);
    assert_int_equal(count.bursts, 5); /* one of unknown fate is no bridge */
    vox_fates_count(&fates, FIRST + 4906, &count);
    assert_int_equal(count.known, 5);
    assert_int_equal(count.lost, 4);
    assert_int_equal(count.bursts, 3);
    vox_fates_count(&fates, FIRST + 6000, &count);
    assert_int_equal(count.known, 0);
}

static void the_worst_receiver_counts(void **state)
{
    (void)state;
    assert_true(take(NEAR, FIRST + 4900, "+++-", 0));
    assert_false(take(FAR, FIRST + 4904, "+++-", 0)); /* no worse */
    assert_true(take(FAR, FIRST + 4904, "+-+-", 0));  /* worse: from now on this one */
    expect(FIRST + 4900, "....+-+-");
    assert_false(take(NEAR, FIRST + 4908, "+++-", 0));
    assert_true(take(FAR, FIRST + 4908, "++++", VOX_NS_PER_S)); /* it is better now */
    assert_true(take(NEAR, FIRST + 4908, "+++-", VOX_NS_PER_S));
    expect(FIRST + 4908, "+++-");
}

static void who_falls_silent_is_left(void **state)
{
    (void)state;
    assert_true(take(NEAR, FIRST + 4900, "----", 0));
    assert_false(take(FAR, FIRST + 4900, "++++", 5 * VOX_NS_PER_S));
    assert_true(take(FAR, FIRST + 4900, "++++", 5 * VOX_NS_PER_S + 1));
    expect(FIRST + 4900, "++++");
}

/* Against a plain array, over many overlapping reports. */
static void agrees_with_a_plain_record(void **state)
{
    (void)state;
    enum { PACKETS = 20000, RUN = 100 };
    static char truth[PACKETS];
    struct vox_rng rng;
    vox_rng_init(&rng, 11, 0);
    for (int i = 0; i < PACKETS; i++)
        truth[i] = vox_rng_uniform(&rng) < 0.3 ? VOX_FATE_LOST : VOX_FATE_CAME;
    for (int64_t end = RUN; end < PACKETS;
         end += 1 + (int64_t)(vox_rng_uniform(&rng) * (RUN - 1))) {
        struct vox_rtcp_xr_loss loss = {.begin_seq = (uint16_t)(end - RUN)};
        for (int64_t i = end - RUN; i < end; i++)
            vox_rtcp_xr_loss_push(&loss, truth[i] == VOX_FATE_CAME);
        assert_true(vox_fates_take(&fates, NEAR, &loss, end - 1, 0));
        int64_t oldest = end > VOX_FATES_PACKETS ? end - VOX_FATES_PACKETS : 0;
        for (int64_t i = oldest; i < end; i++)
            if (vox_fates_at(&fates, i) != (enum vox_packet_fate)truth[i])
                fail_msg("packet %lld of %lld (seed 11)", (long long)i, (long long)end);
        assert_int_equal(vox_fates_at(&fates, oldest - 1), VOX_FATE_UNKNOWN);
        assert_int_equal(vox_fates_at(&fates, end), VOX_FATE_UNKNOWN);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(nothing_is_known_at_first), TEST(reports_overlap_and_the_later_knows_better),
    TEST(what_no_report_told_of_is_unknown), TEST(what_cannot_be_is_refused),
    TEST(counts_losses_and_bursts), TEST(the_worst_receiver_counts), TEST(who_falls_silent_is_left),
    TEST(agrees_with_a_plain_record))
