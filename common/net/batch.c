#include "net/batch.h"

#include "base/err.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/socket.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Nothing waits that long in a socket; an older stamp means that somebody set the wall clock. */
#define OLDEST_ARRIVAL_NS (10 * VOX_NS_PER_S)

void vox_batch_init(struct vox_batch *batch)
{
    for (int i = 0; i < VOX_TRANSPORT_BATCH; i++) {
        struct vox_batch_slot *slot = &batch->slots[i];
        slot->iov = (struct iovec){.iov_base = slot->bytes, .iov_len = sizeof slot->bytes};
        batch->messages[i].msg_hdr = (struct msghdr){.msg_name = &slot->from,
                                                     .msg_iov = &slot->iov,
                                                     .msg_iovlen = 1,
                                                     .msg_control = slot->control};
    }
    batch->filled = VOX_TRANSPORT_BATCH;
}

/* The kernel counts in 32 bits, from when the socket was opened. */
static void count_dropped(struct vox_batch *batch, uint32_t kernel_count)
{
    batch->dropped += kernel_count - (uint32_t)batch->dropped;
}

/* What the kernel tells beside the datagram. Returns its stamp on the wall clock; 0: none. */
static int64_t read_control(struct vox_batch *batch, struct msghdr *message)
{
    int64_t stamp_ns = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct timespec t;
        uint32_t kernel_count;
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&t, CMSG_DATA(c), sizeof t);
            stamp_ns = (int64_t)t.tv_sec * VOX_NS_PER_S + t.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&kernel_count, CMSG_DATA(c), sizeof kernel_count);
            count_dropped(batch, kernel_count);
        }
    }
    return stamp_ns;
}

static void describe(struct vox_batch *batch, int index, int64_t now_ns, int64_t offset_ns)
{
    const struct vox_batch_slot *slot = &batch->slots[index];
    struct vox_transport_packet *out = &batch->packets[index];
    struct mmsghdr *message = &batch->messages[index];
    struct msghdr *header = &message->msg_hdr;
    int64_t stamp_ns = read_control(batch, header);
    int64_t arrival_ns = stamp_ns - offset_ns;
    out->kernel_time = stamp_ns != 0 && arrival_ns > now_ns - OLDEST_ARRIVAL_NS;
    out->arrival_ns = out->kernel_time && arrival_ns < now_ns ? arrival_ns : now_ns;
    out->from.connection = 0;
    out->bytes = slot->bytes;
    out->len = message->msg_len;
    out->truncated = (header->msg_flags & MSG_TRUNC) != 0;
    vox_socket_peer_address(&slot->from, header->msg_namelen, &out->from.address);
}

static int receive_once(struct vox_batch *batch, int fd)
{
    for (int i = 0; i < batch->filled; i++) {
        batch->messages[i].msg_hdr.msg_namelen = sizeof batch->slots[i].from;
        batch->messages[i].msg_hdr.msg_controllen = sizeof batch->slots[i].control;
    }
    int count = recvmmsg(fd, batch->messages, VOX_TRANSPORT_BATCH, MSG_DONTWAIT, NULL);
    batch->filled = count > 0 ? count : 0;
    return count;
}

int vox_batch_receive(struct vox_batch *batch, int fd, const struct vox_transport_packet **out)
{
    int count = receive_once(batch, fd);
    /* An answer to a datagram we sent is reported once, in front of what has come in. */
    if (count < 0 && errno != EAGAIN)
        count = receive_once(batch, fd);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : VOX_EIO;
    int64_t offset_ns = vox_clock_wall_offset_ns();
    int64_t now_ns = vox_clock_now_ns();
    for (int i = 0; i < count; i++)
        describe(batch, i, now_ns, offset_ns);
    *out = batch->packets;
    return count;
}

uint64_t vox_batch_dropped(const struct vox_batch *batch)
{
    return batch->dropped;
}
