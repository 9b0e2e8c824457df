/*
 * The file of voxgram-recv --pcap: every packet as it came, RTP and RTCP, with the kernel's time of
 * arrival where it has one (wire/pcap.h). It holds whole packets at any time and after any end, so
 * that Wireshark can look into it while the call lasts; a killed program loses a second.
 * What goes wrong is said, once, and ends the capture; all else goes on.
 *
 *     if (!vox_pcap_file_open(&pcap, path, wall_offset_ns))
 *         return;                                     // it was said why
 *     vox_pcap_file_push(&pcap, &packet, vox_transport_local(transport));   // each
 *     vox_pcap_file_tick(&pcap, now_ns);              // at least twice a second
 *     vox_pcap_file_finish(&pcap);
 *
 * All are written as UDP. What came by a connection has the peer's address and port there; Unix
 * sockets are 127.0.0.1, and their connections ports from 49152 on. Our own address is 0.0.0.0 or
 * :: where the socket listens on all.
 *
 * Thread rule: one owner, the main thread. Without a path (NULL) every call does nothing.
 */
#ifndef VOX_RECEIVER_PCAP_FILE_H
#define VOX_RECEIVER_PCAP_FILE_H

#include "net/transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { VOX_PCAP_FILE_BUFFER_BYTES = 64 * 1024 };

struct vox_pcap_file {
    const char *path; /* borrowed */
    FILE *file;       /* NULL: none, or it was given up */
    int64_t wall_offset_ns;
    int64_t next_write_ns;
    int64_t bytes; /* in the file: whole packets */
    uint64_t packets;
    bool failed; /* it could not be written; it was said */
    size_t waiting_bytes;
    uint8_t waiting[VOX_PCAP_FILE_BUFFER_BYTES];
};

/* wall_offset_ns: Unix time minus the clock of the arrival times. False: it was said why. */
bool vox_pcap_file_open(struct vox_pcap_file *pcap, const char *path, int64_t wall_offset_ns);
/* local: of the transport that it came by. */
void vox_pcap_file_push(struct vox_pcap_file *pcap, const struct vox_transport_packet *packet,
                        const struct vox_address *local);
/* Writes, once a second, what waits. */
void vox_pcap_file_tick(struct vox_pcap_file *pcap, int64_t now_ns);
/* Writes the rest, says what there is. */
void vox_pcap_file_finish(struct vox_pcap_file *pcap);
void vox_pcap_file_close(struct vox_pcap_file *pcap);

#endif
