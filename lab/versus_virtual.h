/*
 * The links of `voxgram-lab versus` in virtual time: sender and receiver themselves for UDP
 * (lab/sim.h), a model for TCP (lab/tcp_model.h). Equal options give equal packets.
 *
 *     status = vox_versus_run_virtual(result);
 *
 * Thread rule: one owner; allocates.
 */
#ifndef VOX_LAB_VERSUS_VIRTUAL_H
#define VOX_LAB_VERSUS_VIRTUAL_H

struct vox_versus_result;

/* Returns the exit status; what went wrong was said on stderr. */
int vox_versus_run_virtual(struct vox_versus_result *result);

#endif
