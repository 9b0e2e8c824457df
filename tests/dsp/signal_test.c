#include "dsp/signal.h"

#include "support/test.h"

#include <math.h>

static float pcm[48000 * 3];

static void a_tone_has_its_pitch_and_level(void **state)
{
    (void)state;
    struct vox_signal signal;
    vox_signal_init_tone(&signal, 48000, 1000);
    for (size_t at = 0; at < 48000; at += 100)
        vox_signal_fill(&signal, pcm + at, 100);
    for (int i = 0; i < 48000; i++) {
        double expect = VOX_SIGNAL_TONE_LEVEL * sin(6.283185307179586 * (i % 48) / 48);
        assert_true(fabs((double)pcm[i] - expect) < 1e-6);
    }
}

static void a_tone_does_not_drift_in_a_day(void **state)
{
    (void)state;
    struct vox_signal signal;
    vox_signal_init_tone(&signal, 48000, 440.5);
    signal.at = INT64_C(48000) * 86400;
    vox_signal_fill(&signal, pcm, 1);
    assert_true(fabsf(pcm[0]) < 1e-6F); /* a whole number of turns */
}

/* The place where correlating with the marker is greatest, of places 0..range-1. */
static int find_marker(const float *in, const float *marker, int length, int range)
{
    int best = 0;
    double best_sum = -1;
    for (int at = 0; at < range; at++) {
        double sum = 0;
        for (int i = 0; i < length; i++)
            sum += (double)in[at + i] * (double)marker[i];
        if (sum > best_sum) {
            best_sum = sum;
            best = at;
        }
    }
    return best;
}

static void a_marker_stands_at_every_second_and_is_found(void **state)
{
    (void)state;
    struct vox_signal signal;
    vox_signal_init_marker(&signal, 48000);
    vox_signal_fill(&signal, pcm, COUNT(pcm));
    assert_memory_equal(pcm, pcm + 48000, 2400 * sizeof *pcm);
    for (int i = 2400; i < 48000; i++)
        assert_true(pcm[i] == 0.0F);
    assert_int_equal(find_marker(pcm + 48000 - 1234, pcm, 2400, 3000), 1234);
}

RUN(cmocka_unit_test(a_tone_has_its_pitch_and_level),
    cmocka_unit_test(a_tone_does_not_drift_in_a_day),
    cmocka_unit_test(a_marker_stands_at_every_second_and_is_found))
