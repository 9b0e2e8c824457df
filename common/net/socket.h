/*
 * What sockets of both families need done to them, with the difference between IPv4 and IPv6
 * kept here. For this layer's own use.
 *
 * Those that return an int return 0 or a negative errno; the caller knows what was tried and says
 * so.
 *
 * Thread rule: none of its own. send is RT-safe.
 */
#ifndef VOX_NET_SOCKET_H
#define VOX_NET_SOCKET_H

#include "net/address.h"

#include <stdbool.h>
#include <stddef.h>

/* Index of an interface given by name or index; 0 for NULL. -ENODEV if there is none. */
int vox_socket_interface_index(const char *name, unsigned *index);

/* Turns an option of SOL_SOCKET on. */
int vox_socket_set_flag(int fd, int option);
/* Binds; *bound is where it is then, the port never 0. */
int vox_socket_bind(int fd, const struct vox_address *local, struct vox_address *bound);
/* Whom a socket call names; no address for Unix sockets without a name: they cannot be answered. */
void vox_socket_peer_address(const struct sockaddr_storage *storage, socklen_t len,
                             struct vox_address *out);
/* True if [::] could not be bound (err) since this machine has no IPv6: 0.0.0.0 does then. */
bool vox_socket_falls_back(int err, const struct vox_address *local, struct vox_address *v4);

/* Differentiated services code point of what leaves (RFC 2474). */
int vox_socket_set_dscp(int fd, int family, int dscp);
/* Hops of unicast; set_hops: and of multicast, which streams know nothing of. */
int vox_socket_set_unicast_hops(int fd, int family, int hops);
int vox_socket_set_hops(int fd, int family, int hops);
/* Interface on which multicast leaves (0: the system's choice); it loops back to this machine. */
int vox_socket_set_multicast_out(int fd, int family, unsigned interface_index);
/* Hears a group on an interface (0: the system's choice), from one source or (len 0) from all. */
int vox_socket_join(int fd, const struct vox_address *group, const struct vox_address *source,
                    unsigned interface_index);
/* Has the network's answers queued for MSG_ERRQUEUE; poll says POLLPRI for them too. */
int vox_socket_watch_errors(int fd, int family);

/*
 * sendto to an address of the socket's own family. An answer to an earlier datagram (refused) makes
 * the kernel fail the next send once; that one is sent again.
 */
int vox_socket_send(int fd, const void *bytes, size_t len, const struct vox_address *to);

/* Any descriptor; -1: there is none. */
void vox_socket_close(int fd);

#endif
