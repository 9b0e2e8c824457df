#include "net/explain.h"

#include "base/err.h"
#include "net/transport.h"

#include <errno.h>
#include <string.h>

static bool is_unix(const struct vox_address *address)
{
    return vox_address_family(address) == AF_UNIX;
}

/* ---- opening ---- */

static bool is_shortage(int errno_value)
{
    return errno_value == EMFILE || errno_value == ENFILE;
}

static int explain_open_path(int errno_value, const char *what, const char *text,
                             struct vox_net_error *error)
{
    int code = vox_net_error_code(errno_value);
    switch (errno_value) {
    case EADDRINUSE:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: another program listens there; end it, or choose "
                                 "another path",
                                 what, text);
    case EEXIST:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: a file or folder that is no socket has that name; "
                                 "choose another path",
                                 what, text);
    case ENOENT:
    case ENOTDIR:
        return vox_net_error_set(
            error, code, "cannot %s %s: there is no such folder; make it, or choose another path",
            what, text);
    case EACCES:
    case EPERM:
    case EROFS:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: permission denied in that folder; choose one that "
                                 "is yours",
                                 what, text);
    default:
        return vox_net_error_set(error, code, "cannot %s %s: %s; choose another path", what, text,
                                 strerror(errno_value));
    }
}

int vox_explain_open(int errno_value, const char *what, enum vox_scheme scheme,
                     const struct vox_address *address, struct vox_net_error *error)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_transport_format(scheme, address, text);
    int code = vox_net_error_code(errno_value);
    if (is_shortage(errno_value))
        return vox_net_error_set(error, code,
                                 "cannot %s %s: %s; close other files, or raise the limit "
                                 "(ulimit -n)",
                                 what, text, strerror(errno_value));
    if (is_unix(address))
        return explain_open_path(errno_value, what, text, error);
    switch (errno_value) {
    case EADDRINUSE:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: another program uses this port; end it, or choose "
                                 "another port (0: any free one)",
                                 what, text);
    case EACCES:
    case EPERM:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: permission denied; ports below 1024 are for root, "
                                 "choose one above",
                                 what, text);
    case EADDRNOTAVAIL:
        return vox_net_error_set(
            error, code,
            "cannot %s %s: this machine has no such address; leave the host out "
            "to use all that it has",
            what, text);
    case EAFNOSUPPORT:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: this machine does not speak that kind of address; "
                                 "try IPv4",
                                 what, text);
    case EINVAL:
        if (!vox_address_lacks_interface(address))
            break;
        return vox_explain_bare_link(text, error);
    case ENODEV:
        return vox_net_error_set(error, code,
                                 "cannot %s %s: no interface takes multicast to it; name one with "
                                 "--interface (see `ip link`)",
                                 what, text);
    }
    return vox_net_error_set(error, code, "cannot %s %s: %s; check the address and the network",
                             what, text, strerror(errno_value));
}

int vox_explain_bare_link(const char *text, struct vox_net_error *error)
{
    return vox_net_error_set(error, VOX_EADDRESS,
                             "%s may be on any link: name the interface, as in [fe80::1%%eth0] "
                             "(`ip link` lists yours)",
                             text);
}

int vox_explain_limits(int dscp, int ttl, struct vox_net_error *error)
{
    if (dscp < 0 || dscp > 63)
        return vox_net_error_set(error, VOX_EINVAL, "DSCP %d is not in 0..63", dscp);
    if (ttl < 0 || ttl > 255)
        return vox_net_error_set(error, VOX_EINVAL, "TTL %d is not in 1..255", ttl);
    return 0;
}

/* ---- sending ---- */

int vox_explain_send(int errno_value, size_t len, const struct vox_address *to,
                     struct vox_net_error *error)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    vox_address_format(to, text);
    int code = vox_net_error_code(errno_value);
    switch (errno_value) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
        return vox_net_error_set(
            error, code,
            "cannot send to %s: no route there (%s); check address, network and "
            "--interface",
            text, strerror(errno_value));
    case EMSGSIZE:
        return vox_net_error_set(
            error, code,
            "cannot send %zu bytes to %s: longer than the network takes in one "
            "datagram; lower the bitrate or the frame size",
            len, text);
    case EAGAIN:
        return vox_net_error_set(error, code,
                                 "cannot send to %s: its queue is full, the receiver does not keep "
                                 "up; trying again with the next",
                                 text);
    case EACCES:
    case EPERM:
        return vox_net_error_set(error, code,
                                 "cannot send to %s: not permitted; is it a broadcast address, or "
                                 "does a firewall refuse it?",
                                 text);
    default:
        return vox_net_error_set(error, code, "cannot send to %s: %s; trying again with the next",
                                 text, strerror(errno_value));
    }
}

/* ---- troubles ---- */

bool vox_troubles_add(struct vox_troubles *troubles, const struct vox_trouble *trouble)
{
    for (size_t i = 0; i < troubles->count; i++)
        if (troubles->told[i].errno_value == trouble->errno_value &&
            vox_address_equal(&troubles->told[i].to, &trouble->to))
            return false;
    if (troubles->count == VOX_TROUBLES_MAX)
        return false;
    troubles->told[troubles->count++] = *trouble;
    return true;
}

/* Cut off where it is full. */
#define SAY(...) vox_net_error_set(out, 0, __VA_ARGS__)

static void say_of_path(const struct vox_trouble *trouble, const char *path,
                        struct vox_net_error *out)
{
    switch (trouble->errno_value) {
    case ENOENT:
        SAY("%s: there is no such socket; start the receiver, sending goes on", path);
        return;
    case ECONNREFUSED:
        SAY("%s refused: no program receives there; start the receiver, sending goes on", path);
        return;
    case EPROTOTYPE:
        SAY("%s takes connections, not datagrams; write unix-stream: instead of unix:, or start "
            "another receiver, sending goes on",
            path);
        return;
    case EAGAIN:
        SAY("%s does not keep up: its queue is full and as much waits here as may; the oldest is "
            "dropped, is its program stopped?",
            path);
        return;
    case EACCES:
    case EPERM:
        SAY("%s: permission denied; ask its owner for write access, sending goes on", path);
        return;
    default:
        SAY("%s: %s; sending goes on", path, strerror(trouble->errno_value));
    }
}

static void say_of_host(const struct vox_trouble *trouble, const char *host,
                        struct vox_net_error *out)
{
    switch (trouble->errno_value) {
    case ECONNREFUSED:
        SAY("%s refused: no program receives on that port; start the receiver, sending goes on",
            host);
        return;
    case EHOSTUNREACH:
    case ENETUNREACH:
        SAY("%s cannot be reached (%s); check address and network, sending goes on", host,
            strerror(trouble->errno_value));
        return;
    default:
        SAY("%s: the network answers \"%s\"; sending goes on", host,
            strerror(trouble->errno_value));
    }
}

void vox_explain_trouble(const struct vox_trouble *trouble, struct vox_transport_event *out)
{
    char text[VOX_ADDRESS_TEXT_BYTES];
    struct vox_net_error words;
    vox_address_format(&trouble->to, text);
    if (is_unix(&trouble->to))
        say_of_path(trouble, text, &words);
    else
        say_of_host(trouble, text, &words);
    *out = (struct vox_transport_event){.kind = VOX_TRANSPORT_TROUBLE, .peer.address = trouble->to};
    memcpy(out->text, words.text, sizeof out->text);
}

/* What the socket holds is not what was asked for where the system allows less. */
static void say_overflow(uint64_t dropped, int granted_bytes, int wanted_bytes,
                         struct vox_net_error *out)
{
    unsigned long long count = dropped;
    if (granted_bytes < wanted_bytes)
        SAY("the system dropped %llu packets that had come: its buffer of %d KiB was full before "
            "this program could read them; allow a larger one: sysctl -w net.core.rmem_max=%d",
            count, granted_bytes / 1024, wanted_bytes);
    else
        SAY("the system dropped %llu packets that had come: its buffer of %d KiB was full before "
            "this program could read them; the machine is too busy, or somebody floods this port",
            count, granted_bytes / 1024);
}

void vox_explain_overflow(uint64_t dropped, int granted_bytes, int wanted_bytes,
                          struct vox_transport_event *out)
{
    struct vox_net_error words;
    say_overflow(dropped, granted_bytes, wanted_bytes, &words);
    *out = (struct vox_transport_event){.kind = VOX_TRANSPORT_OVERFLOW};
    memcpy(out->text, words.text, sizeof out->text);
}
