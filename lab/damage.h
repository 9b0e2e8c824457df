/*
 * Gaps and clicks found in a recording by ear, so to speak: by what it sounds like beside its
 * reference, not by what the engine says it did.
 *
 *     struct vox_damage_list list;
 *     if (vox_damage_find(&reference, &output, &alignment, &list) == 0) {
 *         for (size_t i = 0; i < list.count; i++)
 *             show(list.items[i].output_frame, list.items[i].frames);
 *         vox_damage_list_clear(&list);
 *     }
 *
 * Dropout: for 3 ms or more the output is more than 30 dB below the reference, which is active
 * there: not even its quietest 3 ms within 4 ms on either side are as low, so that closures of the
 * voice and small errors of the alignment raise no alarm. Digital silence is the plainest case; a
 * concealment that has faded out is one too.
 *
 * Click: the second difference of the output stands out by 12 times from its mean over 5 ms on
 * either side (and by 0.002 of full scale at least), and the reference has nothing of a third of
 * that within 12 ms, the longest period of a voice. Outliers within 2 ms are one click; the edges
 * of a dropout belong to the dropout.
 *
 * Channels are looked at one by one; what happens in several at a time is listed once.
 *
 * Thread rule: pure; allocates.
 */
#ifndef VOX_LAB_DAMAGE_H
#define VOX_LAB_DAMAGE_H

#include "lab/align.h"

enum { VOX_DAMAGE_MAX_ITEMS = 1000 };

enum vox_damage_kind { VOX_DAMAGE_DROPOUT, VOX_DAMAGE_CLICK };

struct vox_damage {
    enum vox_damage_kind kind;
    int channel; /* the first one that shows it */
    int64_t output_frame;
    int64_t reference_frame; /* what should have been heard there */
    int64_t frames;
};

struct vox_damage_list {
    struct vox_damage *items; /* by output_frame; the first VOX_DAMAGE_MAX_ITEMS */
    size_t count;             /* of the items */
    size_t dropouts, clicks;  /* all, listed or not */
    int64_t dropout_frames;   /* of all dropouts */
};

/* Views and alignment as for and from vox_align. Errors: VOX_ENOMEM. */
int vox_damage_find(const struct vox_audio_view *reference, const struct vox_audio_view *output,
                    const struct vox_alignment *alignment, struct vox_damage_list *out);
void vox_damage_list_clear(struct vox_damage_list *list);

#endif
