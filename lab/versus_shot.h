/*
 * What one link of `voxgram-lab versus` has shown with one seed: every packet as it came, when each
 * frame could be played, the bytes that it took.
 *
 *     struct vox_versus_shot shot;
 *     if (vox_versus_shot_read(folder, "udp-1", &options, &shot, &error) < 0)
 *         ... error.text ...
 *     ... shot.playable ...
 *     vox_versus_shot_clear(&shot);
 *
 * Thread rule: value, one owner; allocates.
 */
#ifndef VOX_LAB_VERSUS_SHOT_H
#define VOX_LAB_VERSUS_SHOT_H

#include "audio/error.h"
#include "lab/playable.h"

#include <stddef.h>
#include <stdint.h>

struct vox_capture;
struct vox_tape;
struct vox_versus_options;

struct vox_versus_shot {
    struct vox_playable_stream stream;
    struct vox_capture *capture; /* what holds the packets' bytes: a capture, or a tape */
    struct vox_tape *tape;
    struct vox_playable_packet *packets;
    size_t count;
    struct vox_playable playable;
    uint64_t bytes_there, bytes_back; /* IP packets handed to the link */
    uint64_t lost_there;              /* by the model, with those in front of a full queue */
    uint64_t unwanted;                /* that it dropped on its own account: a busy machine */
};

/*
 * From the files NAME.* of a folder (versus_commands.h). Errors, with text: VOX_EIO, VOX_EFORMAT
 * (not what our programs write), VOX_EEND (nothing came), VOX_ENOMEM.
 */
int vox_versus_shot_read(const char *folder, const char *name,
                         const struct vox_versus_options *options, struct vox_versus_shot *out,
                         struct vox_audio_error *error);
/* What all streams of these options have in common. */
void vox_versus_stream_init(struct vox_playable_stream *stream,
                            const struct vox_versus_options *options);
/* All zeros will do, too. */
void vox_versus_shot_clear(struct vox_versus_shot *shot);

#endif
