/*
 * Where received audio goes when no sound card takes it: WAV or FLAC, Ogg Opus packets as they
 * came, raw samples on stdout, or nowhere. One recorder is one mix or one source.
 *
 * A file is opened when its first audio comes, since only then its channels are known; check says
 * beforehand whether it could be. A recording that fails (disk full) keeps what it has.
 *
 * Thread rule: one owner. Nothing here is RT-safe.
 */
#ifndef VOX_RECEIVER_RECORDER_H
#define VOX_RECEIVER_RECORDER_H

#include "audio/error.h"
#include "audio/file.h"
#include "audio/ogg.h"
#include "receiver/cli.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stdint.h>

enum { VOX_RECORDER_PATH = 1024 };

struct vox_recorder {
    enum vox_output_kind kind;
    int channels; /* of the recording; 0 until it is known */
    char path[VOX_RECORDER_PATH];
    struct vox_file_writer *file;
    struct vox_ogg *ogg;
    bool ogg_started;
    uint32_t ogg_ssrc; /* a mix of packets cannot be: the first source is kept */
    int64_t ogg_next_ts;
    uint64_t foreign_packets; /* of other sources than the kept one */
    int64_t ticks;            /* recorded so far */
    int64_t held;             /* of silence, not written yet */
    bool failed;
    struct vox_audio_error error; /* the first, if failed */
};

/*
 * path as given; with a name of its own for a source (FILE-SSRC.ext) if separate, and for what
 * comes of it when it returns, from part 2 on (FILE-SSRC-2.ext).
 */
void vox_recorder_init(struct vox_recorder *rec, const struct vox_recv_options *options,
                       bool separate, uint32_t ssrc, int part);

/*
 * Whether the file that the options name can be written at all, with --separate whether files
 * beside it can, before anything has come. Makes the file, empty, unless it is there. Errors, with
 * text: VOX_EINVAL (a name too long), VOX_ENOTFOUND, VOX_EPERMISSION, VOX_ENOSPC, VOX_EIO.
 */
int vox_recorder_check(const struct vox_recv_options *options, struct vox_audio_error *error);

/* Digital silence that is written once audio follows, and left out at the end. */
void vox_recorder_hold(struct vox_recorder *rec, int frames);

/* Stereo PCM of the engine; source_channels decides the file's layout if the user did not. */
void vox_recorder_pcm(struct vox_recorder *rec, const float *stereo, int frames,
                      int source_channels);

/* A packet as it is played. */
void vox_recorder_packet(struct vox_recorder *rec, const struct vox_played_packet *packet);

/* Completes the file; one that nothing came for is made anyway, empty and valid. */
void vox_recorder_finish(struct vox_recorder *rec);

#endif
