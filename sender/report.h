/*
 * What voxgram-send tells: the line on the terminal, JSON, the summary in plain words.
 *
 *     struct vox_send_report report = {...};
 *     vox_report_status(&report, &style, text, sizeof text);
 *     vox_report_json(&report, stdout);
 *     vox_report_summary(&report);
 *
 * Thread rule: pure but for the output; the main thread.
 */
#ifndef VOX_SENDER_REPORT_H
#define VOX_SENDER_REPORT_H

#include "base/histogram.h"
#include "cli/meter.h"
#include "sender/cli.h"
#include "sender/outlet.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct vox_send_report {
    const struct vox_send_options *options;
    const char *destination; /* as an address */
    enum vox_scheme scheme;
    int channels; /* coded */
    bool final;
    int64_t sent_ns;     /* of audio, gaps not counted */
    int64_t duration_ns; /* of all of it; -1: not known */
    double wire_kbps;    /* with IPv4 and UDP headers; of the last second, at the end of all */
    double rms_db, peak_db;
    uint64_t mic_dropped_frames;
    struct {
        uint32_t ssrc, first_timestamp;
        uint16_t first_seq;
    } rtp;
    struct vox_sender_stats sender;
    struct vox_outlet_stats outlet;
    const struct vox_histogram *late; /* of packets leaving; NULL before the end */
    size_t untaken_bytes;             /* sent, but not taken by the other side; 0 before the end */
};

/* Returns the length; always terminated. */
size_t vox_report_status(const struct vox_send_report *report, struct vox_meter_style style,
                         char *out, size_t capacity);

/*
 * One line with one JSON object. packets.sent: RTP packets that the stream consists of, with those
 * that the simulated network dropped. Returns 0, or VOX_EIO.
 */
int vox_report_json(const struct vox_send_report *report, FILE *out);

/* Some lines by vox_message_info. */
void vox_report_summary(const struct vox_send_report *report);

#endif
