/*
 * What a transport is made of, for those that are one (net/transport.h): udp.c, unix.c, stream.c.
 * For this layer's own use.
 *
 *     struct vox_stream { struct vox_transport transport; ... };
 *
 * Each open() returns 0 and the transport, or an error with its text; each function of the table
 * does what its namesake in net/transport.h says.
 *
 * Thread rule: as in net/transport.h.
 */
#ifndef VOX_NET_TRANSPORT_OPS_H
#define VOX_NET_TRANSPORT_OPS_H

#include "net/transport.h"

#include <pthread.h>

struct vox_transport_ops {
    void (*close)(struct vox_transport *transport);
    int (*receive)(struct vox_transport *transport, const struct vox_transport_packet **out);
    int (*send)(struct vox_transport *transport, const void *bytes, size_t len,
                const struct vox_peer *to, struct vox_net_error *error);
    bool (*event)(struct vox_transport *transport, struct vox_transport_event *out);
    void (*read_stats)(const struct vox_transport *transport, struct vox_transport_stats *out);
    /* NULL: none ever waits; none needs a connection. */
    size_t (*pending)(const struct vox_transport *transport);
    bool (*is_connected)(const struct vox_transport *transport);
};

struct vox_transport {
    const struct vox_transport_ops *ops;
    enum vox_scheme scheme;
    int fd; /* to wait on */
    struct vox_address local;
};

/* For what send shares with the owner. The pacer's thread may wait for the owner's: that one then
 * runs with the pacer's priority. */
void vox_transport_init_lock(pthread_mutex_t *lock);

int vox_udp_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                           struct vox_net_error *error);
int vox_unix_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                            struct vox_net_error *error);
/* TCP, and Unix sockets of type SOCK_STREAM. */
int vox_stream_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                              struct vox_net_error *error);

#endif
