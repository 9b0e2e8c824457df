#include "base/time.h"
#include "support/test.h"

static void ticks_and_ns_round_trip(void **state)
{
    (void)state;
    const int64_t week = 7LL * 86400 * 48000;
    const int64_t ticks[] = {0, 1, 119, 120, 960, 47999, week, week + 1, -1, -960, -week - 7};
    for (size_t i = 0; i < COUNT(ticks); i++)
        assert_true(vox_ns_to_rtp(vox_rtp_to_ns(ticks[i])) == ticks[i]);
    assert_true(vox_rtp_to_ns(960) == 20 * VOX_NS_PER_MS);
    assert_true(vox_rtp_to_ns(-120) == -2500 * VOX_NS_PER_US);
}

static void ntp_of_the_unix_epoch(void **state)
{
    (void)state;
    assert_true(vox_unix_to_ntp(0) == VOX_NTP_UNIX_OFFSET_S << 32);
    assert_true(vox_unix_to_ntp(VOX_NS_PER_S / 2) == (VOX_NTP_UNIX_OFFSET_S << 32 | 0x80000000U));
    assert_int_equal(vox_ntp_middle(UINT64_C(0x1122334455667788)), 0x33445566);
}

static void ntp_round_trips_within_a_nanosecond(void **state)
{
    (void)state;
    for (int64_t ns = INT64_C(1700000000123456789); ns < INT64_C(1700000000123457789); ns += 7) {
        int64_t back = vox_ntp_to_unix(vox_unix_to_ntp(ns));
        assert_in_range((uintmax_t)(back - ns + 1), 0, 2);
    }
}

RUN(cmocka_unit_test(ticks_and_ns_round_trip), cmocka_unit_test(ntp_of_the_unix_epoch),
    cmocka_unit_test(ntp_round_trips_within_a_nanosecond))
