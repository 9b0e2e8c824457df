#include "audio/clock.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>

enum { BLOCK = 480, MS = 1000000 };

/* Callbacks up to 2 ms late on a card that runs 100 ppm fast. */
static int64_t measured(struct vox_rng *rng, int64_t block)
{
    return (int64_t)((double)block * BLOCK / (48000 * 1.0001) * 1e9) +
           (int64_t)(vox_rng_uniform(rng) * 2 * MS);
}

static void takes_the_jitter_out(void **state)
{
    (void)state;
    struct vox_audio_clock clock;
    struct vox_rng rng;
    vox_audio_clock_init(&clock, 48000);
    vox_rng_init(&rng, 1, 0);
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int64_t i = 0; i < 3000; i++) {
        int64_t t = vox_audio_clock_block(&clock, measured(&rng, i), BLOCK, false);
        int64_t off = t - (int64_t)((double)i * BLOCK / (48000 * 1.0001) * 1e9);
        if (i < 1000)
            continue;
        least = off < least ? off : least;
        most = off > most ? off : most;
    }
    assert_in_range(least + MS, 500000, 2 * MS); /* around the mean delay of 1 ms */
    assert_in_range(most - least, 0, 6 * MS / 10);
    assert_true(fabs(clock.frame_ns * 48000 * 1.0001 - 1e9) < 1e9 * 150e-6);
}

static void starts_again_after_a_gap(void **state)
{
    (void)state;
    struct vox_audio_clock clock;
    vox_audio_clock_init(&clock, 48000);
    assert_int_equal(vox_audio_clock_block(&clock, 5 * MS, BLOCK, false), 5 * MS);
    assert_int_equal(vox_audio_clock_block(&clock, 16 * MS, BLOCK, false), 15 * MS);
    assert_int_equal(vox_audio_clock_block(&clock, 60 * MS, BLOCK, false), 60 * MS);
    assert_int_equal(vox_audio_clock_block(&clock, 71 * MS, BLOCK, true), 71 * MS);
    assert_int_equal(vox_audio_clock_block(&clock, 82 * MS, BLOCK, false), 81 * MS);
}

static void takes_blocks_of_any_size(void **state)
{
    (void)state;
    struct vox_audio_clock clock;
    vox_audio_clock_init(&clock, 48000);
    int64_t frames = 0;
    for (size_t n = 0; n < 2000; n++) {
        size_t block = 48 * (n % 20);
        int64_t t = vox_audio_clock_block(&clock, frames * 1000 / 48 * 1000, block, false);
        assert_in_range(t + 10 - frames * 1000 / 48 * 1000, 0, 20);
        frames += (int64_t)block;
    }
}

RUN(cmocka_unit_test(takes_the_jitter_out), cmocka_unit_test(starts_again_after_a_gap),
    cmocka_unit_test(takes_blocks_of_any_size))
