/*
 * Unix datagram sockets (unix(7)) as a transport: packets between programs of one machine.
 *
 * The kernel holds ten of them for a receiver (net.unix.max_dgram_qlen): 200 ms of audio, less than
 * a busy machine may keep it from reading. What finds no room there waits here, and is tried again
 * with the next, and by a timer: a socket that is not connected does not wake for the other's room,
 * and one that is would be cut off from a receiver that is started again.
 */
#include "net/transport_ops.h"

#include "base/err.h"
#include "base/time.h"
#include "net/backlog.h"
#include "net/batch.h"
#include "net/explain.h"
#include "net/socket.h"
#include "net/unix_path.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define AGAIN_NS (5 * VOX_NS_PER_MS)

struct unix_transport {
    struct vox_transport transport;
    struct unix_transport *self; /* for a function that only looks, and locks for that */
    int socket_fd;
    int trouble_fd; /* wakes the owner for what send met */
    int timer_fd;   /* wakes it to send what waits */
    struct vox_unix_path path;
    struct vox_address to; /* len 0: it listens */
    atomic_uint_fast64_t sent, unsent, queue_full;
    /* What send met and left, possibly on another thread, and what of that is not told yet. */
    pthread_mutex_t lock;
    struct vox_backlog backlog; /* for `to` */
    uint8_t oldest[VOX_BACKLOG_LONGEST_BYTES];
    struct vox_troubles troubles;
    size_t told;
    struct vox_batch batch;
};

static struct unix_transport *own(struct vox_transport *transport)
{
    return (struct unix_transport *)transport;
}

static void close_transport(struct vox_transport *transport)
{
    struct unix_transport *u = own(transport);
    vox_unix_path_remove(&u->path);
    vox_socket_close(u->socket_fd);
    vox_socket_close(u->trouble_fd);
    vox_socket_close(u->timer_fd);
    vox_socket_close(u->transport.fd);
    pthread_mutex_destroy(&u->lock);
    vox_backlog_free(&u->backlog);
    free(u);
}

static bool is_trouble(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPROTOTYPE:
    case EACCES:
    case EPERM:
        return true;
    default:
        return false;
    }
}

/* With the lock held. */
static void note_trouble(struct unix_transport *u, int errno_value, const struct vox_address *to)
{
    const struct vox_trouble trouble = {.errno_value = errno_value, .to = *to};
    const uint64_t one = 1;
    /* Fails only if it is awake 2^64 - 2 times over. */
    if (vox_troubles_add(&u->troubles, &trouble) && write(u->trouble_fd, &one, sizeof one) < 0)
        return;
}

static void count(atomic_uint_fast64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static bool is_full(int err)
{
    return err == -EAGAIN || err == -ENOBUFS;
}

/* ---- what waits; with the lock held ---- */

/* Setting it also takes back what it has told. */
static void arm(struct unix_transport *u)
{
    const struct itimerspec spec = {.it_value.tv_nsec = u->backlog.bytes > 0 ? AGAIN_NS : 0};
    timerfd_settime(u->timer_fd, 0, &spec, NULL);
}

static void keep(struct unix_transport *u, const void *bytes, size_t len)
{
    bool is_first = u->backlog.bytes == 0;
    size_t dropped = vox_backlog_push(&u->backlog, bytes, len);
    count(&u->queue_full, dropped);
    if (dropped > 0)
        note_trouble(u, EAGAIN, &u->to);
    if (is_first)
        arm(u);
}

/* What somebody who is not there any more did not take is nothing for who comes after. */
static void flush(struct unix_transport *u)
{
    int len;
    while ((len = vox_backlog_peek(&u->backlog, u->oldest)) >= 0) {
        int err = vox_socket_send(u->socket_fd, u->oldest, (size_t)len, &u->to);
        if (is_full(err))
            return;
        if (err < 0) {
            count(&u->unsent, vox_backlog_clear(&u->backlog));
            return;
        }
        count(&u->sent, 1);
        vox_backlog_pop(&u->backlog);
    }
}

static int receive(struct vox_transport *transport, const struct vox_transport_packet **out)
{
    struct unix_transport *u = own(transport);
    uint64_t times;
    if (u->to.len > 0 && read(u->timer_fd, &times, sizeof times) > 0) {
        pthread_mutex_lock(&u->lock);
        flush(u);
        arm(u);
        pthread_mutex_unlock(&u->lock);
    }
    return vox_batch_receive(&u->batch, u->socket_fd, out);
}

/* ---- sending ---- */

/* Returns 0 or a negative errno. */
static int send_or_keep(struct unix_transport *u, const void *bytes, size_t len,
                        const struct vox_address *to)
{
    bool may_wait = u->to.len > 0 && (to == &u->to || vox_address_equal(to, &u->to));
    if (may_wait)
        flush(u);
    int err =
        may_wait && u->backlog.bytes > 0 ? -EAGAIN : vox_socket_send(u->socket_fd, bytes, len, to);
    if (err == 0)
        count(&u->sent, 1);
    if (is_trouble(-err)) {
        count(&u->unsent, 1);
        note_trouble(u, -err, to);
        return 0;
    }
    if (!is_full(err) || !may_wait) {
        count(&u->queue_full, is_full(err));
        return err;
    }
    keep(u, bytes, len);
    return 0;
}

static int send_packet(struct vox_transport *transport, const void *bytes, size_t len,
                       const struct vox_peer *to, struct vox_net_error *error)
{
    struct unix_transport *u = own(transport);
    const struct vox_address *address = to ? &to->address : &u->to;
    if (vox_address_family(address) != AF_UNIX)
        return vox_net_error_set(error, VOX_EADDRESS,
                                 "cannot send: the other side has no name to answer to");
    if (len > VOX_BACKLOG_LONGEST_BYTES)
        return vox_explain_send(EMSGSIZE, len, address, error);
    pthread_mutex_lock(&u->lock);
    int err = send_or_keep(u, bytes, len, address);
    pthread_mutex_unlock(&u->lock);
    return err < 0 ? vox_explain_send(-err, len, address, error) : 0;
}

static size_t pending(const struct vox_transport *transport)
{
    struct unix_transport *u = ((const struct unix_transport *)transport)->self;
    pthread_mutex_lock(&u->lock);
    size_t bytes = u->backlog.bytes;
    pthread_mutex_unlock(&u->lock);
    return bytes;
}

/* Nothing is left to wake the owner for. */
static void let_rest(const struct unix_transport *u)
{
    uint64_t times;
    /* Fails if it had not woken us. */
    ssize_t len = read(u->trouble_fd, &times, sizeof times);
    (void)len;
}

static bool take_trouble(struct unix_transport *u, struct vox_trouble *out)
{
    pthread_mutex_lock(&u->lock);
    bool found = u->told < u->troubles.count;
    if (found)
        *out = u->troubles.told[u->told++];
    else
        let_rest(u);
    pthread_mutex_unlock(&u->lock);
    return found;
}

static bool event(struct vox_transport *transport, struct vox_transport_event *out)
{
    struct vox_trouble trouble;
    if (!take_trouble(own(transport), &trouble))
        return false;
    vox_explain_trouble(&trouble, out);
    return true;
}

static void read_stats(const struct vox_transport *transport, struct vox_transport_stats *out)
{
    const struct unix_transport *u = (const struct unix_transport *)transport;
    *out = (struct vox_transport_stats){
        .sent_packets = atomic_load_explicit(&u->sent, memory_order_relaxed),
        .unsent = atomic_load_explicit(&u->unsent, memory_order_relaxed),
        .queue_full = atomic_load_explicit(&u->queue_full, memory_order_relaxed)};
}

static int watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct unix_transport *u)
{
    u->socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->socket_fd < 0)
        return -errno;
    u->trouble_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (u->trouble_fd < 0)
        return -errno;
    u->transport.fd = epoll_create1(EPOLL_CLOEXEC);
    if (u->transport.fd < 0)
        return -errno;
    u->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (u->timer_fd < 0)
        return -errno;
    int err = watch(u->transport.fd, u->socket_fd);
    if (err == 0)
        err = watch(u->transport.fd, u->timer_fd);
    return err < 0 ? err : watch(u->transport.fd, u->trouble_fd);
}

/* Whoever calls takes a name that the system chooses (autobind, unix(7)), to be answered at. */
static int bind_socket(struct unix_transport *u, const struct vox_transport_config *config)
{
    if (config->role == VOX_TRANSPORT_LISTEN) {
        u->transport.local = config->address;
        return vox_unix_path_bind(u->socket_fd, &config->address, &u->path);
    }
    if (vox_backlog_init(&u->backlog, config->queue_bytes) < 0)
        return -ENOMEM;
    u->to = config->address;
    struct vox_address any = {.len = sizeof(sa_family_t)};
    any.storage.ss_family = AF_UNIX;
    return vox_socket_bind(u->socket_fd, &any, &u->transport.local);
}

static void init(struct unix_transport *u)
{
    static const struct vox_transport_ops ops = {.close = close_transport,
                                                 .receive = receive,
                                                 .send = send_packet,
                                                 .event = event,
                                                 .pending = pending,
                                                 .read_stats = read_stats};
    u->transport = (struct vox_transport){.ops = &ops, .scheme = VOX_SCHEME_UNIX, .fd = -1};
    u->self = u;
    u->socket_fd = u->trouble_fd = u->timer_fd = -1;
    vox_transport_init_lock(&u->lock);
    vox_batch_init(&u->batch);
}

int vox_unix_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                            struct vox_net_error *error)
{
    struct unix_transport *u = calloc(1, sizeof *u);
    if (!u)
        return vox_net_error_set(error, VOX_ENOMEM, "no memory for a socket");
    init(u);
    int err = vox_address_family(&config->address) == AF_UNIX ? open_descriptors(u) : -EAFNOSUPPORT;
    if (err == 0)
        err = bind_socket(u, config);
    if (err < 0) {
        close_transport(&u->transport);
        const char *what = config->role == VOX_TRANSPORT_LISTEN ? "listen on" : "send to";
        return vox_explain_open(-err, what, VOX_SCHEME_UNIX, &config->address, error);
    }
    *out = &u->transport;
    return 0;
}
