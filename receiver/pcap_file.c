#include "receiver/pcap_file.h"

#include "base/time.h"
#include "cli/message.h"
#include "wire/pcap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_UNIX_PORT = 49152, UNIX_PORTS = 16384 /* the dynamic ones (RFC 6335) */ };

/* ---- the file ---- */

/* What did not get in whole is taken out, so that the file ends with a packet. */
static void give_up(struct vox_pcap_file *pcap)
{
    vox_message_error("cannot write the capture %s: %s; it ends here, all else goes on", pcap->path,
                      strerror(errno));
    if (ftruncate(fileno(pcap->file), (off_t)pcap->bytes) < 0)
        vox_message_detail("%s may end with half a packet: %s", pcap->path, strerror(errno));
    fclose(pcap->file);
    pcap->file = NULL;
    pcap->failed = true;
}

static void write_waiting(struct vox_pcap_file *pcap)
{
    size_t len = pcap->waiting_bytes;
    pcap->waiting_bytes = 0;
    if (fwrite(pcap->waiting, 1, len, pcap->file) == len)
        pcap->bytes += (int64_t)len;
    else
        give_up(pcap);
}

bool vox_pcap_file_open(struct vox_pcap_file *pcap, const char *path, int64_t wall_offset_ns)
{
    memset(pcap, 0, sizeof *pcap);
    pcap->path = path;
    pcap->wall_offset_ns = wall_offset_ns;
    if (!path)
        return true;
    pcap->file = fopen(path, "wb");
    if (!pcap->file) {
        vox_message_error("cannot write the capture %s: %s; choose another file or folder", path,
                          strerror(errno));
        pcap->failed = true;
        return false;
    }
    setvbuf(pcap->file, NULL, _IONBF, 0); /* ours holds whole packets */
    pcap->waiting_bytes = (size_t)vox_pcap_write_header(pcap->waiting, sizeof pcap->waiting);
    write_waiting(pcap); /* an empty capture is one, too */
    return true;
}

/* ---- packets ---- */

static void get_end(const struct vox_address *address, struct vox_pcap_end *out)
{
    if (vox_address_family(address) == AF_INET) {
        const struct sockaddr_in *in = (const void *)&address->storage;
        memcpy(out->ip, &in->sin_addr, 4);
    } else {
        const struct sockaddr_in6 *in6 = (const void *)&address->storage;
        memcpy(out->ip, &in6->sin6_addr, 16);
    }
    out->port = vox_address_port(address);
}

static void set_unix_ends(uint32_t connection, struct vox_pcap_packet *out)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    memcpy(out->from.ip, loopback, sizeof loopback);
    memcpy(out->to.ip, loopback, sizeof loopback);
    out->from.port = (uint16_t)(FIRST_UNIX_PORT + connection % UNIX_PORTS);
    out->to.port = VOX_ADDRESS_DEFAULT_PORT;
}

/* Whom we call, and no address of ours, is the local one of a stream that calls; and IPv4 comes to
 * a socket of IPv6: in both our own is not known, but the port is. */
static void set_ends(const struct vox_peer *from, const struct vox_address *local,
                     struct vox_pcap_packet *out)
{
    int family = vox_address_family(&from->address);
    if (family != AF_INET && family != AF_INET6) {
        set_unix_ends(from->connection, out);
        return;
    }
    out->ipv6 = family == AF_INET6;
    get_end(&from->address, &out->from);
    if (vox_address_family(local) == family && !vox_address_equal(local, &from->address))
        get_end(local, &out->to);
    out->to.port = vox_address_port(local);
}

void vox_pcap_file_push(struct vox_pcap_file *pcap, const struct vox_transport_packet *packet,
                        const struct vox_address *local)
{
    if (!pcap->file)
        return;
    struct vox_pcap_packet record = {
        .unix_ns = packet->arrival_ns + pcap->wall_offset_ns,
        .payload = packet->bytes,
        .payload_bytes = packet->len,
    };
    set_ends(&packet->from, local, &record);
    if (sizeof pcap->waiting - pcap->waiting_bytes < packet->len + VOX_PCAP_MAX_OVERHEAD)
        write_waiting(pcap);
    int n = vox_pcap_write_packet(&record, pcap->waiting + pcap->waiting_bytes,
                                  sizeof pcap->waiting - pcap->waiting_bytes);
    if (n < 0) /* a clock before 1970 */
        return;
    pcap->waiting_bytes += (size_t)n;
    pcap->packets++;
}

void vox_pcap_file_tick(struct vox_pcap_file *pcap, int64_t now_ns)
{
    if (!pcap->file || pcap->waiting_bytes == 0 || now_ns < pcap->next_write_ns)
        return;
    write_waiting(pcap);
    pcap->next_write_ns = now_ns + VOX_NS_PER_S;
}

void vox_pcap_file_finish(struct vox_pcap_file *pcap)
{
    if (!pcap->file)
        return;
    write_waiting(pcap);
    if (pcap->file)
        vox_message_info("capture %s: %llu packets", pcap->path, (unsigned long long)pcap->packets);
}

void vox_pcap_file_close(struct vox_pcap_file *pcap)
{
    if (pcap->file)
        fclose(pcap->file);
    pcap->file = NULL;
    pcap->path = NULL;
}
