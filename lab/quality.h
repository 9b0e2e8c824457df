/*
 * A received recording against a clean reference, in numbers that need no licence: lag over time,
 * segmental SNR, log-spectral distance, and the gaps and clicks that can be heard.
 *
 *     struct vox_quality_input in = {.reference = {clean, n, 1}, .output = {heard, m, 1},
 *                                    .min_lag_frames = 0, .max_lag_frames = 2 * 48000};
 *     struct vox_quality q;
 *     if (vox_quality_compare(&in, &q) == 0) {
 *         printf("%.1f dB, %zu dropouts\n", q.segmental_snr_db, q.damage.dropouts);
 *         vox_quality_clear(&q);
 *     }
 *
 * The reference is best the clean decode: the same packets decoded without any loss. Against the
 * original, the waveform measures tell of the codec more than of the network.
 *
 * All measures are taken in frames of 20 ms of the reference that are active: above -60 dBFS and
 * within 40 dB of the level that 5 % of the frames exceed. Level is not adjusted.
 *   - Segmental SNR: the mean over frames of the SNR in dB, each held within -10..35 dB (Hansen,
 *     Pellom: "An effective quality evaluation protocol for speech enhancement algorithms", ICSLP
 *     1998; Quackenbush et al.: "Objective measures of speech quality", 1988). A shift
 *     by less than a sample does not count. It is unforgiving: concealment that sounds right has
 *     some 0 dB.
 *   - Log-spectral distance: the mean over frames of the RMS over frequency (50 Hz to 20 kHz) of
 *     the difference of the two spectra in dB, by a Hann window; what lies below -90 dB of a
 *     full-scale sine counts as that. It hears missing treble and does not mind phase. Below 1 dB
 *     is called transparent in coding; concealment and muting give 5 to 60.
 *
 * Thread rule: pure; allocates. Time is linear in length.
 */
#ifndef VOX_LAB_QUALITY_H
#define VOX_LAB_QUALITY_H

#include "lab/align.h"
#include "lab/damage.h"

#define VOX_QUALITY_MIN_SNR_DB (-10.0)
#define VOX_QUALITY_MAX_SNR_DB 35.0

struct vox_quality_input {
    struct vox_audio_view reference; /* both at 48 kHz, with the same number of channels */
    struct vox_audio_view output;
    int64_t min_lag_frames; /* where the output may begin against the reference */
    int64_t max_lag_frames;
};

struct vox_quality {
    double segmental_snr_db;
    double log_spectral_distance_db;
    size_t active_frames;  /* of 20 ms, over which these are means; if 0 they are 0 */
    size_t unheard_frames; /* active, but before the output's beginning or after its end */
    struct vox_alignment alignment;
    struct vox_damage_list damage;
};

/* Errors: as for vox_align; VOX_EINVAL for a reference shorter than 20 ms. */
int vox_quality_compare(const struct vox_quality_input *input, struct vox_quality *out);
void vox_quality_clear(struct vox_quality *quality);

#endif
