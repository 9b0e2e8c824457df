/*
 * How a scenario's JSON is read: an object of settings at a time, and what is wrong told with its
 * place. For lab/scenario.c.
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_SCENARIO_READER_H
#define VOX_LAB_SCENARIO_READER_H

#include "lab/scenario.h"

enum { VOX_SCENARIO_PATH_BYTES = 160 };

struct vox_scenario_reader {
    struct vox_scenario *scenario;
    char *why;                          /* VOX_SCENARIO_WHY_BYTES */
    char path[VOX_SCENARIO_PATH_BYTES]; /* of what is being read: "networks[2]" */
};

/* Writes "PATH: sentence" and returns err. */
int vox_scenario_fail(struct vox_scenario_reader *reader, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The rows of options that an object may have as settings. */
struct vox_scenario_settings {
    const struct vox_option *rows;
    size_t count;
    const char *others; /* keys that somebody else reads, parted by one space; "" for none */
};

/* Whether a key is one of `others`. */
bool vox_scenario_is_other(const struct vox_scenario_settings *settings, const char *key);

/*
 * Reads an object of settings; "name" goes to *name, which is then the caller's. Errors, told:
 * VOX_EFORMAT, VOX_ENOMEM.
 */
int vox_scenario_read_object(struct vox_scenario_reader *reader, json_t *object,
                             const struct vox_scenario_settings *settings, char **name);

#endif
