/*
 * Numbers for the peers that packets come from: the engine keeps a number, we the peer.
 * When all numbers are taken, the one unused for longest is given away; who sends keeps his.
 *
 * Thread rule: value, one owner (the network thread).
 */
#ifndef VOX_RECEIVER_PATHS_H
#define VOX_RECEIVER_PATHS_H

#include "net/transport.h"
#include "receiver/receiver.h"

#include <stdbool.h>
#include <stdint.h>

struct vox_path {
    struct vox_peer peer;
    int socket;   /* the host's number for the socket it came in by */
    bool local;   /* sent by this machine */
    bool reports; /* RTCP has come from it */
    uint64_t used;
};

struct vox_paths {
    uint32_t count;
    uint32_t latest;
    uint64_t clock;
    struct vox_path items[VOX_RECEIVER_MAX_PATHS];
};

/* The number of a peer on a socket; for a new one it asks the system whether it is local. */
uint32_t vox_paths_number(struct vox_paths *paths, const struct vox_peer *peer, int socket);

#endif
