/*
 * What a sender makes of some sound, kept to be received again and again.
 *
 *     static struct packet packets[COUNT];
 *     vox_sender_config_init(&config, VOX_PROFILE_MUSIC);
 *     record(&config, sound, packets, COUNT);
 */
#ifndef VOX_TESTS_BENCH_RECORDING_H
#define VOX_TESTS_BENCH_RECORDING_H

#include "sender/sender.h"

#include <stddef.h>
#include <stdint.h>

enum { MOST_BYTES = 1500 };

struct packet {
    size_t len;
    uint8_t bytes[MOST_BYTES];
};

/* Ends the program if err is one. */
void check(int err, const char *what);

/*
 * The first count packets of mono sound at 48 kHz; sound returns what is in the i-th one, of ticks
 * samples. Sets on_datagram and ctx. Ends the program on failure.
 */
void record(struct vox_sender_config *config, const float *(*sound)(int64_t i, int ticks),
            struct packet *packets, int count);

#endif
