#include "base/err.h"
#include "base/rt.h"
#include "dsp/signal.h"
#include "support/test.h"

#include <math.h>

#define PI 3.14159265358979323846

static float x[48000 * 3];

/* Reads in blocks of all sizes: the signal must not depend on them. */
static void read_all(struct vox_signal *s, size_t frames)
{
    size_t at = 0;
    vox_rt_enter();
    for (size_t block = 1; at < frames; block = block % 997 + 13) {
        size_t n = frames - at < block ? frames - at : block;
        vox_signal_read(s, x + at, n);
        at += n;
    }
    vox_rt_leave();
}

static void refuses_what_the_rate_cannot_carry(void **state)
{
    (void)state;
    struct vox_signal s;
    assert_int_equal(vox_signal_init_tone(&s, 0, 48000, -6), VOX_EINVAL);
    assert_int_equal(vox_signal_init_tone(&s, -1, 48000, -6), VOX_EINVAL);
    assert_int_equal(vox_signal_init_tone(&s, 24000, 48000, -6), VOX_EINVAL);
    assert_int_equal(vox_signal_init_tone(&s, (double)NAN, 48000, -6), VOX_EINVAL);
    assert_int_equal(vox_signal_init_tone(&s, 440, 48000, 0.1), VOX_EINVAL);
    assert_int_equal(vox_signal_init_tone(&s, 440, 48000, (double)NAN), VOX_EINVAL);
    assert_int_equal(vox_signal_init_marker(&s, 15999), VOX_EINVAL);
}

static void tone_is_one_sine_across_blocks(void **state)
{
    (void)state;
    struct vox_signal s;
    assert_int_equal(vox_signal_init_tone(&s, 441.7, 48000, -20), 0);
    read_all(&s, COUNT(x));
    for (size_t i = 0; i < COUNT(x); i++)
        assert_true(fabs((double)x[i] - 0.1 * sin(2 * PI * 441.7 * (double)i / 48000)) < 1e-6);
}

static void marks_begin_at_every_whole_second(void **state)
{
    (void)state;
    static const int rates[] = {48000, 44100, 16000};
    for (size_t r = 0; r < COUNT(rates); r++) {
        struct vox_signal s;
        size_t rate = (size_t)rates[r];
        size_t mark = rate * VOX_MARKER_MS / 1000;
        assert_int_equal(vox_signal_init_marker(&s, rates[r]), 0);
        read_all(&s, 3 * rate);
        float peak = 0;
        for (size_t i = 0; i < rate; i++) {
            assert_true(x[i] == x[i + rate] && x[i] == x[i + 2 * rate]);
            assert_true(i <= mark || x[i] == 0.0F);
            peak = fmaxf(peak, fabsf(x[i]));
        }
        assert_true(peak > 0.45F && peak <= 0.5F);
        assert_true(fabsf(x[0]) < 1e-3F && fabsf(x[mark - 1]) < 1e-2F); /* no click at its edges */
    }
}

/* Zero crossings of a chirp from 300 Hz to 6 kHz in 30 ms: 2 * 3150 Hz * 30 ms = 189 of them. */
static void mark_sweeps_the_band(void **state)
{
    (void)state;
    struct vox_signal s;
    assert_int_equal(vox_signal_init_marker(&s, 48000), 0);
    read_all(&s, 48000);
    int crossings = 0;
    int in_first_half = 0;
    for (size_t i = 1; i < 1440; i++) {
        crossings += (x[i] < 0) != (x[i - 1] < 0);
        in_first_half = i < 720 ? crossings : in_first_half;
    }
    assert_in_range(crossings, 186, 191);
    assert_in_range(in_first_half, 48, 54); /* 2 * (300 + 3150) / 2 Hz * 15 ms = 51.75 */
}

RUN(cmocka_unit_test(refuses_what_the_rate_cannot_carry),
    cmocka_unit_test(tone_is_one_sine_across_blocks),
    cmocka_unit_test(marks_begin_at_every_whole_second), cmocka_unit_test(mark_sweeps_the_band))
