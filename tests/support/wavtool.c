/*
 * Looks into recordings, for shell scripts: anything that the audio layer reads.
 *
 *     wavtool info FILE             rate channels frames
 *     wavtool same A B              ends with 1 unless format and every sample are equal
 *     wavtool align A B [MAX_MS]    how much later B is than A in ms, and their correlation
 *     wavtool level FILE            RMS and peak in dB of full scale
 *     wavtool tone FILE HZ          level of a sine of this frequency in dB, -200 at the least
 *     wavtool clicks FILE           how many
 *     wavtool gaps FILE MIN_MS      runs of digital silence: count, ms in all, ms of the longest
 *
 * All but `info` and `same` look at the mean of the channels.
 */
#include "audio/file.h"
#include "dsp/measure.h"
#include "dsp/pcm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recording {
    int rate_hz;
    int channels;
    size_t frames;
    float *samples;
};

static void die(const char *text)
{
    fprintf(stderr, "wavtool: %s\n", text);
    exit(2);
}

static struct recording load(const char *path)
{
    enum { STEP = 48000 };
    struct vox_audio_error error;
    struct vox_file_reader *file;
    if (vox_file_open(path, &file, &error) < 0)
        die(error.text);
    struct recording r = {.rate_hz = vox_file_info(file)->rate_hz,
                          .channels = vox_file_info(file)->channels};
    int n;
    do {
        size_t samples = (r.frames + STEP) * (size_t)r.channels;
        r.samples = realloc(r.samples, samples * sizeof *r.samples);
        if (!r.samples)
            die("out of memory");
        n = vox_file_read(file, r.samples + r.frames * (size_t)r.channels, STEP, &error);
        if (n < 0)
            die(error.text);
        r.frames += (size_t)n;
    } while (n > 0);
    vox_file_close(file);
    return r;
}

static struct recording load_mono(const char *path)
{
    struct recording r = load(path);
    float *mono = malloc((r.frames + 1) * sizeof *mono);
    if (!mono)
        die("out of memory");
    for (size_t i = 0; i < r.frames; i++) {
        float sum = 0;
        for (int c = 0; c < r.channels; c++)
            sum += r.samples[i * (size_t)r.channels + (size_t)c];
        mono[i] = sum / (float)r.channels;
    }
    free(r.samples);
    r.samples = mono;
    r.channels = 1;
    return r;
}

static double ms_of(double frames, int rate_hz)
{
    return frames * 1e3 / rate_hz;
}

static int info(char **argv)
{
    struct recording r = load(argv[0]);
    printf("%d %d %zu\n", r.rate_hz, r.channels, r.frames);
    free(r.samples);
    return 0;
}

static int compare(const struct recording *a, const struct recording *b)
{
    if (a->rate_hz != b->rate_hz || a->channels != b->channels || a->frames != b->frames) {
        printf("%d Hz, %d channels, %zu frames against %d Hz, %d channels, %zu frames\n",
               a->rate_hz, a->channels, a->frames, b->rate_hz, b->channels, b->frames);
        return 1;
    }
    size_t channels = (size_t)a->channels;
    for (size_t i = 0; i < a->frames * channels; i++)
        if (memcmp(&a->samples[i], &b->samples[i], sizeof a->samples[i]) != 0) {
            printf("differ first at frame %zu of %zu, channel %zu: %g against %g\n", i / channels,
                   a->frames, i % channels, (double)a->samples[i], (double)b->samples[i]);
            return 1;
        }
    return 0;
}

static int same(char **argv)
{
    struct recording a = load(argv[0]), b = load(argv[1]);
    int differ = compare(&a, &b);
    free(a.samples);
    free(b.samples);
    return differ;
}

static int align(char **argv)
{
    struct recording a = load_mono(argv[0]), b = load_mono(argv[1]);
    double max_ms = argv[2] ? strtod(argv[2], NULL) : 500;
    int64_t max_lag = (int64_t)(max_ms * a.rate_hz / 1e3);
    struct vox_measured_delay d;
    if (a.rate_hz != b.rate_hz)
        die("align: the rates differ");
    if (vox_measure_delay(a.samples, a.frames, b.samples, b.frames, -max_lag, max_lag, &d) < 0)
        die("align: nothing to correlate");
    printf("%.3f %.5f\n", ms_of(d.lag_frames, a.rate_hz), d.correlation);
    free(a.samples);
    free(b.samples);
    return 0;
}

static int level(char **argv)
{
    struct recording r = load_mono(argv[0]);
    struct vox_pcm_meter meter = {0};
    double peak_db;
    vox_pcm_meter_add(&meter, r.samples, r.frames);
    double rms_db = vox_pcm_meter_rms_db(&meter, &peak_db);
    printf("%.2f %.2f\n", fmax(rms_db, -200), fmax(peak_db, -200));
    free(r.samples);
    return 0;
}

/* Correlates with a sine and a cosine over the whole recording. */
static int tone(char **argv)
{
    struct recording r = load_mono(argv[0]);
    double turn = 2 * acos(-1) * strtod(argv[1], NULL) / r.rate_hz;
    double re = 0, im = 0;
    for (size_t i = 0; i < r.frames; i++) {
        re += (double)r.samples[i] * cos(turn * (double)i);
        im += (double)r.samples[i] * sin(turn * (double)i);
    }
    double amplitude = r.frames ? 2 * hypot(re, im) / (double)r.frames : 0;
    printf("%.2f\n", fmax(20 * log10(amplitude), -200));
    free(r.samples);
    return 0;
}

static int clicks(char **argv)
{
    struct recording r = load_mono(argv[0]);
    printf("%zu\n", vox_measure_clicks(r.samples, r.frames, r.rate_hz));
    free(r.samples);
    return 0;
}

static int gaps(char **argv)
{
    struct recording r = load_mono(argv[0]);
    size_t least = (size_t)(strtod(argv[1], NULL) * r.rate_hz / 1e3);
    struct vox_measured_gaps g = vox_measure_gaps(r.samples, r.frames, 0, least);
    printf("%zu %.1f %.1f\n", g.count, ms_of((double)g.total_frames, r.rate_hz),
           ms_of((double)g.longest_frames, r.rate_hz));
    free(r.samples);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        int (*run)(char **argv);
    } verbs[] = {
        {"info", 1, info}, {"same", 2, same},     {"align", 2, align}, {"level", 1, level},
        {"tone", 2, tone}, {"clicks", 1, clicks}, {"gaps", 2, gaps},
    };
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0 && argc >= 2 + verbs[i].arguments)
            return verbs[i].run(argv + 2);
    fputs("usage: wavtool info|same|align|level|tone|clicks|gaps FILE... (see its source)\n",
          stderr);
    return 2;
}
