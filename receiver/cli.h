/*
 * The command line of voxgram-recv.
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_RECEIVER_CLI_H
#define VOX_RECEIVER_CLI_H

#include "cli/options.h"
#include "net/transport.h"
#include "receiver/playout_options.h"

#include <stdbool.h>
#include <stdint.h>

enum vox_output_kind {
    VOX_OUTPUT_SPEAKER,
    VOX_OUTPUT_FILE, /* WAV or FLAC */
    VOX_OUTPUT_OGG,  /* packets as received */
    VOX_OUTPUT_STDOUT,
    VOX_OUTPUT_NULL,
};

struct vox_recv_options {
    const char *listen_text;    /* as given */
    const char *source_text;    /* of a group, hear this sender only; NULL: all */
    bool connect;               /* to a sender that listens */
    int64_t connect_timeout_ns; /* of the first connection; -1: never give up */
    /* Interface; role, scheme, address and source come from vox_recv_find_listen, as do the types
     * of a description: */
    struct vox_transport_config transport;
    int payload_type;     /* -1: whatever comes */
    int red_payload_type; /* 0: none is described */
    int rtx_payload_type; /* 0: none is described */
    bool rtx;             /* asked for, or described with NACKs */
    int capture_time_id;
    enum vox_output_kind output;
    const char *output_name; /* device or path; "" for the default device */
    int channels;            /* 0: as the first source has */
    struct vox_playout_options playout;
    int max_streams;
    bool separate;
    bool clock_synced;
    double buffer_ms;
    const char *stats_path; /* NULL: none; "-": stdout */
    const char *events_path;
    const char *trace_path;
    const char *pcap_path;
    int64_t duration_ns;  /* 0: no limit */
    int64_t idle_exit_ns; /* -1: never */
    bool list_devices;
    bool quiet, verbose;
};

/* RUN: options are filled in; else the program ends with vox_options' exit status. */
enum vox_options_outcome vox_recv_parse(int argc, char **argv, struct vox_recv_options *out);

/* Where to listen, or whom to call: looks names up, reads a session description. False: it was said
 * why not. */
bool vox_recv_find_listen(struct vox_recv_options *options);

#endif
