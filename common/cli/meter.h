/*
 * Bars for the terminal: the level of the sound and how far a file has got. Text only; see
 * cli/status.h for showing it.
 *
 *     char bar[VOX_METER_BYTES];
 *     vox_meter_level(rms_db, peak_db, 20, vox_meter_style(STDERR_FILENO), bar, sizeof bar);
 *
 * Thread rule: pure, any thread; style reads locale and environment.
 */
#ifndef VOX_CLI_METER_H
#define VOX_CLI_METER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    VOX_METER_MAX_CELLS = 80,
    VOX_METER_BYTES = 512, /* holds any bar of that many cells, with colours */
};

#define VOX_METER_FLOOR_DB (-60.0) /* the left end of the level bar; the right one is 0 dBFS */

struct vox_meter_style {
    bool utf8;   /* else ASCII */
    bool colour; /* ANSI sequences: green, yellow from -12, red from -3 dBFS */
};

/*
 * UTF-8 if the locale says so (call setlocale(LC_CTYPE, "") before), colour if fd is a terminal,
 * TERM is not dumb and NO_COLOR is not set (https://no-color.org).
 */
struct vox_meter_style vox_meter_style(int fd);

/*
 * The RMS level as a bar of `cells` (1..80) columns with a mark at the peak. NaN and anything below
 * the floor is an empty bar. Return length, always terminated; a bar that does not fit: "" and 0.
 */
size_t vox_meter_level(double rms_db, double peak_db, int cells, struct vox_meter_style style,
                       char *out, size_t capacity);
/* How much of it is done, 0..1 (clamped). */
size_t vox_meter_progress(double share, int cells, struct vox_meter_style style, char *out,
                          size_t capacity);

/*
 * Bytes of the longest beginning of text, in whole characters, that takes at most `columns` on a
 * terminal: those of UTF-8 characters; ANSI sequences take none.
 */
size_t vox_meter_cut(const char *text, size_t columns);

#endif
