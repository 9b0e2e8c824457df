/*
 * `voxgram-lab versus`: one sound over one network, by TCP and by UDP with each kind of protection,
 * and what each way costs and brings.
 *
 *     voxgram-lab versus --delay 50 --loss 5 --report versus.html
 *
 * Each way is a link of its own (`voxgram-lab link`, lab/link.h) with the same network and seed,
 * between a voxgram-send and a voxgram-recv that writes down every packet as it came. All run at
 * the same time, in real time, over the kernel's own TCP and UDP. Two ways that differ only in
 * what the listener does with the packets share a run.
 *
 *     versus_options.c    the command line
 *     versus_commands.c   the links that it takes, as one would type them
 *     versus_run.c        runs them
 *     versus_shot.c       what one of them has shown
 *     versus_virtual.c    the same in virtual time, with a model of TCP
 *     versus_output.c     the table, the statistics
 *     versus_report.c, versus_plots.c, versus_players.c   the page
 *
 * Thread rule: once, from main.
 */
#ifndef VOX_LAB_VERSUS_H
#define VOX_LAB_VERSUS_H

#include "audio/error.h"
#include "cli/network.h"
#include "lab/clip.h"
#include "lab/playable.h"
#include "lab/render.h"
#include "lab/versus_figures.h"
#include "lab/versus_verdict.h"
#include "sender/encoding_options.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vox_capture;
struct vox_tape;

/* What runs: an arm each, but for the two that differ only in playing. */
enum vox_versus_link {
    VOX_VERSUS_LINK_UDP,
    VOX_VERSUS_LINK_FEC,
    VOX_VERSUS_LINK_RED,
    VOX_VERSUS_LINK_RTX,
    VOX_VERSUS_LINK_CUBIC,
    VOX_VERSUS_LINK_BBR,
    VOX_VERSUS_LINKS
};

enum { VOX_VERSUS_MAX_REPEAT = 1000, VOX_VERSUS_MAX_JOBS = 64 };

struct vox_versus_options {
    const char *file;                     /* as named; "" for the clip that comes with it */
    char path[VOX_CLIP_PATH_BYTES];       /* absolute */
    char trace_path[VOX_CLIP_PATH_BYTES]; /* of the network's trace, absolute; "": none */
    struct vox_encoding_options encoding; /* its red_... are those of RED alone */
    struct vox_network_options network;
    bool one_way;
    int64_t duration_ns; /* 0: the file's */
    int64_t sound_ns;    /* of the file */
    bool again;          /* the file is shorter than that, and begins again */
    double budget_ms;
    int repeat;
    int jobs;
    bool is_virtual;
    const char *arms_text; /* NULL: all there are */
    bool has[VOX_VERSUS_ARMS];
    const char *report, *stats, *out;
    bool quiet, verbose;
};

/* Says on stderr what is wrong. */
enum vox_options_outcome vox_versus_options_parse(int argc, char **argv,
                                                  struct vox_versus_options *out);

/* Where the sound and the trace are. False: it was said which is not there. */
bool vox_versus_find_files(struct vox_versus_options *options);

enum vox_versus_link vox_versus_link_of(enum vox_versus_arm arm);
const char *vox_versus_link_name(enum vox_versus_link link);
bool vox_versus_link_is_wanted(const struct vox_versus_options *options, enum vox_versus_link link);
/* "": not TCP. */
const char *vox_versus_congestion(enum vox_versus_link link);
/* Whether the kernel has it (tcp(7)). */
bool vox_versus_kernel_has(const char *congestion);

/* ---- versus_commands.c ---- */

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

/* ---- versus_shot.c ---- */

/* What one link has shown: every packet as it came. */
struct vox_versus_shot {
    struct vox_playable_stream stream;
    struct vox_capture *capture; /* what holds the packets' bytes: a capture, or a tape */
    struct vox_tape *tape;
    struct vox_playable_packet *packets;
    size_t count;
    struct vox_playable playable;
    uint64_t bytes_there, bytes_back; /* IP packets handed to the link */
    uint64_t lost_there;              /* by the model, with those in front of a full queue */
    uint64_t unwanted;                /* that it dropped on its own account: a busy machine */
};

/*
 * From the files NAME.* of a folder. Errors, with text: VOX_EIO, VOX_EFORMAT (not what our programs
 * write), VOX_EEND (nothing came), VOX_ENOMEM.
 */
int vox_versus_shot_read(const char *folder, const char *name,
                         const struct vox_versus_options *options, struct vox_versus_shot *out,
                         struct vox_audio_error *error);
/* What all streams of these options have in common. */
void vox_versus_stream_init(struct vox_playable_stream *stream,
                            const struct vox_versus_options *options);
void vox_versus_shot_clear(struct vox_versus_shot *shot);

/* ---- the whole ---- */

struct vox_versus_result {
    const struct vox_versus_options *options;
    struct vox_versus_budgets budgets;
    double extra_ms; /* frame and look-ahead */
    double *values;  /* of each arm, each seed: VOX_VERSUS_FIGURES */
    struct vox_versus_table table;
    struct vox_versus_verdict verdicts[VOX_VERSUS_MAX_BUDGETS];
    char plain_text[VOX_VERSUS_TEXT_BYTES];
    struct vox_versus_shot first[VOX_VERSUS_LINKS]; /* of the first seed */
    uint64_t unwanted;
};

double *vox_versus_values(const struct vox_versus_result *result, enum vox_versus_arm arm,
                          int repeat);

/* One seed's shots become figures; those of the first are kept, the others cleared. Errors:
 * VOX_ENOMEM. */
int vox_versus_take(struct vox_versus_result *result, int repeat,
                    struct vox_versus_shot shots[VOX_VERSUS_LINKS]);

/* ---- versus_run.c ---- */

/*
 * All links with all seeds, in real time; in a child of the guard (lab/family.h). Returns the exit
 * status; what went wrong was said on stderr. Nothing is left in the temporary folder.
 */
int vox_versus_run(struct vox_versus_result *result);

/* ---- versus_virtual.c ---- */

int vox_versus_run_virtual(struct vox_versus_result *result);

/* ---- versus_output.c ---- */

/* To stderr. */
void vox_versus_summary(const struct vox_versus_result *result);
/* Errors: VOX_EIO with errno set, VOX_ENOMEM. */
int vox_versus_json(const struct vox_versus_result *result, FILE *out);
/* What the listener of an arm heard, as NAME.wav in a folder. */
int vox_versus_write_sounds(const struct vox_versus_result *result, const char *folder,
                            struct vox_audio_error *error);
int vox_versus_render(const struct vox_versus_result *result, enum vox_versus_arm arm,
                      struct vox_render *out);

/* ---- versus_report.c ---- */

/* Errors, with text: those of vox_lab_report_write. */
int vox_versus_report_write(const char *path, const struct vox_versus_result *result,
                            struct vox_audio_error *error);

int vox_versus_main(int argc, char **argv);

#endif
