#include "fuzz.h"
#include "wire/pcap.h"

enum { MAX_BYTES = 1 << 16 };

static int same_end(const struct vox_pcap_end *a, const struct vox_pcap_end *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* Input: a capture. Each datagram in it, written, is read back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[VOX_PCAP_HEADER_BYTES + VOX_PCAP_MAX_OVERHEAD + MAX_BYTES];
    struct vox_pcap_reader reader, again;
    struct vox_pcap_packet packet, back;
    if (size > MAX_BYTES || vox_pcap_open(data, size, &reader) < 0)
        return 0;
    while (vox_pcap_next(&reader, &packet) > 0) {
        FUZZ_CHECK(packet.payload >= data && packet.payload_bytes <= size);
        int header = vox_pcap_write_header(out, sizeof out);
        int record = vox_pcap_write_packet(&packet, out + header, sizeof out - (size_t)header);
        if (packet.payload_bytes > VOX_PCAP_MAX_PAYLOAD) /* room that IPv6 has */
            continue;
        FUZZ_CHECK(record > 0);
        FUZZ_CHECK(vox_pcap_open(out, (size_t)(header + record), &again) == 0);
        FUZZ_CHECK(vox_pcap_next(&again, &back) == 1);
        FUZZ_CHECK(back.unix_ns == packet.unix_ns && back.ipv6 == packet.ipv6);
        FUZZ_CHECK(same_end(&back.from, &packet.from) && same_end(&back.to, &packet.to));
        FUZZ_CHECK(back.payload_bytes == packet.payload_bytes &&
                   memcmp(back.payload, packet.payload, packet.payload_bytes) == 0);
        FUZZ_CHECK(vox_pcap_next(&again, &back) == 0);
    }
    return 0;
}
