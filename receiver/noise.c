#include "receiver/noise.h"

#include <math.h>

enum { MOST_HEARD = 480 };

/* The memory of the quietest rises by 3 dB in two seconds: so much a frame. Never above -30 dBFS.
 */
#define RISE 7.2e-6F
#define LOUDEST 1e-3F
#define MOST_COLOUR 0.98F

void vox_noise_init(struct vox_noise *noise, uint64_t seed)
{
    *noise = (struct vox_noise){.power = -1};
    vox_rng_init(&noise->rng, seed, 0);
}

/* The beginning of a packet stands for it. */
void vox_noise_hear(struct vox_noise *noise, const float *pcm, int frames, int channels)
{
    int heard = frames < MOST_HEARD ? frames : MOST_HEARD;
    float power = 0, cross = 0;
    for (int i = channels; i < heard * channels; i++) {
        power += pcm[i] * pcm[i];
        cross += pcm[i] * pcm[i - channels];
    }
    float colour = power > 0 ? cross / power : 0;
    power /= (float)(heard * channels);
    noise->power *= 1 + RISE * (float)frames;
    if (noise->power >= 0 && power > noise->power)
        return;
    noise->colour = colour < 0 ? 0 : colour > MOST_COLOUR ? MOST_COLOUR : colour;
    noise->power = power;
}

void vox_noise_add(struct vox_noise *noise, float *pcm, int frames, int channels, float from,
                   float to)
{
    float power = noise->power < LOUDEST ? noise->power : LOUDEST;
    if (power <= 0)
        return;
    /* Uniform noise of -1..1 has a mean square of 1/3. */
    float drive = sqrtf(3 * power * (1 - noise->colour * noise->colour));
    for (int i = 0; i < frames; i++) {
        float gain = from + (to - from) * (float)i / (float)frames;
        for (int c = 0; c < channels; c++) {
            float white = 2 * (float)vox_rng_uniform(&noise->rng) - 1;
            noise->last[c] = noise->colour * noise->last[c] + drive * white;
            pcm[i * channels + c] += gain * noise->last[c];
        }
    }
}
