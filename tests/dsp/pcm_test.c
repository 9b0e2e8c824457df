#include "dsp/pcm.h"
#include "support/test.h"

#include <math.h>

static void to_s16_rounds_saturates_and_drops_nan(void **state)
{
    (void)state;
    static const struct {
        float in;
        int16_t out;
    } rows[] = {
        {0.0F, 0},
        {-0.0F, 0},
        {1.0F, 32767},
        {-1.0F, -32768},
        {32767.0F / 32768, 32767},
        {0.5F, 16384},
        {1.4F / 32768, 1},
        {1.6F / 32768, 2},
        {-1.6F / 32768, -2},
        {32766.7F / 32768, 32767},
        {3e30F, 32767},
        {-3e30F, -32768},
        {INFINITY, 32767},
        {-INFINITY, -32768},
        {NAN, 0},
        {-NAN, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int16_t out = 99;
        vox_pcm_to_s16(&rows[i].in, 1, &out);
        assert_int_equal(out, rows[i].out);
    }
    float in[COUNT(rows)]; /* as one block too: the compiler may do that in another way */
    int16_t out[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        in[i] = rows[i].in;
    vox_pcm_to_s16(in, COUNT(rows), out);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(out[i], rows[i].out);
}

static void every_s16_comes_back_as_it_was(void **state)
{
    (void)state;
    static int16_t all[65536], back[65536];
    static float as_float[65536];
    for (int i = 0; i < 65536; i++)
        all[i] = (int16_t)(i - 32768);
    vox_pcm_from_s16(all, 65536, as_float);
    vox_pcm_to_s16(as_float, 65536, back);
    assert_memory_equal(all, back, sizeof all);
    assert_true(as_float[0] == -1.0F && as_float[32768] == 0.0F);
}

static void remixes_by_the_table(void **state)
{
    (void)state;
    const float g = 0.70710678F;
    const struct {
        int in_channels, out_channels;
        float in[8], out[8];
    } rows[] = {
        {1, 1, {0.3F}, {0.3F}},
        {1, 2, {0.3F}, {0.3F, 0.3F}},
        {1, 6, {0.3F}, {0.3F, 0.3F, 0.3F, 0.3F, 0.3F, 0.3F}},
        {2, 1, {0.2F, 0.4F}, {0.3F}},
        {4, 1, {0.1F, 0.2F, 0.3F, 0.4F}, {0.25F}},
        {3, 2, {0.1F, 0.2F, 0.5F}, {0.1F + 0.5F * g, 0.2F + 0.5F * g}},
        {4, 2, {0.1F, 0.2F, 0.3F, 0.4F}, {0.1F + 0.3F * g, 0.2F + 0.4F * g}},
        {5, 2, {0.1F, 0.2F, 0.5F, 0.3F, 0.4F}, {0.1F + 0.8F * g, 0.2F + 0.9F * g}},
        {6, 2, {0.1F, 0.2F, 0.5F, 9.0F, 0.3F, 0.4F}, {0.1F + 0.8F * g, 0.2F + 0.9F * g}},
        {8, 2, {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F}, {0.1F, 0.2F}},
        {2, 3, {0.1F, 0.2F}, {0.1F, 0.2F, 0.0F}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        float in[16], out[17];
        size_t ins = (size_t)rows[i].in_channels, outs = (size_t)rows[i].out_channels;
        for (size_t k = 0; k < 2 * ins; k++) /* two frames, the second negative */
            in[k] = k < ins ? rows[i].in[k] : -rows[i].in[k - ins];
        out[2 * outs] = 42.0F;
        vox_pcm_remix(in, rows[i].in_channels, 2, out, rows[i].out_channels);
        for (size_t k = 0; k < outs; k++) {
            assert_true(fabsf(out[k] - rows[i].out[k]) < 1e-6F);
            assert_true(fabsf(out[outs + k] + rows[i].out[k]) < 1e-6F);
        }
        assert_true(out[2 * outs] == 42.0F);
    }
}

static void meter_reads_full_scale_square_as_zero(void **state)
{
    (void)state;
    struct vox_pcm_meter meter = {0};
    double peak_db = 1;
    assert_true(vox_pcm_meter_rms_db(&meter, &peak_db) == -120.0 && peak_db == -120.0);
    const float square[] = {1, -1, 1, -1};
    vox_pcm_meter_add(&meter, square, 4);
    assert_true(fabs(vox_pcm_meter_rms_db(&meter, &peak_db)) < 1e-9 && fabs(peak_db) < 1e-9);
    const float silence[4] = {0};
    vox_pcm_meter_add(&meter, silence, 4);
    assert_true(vox_pcm_meter_rms_db(&meter, NULL) == -120.0); /* the read before had reset it */
    const float half[] = {0.5F, 0.0F, -0.5F, 0.0F};
    vox_pcm_meter_add(&meter, half, 4);
    assert_true(fabs(vox_pcm_meter_rms_db(&meter, &peak_db) + 9.031) < 0.001);
    assert_true(fabs(peak_db + 6.021) < 0.001);
}

/* One bad sample must not take the meter down for the whole interval. */
static void meter_passes_over_nan(void **state)
{
    (void)state;
    struct vox_pcm_meter meter = {0};
    const float dirty[] = {0.5F, NAN, -0.5F, 0.5F};
    double peak_db = 0;
    vox_pcm_meter_add(&meter, dirty, 4);
    double rms_db = vox_pcm_meter_rms_db(&meter, &peak_db);
    assert_true(rms_db > -8 && rms_db < -6);
    assert_true(fabs(peak_db + 6.021) < 0.001);
}

RUN(cmocka_unit_test(to_s16_rounds_saturates_and_drops_nan),
    cmocka_unit_test(every_s16_comes_back_as_it_was), cmocka_unit_test(remixes_by_the_table),
    cmocka_unit_test(meter_reads_full_scale_square_as_zero),
    cmocka_unit_test(meter_passes_over_nan))
