/*
 * Addresses as people write them: text -> parts (pure), parts -> socket address (asks the system).
 *
 *     [udp://]HOST[:PORT]   [udp://][V6]:PORT   V6   :PORT   tcp://...   unix:PATH
 *     unix-stream:PATH      unix:@NAME (a name of Linux's abstract namespace, no file: unix(7))
 *
 *     struct vox_address to;
 *     struct vox_net_error error;
 *     struct vox_address_hints hints = {0};
 *     if (vox_address_lookup("studio.example:5004", &hints, &to, &error) < 0)
 *         fail("%s", error.text);
 *     char text[VOX_ADDRESS_TEXT_BYTES];
 *     printf("to %s\n", vox_address_format(&to, text));
 *
 * rtp:// is another way to write udp://. PORT is a number or a name that the system knows for the
 * protocol (/etc/services). Text with two colons or more and no brackets is an IPv6 address without
 * a port. An IPv4 address inside IPv6 (::ffff:192.0.2.1, as dual-stack sockets show it) equals,
 * prints and behaves like the IPv4 address.
 *
 * Thread rule: values, any thread. Only resolve, lookup, is_broadcast and is_local ask the system;
 * resolve and lookup may wait for a name server. The rest is pure and RT-safe.
 */
#ifndef VOX_NET_ADDRESS_H
#define VOX_NET_ADDRESS_H

#include "net/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    VOX_ADDRESS_DEFAULT_PORT = 5004, /* RTP's own (RFC 3551, section 8) */
    VOX_ADDRESS_MAX_HOST = 255,      /* RFC 1035, section 2.3.4 */
    VOX_ADDRESS_MAX_SERVICE = 31,
    VOX_ADDRESS_MAX_FOUND = 8,    /* addresses of one name that we look at */
    VOX_ADDRESS_MAX_PATH = 107,   /* sun_path with its end */
    VOX_ADDRESS_TEXT_BYTES = 128, /* unix:PATH, terminated; [V6%scope]:port is shorter */
};

enum vox_scheme {
    VOX_SCHEME_UDP,
    VOX_SCHEME_TCP,
    VOX_SCHEME_UNIX, /* datagrams */
    VOX_SCHEME_UNIX_STREAM,
};

/* What stands in the text. */
struct vox_endpoint {
    enum vox_scheme scheme;
    char host[VOX_ADDRESS_MAX_HOST + 1];       /* without brackets; "" where none is given */
    bool host_is_v6;                           /* an IPv6 literal, perhaps with %zone */
    char service[VOX_ADDRESS_MAX_SERVICE + 1]; /* name of the port; "" where it is a number */
    uint16_t port;                             /* 5004 if none is given */
    bool has_port;
    char path[VOX_ADDRESS_MAX_PATH + 1]; /* Unix only, with the @ of an abstract name */
};

/* Where datagrams go or come from. */
struct vox_address {
    struct sockaddr_storage storage;
    socklen_t len; /* 0: no address */
};

struct vox_address_hints {
    int family;     /* AF_INET, AF_INET6; 0: whichever the system prefers */
    bool listening; /* no host means every address of this machine; else it means 127.0.0.1 */
};

/*
 * Takes a text apart. Pure. *out is written only on success.
 * Errors, with text: VOX_EFORMAT (not an address: which part, and how to write it),
 * VOX_EUNSUPPORTED (unknown scheme).
 */
int vox_address_parse(const char *text, struct vox_endpoint *out, struct vox_net_error *error);

/*
 * Looks host and service up (getaddrinfo). Names give the address that the system puts first.
 * Errors, with text: VOX_ENOTFOUND (no such host or service, or none of that family),
 * VOX_EADDRESS (the name server does not answer; port 0 unless listening), VOX_ENOMEM.
 */
int vox_address_resolve(const struct vox_endpoint *endpoint, const struct vox_address_hints *hints,
                        struct vox_address *out, struct vox_net_error *error);

/*
 * All its addresses, in the order in which the system would try them, `most` of them at most.
 * Returns how many; errors as above.
 */
int vox_address_resolve_all(const struct vox_endpoint *endpoint,
                            const struct vox_address_hints *hints, struct vox_address *out,
                            size_t most, struct vox_net_error *error);

/* Whether its host is a name, which may mean other addresses tomorrow. */
bool vox_address_is_name(const struct vox_endpoint *endpoint);

/* Parse and resolve in one. */
int vox_address_lookup(const char *text, const struct vox_address_hints *hints,
                       struct vox_address *out, struct vox_net_error *error);

/* From a socket call; an IPv4 address inside IPv6 becomes plain IPv4. */
void vox_address_from_sockaddr(const struct sockaddr_storage *storage, socklen_t len,
                               struct vox_address *out);

/*
 * As a socket of that family wants it: IPv4 for AF_INET6 becomes ::ffff:a.b.c.d.
 * Errors: VOX_EADDRESS (IPv6 for a socket of IPv4).
 */
int vox_address_for_family(const struct vox_address *address, int family, struct vox_address *out);

/* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC if there is no address. */
int vox_address_family(const struct vox_address *address);
uint16_t vox_address_port(const struct vox_address *address);
void vox_address_set_port(struct vox_address *address, uint16_t port);

bool vox_address_is_any(const struct vox_address *address); /* 0.0.0.0, :: */
bool vox_address_is_multicast(const struct vox_address *address);
/* fe80::/10 without its zone: which of this machine's links is meant is not said (RFC 4007). */
bool vox_address_lacks_interface(const struct vox_address *address);
bool vox_address_is_loopback(const struct vox_address *address); /* 127/8, ::1 */
/* 255.255.255.255, or the directed broadcast address of one of this machine's interfaces. */
bool vox_address_is_broadcast(const struct vox_address *address);
/* One of this machine's own addresses, loopback and Unix included. */
bool vox_address_is_local(const struct vox_address *address);

/* Same address and port (and zone); equal_host leaves the port out. */
bool vox_address_equal(const struct vox_address *a, const struct vox_address *b);
bool vox_address_equal_host(const struct vox_address *a, const struct vox_address *b);

/* "192.0.2.1:5004", "[::1]:5004", "[fe80::1%2]:5004", "unix:/run/x", "unix:@x"; "?" for none.
 * Return out. */
const char *vox_address_format(const struct vox_address *address, char out[VOX_ADDRESS_TEXT_BYTES]);
/* Without port and brackets, as SDP writes it. */
const char *vox_address_format_host(const struct vox_address *address,
                                    char out[VOX_ADDRESS_TEXT_BYTES]);

#endif
