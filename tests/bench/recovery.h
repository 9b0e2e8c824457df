/* What the two halves of bench_recovery share. */
#ifndef VOX_TESTS_BENCH_RECOVERY_H
#define VOX_TESTS_BENCH_RECOVERY_H

#include "recording.h"
#include "stopwatch.h"

#include "sender/sender.h"

#include <stdint.h>

enum {
    PACKETS = 4000,
    MOST_TICKS = 960,
    SSRC = 1,
    RTX_SSRC = 2,
};

struct kind {
    const char *name;
    enum vox_profile profile;
    int ticks;
};

/* By the number of copies in each packet. */
enum { PLAIN, ONE, TWO, FOUR, STREAMS };
extern const int copies[STREAMS][VOX_SENDER_MAX_COPIES];
extern const char *const copies_names[STREAMS];

/* Prints ns, and how much that is beside of_ns. */
void row(const char *name, double ns, double of_ns);

/* The i-th packet's worth of speech, from the beginning again at the end. */
const float *sound(int64_t i, int ticks);
struct vox_sender_config sender_config(const struct kind *kind);

/* Prints what the sender pays; packets are those of a plain stream. */
void measure_sender(const struct kind *kind, const struct packet packets[PACKETS]);

#endif
