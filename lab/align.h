/*
 * Which moment of a recording shows which moment of its reference, when playout stretched,
 * concealed, dropped and resampled on the way: a list of pieces with one lag each.
 *
 *     struct vox_alignment alignment;
 *     if (vox_align(&reference, &output, 0, 96000, &alignment) == 0) {
 *         for (size_t i = 0; i < alignment.count; i++)
 *             plot(alignment.pieces[i].reference_frame, alignment.pieces[i].lag_frames);
 *         vox_alignment_clear(&alignment);
 *     }
 *
 * The lag at the beginning is the best one of the range asked for over ten seconds of sound (on
 * both signals at 8 kHz). From there it is followed in windows of 240 ms every 100 ms, by
 * normalised cross-correlation within 40 ms of the last lag, and to the frame at the full rate. In
 * silence, and where nothing correlates (concealment), it stays; after half a second of sound that
 * fits nowhere the whole of two seconds on either side of the last lag is searched. A period of the
 * voice further is taken only for a better fit, and a lag that is back within half a second was
 * concealment that fitted by chance. Where two windows differ, the border between the pieces is
 * where the difference from the reference is least. Two changes within some 200 ms may be seen as
 * one.
 *
 * Thread rule: pure; allocates.
 */
#ifndef VOX_LAB_ALIGN_H
#define VOX_LAB_ALIGN_H

#include <stddef.h>
#include <stdint.h>

/* A whole recording, interleaved, full scale +-1. */
struct vox_audio_view {
    const float *pcm;
    size_t frames; /* samples per channel */
    int channels;
};

/* One sample; 0 before the beginning and after the end. */
static inline double vox_audio_at(const struct vox_audio_view *v, size_t channel, int64_t frame)
{
    if (frame < 0 || frame >= (int64_t)v->frames)
        return 0.0;
    return (double)v->pcm[(size_t)frame * (size_t)v->channels + channel];
}

/*
 * output[lag + i] shows reference[i] for i from reference_frame on. Pieces are in order in both
 * signals and do not overlap in either. Between two of them lies either output that shows nothing
 * of the reference (the lag grows: inserted) or reference that was left out (the lag shrinks).
 */
struct vox_align_piece {
    int64_t reference_frame;
    int64_t frames;
    int64_t lag_frames;
};

struct vox_alignment {
    struct vox_align_piece *pieces; /* at least one; the last ends the reference */
    size_t count;
    double fit; /* share of the windows with sound in which the output is like the reference, 0 to
                   1; where it is low, the lag is a guess */
};

/*
 * Lags are output against reference, positive where the output is later; min..max is the range of
 * the first search. On the channel that is loudest in the reference.
 * Errors: VOX_EINVAL (48 kHz is assumed and cannot be checked; channels differ or are outside of
 * 1..8, an empty range or one above 60 s, the reference is silent or either is not finite),
 * VOX_ENOMEM. A silent output fits everywhere: one piece at the lag nearest to 0.
 */
int vox_align(const struct vox_audio_view *reference, const struct vox_audio_view *output,
              int64_t min_lag_frames, int64_t max_lag_frames, struct vox_alignment *out);
void vox_alignment_clear(struct vox_alignment *alignment);

#endif
