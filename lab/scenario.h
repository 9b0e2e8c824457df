/*
 * What a sweep is to try: files x encoders x networks x receivers x seeds, from JSON. docs/lab.md
 * has the format by example.
 *
 *     struct vox_scenario scenario;
 *     char why[VOX_SCENARIO_WHY_BYTES];
 *     if (vox_scenario_parse(text, len, &scenario, why) < 0)
 *         fail("%s: %s", path, why);
 *     for (int64_t row = 0; row < scenario.row_count; row++)
 *         try(vox_scenario_place(&scenario, row));
 *     vox_scenario_clear(&scenario);
 *
 * A row of the matrix has a number: seeds vary fastest, then receivers, networks, encoders, and
 * files slowest; so all rows of one encoded recording stand together, and a longer list of files
 * changes no number.
 *
 * Only the text is looked at: whether files exist is for lab/sweep_plan.h.
 *
 * Thread rule: parse allocates; read from any thread after.
 */
#ifndef VOX_LAB_SCENARIO_H
#define VOX_LAB_SCENARIO_H

#include "cli/network.h"
#include "receiver/playout_options.h"
#include "sender/encoding_options.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_SCENARIO_MAX_BYTES = 64 << 20,
    VOX_SCENARIO_MAX_FILES = 10000,
    VOX_SCENARIO_MAX_ENCODERS = 1000,
    VOX_SCENARIO_MAX_NETWORKS = 100000,
    VOX_SCENARIO_MAX_RECEIVERS = 1000,
    VOX_SCENARIO_MAX_SEEDS = 1000000,
    VOX_SCENARIO_MAX_ROWS = 10000000,
    VOX_SCENARIO_MAX_SECONDS = 86400, /* of a file */
    VOX_SCENARIO_NAME_BYTES = 200,
    VOX_SCENARIO_WHY_BYTES = 600,
    VOX_SCENARIO_ROWS = 16, /* at most, of the options of one kind of setting */
};

/* Names are for tables and plots; those that are not given are made up ("network-2"). */
struct vox_scenario_file {
    char *name;
    const char *path;    /* as written */
    int64_t duration_ns; /* 0: to its end */
    bool loop;           /* from the beginning again until duration_ns */
};

struct vox_scenario_encoder {
    char *name;
    struct vox_encoding_options options; /* settled */
};

struct vox_scenario_network {
    char *name;
    struct vox_network_options options; /* without seed; trace as written */
};

struct vox_scenario_receiver {
    char *name;
    struct vox_playout_options options;
    double speaker_block_ms; /* 0: none, a file */
    double speaker_skew_ppm;
    int64_t speaker_latency_ns;
};

struct vox_scenario {
    char *name;   /* of the whole; NULL if it has none */
    bool quality; /* the sound of each row is compared with the clean decode */
    struct vox_scenario_file *files;
    struct vox_scenario_encoder *encoders;
    struct vox_scenario_network *networks;
    struct vox_scenario_receiver *receivers;
    size_t file_count, encoder_count, network_count, receiver_count, seed_count;
    uint64_t *seeds;
    int64_t row_count;
    json_t *root; /* of which texts are borrowed */
};

/* One row: index into each list. */
struct vox_scenario_place {
    size_t file, encoder, network, receiver, seed;
};

/*
 * Errors, with a sentence that has line and column or the JSON path (networks[2].loss_pct), the
 * value and what is wrong: VOX_EFORMAT (no JSON, or no scenario: unknown key, wrong type, outside
 * of a range, an empty list, a name or seed twice, settings that do not go together), VOX_ELIMIT
 * (more than the limits above), VOX_ENOMEM.
 */
int vox_scenario_parse(const char *text, size_t len, struct vox_scenario *out,
                       char why[VOX_SCENARIO_WHY_BYTES]);
void vox_scenario_clear(struct vox_scenario *scenario);

/* row: 0 .. row_count - 1. */
struct vox_scenario_place vox_scenario_place(const struct vox_scenario *scenario, int64_t row);

/* The settings that a scenario's file has, as options. Writes at most VOX_SCENARIO_ROWS rows. */
size_t vox_scenario_file_rows(struct vox_scenario_file *file, struct vox_option *rows);
/* Those of a network: all of voxgram-send's but the seed. */
size_t vox_scenario_network_rows(struct vox_scenario_network *network, struct vox_option *rows);
/* Those of a receiver: the playout, and the loudspeaker of voxgram-lab replay. */
size_t vox_scenario_receiver_rows(struct vox_scenario_receiver *receiver, struct vox_option *rows);

#endif
