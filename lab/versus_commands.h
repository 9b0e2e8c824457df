/*
 * The links that `voxgram-lab versus` takes, as one would type them: to run them, and to show them.
 *
 *     struct vox_versus_programs programs;
 *     static struct vox_versus_command command;
 *     if (vox_versus_find_programs(&programs)) {
 *         vox_versus_command_make(&options, &programs, VOX_VERSUS_LINK_RED, 1, "red-1", &command);
 *         execv(command.words[0], command.words);
 *     }
 *
 * Thread rule: value, one owner. Large: not for a stack.
 */
#ifndef VOX_LAB_VERSUS_COMMANDS_H
#define VOX_LAB_VERSUS_COMMANDS_H

#include "lab/versus_link.h"
#include "lab/versus_options.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_VERSUS_MAX_WORDS = 96, VOX_VERSUS_WORDS_BYTES = 3 * PATH_MAX };

/* A command line. */
struct vox_versus_command {
    char *words[VOX_VERSUS_MAX_WORDS]; /* ended by NULL, in text */
    int count;
    char text[VOX_VERSUS_WORDS_BYTES];
    size_t used;
};

/* Where voxgram-send and voxgram-recv are: beside this program, else to be found in PATH. */
struct vox_versus_programs {
    char lab[PATH_MAX], send[PATH_MAX], recv[PATH_MAX];
};

/* False: said on stderr which is not there. */
bool vox_versus_find_programs(struct vox_versus_programs *out);

/*
 * One link with one seed. Its files are NAME.link.json, NAME.send.json, NAME.recv.json, NAME.pcap
 * in the current folder. programs NULL: for people, with the names as they are typed.
 */
void vox_versus_command_make(const struct vox_versus_options *options,
                             const struct vox_versus_programs *programs, enum vox_versus_link link,
                             uint64_t seed, const char *name, struct vox_versus_command *out);
/* As a shell takes it. */
void vox_versus_command_print(const struct vox_versus_command *command, char *out, size_t capacity);
/* The options of the network that are not as by default: "--loss 5 --delay 20". */
void vox_versus_network_print(const struct vox_versus_options *options, char *out, size_t capacity);

#endif
