#include "lab/rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int vox_rtnl_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* Everything in a request begins at a multiple of 4 bytes. */
static void append(struct vox_rtnl_request *request, const void *data, size_t len)
{
    size_t room = NLMSG_ALIGN(len);
    if (room <= sizeof request->bytes && request->len <= sizeof request->bytes - room)
        memcpy(request->bytes + request->len, data, len);
    request->len += room;
}

void vox_rtnl_header(struct vox_rtnl_request *request, const struct ifinfomsg *header)
{
    append(request, header, sizeof *header);
}

void vox_rtnl_link(struct vox_rtnl_request *request, uint16_t flags, int index)
{
    const struct nlmsghdr header = {.nlmsg_type = RTM_NEWLINK,
                                    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)};
    *request = (struct vox_rtnl_request){.len = 0};
    append(request, &header, sizeof header);
    vox_rtnl_header(request, &(struct ifinfomsg){.ifi_family = AF_UNSPEC, .ifi_index = index});
}

void vox_rtnl_put(struct vox_rtnl_request *request, uint16_t type, const void *data, size_t len)
{
    const struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len)};
    append(request, &attribute, sizeof attribute);
    append(request, data, len);
}

void vox_rtnl_text(struct vox_rtnl_request *request, uint16_t type, const char *text)
{
    vox_rtnl_put(request, type, text, strlen(text) + 1);
}

size_t vox_rtnl_nest(struct vox_rtnl_request *request, uint16_t type)
{
    const struct rtattr attribute = {.rta_type = type};
    size_t nest = request->len;
    append(request, &attribute, sizeof attribute);
    return nest;
}

void vox_rtnl_end(struct vox_rtnl_request *request, size_t nest)
{
    const uint16_t len = (uint16_t)(request->len - nest);
    if (request->len <= sizeof request->bytes)
        memcpy(request->bytes + nest + offsetof(struct rtattr, rta_len), &len, sizeof len);
}

/* The answer is an error message, whose error 0 says that it was done. */
static int take_answer(int rtnl)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t request[VOX_RTNL_BYTES]; /* the kernel gives it back with what it refuses */
    } answer;
    ssize_t len;
    do /* left behind, it would be taken for the answer to the next request */
        len = recv(rtnl, &answer, sizeof answer, 0);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return -1;
    if ((size_t)len < sizeof answer.header + sizeof answer.error.error ||
        answer.header.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -answer.error.error;
    return answer.error.error == 0 ? 0 : -1;
}

int vox_rtnl_ask(int rtnl, struct vox_rtnl_request *request)
{
    const uint32_t len = (uint32_t)request->len;
    if (len > sizeof request->bytes) {
        errno = EMSGSIZE;
        return -1;
    }
    memcpy(request->bytes + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof len);
    return send(rtnl, request->bytes, len, 0) == (ssize_t)len ? take_answer(rtnl) : -1;
}
