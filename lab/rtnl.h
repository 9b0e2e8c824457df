/*
 * Requests to the kernel about network devices (rtnetlink(7)), written by hand: as much of it as
 * lab/veth.c needs.
 *
 *     struct vox_rtnl_request request;
 *     vox_rtnl_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0);
 *     size_t info = vox_rtnl_nest(&request, IFLA_LINKINFO);
 *     vox_rtnl_text(&request, IFLA_INFO_KIND, "veth");
 *     vox_rtnl_end(&request, info);
 *     if (vox_rtnl_ask(rtnl, &request) < 0)
 *         ... errno, EOPNOTSUPP: the kernel knows no such device
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_RTNL_H
#define VOX_LAB_RTNL_H

#include <stddef.h>
#include <stdint.h>

struct ifinfomsg;

enum { VOX_RTNL_BYTES = 512 };

/* Value. What no longer fits makes vox_rtnl_ask fail with EMSGSIZE. */
struct vox_rtnl_request {
    _Alignas(uint32_t) uint8_t bytes[VOX_RTNL_BYTES];
    size_t len;
};

/* A socket of the namespace that this process is in, closed on exec; -1 and errno. */
int vox_rtnl_open(void);

/* Begins an RTM_NEWLINK about a device; flags: NLM_F_..., index: 0 for a new device. */
void vox_rtnl_link(struct vox_rtnl_request *request, uint16_t flags, int index);

/* Attributes, copied. vox_rtnl_nest opens one that holds what comes until vox_rtnl_end. */
void vox_rtnl_put(struct vox_rtnl_request *request, uint16_t type, const void *data, size_t len);
void vox_rtnl_text(struct vox_rtnl_request *request, uint16_t type, const char *text);
size_t vox_rtnl_nest(struct vox_rtnl_request *request, uint16_t type);
void vox_rtnl_end(struct vox_rtnl_request *request, size_t nest);
/* The header of a device inside another's attributes. */
void vox_rtnl_header(struct vox_rtnl_request *request, const struct ifinfomsg *header);

/* Sends it and waits for the answer: 0, or -1 with errno, that of the kernel's refusal. */
int vox_rtnl_ask(int rtnl, struct vox_rtnl_request *request);

#endif
