/*
 * The links of `voxgram-lab versus` in real time, as processes: those of one seed at once, --jobs
 * seeds at a time.
 *
 *     status = vox_versus_run(result);
 *
 * Thread rule: once, in a child of the guard (lab/family.h); takes the process's signals.
 */
#ifndef VOX_LAB_VERSUS_RUN_H
#define VOX_LAB_VERSUS_RUN_H

struct vox_versus_result;

/*
 * All links with all seeds; result has their figures. Returns the exit status; what went wrong was
 * said on stderr. Nothing is left in the temporary folder.
 */
int vox_versus_run(struct vox_versus_result *result);

#endif
