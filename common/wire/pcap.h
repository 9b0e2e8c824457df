/*
 * Packet captures (draft-ietf-opsawg-pcap) of datagrams, pure: a file's header and its records to
 * bytes and back. Each record holds a datagram in IPv4 or IPv6 and UDP headers (link type RAW) that
 * are made up from where it came from and went to, with right lengths and checksums: Wireshark,
 * tcpdump and whatever reads captures take it for one.
 *
 *     n = vox_pcap_write_header(bytes, sizeof bytes);
 *     n = vox_pcap_write_packet(&packet, bytes, sizeof bytes);    // each
 *
 *     struct vox_pcap_reader reader;
 *     int got = vox_pcap_open(bytes, len, &reader);
 *     while (got >= 0 && (got = vox_pcap_next(&reader, &packet)) > 0)
 *         take(packet.payload, packet.payload_bytes);
 *
 * Written are nanoseconds, in network order on every machine; read are both resolutions and both
 * byte orders. What a capture holds besides whole datagrams is passed over and counted.
 *
 * Thread rule: pure, any thread; a reader has one owner. RT-safe.
 */
#ifndef VOX_WIRE_PCAP_H
#define VOX_WIRE_PCAP_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_PCAP_HEADER_BYTES = 24,
    VOX_PCAP_MAX_OVERHEAD = 16 + 40 + 8, /* record, IPv6, UDP: in front of each payload */
    VOX_PCAP_MAX_PAYLOAD = 65535 - 20 - 8,
};

/* One end of a datagram's way. */
struct vox_pcap_end {
    uint8_t ip[16]; /* as on the wire; of IPv4 the first four count */
    uint16_t port;
};

struct vox_pcap_packet {
    int64_t unix_ns; /* when it came: up to the year 2106 */
    bool ipv6;
    struct vox_pcap_end from, to;
    const uint8_t *payload; /* borrowed */
    size_t payload_bytes;
};

struct vox_pcap_reader {
    struct vox_reader bytes; /* what is left */
    bool little_endian;
    bool nanoseconds;
    uint64_t others; /* records that are no whole datagram: fragments, cut ones, other protocols */
};

/* The beginning of a file. Returns its bytes. Errors: VOX_ENOSPC. */
int vox_pcap_write_header(void *out, size_t capacity);

/*
 * A record. Returns its bytes, at most VOX_PCAP_MAX_OVERHEAD and the payload's.
 * Errors: VOX_EINVAL (a time before 1970 or after 2106, more than VOX_PCAP_MAX_PAYLOAD),
 * VOX_ENOSPC.
 */
int vox_pcap_write_packet(const struct vox_pcap_packet *packet, void *out, size_t capacity);

/*
 * Reads the header of a capture; bytes are borrowed while the reader is used.
 * Errors: VOX_EFORMAT (no such capture; pcapng is another format), VOX_ETRUNCATED,
 * VOX_EUNSUPPORTED (another version, or link type than RAW).
 */
int vox_pcap_open(const void *bytes, size_t len, struct vox_pcap_reader *reader);

/*
 * The next datagram; payload borrows from the capture. Returns 1; 0 at the end, then and after an
 * error *out is not written. Checksums are not looked at: where network cards compute them,
 * captures have none.
 * Errors: VOX_ETRUNCATED (the file ends within a record), VOX_EFORMAT (a record without sense).
 */
int vox_pcap_next(struct vox_pcap_reader *reader, struct vox_pcap_packet *out);

#endif
