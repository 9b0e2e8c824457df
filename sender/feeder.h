/*
 * A source that can be read at any speed, put onto the clock: pieces with capture times, some time
 * ahead of now.
 *
 *     vox_feeder_create(&config, &feeder);
 *     while ((outcome = vox_feeder_next(feeder, now_ns, &piece, &error)) == VOX_FEEDER_PIECE)
 *         vox_sender_push(sender, piece.pcm, piece.frames, piece.capture_ns);
 *
 * Time is given, so the same object runs on the real clock and in tests.
 *
 * Thread rule: one owner. Not RT-safe: it reads the source.
 */
#ifndef VOX_SENDER_FEEDER_H
#define VOX_SENDER_FEEDER_H

#include "audio/error.h"
#include "sender/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_feeder;

struct vox_feeder_config {
    struct vox_input *input; /* borrowed */
    int64_t lead_ns;         /* how far ahead of now it reads */
    int64_t duration_ns;     /* it ends after so much; 0: no limit */
    /*
     * How late the source may be before what comes next is moved on the clock, which the engine
     * then takes for a capture gap.
     */
    int64_t patience_ns;
};

enum vox_feeder_outcome {
    VOX_FEEDER_PIECE,
    VOX_FEEDER_AHEAD, /* enough for now: come back at resume_ns */
    VOX_FEEDER_DRY,   /* the pipe holds nothing now */
    VOX_FEEDER_END,
};

struct vox_feeder_piece {
    const float *pcm; /* borrowed until the next call */
    size_t frames;
    int64_t capture_ns;
};

/* Errors: VOX_ENOMEM. */
int vox_feeder_create(const struct vox_feeder_config *config, struct vox_feeder **out);
void vox_feeder_destroy(struct vox_feeder *feeder);

/* The next 10 ms or less. Errors, with text: those of vox_input_read. */
int vox_feeder_next(struct vox_feeder *feeder, int64_t now_ns, struct vox_feeder_piece *piece,
                    struct vox_audio_error *error);

/* When half of the lead is used up. */
int64_t vox_feeder_resume_ns(const struct vox_feeder *feeder);

#endif
