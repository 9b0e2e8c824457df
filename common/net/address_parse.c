/* Text to parts: the half of address.h that asks nobody. */
#include "net/address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOW_TO_WRITE "write HOST:PORT, [IPV6]:PORT or :PORT"

static const struct {
    const char *prefix;
    enum vox_scheme scheme;
} schemes[] = {
    {"udp://", VOX_SCHEME_UDP},
    {"rtp://", VOX_SCHEME_UDP},
    {"tcp://", VOX_SCHEME_TCP},
    {"unix:", VOX_SCHEME_UNIX},
    {"unix-stream:", VOX_SCHEME_UNIX_STREAM},
};

/* Takes the scheme off *text. */
static int take_scheme(const char **text, struct vox_endpoint *endpoint,
                       struct vox_net_error *error)
{
    endpoint->scheme = VOX_SCHEME_UDP;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncasecmp(*text, schemes[i].prefix, len) != 0)
            continue;
        endpoint->scheme = schemes[i].scheme;
        *text += len;
        return 0;
    }
    if (strstr(*text, "://"))
        return vox_net_error_set(error, VOX_EUNSUPPORTED,
                                 "cannot use \"%.80s\": unknown scheme; use udp://HOST:PORT, "
                                 "tcp://HOST:PORT, unix:PATH or unix-stream:PATH",
                                 *text);
    return 0;
}

static bool is_host_byte(unsigned char c)
{
    /* Bytes from 0x80 on: names in UTF-8, which the resolver turns into IDNA. */
    return c > ' ' && c != 0x7f && !strchr("/\\?#@[]<>\"'%:,;", c);
}

static bool is_zone_byte(unsigned char c)
{
    return isalnum(c) || (c != '\0' && strchr("-_.@", c));
}

static bool is_v6(const char *host)
{
    const char *zone = strchr(host, '%');
    size_t len = zone ? (size_t)(zone - host) : strlen(host);
    char digits[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    if (len >= sizeof digits)
        return false;
    memcpy(digits, host, len);
    digits[len] = '\0';
    if (inet_pton(AF_INET6, digits, &ignored) != 1)
        return false;
    if (!zone)
        return true;
    size_t bytes = 0;
    while (is_zone_byte((unsigned char)zone[1 + bytes]))
        bytes++;
    return bytes > 0 && bytes < IFNAMSIZ && zone[1 + bytes] == '\0';
}

static bool is_name(const char *host)
{
    for (; *host; host++)
        if (!is_host_byte((unsigned char)*host))
            return false;
    return true;
}

static bool all_digits(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static int take_host(const char *host, size_t len, bool brackets, struct vox_endpoint *endpoint,
                     struct vox_net_error *error)
{
    if (len > VOX_ADDRESS_MAX_HOST)
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "host \"%.60s...\" has %zu characters, at most %d are allowed",
                                 host, len, VOX_ADDRESS_MAX_HOST);
    memcpy(endpoint->host, host, len);
    endpoint->host[len] = '\0';
    endpoint->host_is_v6 = is_v6(endpoint->host);
    if (brackets && !endpoint->host_is_v6)
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "\"%.80s\" is not an IPv6 address; brackets are for those only",
                                 endpoint->host);
    if (!endpoint->host_is_v6 && !is_name(endpoint->host))
        return vox_net_error_set(error, VOX_EFORMAT, "\"%.80s\" is not a host; " HOW_TO_WRITE,
                                 endpoint->host);
    return 0;
}

static bool is_service(const char *text)
{
    size_t len = strlen(text);
    bool letter = false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        letter = letter || isalpha(c);
        if (!isalnum(c) && !strchr("-_+.", c))
            return false;
    }
    return letter && len <= VOX_ADDRESS_MAX_SERVICE;
}

static int take_port(const char *port, struct vox_endpoint *endpoint, struct vox_net_error *error)
{
    endpoint->has_port = true;
    if (all_digits(port)) {
        unsigned long value = strlen(port) > 8 ? 99999999UL : strtoul(port, NULL, 10);
        if (value > UINT16_MAX)
            return vox_net_error_set(error, VOX_EFORMAT, "port %.20s is not in 0..65535", port);
        endpoint->port = (uint16_t)value;
        return 0;
    }
    if (!is_service(port))
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "\"%.40s\" is neither a port number nor the name of a service",
                                 port);
    memcpy(endpoint->service, port, strlen(port) + 1);
    return 0;
}

/* Finds where the host ends; *port stays NULL if there is none. */
static int split(const char *text, const char **host, size_t *host_len, const char **port,
                 struct vox_net_error *error)
{
    *host = text;
    *port = NULL;
    const char *end = text + strlen(text);
    if (*text == '[') {
        end = strchr(text, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return vox_net_error_set(error, VOX_EFORMAT,
                                     "\"%.80s\" has no \"]\" or \"]:PORT\" at its end", text);
        *host = text + 1;
        *port = end[1] == ':' ? end + 2 : NULL;
    } else if (strchr(text, ':') && !is_v6(text)) {
        end = strchr(text, ':');
        *port = end + 1;
        if (strchr(*port, ':'))
            return vox_net_error_set(
                error, VOX_EFORMAT,
                "\"%.80s\" is not an IPv6 address, and has too many colons for "
                "HOST:PORT; " HOW_TO_WRITE,
                text);
    }
    *host_len = (size_t)(end - *host);
    return 0;
}

static int take_path(const char *path, struct vox_endpoint *endpoint, struct vox_net_error *error)
{
    size_t len = strlen(path);
    if (len == 0 || strcmp(path, "@") == 0)
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "the path is empty; write unix:/run/voxgram.sock, or unix:@NAME "
                                 "for a name that is no file");
    if (len > VOX_ADDRESS_MAX_PATH)
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "path \"%.60s...\" has %zu bytes, a Unix socket's has %d at the "
                                 "most; use a shorter one",
                                 path, len, VOX_ADDRESS_MAX_PATH);
    memcpy(endpoint->path, path, len + 1);
    return 0;
}

static bool is_unix(enum vox_scheme scheme)
{
    return scheme == VOX_SCHEME_UNIX || scheme == VOX_SCHEME_UNIX_STREAM;
}

int vox_address_parse(const char *text, struct vox_endpoint *out, struct vox_net_error *error)
{
    struct vox_endpoint endpoint = {.port = VOX_ADDRESS_DEFAULT_PORT};
    const char *rest = text;
    int err = take_scheme(&rest, &endpoint, error);
    if (err == 0 && is_unix(endpoint.scheme)) {
        err = take_path(rest, &endpoint, error);
        if (err == 0)
            *out = endpoint;
        return err;
    }
    if (err < 0)
        return err;
    if (*rest == '\0')
        return vox_net_error_set(error, VOX_EFORMAT, "the address is empty; " HOW_TO_WRITE);
    if (all_digits(rest))
        return vox_net_error_set(error, VOX_EFORMAT,
                                 "\"%.40s\" may be a host or a port; write \":%.40s\" for the port",
                                 rest, rest);
    const char *host, *port;
    size_t host_len = 0;
    err = split(rest, &host, &host_len, &port, error);
    if (err < 0)
        return err;
    err = take_host(host, host_len, *rest == '[', &endpoint, error);
    if (err < 0)
        return err;
    err = port ? take_port(port, &endpoint, error) : 0;
    if (err == 0)
        *out = endpoint;
    return err;
}
