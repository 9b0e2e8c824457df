/*
 * voxgram-send around its engine: one libuv loop that reads the source ahead of time, runs the
 * engine, hands datagrams to the pacing thread, listens for RTCP, and tells how it goes.
 *
 *     struct vox_host *host;
 *     int status = vox_host_create(&options, &host);
 *     if (status == VOX_EXIT_DONE)
 *         status = vox_host_run(host);
 *     vox_host_destroy(host);
 *
 * Thread rule: the main thread.
 */
#ifndef VOX_SENDER_HOST_H
#define VOX_SENDER_HOST_H

#include "sender/cli.h"

struct vox_host;

/* Opens everything. Returns an exit status; what went wrong has been said. */
int vox_host_create(const struct vox_send_options *options, struct vox_host **out);
void vox_host_destroy(struct vox_host *host);

/* To the end of the source, of --duration or to Ctrl-C. Returns the exit status. */
int vox_host_run(struct vox_host *host);

#endif
