/*
 * What a running voxgram-recv holds: sockets, an engine or a speaker with its own, what is written.
 * Opened here, with what the engine calls back for; host.c is the loop that drives it.
 *
 * Thread rule: the loop's.
 */
#ifndef VOX_RECEIVER_HOST_STATE_H
#define VOX_RECEIVER_HOST_STATE_H

#include "cli/peers.h"
#include "net/transport.h"
#include "receiver/cli.h"
#include "receiver/journal.h"
#include "receiver/paths.h"
#include "receiver/pcap_file.h"
#include "receiver/receiver.h"
#include "receiver/recording.h"
#include "receiver/speaker.h"
#include "receiver/trace_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
    VOX_RECV_SOCKETS = 2, /* RTP (and RTCP, RFC 5761), and RTCP on the port above for those who
                             don't mux */
};

struct vox_recv_host {
    const struct vox_recv_options *options;
    uv_loop_t loop;
    uv_poll_t polls[VOX_RECV_SOCKETS];
    uv_timer_t timer;
    uv_signal_t signals[3];
    uv_async_t wake;
    struct vox_transport *sockets[VOX_RECV_SOCKETS];
    struct vox_peers_teller teller;
    struct vox_paths paths;
    struct vox_receiver *engine; /* ours; NULL with a speaker */
    struct vox_speaker *speaker;
    struct vox_recording recording;
    struct vox_journal journal;
    struct vox_trace_file trace;
    struct vox_pcap_file pcap;
    uint64_t dropped; /* datagrams that the speaker's ring had no room for */
    struct vox_receiver_stats stats;
    struct vox_transport_stats transport_stats;
    int64_t start_ns;
    int64_t idle_since_ns; /* 0: a source plays, or none has yet */
    int64_t advanced_ns;   /* everything due until then is done */
    int64_t next_look_ns;  /* at the speaker's statistics */
    bool all_timed;        /* the kernel has noted the arrival of each datagram */
    bool resting;          /* datagrams are fetched by the clock, see rest() */
    bool was_connected;    /* there has been somebody to hear */
    bool stopping;
    bool failed;
};

/* All that the options ask for. False: it was said what could not be opened. */
bool vox_recv_host_open(struct vox_recv_host *h);

/* What was opened, also in part; ends the loop. */
void vox_recv_host_close(struct vox_recv_host *h);

/* The loop returns. */
void vox_recv_host_stop(struct vox_recv_host *h);

/* A recording that fails ends the program: what it has is kept. */
void vox_recv_host_check_recording(struct vox_recv_host *h);

#endif
