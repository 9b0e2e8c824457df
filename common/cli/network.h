/*
 * The options of the simulated network, the same in every program that has one: rows for its table
 * of options, and the way from there to the model (channel/impair.h).
 *
 *     struct vox_network_options network;
 *     vox_network_options_init(&network);
 *     count += vox_network_options_rows(&network, "Simulated network", rows + count);
 *     ...                                                   // vox_options_parse
 *     if (!vox_network_options_check(&network))
 *         return VOX_OPTIONS_WRONG;
 *     vox_network_options_impair(&network, &config);
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_CLI_NETWORK_H
#define VOX_CLI_NETWORK_H

#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_impair_config;
struct vox_trace;

enum { VOX_NETWORK_OPTIONS = 9, VOX_NETWORK_ERROR_BYTES = 240 };

struct vox_network_options {
    double loss; /* shares are 0..1 */
    double burst_packets;
    int64_t delay_ns;
    int64_t jitter_ns;
    double reorder;
    double duplicate;
    int rate_limit_bps; /* 0: none */
    const char *trace;  /* its file, borrowed from argv; NULL: none */
    uint64_t seed;
};

/* A perfect network, seed 1. */
void vox_network_options_init(struct vox_network_options *options);

/* Writes VOX_NETWORK_OPTIONS rows that write into options, and returns how many that are. */
size_t vox_network_options_rows(struct vox_network_options *options, const char *group,
                                struct vox_option *rows);

/* Whether they go together; says on stderr what does not. */
bool vox_network_options_check(const struct vox_network_options *options);

/* Whether any of them is more than a seed. */
bool vox_network_options_any(const struct vox_network_options *options);

/* Those options for the model; trace and packet_ns stay at their defaults. */
void vox_network_options_impair(const struct vox_network_options *options,
                                struct vox_impair_config *out);

/*
 * Reads a trace. Errors: VOX_EIO (not readable), VOX_EFORMAT, VOX_ENOMEM; why then holds a sentence
 * with the file's name, and the line where there is one.
 */
int vox_network_trace_read(const char *path, struct vox_trace **out,
                           char why[VOX_NETWORK_ERROR_BYTES]);

#endif
