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

struct vox_versus_options;
struct vox_versus_result;

/*
 * What is to be said of TCP's figures over that network, kernel's or model's: that the model was
 * not laid beside a kernel there, or that seeds differ much. NULL: nothing.
 */
const char *vox_versus_doubt(const struct vox_versus_options *options);

/* Returns the exit status; what went wrong was said on stderr. */
int vox_versus_run_virtual(struct vox_versus_result *result);

#endif
