#include "dsp/signal.h"

#include "base/err.h"

#include <math.h>

static const double TURN = 6.283185307179586476925;

static const double MARKER_LOW_HZ = 300.0;
static const double MARKER_HIGH_HZ = 6000.0;
static const double MARKER_EDGE_S = 0.005;
static const double MARKER_AMPLITUDE = 0.5;
static const double MARKER_S = VOX_MARKER_MS / 1000.0;

enum { MARKER_MIN_RATE_HZ = 16000 };

int vox_signal_init_tone(struct vox_signal *s, double hz, int rate_hz, double level_db)
{
    if (!(hz > 0.0 && hz < rate_hz / 2.0) || !(level_db <= 0.0))
        return VOX_EINVAL;
    *s = (struct vox_signal){
        .kind = VOX_SIGNAL_TONE,
        .rate_hz = rate_hz,
        .amplitude = pow(10.0, level_db / 20.0),
        .hz = hz,
    };
    return 0;
}

int vox_signal_init_marker(struct vox_signal *s, int rate_hz)
{
    if (rate_hz < MARKER_MIN_RATE_HZ)
        return VOX_EINVAL;
    *s = (struct vox_signal){
        .kind = VOX_SIGNAL_MARKER, .rate_hz = rate_hz, .amplitude = MARKER_AMPLITUDE};
    return 0;
}

/* The phase is kept within a turn: a running sum of frames would lose precision over hours. */
static float next_of_tone(struct vox_signal *s)
{
    double value = s->amplitude * sin(TURN * s->phase);
    s->phase += s->hz / s->rate_hz;
    s->phase -= floor(s->phase);
    return (float)value;
}

static double marker_edge(double t_s)
{
    double from_end_s = fmin(t_s, MARKER_S - t_s);
    return from_end_s < MARKER_EDGE_S ? 0.5 - 0.5 * cos(TURN / 2 * from_end_s / MARKER_EDGE_S)
                                      : 1.0;
}

static float next_of_marker(struct vox_signal *s)
{
    double t_s = (double)s->at_frame / s->rate_hz;
    if (++s->at_frame == (int64_t)VOX_MARKER_PERIOD_S * s->rate_hz)
        s->at_frame = 0;
    if (t_s >= MARKER_S)
        return 0.0F;
    double sweep_hz = (MARKER_HIGH_HZ - MARKER_LOW_HZ) * t_s / MARKER_S;
    double turns = (MARKER_LOW_HZ + sweep_hz / 2.0) * t_s;
    return (float)(s->amplitude * marker_edge(t_s) * sin(TURN * turns));
}

void vox_signal_read(struct vox_signal *s, float *out, size_t frames)
{
    for (size_t i = 0; i < frames; i++)
        out[i] = s->kind == VOX_SIGNAL_TONE ? next_of_tone(s) : next_of_marker(s);
}
