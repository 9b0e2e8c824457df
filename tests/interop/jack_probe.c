/*
 * Latency through anything that runs under JACK, measured with noise:
 *
 *     jack_probe TO FROM [SECONDS [WARM_UP]]
 *     jack_probe voxgram-send:in_0 voxgram-recv:out_0 10 5
 *
 * Plays noise into the port TO and records the port FROM, in the same process cycles, so that what
 * is measured is what lies between the two ports and no driver's buffer. Waits a minute for the
 * ports. Then correlates the recording with what was played in windows of WINDOW_MS, from second
 * WARM_UP on, and prints JSON:
 *
 *     latency_ms    median, least and greatest
 *     correlation   of the windows: median and least
 *     jumps         neighbours whose latencies differ by more than half a millisecond
 *     gaps          runs of silence of 2 ms and more, and their milliseconds
 *
 * Ends with 1 when JACK goes away or a port does not come, with 2 when called wrongly, with 3 when
 * JACK stops to call it (1.9.21 does now and then, on a busy machine).
 */
#include "base/rng.h"
#include "dsp/measure.h"

#include <errno.h>
#include <jack/jack.h>
#include <math.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW_MS = 200, MAX_LATENCY_MS = 400, GAP_MS = 2, WAIT_TRIES = 600, PATIENCE_S = 60 };

enum { FORGOTTEN = 3 };

#define WAIT_STEP_NS 100000000L
#define JUMP_MS 0.5
/* Below this a recorded sample counts as silence: far under the noise, over the codec's dither. */
#define SILENCE 1e-4F

struct probe {
    jack_client_t *client;
    jack_port_t *out, *in;
    size_t rate_hz;
    size_t frames; /* in each of these */
    float *played;
    float *recorded;
    size_t at; /* JACK's thread until over */
    atomic_bool is_over;
    bool is_cut; /* belongs to is_over */
    sem_t over;
};

struct window {
    double latency_ms;
    double correlation;
};

/* ---- JACK's threads ---- */

static void end(struct probe *p, bool is_cut)
{
    if (atomic_exchange(&p->is_over, true))
        return;
    p->is_cut = is_cut;
    sem_post(&p->over);
}

static int on_process(jack_nframes_t total, void *ctx)
{
    struct probe *p = ctx;
    float *out = jack_port_get_buffer(p->out, total);
    const float *in = jack_port_get_buffer(p->in, total);
    size_t n = p->frames - p->at < total ? p->frames - p->at : total;
    memcpy(out, p->played + p->at, n * sizeof *out);
    memset(out + n, 0, (total - n) * sizeof *out);
    memcpy(p->recorded + p->at, in, n * sizeof *in);
    p->at += n;
    if (p->at == p->frames)
        end(p, false);
    return 0;
}

static void on_shutdown(void *ctx)
{
    end(ctx, true);
}

/* ---- playing and recording ---- */

/* Brown above 100 Hz: every setting of the codec but for voice carries its waveform. */
static void make_noise(float *out, size_t frames, size_t rate_hz)
{
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 0);
    double corner = 1 - exp(-2 * acos(-1) * 100 / (double)rate_hz);
    double brown = 0, rumble = 0;
    for (size_t i = 0; i < frames; i++) {
        brown += corner * (2 * vox_rng_uniform(&rng) - 1 - brown);
        rumble += corner * (brown - rumble);
        out[i] = (float)(4 * (brown - rumble));
    }
}

static bool prepare(struct probe *p, double seconds)
{
    p->client = jack_client_open("jack_probe", JackNoStartServer, NULL);
    if (!p->client) {
        fputs("jack_probe: no JACK server answers\n", stderr);
        return false;
    }
    p->rate_hz = jack_get_sample_rate(p->client);
    p->frames = (size_t)(seconds * (double)p->rate_hz);
    p->played = calloc(p->frames, sizeof *p->played);
    p->recorded = calloc(p->frames, sizeof *p->recorded);
    p->out = jack_port_register(p->client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    p->in = jack_port_register(p->client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (!p->played || !p->recorded || !p->out || !p->in)
        return false;
    make_noise(p->played, p->frames, p->rate_hz);
    jack_on_shutdown(p->client, on_shutdown, p);
    return jack_set_process_callback(p->client, on_process, p) == 0;
}

/* A port that is not there yet may come. */
static bool wait_for(const struct probe *p, const char *port)
{
    for (int i = 0; i < WAIT_TRIES; i++) {
        if (jack_port_by_name(p->client, port))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_NS}, NULL);
    }
    fprintf(stderr, "jack_probe: there is no port %s\n", port);
    return false;
}

static bool connect_ports(const char *from, const char *to, jack_client_t *client)
{
    int err = jack_connect(client, from, to);
    if (err == 0 || err == EEXIST)
        return true;
    fprintf(stderr, "jack_probe: cannot connect %s to %s\n", from, to);
    return false;
}

/* False if JACK has not called often enough in twice the time that it takes, and some more. */
static bool wait_for_the_end(struct probe *p)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_S + (time_t)(2 * p->frames / p->rate_hz);
    while (sem_clockwait(&p->over, CLOCK_MONOTONIC, &until) != 0) {
        if (errno == ETIMEDOUT)
            return false;
    }
    return true;
}

static bool play(struct probe *p, const char *to, const char *from)
{
    if (!wait_for(p, to) || !wait_for(p, from) || jack_activate(p->client) != 0)
        return false;
    if (!connect_ports(jack_port_name(p->out), to, p->client) ||
        !connect_ports(from, jack_port_name(p->in), p->client))
        return false;
    if (!wait_for_the_end(p)) {
        fputs("jack_probe: the JACK server does not call us any more\n", stderr);
        _exit(FORGOTTEN); /* to close would be to wait for it */
    }
    if (p->is_cut)
        fputs("jack_probe: the JACK server went away\n", stderr);
    return !p->is_cut;
}

/* ---- judging ---- */

static size_t frames_of(const struct probe *p, double ms)
{
    return (size_t)(ms * (double)p->rate_hz / 1e3);
}

static struct window look(const struct probe *p, size_t from, size_t length, size_t max_lag)
{
    struct vox_measured_delay d = {0};
    if (vox_measure_delay(p->played + from, length, p->recorded + from, length + max_lag, 0,
                          (int64_t)max_lag, &d) < 0)
        return (struct window){.latency_ms = -1}; /* silence */
    return (struct window){.latency_ms = d.lag_frames * 1e3 / (double)p->rate_hz,
                           .correlation = d.correlation};
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int count_jumps(const struct window *windows, size_t count)
{
    int jumps = 0;
    for (size_t i = 1; i < count; i++)
        jumps += fabs(windows[i].latency_ms - windows[i - 1].latency_ms) > JUMP_MS;
    return jumps;
}

static void print(const struct window *windows, size_t count, const struct probe *p, size_t first)
{
    double *latency = calloc(2 * count, sizeof *latency);
    if (!latency)
        return;
    double *correlation = latency + count;
    for (size_t i = 0; i < count; i++) {
        latency[i] = windows[i].latency_ms;
        correlation[i] = windows[i].correlation;
    }
    qsort(latency, count, sizeof *latency, by_size);
    qsort(correlation, count, sizeof *correlation, by_size);
    struct vox_measured_gaps gaps =
        vox_measure_gaps(p->recorded + first, p->frames - first, SILENCE, frames_of(p, GAP_MS));
    printf("{\"latency_ms\":{\"p50\":%.2f,\"min\":%.2f,\"max\":%.2f},"
           "\"correlation\":{\"p50\":%.4f,\"min\":%.4f},"
           "\"jumps\":%d,\"gaps\":{\"count\":%zu,\"ms\":%.1f}}\n",
           latency[count / 2], latency[0], latency[count - 1], correlation[count / 2],
           correlation[0], count_jumps(windows, count), gaps.count,
           (double)gaps.total_frames * 1e3 / (double)p->rate_hz);
    free(latency);
}

static bool judge(const struct probe *p, double warm_up)
{
    size_t length = frames_of(p, WINDOW_MS), max_lag = frames_of(p, MAX_LATENCY_MS);
    size_t first = frames_of(p, warm_up * 1e3);
    size_t count = (p->frames - first - max_lag) / length;
    struct window *windows = calloc(count, sizeof *windows);
    if (!windows)
        return false;
    for (size_t i = 0; i < count; i++)
        windows[i] = look(p, first + i * length, length, max_lag);
    print(windows, count, p, first);
    free(windows);
    return true;
}

int main(int argc, char **argv)
{
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 10;
    double warm_up = argc > 4 ? strtod(argv[4], NULL) : 5;
    if (argc < 3 || !(warm_up >= 0) || !(seconds >= warm_up + 1) || seconds > 3600) {
        fputs("usage: jack_probe TO FROM [SECONDS [WARM_UP]]; a second more than WARM_UP\n",
              stderr);
        return 2;
    }
    struct probe p = {0};
    atomic_init(&p.is_over, false);
    sem_init(&p.over, 0, 0);
    bool done = prepare(&p, seconds) && play(&p, argv[1], argv[2]);
    if (p.client)
        jack_client_close(p.client);
    done = done && judge(&p, warm_up);
    free(p.played);
    free(p.recorded);
    return done ? 0 : 1;
}
