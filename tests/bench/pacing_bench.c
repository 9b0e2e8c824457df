/*
 * How exactly datagrams leave: the pacer beside a bare loop of clock_nanosleep and sendto, over
 * loopback, on the kernel's arrival times.
 *
 *     bench_pacing [SECONDS [FRAME_MS]]
 *
 * For each way: how far after its due time a datagram arrived (p50, p99, most), the share within
 * 0.2 ms, and the processor time per datagram of the whole process.
 */
#include "base/histogram.h"
#include "base/time.h"
#include "net/clock.h"
#include "net/pacer.h"
#include "net/transport.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { PACKET_BYTES = 120, LEAD_FRAMES = 8 };

#define TOLERANCE_NS (200 * VOX_NS_PER_US)

struct bench {
    struct vox_transport *receiver, *sender;
    int64_t frame_ns;
    int packets;
    atomic_bool done;
    /* of the run that is going on */
    struct vox_histogram off;
    int arrived, within, early;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_pacing: %s\n", what);
    exit(1);
}

static void take(struct bench *bench, const struct vox_transport_packet *datagram)
{
    int64_t due_ns;
    memcpy(&due_ns, datagram->bytes, sizeof due_ns);
    int64_t off_ns = datagram->arrival_ns - due_ns;
    bench->early += off_ns < 0;
    if (off_ns < 0)
        off_ns = -off_ns;
    vox_histogram_add(&bench->off, off_ns);
    bench->within += off_ns <= TOLERANCE_NS;
    bench->arrived++;
}

/* Wakes rarely, so that receiving does not get into the way: the stamps are the kernel's. */
static void *receive(void *arg)
{
    struct bench *bench = arg;
    bool last = false;
    while (!last) {
        last = atomic_load(&bench->done);
        vox_clock_sleep_until(vox_clock_now_ns() + 20 * VOX_NS_PER_MS);
        const struct vox_transport_packet *got;
        int count;
        while ((count = vox_transport_receive(bench->receiver, &got)) > 0)
            for (int i = 0; i < count; i++)
                take(bench, &got[i]);
    }
    return NULL;
}

static void send_bare(struct bench *bench, int64_t start_ns)
{
    uint8_t bytes[PACKET_BYTES] = {0};
    for (int i = 0; i < bench->packets; i++) {
        int64_t due_ns = start_ns + i * bench->frame_ns;
        memcpy(bytes, &due_ns, sizeof due_ns);
        vox_clock_sleep_until(due_ns);
        vox_transport_send(bench->sender, bytes, sizeof bytes, NULL, NULL);
    }
}

/* The owner pushes in lumps, LEAD_FRAMES ahead, as a program does that reads a file. */
static void push_all(struct bench *bench, struct vox_pacer *pacer, int64_t start_ns)
{
    uint8_t bytes[PACKET_BYTES] = {0};
    for (int i = 0; i < bench->packets; i++) {
        int64_t due_ns = start_ns + i * bench->frame_ns;
        memcpy(bytes, &due_ns, sizeof due_ns);
        if (i % LEAD_FRAMES == 0)
            vox_clock_sleep_until(due_ns - LEAD_FRAMES * bench->frame_ns);
        if (vox_pacer_push(pacer, bytes, sizeof bytes, 0, &due_ns, 1) < 0)
            fail("the pacer refuses");
    }
    if (vox_pacer_drain(pacer, vox_clock_now_ns() + VOX_NS_PER_S) > 0)
        fail("the pacer does not drain");
}

static void print_row(const char *name, const struct vox_histogram *h, double within, double cpu_us)
{
    printf("%-34s %8.1f %8.1f %8.1f %8.1f", name, (double)vox_histogram_quantile_ns(h, 0.5) / 1e3,
           (double)vox_histogram_quantile_ns(h, 0.99) / 1e3,
           (double)vox_histogram_quantile_ns(h, 0.999) / 1e3, (double)h->max_ns / 1e3);
    if (within >= 0)
        printf(" %9.3f %% %8.2f", 100 * within, cpu_us);
    printf("\n");
}

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void measure(struct bench *bench, struct vox_pacer *pacer, const char *name)
{
    vox_histogram_init(&bench->off);
    bench->arrived = bench->within = bench->early = 0;
    atomic_store(&bench->done, false);
    pthread_t receiver;
    if (pthread_create(&receiver, NULL, receive, bench) != 0)
        fail("no thread");
    double before_s = cpu_s();
    int64_t start_ns = vox_clock_now_ns() + 50 * VOX_NS_PER_MS;
    if (pacer)
        push_all(bench, pacer, start_ns);
    else
        send_bare(bench, start_ns);
    atomic_store(&bench->done, true);
    pthread_join(receiver, NULL);
    if (bench->arrived != bench->packets)
        fail("datagrams were lost on loopback");
    print_row(name, &bench->off, (double)bench->within / bench->packets,
              (cpu_s() - before_s) * 1e6 / bench->packets);
}

static void open_sockets(struct bench *bench)
{
    struct vox_transport_config config;
    struct vox_net_error error;
    vox_transport_config_init(&config);
    if (vox_transport_lookup("127.0.0.1:0", 0, &config, &error) < 0 ||
        vox_transport_open(&config, &bench->receiver, &error) < 0)
        fail(error.text);
    config.role = VOX_TRANSPORT_CALL;
    config.address = *vox_transport_local(bench->receiver);
    if (vox_transport_open(&config, &bench->sender, &error) < 0)
        fail(error.text);
}

static void measure_pacer(struct bench *bench, bool realtime)
{
    struct vox_pacer_config config;
    struct vox_pacer *pacer;
    struct vox_net_error error;
    vox_pacer_config_init(&config);
    config.transport = bench->sender;
    config.realtime = realtime;
    if (vox_pacer_create(&config, &pacer, &error) < 0)
        fail(error.text);
    measure(bench, pacer, realtime ? "pacer" : "pacer, ordinary scheduling");
    vox_pacer_stop(pacer);
    struct vox_pacer_stats stats;
    vox_pacer_read_stats(pacer, &stats);
    print_row(stats.realtime ? "  its own reckoning (SCHED_FIFO)" : "  its own reckoning",
              vox_pacer_late(pacer), -1, 0);
    vox_pacer_destroy(pacer);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
    double frame_ms = argc > 2 ? strtod(argv[2], NULL) : 2.5;
    if (!(seconds > 0 && seconds <= 3600 && frame_ms >= 0.1 && frame_ms <= 1000))
        fail("usage: bench_pacing [SECONDS [FRAME_MS]]");
    static struct bench bench;
    bench.frame_ns = vox_ms_to_ns(frame_ms);
    bench.packets = (int)(seconds * 1e3 / frame_ms);
    open_sockets(&bench);
    printf("%d datagrams every %g ms over loopback; arrival off due time\n", bench.packets,
           frame_ms);
    printf("%-34s %8s %8s %8s %8s %11s %8s\n", "us", "p50", "p99", "p99.9", "most", "in 0.2 ms",
           "CPU us");
    measure(&bench, NULL, "clock_nanosleep + sendto");
    measure_pacer(&bench, true);
    measure_pacer(&bench, false);
    vox_transport_close(bench.sender);
    vox_transport_close(bench.receiver);
    return 0;
}
