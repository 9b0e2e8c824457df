/*
 * The model of TCP (lab/tcp_model.h) with the messages of tcp_probe.c: the same rows, from
 * arguments like those of `voxgram-lab link`.
 *
 *     bench_tcp_model COUNT DELAY_MS JITTER_MS LOSS_PCT BURST SEED both|one-way
 */
#include "base/rng.h"
#include "base/time.h"
#include "lab/tcp_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_BYTES = 162, INTERVAL_MS = 20, BACK_STREAM = 77 };

static void print(const struct vox_tcp_message *message)
{
    printf("%" PRIu64 " %" PRId64 " %" PRId64 "\n", message->index,
           message->written_ns / VOX_NS_PER_US, message->readable_ns / VOX_NS_PER_US);
}

static void configure(char **argv, struct vox_tcp_model_config *config)
{
    struct vox_rng rng;
    struct vox_impair_config *there = &config->there;
    vox_tcp_model_config_init(config);
    there->delay_ns = vox_ms_to_ns(atof(argv[0]));
    there->jitter_ns = vox_ms_to_ns(atof(argv[1]));
    there->loss = atof(argv[2]) / 100;
    there->burst_packets = atof(argv[3]);
    there->seed = strtoull(argv[4], NULL, 10);
    config->back = *there;
    if (strcmp(argv[5], "one-way") == 0) {
        vox_impair_config_init(&config->back);
        config->back.delay_ns = 0;
    }
    vox_rng_init(&rng, there->seed, BACK_STREAM);
    config->back.seed = vox_rng_u64(&rng);
}

static void tell(const struct vox_tcp_model *model)
{
    struct vox_tcp_model_stats s;
    vox_tcp_model_read_stats(model, &s);
    fprintf(stderr,
            "segments %" PRIu64 " acks %" PRIu64 " repeated %" PRIu64 " probes %" PRIu64
            " timeouts %" PRIu64 " recoveries %" PRIu64 " undone %" PRIu64 "\n",
            s.sender.segments, s.acks, s.sender.repeated, s.sender.probes, s.sender.timeouts,
            s.sender.recoveries, s.sender.undone);
}

int main(int argc, char **argv)
{
    struct vox_tcp_model_config config;
    struct vox_tcp_model *model;
    struct vox_tcp_message message;
    if (argc != 8) {
        fprintf(stderr, "usage: %s COUNT DELAY_MS JITTER_MS LOSS_PCT BURST SEED both|one-way\n",
                argv[0]);
        return 2;
    }
    configure(argv + 2, &config);
    if (vox_tcp_model_create(&config, &model) < 0)
        return 1;
    for (int64_t i = 0; i < atoll(argv[1]); i++)
        if (vox_tcp_model_write(model, i * INTERVAL_MS * VOX_NS_PER_MS, FRAME_BYTES) < 0)
            return 1;
    while (vox_tcp_model_read(model, VOX_NS_NEVER, &message))
        print(&message);
    tell(model);
    vox_tcp_model_destroy(model);
    return 0;
}
