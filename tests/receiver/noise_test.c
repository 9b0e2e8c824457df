#include "receiver/noise.h"

#include "base/rt.h"
#include "support/test.h"

#include <math.h>

enum { FRAMES = 960 };

static struct vox_noise noise;
static float pcm[48000 * 2];

static int setup(void **state)
{
    (void)state;
    vox_noise_init(&noise, 7);
    memset(pcm, 0, sizeof pcm);
    return 0;
}

static double rms(const float *samples, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)samples[i] * (double)samples[i];
    return sqrt(sum / count);
}

/* `packets` of noise through one pole, with that level. */
static void room(int packets, double level, double pole)
{
    struct vox_rng rng;
    float packet[FRAMES];
    double last = 0;
    vox_rng_init(&rng, 3, 0);
    for (int i = 0; i < packets; i++) {
        for (int k = 0; k < FRAMES; k++) {
            last =
                pole * last + sqrt(3 * (1 - pole * pole)) * level * (2 * vox_rng_uniform(&rng) - 1);
            packet[k] = (float)last;
        }
        vox_rt_enter();
        vox_noise_hear(&noise, packet, FRAMES, 1);
        vox_rt_leave();
    }
}

static double decibels(double ratio)
{
    return 20 * log10(ratio);
}

static void sounds_like_the_room(void **state)
{
    (void)state;
    static const double poles[] = {0, 0.5, 0.9};
    for (size_t i = 0; i < COUNT(poles); i++) {
        setup(state);
        room(100, 0.003, poles[i]);
        room(100, 0.2, 0.8); /* somebody speaks for two seconds */
        vox_rt_enter();
        vox_noise_add(&noise, pcm, 48000, 1, 1, 1);
        vox_rt_leave();
        assert_true(fabs(decibels(rms(pcm, 48000) / 0.003)) < 4);
        double cross = 0, power = 0;
        for (int k = 1; k < 48000; k++) {
            cross += (double)pcm[k] * (double)pcm[k - 1];
            power += (double)pcm[k] * (double)pcm[k];
        }
        assert_true(fabs(cross / power - poles[i]) < 0.15);
    }
}

static void fades(void **state)
{
    (void)state;
    room(100, 0.01, 0);
    vox_noise_add(&noise, pcm, 24000, 2, 0, 1);
    assert_true(rms(pcm, 4800) < 0.3 * rms(pcm + 2 * 24000 - 4800, 4800));
}

static void digital_silence_has_none(void **state)
{
    (void)state;
    static const float silence[FRAMES];
    vox_noise_add(&noise, pcm, FRAMES, 1, 1, 1); /* nothing was heard yet */
    for (int i = 0; i < 10; i++)
        vox_noise_hear(&noise, silence, FRAMES, 1);
    vox_noise_add(&noise, pcm, FRAMES, 1, 1, 1);
    assert_true(rms(pcm, FRAMES) == 0.0);
}

static void is_never_loud(void **state)
{
    (void)state;
    room(100, 0.5, 0.5);
    vox_noise_add(&noise, pcm, 48000, 1, 1, 1);
    assert_true(decibels(rms(pcm, 48000)) < -27);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

RUN(TEST(sounds_like_the_room), TEST(fades), TEST(digital_silence_has_none), TEST(is_never_loud))
