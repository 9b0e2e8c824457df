#include "receiver/rtt.h"

#include "base/time.h"
#include "support/test.h"

#define MS VOX_NS_PER_MS
#define S VOX_NS_PER_S

static struct vox_rtt rtt;

static int setup(void **state)
{
    (void)state;
    vox_rtt_init(&rtt);
    return 0;
}

static void unknown_until_one_came(void **state)
{
    (void)state;
    assert_false(vox_rtt_is_known(&rtt));
    assert_int_equal(rtt.latest_ns, -1);
    assert_int_equal(vox_rtt_least_ns(&rtt, 0), -1);
    assert_int_equal(vox_rtt_bound_ns(&rtt), -1);
    vox_rtt_add(&rtt, 0, 0); /* a round trip may be too short to be measured */
    assert_true(vox_rtt_is_known(&rtt));
    assert_int_equal(vox_rtt_bound_ns(&rtt), 0);
}

/* RFC 6298, section 2: SRTT = 7/8 SRTT + 1/8 R, RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|. */
static void smooths_as_in_the_rfc(void **state)
{
    (void)state;
    static const struct {
        int64_t rtt_ns, smoothed_ns, deviation_ns, bound_ns;
    } rows[] = {
        {80 * MS, 80 * MS, 40 * MS, 240 * MS},
        {80 * MS, 80 * MS, 30 * MS, 200 * MS},
        {160 * MS, 90 * MS, 42500000, 260 * MS},
        {10 * MS, 80 * MS, 51875000, 287500000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vox_rtt_add(&rtt, rows[i].rtt_ns, (int64_t)i * S);
        assert_int_equal(rtt.latest_ns, rows[i].rtt_ns);
        assert_int_equal(rtt.smoothed_ns, rows[i].smoothed_ns);
        assert_int_equal(rtt.deviation_ns, rows[i].deviation_ns);
        assert_int_equal(vox_rtt_bound_ns(&rtt), rows[i].bound_ns);
    }
}

static void the_least_is_of_ten_seconds(void **state)
{
    (void)state;
    vox_rtt_add(&rtt, 30 * MS, 1 * S);
    vox_rtt_add(&rtt, 50 * MS, 5 * S);
    vox_rtt_add(&rtt, 70 * MS, 6 * S);
    assert_int_equal(vox_rtt_least_ns(&rtt, 6 * S), 30 * MS);
    assert_int_equal(vox_rtt_least_ns(&rtt, 11 * S), 30 * MS);
    assert_int_equal(vox_rtt_least_ns(&rtt, 11 * S + 1), 50 * MS);
    assert_int_equal(vox_rtt_least_ns(&rtt, 16 * S), 70 * MS);
    assert_int_equal(vox_rtt_least_ns(&rtt, 60 * S), 70 * MS); /* better than nothing */
}

static void more_samples_than_it_keeps(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * VOX_RTT_SAMPLES; i++)
        vox_rtt_add(&rtt, (100 + i) * MS, i * S / 10);
    int64_t now_ns = 3 * VOX_RTT_SAMPLES * S / 10;
    assert_int_equal(vox_rtt_least_ns(&rtt, now_ns), (100 + 2 * VOX_RTT_SAMPLES) * MS);
    assert_int_equal(rtt.latest_ns, (99 + 3 * VOX_RTT_SAMPLES) * MS);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(unknown_until_one_came), TEST(smooths_as_in_the_rfc), TEST(the_least_is_of_ten_seconds),
    TEST(more_samples_than_it_keeps))
