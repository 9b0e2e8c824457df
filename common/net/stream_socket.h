/*
 * Sockets of streams, TCP and Unix: opened, bound, and set up for packets that cannot wait. For
 * this layer's own use.
 *
 *     int fd = vox_stream_socket_open(&config);                  // to connect
 *     int fd = vox_stream_socket_listen(&config, &path, &local);
 *     vox_stream_socket_prepare(accepted, &config);
 *
 * open and listen return a descriptor or a negative errno.
 *
 * Thread rule: none of its own.
 */
#ifndef VOX_NET_STREAM_SOCKET_H
#define VOX_NET_STREAM_SOCKET_H

#include "net/transport.h"
#include "net/unix_path.h"

/* Whether the config can be had at all. Errors, with text: VOX_EINVAL, VOX_EADDRESS (a group),
 * VOX_EUNSUPPORTED (family), VOX_ENOTFOUND and VOX_EPERMISSION (congestion control). */
int vox_stream_socket_check(const struct vox_transport_config *config, struct vox_net_error *error);

int vox_stream_socket_open(const struct vox_transport_config *config);
int vox_stream_socket_listen(const struct vox_transport_config *config, struct vox_unix_path *path,
                             struct vox_address *local);

/*
 * What each connection has: no waiting for more to send, priority, signs of life, and little in the
 * kernel, so that what waits does so where we see it. What the system refuses goes without.
 */
void vox_stream_socket_prepare(int fd, const struct vox_transport_config *config);

/*
 * After an answer to whom much is received from. The kernel takes who answers for one side of a
 * dialogue, whose acknowledgements may wait up to 40 ms for the next answer to go along (RFC 9293,
 * section 3.8.6.3; TCP_QUICKACK of tcp(7)), and a sender repeats what was lost the later for it.
 */
void vox_stream_socket_acknowledge_soon(int fd);

/* A call to a port of this machine that nobody has may get that port itself, and be answered by
 * itself (simultaneous open, RFC 9293, section 3.5). */
bool vox_stream_socket_is_itself(int fd);

#endif
