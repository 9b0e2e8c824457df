#include "base/err.h"
#include "base/rng.h"
#include "base/rt.h"
#include "dsp/resample.h"
#include "support/test.h"

#include <math.h>

#define PI 3.14159265358979323846

enum { MAX_FRAMES = 200000, MAX_CH = 2 };

static float in[MAX_FRAMES * MAX_CH];
static float out[MAX_FRAMES * MAX_CH];
static float other[MAX_FRAMES * MAX_CH];

static struct vox_resample *make(int channels, double in_hz, double out_hz, bool variable)
{
    struct vox_resample *rs = NULL;
    const struct vox_resample_config config = {
        .channels = channels, .in_hz = in_hz, .out_hz = out_hz, .variable = variable};
    assert_int_equal(vox_resample_create(&config, &rs), 0);
    return rs;
}

static void fill_sine(double hz, double rate_hz, size_t frames, int channels)
{
    for (size_t i = 0; i < frames; i++)
        for (int c = 0; c < channels; c++)
            in[i * (size_t)channels + (size_t)c] =
                (float)(0.5 * sin(2 * PI * hz * (double)i / rate_hz));
}

/* Pushes all input in blocks, as a real-time thread would. Returns output frames. */
static size_t push(struct vox_resample *rs, const float *from, size_t frames, size_t block,
                   int channels, float *to)
{
    size_t made = 0;
    for (size_t at = 0; at < frames;) {
        size_t n = frames - at < block ? frames - at : block;
        size_t used = 0;
        vox_rt_enter();
        made += vox_resample_process(rs, from + at * (size_t)channels, n, &used,
                                     to + made * (size_t)channels, MAX_FRAMES - made);
        vox_rt_leave();
        assert_int_equal(used, n);
        at += n;
    }
    return made;
}

struct fit {
    double gain_db; /* against 0.5 */
    double lag_frames;
    double snr_db;
};

/* Least squares of a sine of known frequency to frames [first, first + n) of one channel. */
static struct fit fit_sine(const float *x, size_t first, size_t n, double hz, double rate_hz)
{
    double w = 2 * PI * hz / rate_hz;
    double ss = 0, sc = 0, cc = 0, xs = 0, xc = 0;
    for (size_t i = first; i < first + n; i++) {
        double s = sin(w * (double)i), c = cos(w * (double)i), v = (double)x[i];
        ss += s * s, sc += s * c, cc += c * c, xs += v * s, xc += v * c;
    }
    double det = ss * cc - sc * sc;
    double a = (xs * cc - xc * sc) / det, b = (xc * ss - xs * sc) / det;
    double noise = 0, signal = 0;
    for (size_t i = first; i < first + n; i++) {
        double model = a * sin(w * (double)i) + b * cos(w * (double)i);
        noise += ((double)x[i] - model) * ((double)x[i] - model);
        signal += model * model;
    }
    return (struct fit){.gain_db = 20 * log10(hypot(a, b) / 0.5),
                        .lag_frames = -atan2(b, a) / w,
                        .snr_db = 10 * log10(signal / noise)};
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    static const struct vox_resample_config rows[] = {
        {.channels = 0, .in_hz = 48000, .out_hz = 48000},
        {.channels = 9, .in_hz = 48000, .out_hz = 48000},
        {.channels = 1, .in_hz = 999, .out_hz = 48000},
        {.channels = 1, .in_hz = 48000, .out_hz = 768001},
        {.channels = 1, .in_hz = (double)NAN, .out_hz = 48000},
        {.channels = 1, .in_hz = 48000, .out_hz = (double)INFINITY},
        {.channels = 1, .in_hz = 768000, .out_hz = 1000, .variable = true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_resample *rs = NULL;
        assert_int_equal(vox_resample_create(&rows[i], &rs), VOX_EINVAL);
        assert_null(rs);
    }
    vox_resample_destroy(NULL);
}

static void equal_rates_copy_every_bit(void **state)
{
    (void)state;
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < 2 * 4800; i++)
        in[i] = (float)vox_rng_uniform(&rng) * 4 - 2;
    in[7] = NAN;
    struct vox_resample *rs = make(2, 48000, 48000, false);
    assert_int_equal(push(rs, in, 4800, 441, 2, out), 4800);
    assert_memory_equal(in, out, 2 * 4800 * sizeof(float));
    assert_true(vox_resample_delay_frames(rs) == 0.0);
    vox_resample_destroy(rs);
}

/* Half a frame is promised; where the ratio is one of small whole numbers it is exact. */
static double max_lag_of(double in_hz, double out_hz)
{
    return in_hz == round(in_hz) && out_hz == round(out_hz) ? 0.001 : 0.5;
}

static void sines_keep_level_place_and_purity(void **state)
{
    (void)state;
    static const struct {
        double in_hz, out_hz, hz, min_snr_db, max_loss_db;
        bool variable;
    } rows[] = {
        {44100, 48000, 100, 120, 0.01, false},   {44100, 48000, 997, 120, 0.01, false},
        {44100, 48000, 20000, 120, 0.02, false}, {48000, 44100, 20000, 120, 0.02, false},
        {16000, 48000, 6800, 110, 0.02, false},  {8000, 48000, 3400, 110, 0.02, false},
        {96000, 48000, 20000, 120, 0.02, false}, {11025, 48000, 997, 120, 0.02, false},
        {44117.3, 48000, 997, 120, 0.02, false}, {47999.123, 48000, 997, 120, 0.02, false},
        {48000, 48000, 100, 120, 0.01, true},    {48000, 48000, 997, 120, 0.01, true},
        {48000, 48000, 18000, 90, 0.6, true},    {44100, 48000, 18000, 90, 0.1, true},
        {48000, 44100, 997, 110, 0.01, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t frames = (size_t)rows[i].in_hz;
        fill_sine(rows[i].hz, rows[i].in_hz, frames, 1);
        struct vox_resample *rs = make(1, rows[i].in_hz, rows[i].out_hz, rows[i].variable);
        size_t made = push(rs, in, frames, 480, 1, out);
        struct fit fit = fit_sine(out, made / 4, made / 2, rows[i].hz, rows[i].out_hz);
        if (fit.snr_db < rows[i].min_snr_db || fabs(fit.gain_db) > rows[i].max_loss_db ||
            fabs(fit.lag_frames) > max_lag_of(rows[i].in_hz, rows[i].out_hz))
            fail_msg("%g -> %g Hz, %g Hz: SNR %.1f dB, gain %.3f dB, lag %.4f", rows[i].in_hz,
                     rows[i].out_hz, rows[i].hz, fit.snr_db, fit.gain_db, fit.lag_frames);
        vox_resample_destroy(rs);
    }
}

static void what_would_alias_is_gone(void **state)
{
    (void)state;
    fill_sine(26400, 96000, 96000, 1);
    struct vox_resample *rs = make(1, 96000, 48000, false);
    size_t made = push(rs, in, 96000, 960, 1, out);
    for (size_t i = made / 4; i < made * 3 / 4; i++)
        assert_true(fabsf(out[i]) < 1e-5F); /* -94 dB of the sine */
    vox_resample_destroy(rs);
}

/* The delay it reports is what it holds, and silence brings out the rest: the length is right. */
static void flushing_gives_the_whole_length(void **state)
{
    (void)state;
    static const double rates[] = {8000, 11025, 16000, 22050, 32000, 44100, 88200, 96000};
    for (size_t i = 0; i < COUNT(rates); i++) {
        struct vox_resample *rs = make(1, rates[i], 48000, false);
        size_t frames = (size_t)rates[i] + 17;
        memset(in, 0, sizeof in);
        in[frames - 1] = 1; /* the last frame must show in the output's last */
        size_t made = push(rs, in, frames, 333, 1, out);
        double expect = (double)frames * 48000 / rates[i];
        double held = vox_resample_delay_frames(rs);
        double tolerance = rates[i] < 32000 ? 0.5 : 0.01; /* there it is constant */
        assert_true(fabs((double)frames - (double)made * rates[i] / 48000 - held) < tolerance);
        assert_true(held >= 0 && held < 800);
        made += push(rs, in, 2400, 333, 1, out + made);
        assert_true((double)made >= expect);
        size_t peak = 0;
        for (size_t k = 0; k < (size_t)lround(expect); k++)
            peak = out[k] > out[peak] ? k : peak;
        double at = (double)(frames - 1) * 48000 / rates[i];
        if (fabs((double)peak - at) >= 1.0)
            fail_msg("%g Hz: peak at %zu, not %g", rates[i], peak, at);
        vox_resample_destroy(rs);
    }
}

/* Low rates wait for little, and input that is there in plenty is not drawn in ahead of need. */
static void low_rates_hold_little_back(void **state)
{
    (void)state;
    static const double rates[] = {8000, 11025, 16000, 22050, 24000};
    memset(in, 0, sizeof in);
    for (size_t i = 0; i < COUNT(rates); i++) {
        struct vox_resample *rs = make(1, rates[i], 48000, false);
        double held = vox_resample_delay_frames(rs);
        assert_true(held > 10 && held < 60);
        double read = 0, shown = 0;
        for (int frame = 0; frame < 3000; frame++) {
            size_t used = 0;
            shown += (double)vox_resample_process(rs, in, 4096, &used, out, 960) * rates[i] / 48000;
            read += (double)used;
            assert_true(read - shown < held + 2);
        }
        vox_resample_destroy(rs);
    }
}

static void result_does_not_depend_on_the_blocks(void **state)
{
    (void)state;
    static const bool kinds[] = {false, true};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        fill_sine(440, 44100, 44100, 2);
        struct vox_resample *rs = make(2, 44100, 48000, kinds[k]);
        size_t expect = push(rs, in, 44100, 441, 2, out);
        vox_resample_destroy(rs);
        rs = make(2, 44100, 48000, kinds[k]);
        struct vox_rng rng;
        vox_rng_init(&rng, 5, 0);
        size_t read = 0, made = 0;
        while (made < expect - 600) {
            size_t n = vox_rng_u32(&rng) % 1500, room = vox_rng_u32(&rng) % 1500, used = 0;
            n = n < 44100 - read ? n : 44100 - read;
            vox_rt_enter();
            made += vox_resample_process(rs, in + 2 * read, n, &used, other + 2 * made, room);
            vox_rt_leave();
            read += used;
        }
        for (size_t i = 0; i < 2 * (made < expect ? made : expect); i++)
            assert_true(fabsf(out[i] - other[i]) < 2e-6F);
        vox_resample_destroy(rs);
    }
}

/* Half a minute of pieces of all sizes: by then a queue that can grow has grown. */
static void no_sizes_of_pieces_make_it_allocate(void **state)
{
    (void)state;
    static const double rates[] = {8000, 16000, 44100, 44117.3, 96000, 192000};
    struct vox_rng rng;
    vox_rng_init(&rng, 11, 0);
    memset(in, 0, sizeof in);
    for (size_t i = 0; i < COUNT(rates); i++) {
        struct vox_resample *rs = make(2, rates[i], 48000, false);
        for (size_t at = 0, n; at < (size_t)(30 * rates[i]); at += n) {
            size_t most = vox_rng_u32(&rng) % 2 == 0 ? 30 : 4096;
            n = 1 + vox_rng_u32(&rng) % most;
            push(rs, in, n, 1 + vox_rng_u32(&rng) % 1000, 2, out);
        }
        vox_resample_destroy(rs);
    }
}

static void reset_starts_anew(void **state)
{
    (void)state;
    static const struct {
        double in_hz;
        bool variable;
        float tolerance;
    } rows[] = {{44100, false, 2e-6F},  {8000, false, 2e-6F},   {96000, false, 2e-6F},
                {48000, true, 0.0F},    {48000, false, 0.0F},   {192000, false, 2e-6F},
                {768000, false, 2e-6F}, {44117.3, false, 1e-4F}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t frames = rows[i].in_hz > 48000 ? 60000 : 20000;
        fill_sine(1000, rows[i].in_hz, frames, 1);
        struct vox_resample *rs = make(1, rows[i].in_hz, 48000, rows[i].variable);
        size_t expect = push(rs, in, frames, 480, 1, out);
        for (int round = 0; round < 3; round++) {
            vox_rt_enter();
            vox_resample_reset(rs);
            vox_rt_leave();
            size_t made = push(rs, in, 12345 + (size_t)round, 480, 1, other); /* odd phase */
            vox_rt_enter();
            vox_resample_reset(rs);
            vox_rt_leave();
            made = push(rs, in, frames, 480, 1, other);
            assert_true(made + 4000 > expect && made < expect + 4000);
            for (size_t k = 0; k < (made < expect ? made : expect); k++)
                if (fabsf(out[k] - other[k]) > rows[i].tolerance)
                    fail_msg("%g Hz, round %d: frame %zu is %g, was %g", rows[i].in_hz, round, k,
                             (double)other[k], (double)out[k]);
        }
        vox_resample_destroy(rs);
    }
}

static void variable_ratio_is_met_exactly(void **state)
{
    (void)state;
    static const double ppms[] = {-300, -37, 0, 12.5, 300};
    for (size_t i = 0; i < COUNT(ppms); i++) {
        struct vox_resample *rs = make(1, 48000, 48000, true);
        vox_resample_set_ppm(rs, ppms[i]);
        vox_resample_set_ppm(rs, (double)NAN); /* ignored */
        fill_sine(440, 48000, 190000, 1);
        size_t made = push(rs, in, 190000, 480, 1, out);
        double shown = 190000 - vox_resample_delay_frames(rs);
        assert_true(fabs((double)made - shown * (1 + ppms[i] * 1e-6)) < 1.5);
        vox_resample_destroy(rs);
    }
}

/* Every 10 ms another ratio; all that is not the sine itself (its phase may move) must stay small.
 */
static void changing_ratio_does_not_click(void **state)
{
    (void)state;
    struct vox_resample *rs = make(1, 48000, 48000, true);
    fill_sine(997, 48000, 96000, 1);
    size_t made = 0;
    for (size_t at = 0; at < 96000; at += 480) {
        static const double ppms[] = {50, -50, 120, -300, 300, 10, 0};
        vox_resample_set_ppm(rs, ppms[at / 480 % COUNT(ppms)]);
        made += push(rs, in + at, 480, 480, 1, out + made);
    }
    /* A sine of any slowly moving phase obeys x[n+1] + x[n-1] = 2 cos(w) x[n]; 300 ppm of w move
     * the right side by 2 sin(w) * 3e-4 * w * 0.5 = 5e-6, a click of -80 dB by 1e-4. */
    double w = 2 * PI * 997 / 48000;
    for (size_t i = 4801; i + 1 < made; i++) {
        double residual = (double)out[i + 1] + (double)out[i - 1] - 2 * cos(w) * (double)out[i];
        assert_true(fabs(residual) < 2e-5);
    }
    vox_resample_destroy(rs);
}

RUN(cmocka_unit_test(refuses_what_it_cannot_do), cmocka_unit_test(equal_rates_copy_every_bit),
    cmocka_unit_test(sines_keep_level_place_and_purity), cmocka_unit_test(what_would_alias_is_gone),
    cmocka_unit_test(flushing_gives_the_whole_length), cmocka_unit_test(low_rates_hold_little_back),
    cmocka_unit_test(result_does_not_depend_on_the_blocks),
    cmocka_unit_test(no_sizes_of_pieces_make_it_allocate), cmocka_unit_test(reset_starts_anew),
    cmocka_unit_test(variable_ratio_is_met_exactly),
    cmocka_unit_test(changing_ratio_does_not_click))
