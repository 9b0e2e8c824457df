/*
 * Feeds a parser what nobody well-meaning sends. Every input lies in a heap block of exactly its
 * size, so that the sanitizers see one byte read too many.
 */
#ifndef VOX_TEST_HOSTILE_H
#define VOX_TEST_HOSTILE_H

#include "base/rng.h"
#include "support/test.h"

typedef void hostile_fn(const uint8_t *bytes, size_t len);

static inline void hostile_feed(const void *bytes, size_t len, hostile_fn *parse)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    parse(exact, len);
    free(exact);
}

/* A valid input cut off at every length, its own included. */
static inline void hostile_feed_prefixes(const void *bytes, size_t len, hostile_fn *parse)
{
    for (size_t n = 0; n <= len; n++)
        hostile_feed(bytes, n, parse);
}

/* A valid input (at most 1024 bytes) with a few bytes changed, over and over. */
static inline void hostile_feed_mutations(const void *bytes, size_t len, int rounds,
                                          hostile_fn *parse)
{
    uint8_t mutant[1024];
    struct vox_rng rng;
    vox_rng_init(&rng, 1, 0);
    assert_true(len > 0 && len <= sizeof mutant);
    for (int i = 0; i < rounds; i++) {
        memcpy(mutant, bytes, len);
        for (uint32_t flips = vox_rng_u32(&rng) % 4 + 1; flips > 0; flips--)
            mutant[vox_rng_u32(&rng) % len] = (uint8_t)vox_rng_u32(&rng);
        hostile_feed(mutant, len, parse);
    }
}

/* Noise of 0..63 bytes. */
static inline void hostile_feed_noise(int rounds, hostile_fn *parse)
{
    uint8_t noise[64];
    struct vox_rng rng;
    vox_rng_init(&rng, 2, 0);
    for (int i = 0; i < rounds; i++) {
        for (size_t b = 0; b < sizeof noise; b++)
            noise[b] = (uint8_t)vox_rng_u32(&rng);
        hostile_feed(noise, vox_rng_u32(&rng) % sizeof noise, parse);
    }
}

#endif
