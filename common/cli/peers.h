/*
 * What a program tells of those at the other end (net/transport.h): their coming and going in
 * messages, a few a second at the most however many there are, and the figures as JSON.
 *
 *     struct vox_peers_teller teller = {0};
 *     while (vox_transport_event(transport, &event))
 *         vox_peers_say(&teller, &event, now_ns);
 *
 * Thread rule: the main thread.
 */
#ifndef VOX_CLI_PEERS_H
#define VOX_CLI_PEERS_H

#include "net/transport.h"

#include <stdint.h>

struct json_t; /* of jansson */

/* Value; all zero at first. */
struct vox_peers_teller {
    int64_t second_ns; /* when the present second of telling began */
    int told[2];       /* in it: of what went in order, and of trouble, which is never kept back
                          because many come and go */
    uint64_t untold;   /* kept back since something was told */
};

void vox_peers_say(struct vox_peers_teller *teller, const struct vox_transport_event *event,
                   int64_t now_ns);

/* The error of who calls and gives up; who: the program to be started there, "sender". */
void vox_peers_say_unanswered(const char *where, const char *who, int64_t waited_ns);

/* The object "transport" of the statistics, owned by the caller. */
struct json_t *vox_peers_json(enum vox_scheme scheme, const struct vox_transport_stats *stats);

#endif
