#include "receiver/host.h"

#include "base/time.h"
#include "cli/files.h"
#include "cli/message.h"
#include "net/clock.h"
#include "receiver/host_state.h"
#include "wire/rtp.h"

#include <signal.h>
#include <stdlib.h>

#define SPEAKER_NS (20 * VOX_NS_PER_MS)
/* A request comes from the audio thread, and every ms it waits here is a try less. */
#define ASKING_SPEAKER_NS (4 * VOX_NS_PER_MS)
#define LOOK_NS (100 * VOX_NS_PER_MS)
/* A file need not be written the moment that its audio is due: packets wake us often enough. */
#define FILE_SLACK_NS (100 * VOX_NS_PER_MS)
/* So many datagrams at once are a crowd that the kernel's buffer should not have to hold. */
#define CROWD (4 * VOX_TRANSPORT_BATCH)
/* More than the kernel's buffer holds: what had come before we began is all read then, and the
 * clock goes on, however fast somebody sends. */
#define MOST_BATCHES 128
/* Rows of statistics, the live line and events are read with this much of the clock at the most. */
#define LONGEST_SLEEP_NS (500 * VOX_NS_PER_MS)

/* ---- time, on this thread's engine ---- */

static void pull_block(struct vox_recv_host *h, int source, int64_t due_ns)
{
    float pcm[VOX_RECEIVER_MAX_BLOCK_FRAMES * 2];
    int frames = vox_receiver_block_frames(h->engine);
    bool was_idle = vox_receiver_is_idle(h->engine, source);
    int valid = source < 0
                    ? vox_receiver_pull(h->engine, pcm, frames, due_ns, due_ns)
                    : vox_receiver_pull_source(h->engine, source, pcm, frames, due_ns, due_ns);
    if (valid > 0)
        vox_recording_pcm(&h->recording, h->engine, source, pcm, valid, was_idle);
    vox_recv_host_check_recording(h);
}

/* The earliest pull that is due, of the mix (-1) or of a source; VOX_NS_NEVER if none. */
static int64_t next_pull(const struct vox_recv_host *h, int *source)
{
    *source = -1;
    if (!h->options->separate)
        return vox_receiver_next_pull_ns(h->engine);
    int64_t first = VOX_NS_NEVER;
    for (int i = 0; i < h->options->max_streams; i++) {
        int64_t due = vox_receiver_source_next_pull_ns(h->engine, i);
        if (due < first) {
            first = due;
            *source = i;
        }
    }
    return first;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Does everything that is due until t_ns, in order. What turns out to have been due before is done
 * now: nobody can play in the past. */
static void advance(struct vox_recv_host *h, int64_t t_ns)
{
    while (!h->stopping) {
        int source;
        int64_t pull_ns = next_pull(h, &source);
        int64_t tick_ns = vox_receiver_next_deadline_ns(h->engine);
        if (pull_ns > t_ns && tick_ns > t_ns)
            break;
        if (tick_ns <= pull_ns) { /* a report leaves now, and says how long it has waited */
            vox_receiver_tick(h->engine, vox_clock_now_ns());
        } else {
            h->advanced_ns = later(h->advanced_ns, pull_ns);
            pull_block(h, source, h->advanced_ns);
        }
    }
    h->advanced_ns = later(h->advanced_ns, t_ns);
    vox_recording_end_sources(&h->recording, h->engine);
    vox_recv_host_check_recording(h);
}

static bool all_ended(const struct vox_recv_host *h)
{
    return h->speaker ? vox_speaker_all_ended(h->speaker) : vox_receiver_all_ended(h->engine);
}

static bool nobody_answers(const struct vox_recv_host *h, int64_t now_ns)
{
    return h->options->connect && !h->was_connected && h->options->connect_timeout_ns >= 0 &&
           now_ns - h->start_ns >= h->options->connect_timeout_ns;
}

static void look_for_the_end(struct vox_recv_host *h, int64_t now_ns)
{
    const struct vox_recv_options *o = h->options;
    if (nobody_answers(h, now_ns)) {
        vox_peers_say_unanswered(o->listen_text, "sender", o->connect_timeout_ns);
        h->failed = true;
        vox_recv_host_stop(h);
    }
    if (o->duration_ns > 0 && now_ns - h->start_ns >= o->duration_ns)
        vox_recv_host_stop(h);
    if (!all_ended(h))
        h->idle_since_ns = 0;
    else if (h->idle_since_ns == 0)
        h->idle_since_ns = now_ns;
    if (h->idle_since_ns != 0 && o->idle_exit_ns >= 0 &&
        now_ns - h->idle_since_ns >= o->idle_exit_ns)
        vox_recv_host_stop(h);
}

static void refresh_stats(struct vox_recv_host *h)
{
    vox_transport_read_stats(h->sockets[0], &h->transport_stats);
    if (h->engine)
        vox_receiver_read_stats(h->engine, &h->stats);
    else
        vox_speaker_read_stats(h->speaker, &h->stats);
}

static void show(struct vox_recv_host *h, int64_t now_ns)
{
    bool due = vox_journal_is_due(&h->journal, now_ns);
    /* Each look at the speaker's makes its callback count them for the next; its end is told with
     * them. */
    bool look = h->speaker && now_ns >= h->next_look_ns;
    if (due || look) {
        refresh_stats(h);
        h->next_look_ns = now_ns + LOOK_NS;
    }
    if (due)
        vox_journal_show(&h->journal, &h->stats, now_ns);
}

static void watch_speaker(struct vox_recv_host *h, int64_t now_ns)
{
    struct vox_audio_error error;
    switch (vox_speaker_watch(h->speaker, now_ns, &error)) {
    case VOX_SPEAKER_LOST:
        vox_message_warn("the sound card is gone (%s): trying again each second, playing on when "
                         "it is back",
                         error.text);
        break;
    case VOX_SPEAKER_BACK:
        vox_message_info("the sound card is back");
        break;
    case VOX_SPEAKER_SAME:
        break;
    }
    vox_speaker_drain(h->speaker);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct vox_recv_host *h, int64_t now_ns)
{
    int source;
    int64_t at = now_ns + LONGEST_SLEEP_NS;
    if (h->stopping)
        return;
    if (h->speaker) {
        at = now_ns + (h->options->rtx ? ASKING_SPEAKER_NS : SPEAKER_NS);
    } else {
        int64_t slack = h->options->output == VOX_OUTPUT_STDOUT ? 0 : FILE_SLACK_NS;
        int64_t pull = next_pull(h, &source);
        at = earlier(at, vox_receiver_next_deadline_ns(h->engine));
        at = pull == VOX_NS_NEVER ? at : earlier(at, pull + slack);
    }
    if (h->resting)
        at = earlier(at, now_ns + FILE_SLACK_NS);
    if (h->options->duration_ns > 0)
        at = earlier(at, h->start_ns + h->options->duration_ns);
    if (h->idle_since_ns != 0 && h->options->idle_exit_ns >= 0)
        at = earlier(at, h->idle_since_ns + h->options->idle_exit_ns);
    if (vox_journal_is_live(&h->journal))
        at = earlier(at, now_ns + VOX_JOURNAL_STATUS_NS);
    int64_t ms = (at - now_ns + VOX_NS_PER_MS - 1) / VOX_NS_PER_MS;
    uv_update_time(&h->loop);
    uv_timer_start(&h->timer, on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

/* Everything that is not a datagram: until now_ns all sockets are read. */
static void keep_house(struct vox_recv_host *h, int64_t now_ns)
{
    if (h->engine)
        advance(h, now_ns);
    else
        watch_speaker(h, now_ns);
    vox_pcap_file_tick(&h->pcap, now_ns);
    show(h, now_ns);
    look_for_the_end(h, now_ns);
    arm(h, now_ns);
}

static void push(struct vox_recv_host *h, const struct vox_transport_packet *datagram, int socket)
{
    uint32_t number = vox_paths_number(&h->paths, &datagram->from, socket);
    bool local = h->paths.items[number].local;
    h->paths.items[number].reports |= vox_rtp_is_rtcp(datagram->bytes, datagram->len);
    vox_pcap_file_push(&h->pcap, datagram, vox_transport_local(h->sockets[socket]));
    vox_trace_file_push(&h->trace, datagram->bytes, datagram->len, datagram->arrival_ns,
                        local || h->options->clock_synced);
    if (h->speaker) {
        h->dropped += !vox_speaker_push(h->speaker, datagram->bytes, datagram->len,
                                        datagram->arrival_ns, number, local);
        return;
    }
    int64_t arrival_ns = datagram->arrival_ns;
    if (arrival_ns > h->advanced_ns)
        advance(h, arrival_ns);
    vox_receiver_set_path_local(h->engine, number, local);
    vox_receiver_push(h->engine, datagram->bytes, datagram->len, arrival_ns, number);
}

static void on_readable(uv_poll_t *poll, int status, int events);

/*
 * While a source plays and the kernel notes when its packets come, they are fetched by the clock,
 * in front of the pull that may need them: for a file ten times a second. To be woken for each one
 * costs as much as to decode it. Not where what is missing is asked for: that cannot wait.
 */
static void rest(struct vox_recv_host *h, int datagrams)
{
    int source;
    bool resting = !h->options->rtx && h->engine && h->all_timed && datagrams < CROWD &&
                   next_pull(h, &source) != VOX_NS_NEVER;
    if (resting == h->resting)
        return;
    h->resting = resting;
    if (resting)
        uv_poll_stop(&h->polls[0]);
    else
        uv_poll_start(&h->polls[0], UV_READABLE | UV_PRIORITIZED, on_readable);
}

/* Who has heard a whole stream need not be told that its sender does not answer any more. */
static void tell_of_peers(struct vox_recv_host *h, int socket)
{
    struct vox_transport_event event;
    h->was_connected |= vox_transport_is_connected(h->sockets[socket]);
    while (vox_transport_event(h->sockets[socket], &event))
        if (event.kind != VOX_TRANSPORT_REFUSED || !h->options->connect || !all_ended(h))
            vox_peers_say(&h->teller, &event, vox_clock_now_ns());
}

static void read_socket(struct vox_recv_host *h, int socket)
{
    const struct vox_transport_packet *got;
    int n = VOX_TRANSPORT_BATCH, sum = 0;
    for (int batch = 0; batch < MOST_BATCHES && n == VOX_TRANSPORT_BATCH && !h->stopping; batch++) {
        n = vox_transport_receive(h->sockets[socket], &got);
        for (int i = 0; i < n; i++) {
            push(h, &got[i], socket);
            h->all_timed &= got[i].kernel_time;
        }
        sum += n > 0 ? n : 0;
    }
    tell_of_peers(h, socket);
    if (socket == 0 && !h->stopping)
        rest(h, sum);
}

static void catch_up(struct vox_recv_host *h)
{
    int64_t now_ns = vox_clock_now_ns();
    read_socket(h, 0); /* what came before now counts as before now; audio is all in this one */
    keep_house(h, now_ns);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct vox_recv_host *h = poll->data;
    (void)status;
    (void)events;
    if (h->resting) /* RTCP, before whose time there may be audio to be fetched */
        catch_up(h);
    int64_t now_ns = vox_clock_now_ns();
    read_socket(h, (int)(poll - h->polls));
    keep_house(h, now_ns);
}

static void on_timer(uv_timer_t *timer)
{
    catch_up(timer->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    catch_up(signal->data); /* what has come is not lost */
    vox_recv_host_stop(signal->data);
}

static void on_wake(uv_async_t *wake)
{
    struct vox_recv_host *h = wake->data;
    if (h->speaker)
        vox_speaker_drain(h->speaker);
}

/* ---- beginning and end ---- */

/* Before anything is opened: whoever ends us early still gets whole files and a summary. */
static void start_signals(struct vox_recv_host *h)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&h->loop, &h->signals[i]);
        h->signals[i].data = h;
        uv_signal_start(&h->signals[i], on_signal, numbers[i]);
    }
}

static void start_loop(struct vox_recv_host *h)
{
    for (int i = 0; i < VOX_RECV_SOCKETS; i++) {
        if (!h->sockets[i])
            continue;
        uv_poll_init(&h->loop, &h->polls[i], vox_transport_fd(h->sockets[i]));
        h->polls[i].data = h;
        uv_poll_start(&h->polls[i], UV_READABLE | UV_PRIORITIZED, on_readable);
    }
    uv_timer_init(&h->loop, &h->timer);
    h->timer.data = h;
    h->advanced_ns = h->start_ns;
    h->all_timed = true;
    arm(h, h->start_ns);
}

/* Files become whole, peers hear a goodbye, people a summary: on every way out. */
static void finish(struct vox_recv_host *h)
{
    int64_t now_ns = vox_clock_now_ns();
    if (h->engine)
        vox_receiver_finish(h->engine, now_ns);
    if (h->speaker) {
        vox_speaker_stop(h->speaker, now_ns);
        vox_speaker_drain(h->speaker);
    }
    if (h->engine)
        vox_recording_finish(&h->recording);
    vox_recv_host_check_recording(h);
    vox_trace_file_finish(&h->trace);
    vox_pcap_file_finish(&h->pcap);
    refresh_stats(h);
    vox_journal_end(&h->journal, &h->stats, now_ns,
                    h->engine ? vox_recording_ns(&h->recording) : 0);
    if (h->dropped > 0)
        vox_message_warn("%llu datagrams came while the sound card stood still and were dropped",
                         (unsigned long long)h->dropped);
}

/* NULL: there is no memory, or not enough file descriptors; it was said. */
static struct vox_recv_host *create_host(const struct vox_recv_options *options)
{
    struct vox_recv_host *h = calloc(1, sizeof *h); /* statistics and recorders are large */
    int err = h ? uv_loop_init(&h->loop) : UV_ENOMEM;
    if (err == 0 && (err = uv_async_init(&h->loop, &h->wake, on_wake)) != 0)
        uv_loop_close(&h->loop);
    if (err != 0) {
        vox_message_error("cannot start: %s; free some memory or file descriptors",
                          uv_strerror(err));
        free(h);
        return NULL;
    }
    h->options = options;
    h->wake.data = h;
    return h;
}

int vox_recv_host_run(const struct vox_recv_options *options)
{
    struct vox_recv_host *h = vox_files_are_left() ? create_host(options) : NULL;
    if (!h)
        return VOX_EXIT_FAILED;
    start_signals(h);
    bool ready = vox_recv_host_open(h);
    if (ready) {
        start_loop(h);
        uv_run(&h->loop, UV_RUN_DEFAULT);
        finish(h);
    }
    bool failed = !ready || h->failed || h->journal.failed || h->trace.failed || h->pcap.failed;
    vox_recv_host_close(h);
    free(h);
    return failed ? VOX_EXIT_FAILED : VOX_EXIT_DONE;
}
