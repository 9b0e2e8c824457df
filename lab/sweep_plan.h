/*
 * A scenario with all that it names: sound files, traces, and the text of each row's settings.
 *
 *     struct vox_sweep_plan plan;
 *     if (vox_sweep_plan_open("matrix.json", &plan, why) < 0)
 *         fail("%s", why);
 *     vox_sweep_plan_record(&plan, vox_sweep_plan_sound(&plan, row), &sound, why);
 *     vox_sweep_plan_cell(&plan, row, &config);
 *     vox_sweep_plan_close(&plan);
 *
 * Every row has an id: a hash of all its settings, of the content of its sound file and its trace,
 * and of the version of this program. Rows of another scenario, of a file that has changed or of
 * another version are told by it.
 *
 * Thread rule: open and close in one thread; between them all may read, and record.
 */
#ifndef VOX_LAB_SWEEP_PLAN_H
#define VOX_LAB_SWEEP_PLAN_H

#include "channel/trace.h"
#include "lab/scenario.h"
#include "lab/sweep_cell.h"

#include <stddef.h>
#include <stdint.h>

enum {
    VOX_SWEEP_WHY_BYTES = 5000,
    VOX_SWEEP_SETTINGS_BYTES = 16384, /* of a row, as CSV; the header's too */
};

struct vox_sweep_file {
    char *path;
    uint64_t content;    /* its hash */
    int channels;        /* of the file */
    int64_t duration_ns; /* of what is sent of it; -1: only its end will tell */
};

struct vox_sweep_trace {
    char *path;
    uint64_t content;
    struct vox_trace *trace;
};

struct vox_sweep_plan {
    struct vox_scenario scenario;
    char *folder; /* of the scenario, with "/" at its end; "" for the current one */
    struct vox_sweep_file *files;
    struct vox_sweep_trace *traces;
    size_t trace_count;
    struct vox_sweep_trace **trace_of; /* each network's; NULL: none */
    /* CSV of the settings, for each item of each list. Encoders have two: for one and two channels
     * in the file. */
    char **file_texts, **encoder_texts, **network_texts, **receiver_texts;
    int64_t rows_per_sound;
    size_t sound_count; /* files x encoders */
};

/*
 * Errors, with a sentence that names file and line or setting: those of vox_scenario_parse;
 * VOX_EIO (the scenario cannot be read), those of vox_file_open and vox_network_trace_read.
 */
int vox_sweep_plan_open(const char *path, struct vox_sweep_plan *out,
                        char why[VOX_SWEEP_WHY_BYTES]);
void vox_sweep_plan_close(struct vox_sweep_plan *plan);

/* How long a trace lasts before it begins again. */
int64_t vox_sweep_trace_duration_ns(const struct vox_sweep_trace *trace);

/* Which recording, as encoded, a row is about. */
size_t vox_sweep_plan_sound(const struct vox_sweep_plan *plan, int64_t row);

/* Reads and encodes it. Errors, with a sentence: those of vox_clip_load and vox_sweep_sound_make;
 * VOX_EFORMAT for a damaged file. */
int vox_sweep_plan_record(const struct vox_sweep_plan *plan, size_t sound,
                          struct vox_sweep_sound *out, char why[VOX_SWEEP_WHY_BYTES]);

/* Network, receiver and loudspeaker of a row; the sound stays. */
void vox_sweep_plan_cell(const struct vox_sweep_plan *plan, int64_t row,
                         struct vox_sweep_cell_config *out);

uint64_t vox_sweep_plan_id(const struct vox_sweep_plan *plan, int64_t row);

/* "speech,0,false,voice,...,1": as the columns of the header. Returns the length. */
size_t vox_sweep_plan_settings(const struct vox_sweep_plan *plan, int64_t row,
                               char out[VOX_SWEEP_SETTINGS_BYTES]);
/* "file,file.duration_s,...,seed". */
size_t vox_sweep_plan_header(char out[VOX_SWEEP_SETTINGS_BYTES]);

#endif
