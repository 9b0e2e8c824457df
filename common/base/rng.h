/*
 * Seeded random numbers: xoshiro256** (Blackman, Vigna: "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), state filled by splitmix64. The same seed gives the same
 * numbers on every machine. Not for keys.
 *
 * Thread rule: value, one owner. RT-safe.
 */
#ifndef VOX_BASE_RNG_H
#define VOX_BASE_RNG_H

#include <stdint.h>

struct vox_rng {
    uint64_t state[4];
};

/* Any seed will do, 0 too. `stream` selects one of many independent sequences of a seed. */
void vox_rng_init(struct vox_rng *rng, uint64_t seed, uint64_t stream);
uint64_t vox_rng_u64(struct vox_rng *rng);
uint32_t vox_rng_u32(struct vox_rng *rng);
/* Uniform in [0, 1), 53 bits. */
double vox_rng_uniform(struct vox_rng *rng);

#endif
