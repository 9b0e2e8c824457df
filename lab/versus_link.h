/*
 * What `voxgram-lab versus` runs: a link for each way, but for the two that differ only in playing.
 *
 *     enum vox_versus_link link = vox_versus_link_of(VOX_VERSUS_CONCEAL);    // ..._LINK_UDP
 *
 * Thread rule: pure, but for kernel_has, which reads a file of /proc.
 */
#ifndef VOX_LAB_VERSUS_LINK_H
#define VOX_LAB_VERSUS_LINK_H

#include "lab/versus_figures.h"

#include <stdbool.h>

enum vox_versus_link {
    VOX_VERSUS_LINK_UDP,
    VOX_VERSUS_LINK_FEC,
    VOX_VERSUS_LINK_RED,
    VOX_VERSUS_LINK_RTX,
    VOX_VERSUS_LINK_CUBIC,
    VOX_VERSUS_LINK_BBR,
    VOX_VERSUS_LINKS
};

enum vox_versus_link vox_versus_link_of(enum vox_versus_arm arm);
/* As files and messages have it: "udp", "retransmission". */
const char *vox_versus_link_name(enum vox_versus_link link);
/* Whether one of these arms needs it. */
bool vox_versus_link_is_wanted(enum vox_versus_link link, const bool has[VOX_VERSUS_ARMS]);

/* "": not TCP. */
const char *vox_versus_congestion(enum vox_versus_link link);
/* Whether the kernel has it (tcp(7)). */
bool vox_versus_kernel_has(const char *congestion);

#endif
