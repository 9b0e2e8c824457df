/*
 * The file of --sdp: a description of the stream that players and voxgram-recv open.
 *
 * Thread rule: the main thread.
 */
#ifndef VOX_SENDER_SESSION_FILE_H
#define VOX_SENDER_SESSION_FILE_H

#include "net/address.h"
#include "net/error.h"
#include "sender/cli.h"
#include "sender/sender.h"

/*
 * Writes options->sdp. Errors, with text: VOX_EIO, VOX_EPERMISSION, VOX_ENOSPC, VOX_EINVAL.
 */
int vox_session_file_write(const struct vox_send_options *options,
                           const struct vox_sender_config *stream, const struct vox_address *to,
                           struct vox_net_error *error);

#endif
