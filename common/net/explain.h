/*
 * Why the network refused, for people: the sentences that all transports share. For this layer's
 * own use.
 *
 *     if (bind(...) < 0)
 *         return vox_explain_open(errno, "listen on", VOX_SCHEME_UDP, address, error);
 *
 * Those that take an error take a positive errno, fill the text, and return the code for it
 * (net/error.h).
 *
 * Thread rule: pure, any thread; vox_troubles is a value with one owner. RT-safe.
 */
#ifndef VOX_NET_EXPLAIN_H
#define VOX_NET_EXPLAIN_H

#include "net/address.h"
#include "net/error.h"
#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `what` is "listen on", "send to" or "call". */
int vox_explain_open(int errno_value, const char *what, enum vox_scheme scheme,
                     const struct vox_address *address, struct vox_net_error *error);
int vox_explain_send(int errno_value, size_t len, const struct vox_address *to,
                     struct vox_net_error *error);

/* An address of one link, without its interface (vox_address_lacks_interface). VOX_EADDRESS. */
int vox_explain_bare_link(const char *text, struct vox_net_error *error);

/* DSCP in 0..63, TTL in 0..255, or VOX_EINVAL with a text. */
int vox_explain_limits(int dscp, int ttl, struct vox_net_error *error);

/* ---- what became of datagrams that were sent before ---- */

enum { VOX_TROUBLES_MAX = 8 /* causes remembered as told */ };

struct vox_trouble {
    int errno_value;
    struct vox_address to;
};

/* All private; zeros at first. */
struct vox_troubles {
    size_t count;
    struct vox_trouble told[VOX_TROUBLES_MAX];
};

/* Whether that cause is new, and shall be told; remembers it. */
bool vox_troubles_add(struct vox_troubles *troubles, const struct vox_trouble *trouble);
void vox_explain_trouble(const struct vox_trouble *trouble, struct vox_transport_event *out);

/* Datagrams were dropped at a buffer of so many bytes, where wanted_bytes were asked for. */
void vox_explain_overflow(uint64_t dropped, int granted_bytes, int wanted_bytes,
                          struct vox_transport_event *out);

#endif
