/*
 * A capture (wire/pcap.h) as voxgram-recv --pcap writes it, whole in memory: every datagram with
 * the time at which it came.
 *
 *     struct vox_capture *capture;
 *     int err = vox_capture_read("udp.pcap", &capture);
 *     for (size_t i = 0; err >= 0 && i < vox_capture_count(capture); i++)
 *         use(vox_capture_at(capture, i));
 *     vox_capture_destroy(capture);
 *
 * What is in the file besides whole datagrams is left out, also what a program that was killed left
 * of its last one.
 *
 * Thread rule: any thread; immutable once read.
 */
#ifndef VOX_LAB_CAPTURE_H
#define VOX_LAB_CAPTURE_H

#include "wire/pcap.h"

#include <stddef.h>
#include <stdint.h>

enum { VOX_CAPTURE_MAX_BYTES = 1 << 30 };

struct vox_capture;

struct vox_capture_packet {
    int64_t arrival_unix_ns;
    const uint8_t *bytes; /* borrowed from the capture */
    size_t len;
    bool ipv6;
    struct vox_pcap_end from;
};

/*
 * Errors: VOX_EIO (it cannot be opened or read, see errno), VOX_ELIMIT (more than
 * VOX_CAPTURE_MAX_BYTES), VOX_ENOMEM, those of vox_pcap_open; VOX_EFORMAT, too, for a record
 * without sense.
 */
int vox_capture_read(const char *path, struct vox_capture **out);
void vox_capture_destroy(struct vox_capture *capture);

/* In the order in which they were captured. */
size_t vox_capture_count(const struct vox_capture *capture);
const struct vox_capture_packet *vox_capture_at(const struct vox_capture *capture, size_t i);

#endif
