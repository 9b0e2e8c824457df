/*
 * The command line of voxgram-send: one table of options, and what it comes to.
 *
 *     struct vox_send_options options;
 *     int outcome = vox_send_options_parse(argc, argv, &options);
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_SENDER_CLI_H
#define VOX_SENDER_CLI_H

#include "cli/network.h"
#include "cli/options.h"
#include "sender/encoding_options.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_impair_config;

enum { VOX_BUFFER_DEFAULT = -1 };

enum vox_source_kind {
    VOX_SOURCE_FILE,
    VOX_SOURCE_RAW,
    VOX_SOURCE_MIC,
    VOX_SOURCE_TONE,
    VOX_SOURCE_MARKER
};

/* SOURCE as the user wrote it, taken apart. */
struct vox_source_spec {
    enum vox_source_kind kind;
    const char *name; /* of file or device, borrowed; NULL: the default device */
    double tone_hz;
};

struct vox_send_options {
    const char *source_text; /* all texts are borrowed from argv */
    struct vox_source_spec source;
    const char *destination;
    bool listen;                /* receivers come to us: DESTINATION is where */
    const char *congestion;     /* of TCP; NULL: the system's */
    int64_t connect_timeout_ns; /* of the first connection; -1: never give up */

    struct vox_encoding_options encoding;
    struct vox_network_options network;

    const char *sdp;
    bool no_rtcp_mux;
    const char *interface;
    int ttl; /* 0: the system's */
    int dscp;

    int rate_hz; /* of raw PCM and of the microphone */
    bool loop;
    int64_t duration_ns; /* 0: no limit */
    int64_t buffer_ns;   /* VOX_BUFFER_DEFAULT if not given */
    bool list_devices;

    bool quiet;
    bool verbose;
    const char *stats;
};

/*
 * Says on stderr what is wrong. With list_devices, SOURCE and DESTINATION may be missing. Frame and
 * complexity are filled in from the profile where they are not given.
 */
enum vox_options_outcome vox_send_options_parse(int argc, char **argv,
                                                struct vox_send_options *out);

/* Errors: VOX_EINVAL (tone: without a number of Hz). A file of such a name is written ./mic. */
int vox_source_parse(const char *text, struct vox_source_spec *out);

/* The options of the simulated network, for packets of this frame; the trace stays NULL. */
void vox_send_options_impair(const struct vox_send_options *options, struct vox_impair_config *out);

#endif
