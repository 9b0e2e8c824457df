/*
 * What a running voxgram-send holds: a source, the engine, the way out, what is told. Opened here,
 * with what the engine calls back for; host.c is the loop that drives it.
 *
 * Thread rule: the loop's; the microphone's thread wakes it.
 */
#ifndef VOX_SENDER_HOST_STATE_H
#define VOX_SENDER_HOST_STATE_H

#include "cli/peers.h"
#include "sender/feeder.h"
#include "sender/host.h"
#include "sender/input.h"
#include "sender/mic.h"
#include "sender/outlet.h"
#include "sender/progress.h"

#include <uv.h>

enum { VOX_SEND_CNAME_BYTES = 32, VOX_SEND_SIGNALS = 3 };

struct vox_host {
    const struct vox_send_options *options;
    struct vox_sender_config stream;
    struct vox_sender *sender;
    struct vox_outlet *outlet;
    struct vox_input *input; /* one of these two */
    struct vox_mic *mic;
    struct vox_progress progress;
    char destination[VOX_ADDRESS_TEXT_BYTES];
    char cname[VOX_SEND_CNAME_BYTES];
    int exit_status;

    uv_loop_t loop;
    uv_timer_t connect_timer, pump_timer, report_timer, status_timer, second_timer, mic_timer,
        drain_timer;
    uv_poll_t socket_poll, input_poll;
    bool has_input_poll; /* a pipe to wait for */
    uv_async_t mic_async;
    uv_signal_t signals[VOX_SEND_SIGNALS];

    struct vox_feeder *feeder; /* of input */
    int64_t read_frames;       /* of the source so far */
    int64_t mic_lag_ns;        /* from capture to here, of the last block */
    struct vox_peers_teller teller;
    bool begun; /* there is somebody to send to */
    bool finished;
    int64_t drain_until_ns;
    int64_t tell_drain_ns; /* that somebody does not take the rest */
    bool told_drain;
};

/* host.c: all that the microphone has recorded so far. */
void vox_host_take_mic(struct vox_host *h);

#endif
