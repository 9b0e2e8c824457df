#include "wire/pcap.h"

#include "base/err.h"
#include "base/time.h"

#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define NS_PER_S UINT32_C(1000000000)
#define US_PER_S UINT32_C(1000000)

enum {
    VERSION_MAJOR = 2,
    VERSION_MINOR = 4,
    LINKTYPE_RAW = 101,
    LINKTYPE_MASK = 0xffff, /* above: what is said of a frame check sequence */
    SNAP_BYTES = 262144,    /* nothing that we write is cut; this is what libpcap grants */
    RECORD_BYTES = 16,
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    UDP_BYTES = 8,
    PROTOCOL_UDP = 17,
    HOP_LIMIT = 64,
    FRAGMENT_MASK = 0x3fff, /* more fragments, or an offset (RFC 791) */
    DONT_FRAGMENT = 0x4000,
};

/* ---- writing ---- */

int vox_pcap_write_header(void *out, size_t capacity)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    vox_write_u32(&w, MAGIC_NS);
    vox_write_u16(&w, VERSION_MAJOR);
    vox_write_u16(&w, VERSION_MINOR);
    vox_write_u64(&w, 0); /* reserved, once time zone and accuracy */
    vox_write_u32(&w, SNAP_BYTES);
    vox_write_u32(&w, LINKTYPE_RAW);
    return w.failed ? VOX_ENOSPC : (int)w.size;
}

/* The sum of RFC 1071, not yet folded: bytes of an odd count end with a zero. */
static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? (uint32_t)bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t ip_bytes(const struct vox_pcap_packet *p)
{
    return p->ipv6 ? 16 : 4;
}

/* Of UDP with its pseudo header (RFC 768; RFC 8200, section 8.1). 0 would say that there is none.*/
static uint16_t udp_checksum(const struct vox_pcap_packet *p)
{
    uint32_t udp_len = (uint32_t)(UDP_BYTES + p->payload_bytes);
    uint32_t sum = PROTOCOL_UDP + 2 * udp_len + p->from.port + p->to.port;
    sum = add(sum, p->from.ip, ip_bytes(p));
    sum = add(sum, p->to.ip, ip_bytes(p));
    uint16_t checksum = fold(add(sum, p->payload, p->payload_bytes));
    return checksum ? checksum : 0xffff;
}

static void write_ipv4(struct vox_writer *w, const struct vox_pcap_packet *p)
{
    uint8_t header[IPV4_BYTES];
    struct vox_writer h = vox_writer_of(header, sizeof header);
    vox_write_u16(&h, 0x4500); /* version 4, five words, no class */
    vox_write_u16(&h, (uint16_t)(IPV4_BYTES + UDP_BYTES + p->payload_bytes));
    vox_write_u16(&h, 0); /* identification: not needed for what is no fragment (RFC 6864) */
    vox_write_u16(&h, DONT_FRAGMENT);
    vox_write_u8(&h, HOP_LIMIT);
    vox_write_u8(&h, PROTOCOL_UDP);
    vox_write_u16(&h, 0);
    vox_write_bytes(&h, p->from.ip, 4);
    vox_write_bytes(&h, p->to.ip, 4);
    uint16_t checksum = fold(add(0, header, sizeof header));
    header[10] = (uint8_t)(checksum >> 8);
    header[11] = (uint8_t)checksum;
    vox_write_bytes(w, header, sizeof header);
}

static void write_ipv6(struct vox_writer *w, const struct vox_pcap_packet *p)
{
    vox_write_u32(w, UINT32_C(6) << 28);
    vox_write_u16(w, (uint16_t)(UDP_BYTES + p->payload_bytes));
    vox_write_u8(w, PROTOCOL_UDP);
    vox_write_u8(w, HOP_LIMIT);
    vox_write_bytes(w, p->from.ip, 16);
    vox_write_bytes(w, p->to.ip, 16);
}

int vox_pcap_write_packet(const struct vox_pcap_packet *packet, void *out, size_t capacity)
{
    if (packet->unix_ns < 0 || packet->unix_ns / VOX_NS_PER_S > UINT32_MAX ||
        packet->payload_bytes > VOX_PCAP_MAX_PAYLOAD)
        return VOX_EINVAL;
    struct vox_writer w = vox_writer_of(out, capacity);
    size_t ip = packet->ipv6 ? IPV6_BYTES : IPV4_BYTES;
    uint32_t len = (uint32_t)(ip + UDP_BYTES + packet->payload_bytes);
    vox_write_u32(&w, (uint32_t)(packet->unix_ns / VOX_NS_PER_S));
    vox_write_u32(&w, (uint32_t)(packet->unix_ns % VOX_NS_PER_S));
    vox_write_u32(&w, len); /* of what is here */
    vox_write_u32(&w, len); /* of what was on the wire */
    if (packet->ipv6)
        write_ipv6(&w, packet);
    else
        write_ipv4(&w, packet);
    vox_write_u16(&w, packet->from.port);
    vox_write_u16(&w, packet->to.port);
    vox_write_u16(&w, (uint16_t)(UDP_BYTES + packet->payload_bytes));
    vox_write_u16(&w, udp_checksum(packet));
    vox_write_bytes(&w, packet->payload, packet->payload_bytes);
    return w.failed ? VOX_ENOSPC : (int)w.size;
}

/* ---- reading ---- */

static uint32_t swap(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value & 0xff00) << 8 | value << 24;
}

static uint32_t read_u32(struct vox_pcap_reader *reader)
{
    uint32_t value = vox_read_u32(&reader->bytes);
    return reader->little_endian ? swap(value) : value;
}

static uint16_t read_u16(struct vox_pcap_reader *reader)
{
    uint16_t value = vox_read_u16(&reader->bytes);
    uint16_t swapped = (uint16_t)(value >> 8 | value << 8);
    return reader->little_endian ? swapped : value;
}

static bool recognise(uint32_t magic, struct vox_pcap_reader *reader)
{
    reader->little_endian = magic == swap(MAGIC_US) || magic == swap(MAGIC_NS);
    magic = reader->little_endian ? swap(magic) : magic;
    reader->nanoseconds = magic == MAGIC_NS;
    return magic == MAGIC_US || magic == MAGIC_NS;
}

int vox_pcap_open(const void *bytes, size_t len, struct vox_pcap_reader *reader)
{
    *reader = (struct vox_pcap_reader){.bytes = vox_reader_of(bytes, len)};
    if (len >= 4 && !recognise(vox_read_u32(&reader->bytes), reader))
        return VOX_EFORMAT;
    uint16_t major = read_u16(reader);
    uint16_t minor = read_u16(reader);
    vox_read_u64(&reader->bytes);
    vox_read_u32(&reader->bytes);
    uint32_t link = read_u32(reader);
    if (len < VOX_PCAP_HEADER_BYTES)
        return VOX_ETRUNCATED;
    return major == VERSION_MAJOR && minor == VERSION_MINOR &&
                   (link & LINKTYPE_MASK) == LINKTYPE_RAW
               ? 0
               : VOX_EUNSUPPORTED;
}

/* Behind the IP header; false: none of UDP, or a part of one. */
static bool read_udp(struct vox_reader *r, struct vox_pcap_packet *out)
{
    out->from.port = vox_read_u16(r);
    out->to.port = vox_read_u16(r);
    uint16_t len = vox_read_u16(r);
    vox_read_u16(r);
    if (len < UDP_BYTES)
        return false;
    out->payload_bytes = (size_t)len - UDP_BYTES;
    out->payload = vox_read_bytes(r, out->payload_bytes);
    return !r->failed;
}

static void copy_ip(struct vox_reader *r, size_t len, uint8_t ip[16])
{
    const uint8_t *at = vox_read_bytes(r, len);
    if (at)
        memcpy(ip, at, len);
}

static bool read_ipv4(struct vox_reader *r, struct vox_pcap_packet *out)
{
    uint8_t first = vox_read_u8(r);
    vox_read_u8(r);
    uint16_t total = vox_read_u16(r);
    vox_read_u16(r);
    uint16_t fragment = vox_read_u16(r);
    vox_read_u8(r);
    uint8_t protocol = vox_read_u8(r);
    vox_read_u16(r);
    copy_ip(r, 4, out->from.ip);
    copy_ip(r, 4, out->to.ip);
    size_t header = (size_t)(first & 0x0f) * 4;
    if (header < IPV4_BYTES || total < header || protocol != PROTOCOL_UDP ||
        (fragment & FRAGMENT_MASK) != 0)
        return false;
    vox_read_bytes(r, header - IPV4_BYTES);
    if (total - header < r->left) /* a link may have padded it */
        r->left = total - header;
    return read_udp(r, out);
}

/* Extension headers are none of UDP's: what has them is passed over. */
static bool read_ipv6(struct vox_reader *r, struct vox_pcap_packet *out)
{
    vox_read_u32(r);
    uint16_t len = vox_read_u16(r);
    uint8_t next = vox_read_u8(r);
    vox_read_u8(r);
    copy_ip(r, 16, out->from.ip);
    copy_ip(r, 16, out->to.ip);
    if (next != PROTOCOL_UDP)
        return false;
    if (len < r->left)
        r->left = len;
    out->ipv6 = true;
    return read_udp(r, out);
}

static bool read_datagram(struct vox_reader r, struct vox_pcap_packet *out)
{
    uint8_t version = r.left > 0 ? r.at[0] >> 4 : 0;
    return version == 4 ? read_ipv4(&r, out) : version == 6 && read_ipv6(&r, out);
}

int vox_pcap_next(struct vox_pcap_reader *reader, struct vox_pcap_packet *out)
{
    while (reader->bytes.left > 0) {
        uint32_t s = read_u32(reader);
        uint32_t fraction = read_u32(reader);
        uint32_t len = read_u32(reader);
        read_u32(reader);
        const uint8_t *bytes = vox_read_bytes(&reader->bytes, len);
        if (reader->bytes.failed)
            return VOX_ETRUNCATED;
        if (fraction >= (reader->nanoseconds ? NS_PER_S : US_PER_S))
            return VOX_EFORMAT;
        int64_t fraction_ns = (int64_t)fraction * (reader->nanoseconds ? 1 : VOX_NS_PER_US);
        struct vox_pcap_packet packet = {.unix_ns = s * VOX_NS_PER_S + fraction_ns};
        if (read_datagram(vox_reader_of(bytes, len), &packet)) {
            *out = packet;
            return 1;
        }
        reader->others++;
    }
    return 0;
}
