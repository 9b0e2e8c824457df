/*
 * How much a sound that was stretched by whatever means sounds like its original played at another
 * speed.
 *
 *     struct stretch_score s;
 *     stretch_score(&in, &out, &s);
 *     assert_true(s.spectral_db < 4);
 *
 * The ideal: at each moment of the output the short-time spectrum that the input has at the same
 * share of its length. What is compared is 48 bands of equal width on the mel scale, 50 Hz to
 * 16 kHz, in dB (the ear's resolution, and blind to phase, which no stretcher can keep). A splice
 * moves its surroundings by up to a period, which nobody hears; so each output frame is held
 * against the input within 70 ms of its place, and the best counts. What a bad splice makes - a
 * spectrum that is nowhere near in the input: a notch where two periods cancel, a click's breadth,
 * a doubled pitch mark - finds no such frame.
 *
 * Thread rule: pure; allocates.
 */
#ifndef VOX_TEST_STRETCH_SCORE_H
#define VOX_TEST_STRETCH_SCORE_H

#include "stretch_clip.h"

struct stretch_score {
    double ratio;       /* of the lengths */
    double spectral_db; /* mean over the frames with sound of the rms distance over the bands */
    double worst_db;    /* 95th percentile of that: bad splices are few, and heard one by one */
    double fine_db;   /* the same over single lines of 12 Hz, up to 4 kHz: tones, and their pitch */
    double energy_db; /* mean power, output over input */
    double pitch_cents; /* mean difference over voiced frames */
};

void stretch_score(const struct sound *in, const struct sound *out, struct stretch_score *score);
/* By lab/damage.h, against what of the input belongs there. */
size_t stretch_clicks(const struct sound *in, const struct stretched *out);

#endif
