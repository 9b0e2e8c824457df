/*
 * Test signals as a source of mono PCM: a tone, and a mark from which latency can be measured.
 *
 *     struct vox_signal s;
 *     vox_signal_init_marker(&s, 48000);
 *     vox_signal_read(&s, pcm, 960);
 *
 * The marker is a linear chirp of VOX_MARKER_MS from 300 Hz to 6 kHz at -6 dBFS, with raised-cosine
 * edges, that begins exactly at every VOX_MARKER_PERIOD_S; silence between. Its spectrum lies where
 * every bandwidth of Opus from wideband up carries it, and its correlation peak is one frame sharp:
 * find it again with vox_measure_delay.
 *
 * Thread rule: value, one owner. read is RT-safe.
 */
#ifndef VOX_DSP_SIGNAL_H
#define VOX_DSP_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_MARKER_MS = 30, VOX_MARKER_PERIOD_S = 1 };

enum vox_signal_kind { VOX_SIGNAL_TONE, VOX_SIGNAL_MARKER };

struct vox_signal {
    enum vox_signal_kind kind;
    int rate_hz;
    double amplitude;
    double hz;        /* of the tone */
    double phase;     /* of the tone's next frame, in turns 0..1 */
    int64_t at_frame; /* of the marker's next frame, since the last mark began */
};

/*
 * A sine with continuous phase, from phase 0; level_db of its peak against full scale (<= 0).
 * Errors: VOX_EINVAL (hz not above 0 and below rate_hz / 2, level above 0 or NaN).
 */
int vox_signal_init_tone(struct vox_signal *s, double hz, int rate_hz, double level_db);

/* The first mark begins at frame 0. Errors: VOX_EINVAL (rate_hz below 16000). */
int vox_signal_init_marker(struct vox_signal *s, int rate_hz);

/* The next frames of the signal: it has no end. */
void vox_signal_read(struct vox_signal *s, float *out, size_t frames);

#endif
