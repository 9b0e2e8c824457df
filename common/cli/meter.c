#include "cli/meter.h"

#include "base/bytes.h"

#include <langinfo.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EIGHTHS = 8 };

#define YELLOW_FROM_DB (-12.0)
#define RED_FROM_DB (-3.0)

enum colour { PLAIN, GREEN, YELLOW, RED };

static const char *const colour_codes[] = {"\033[0m", "\033[32m", "\033[33m", "\033[31m"};

/* Left parts of a cell, by eighths (U+258F..U+2588). */
static const char *const utf8_parts[EIGHTHS + 1] = {" ",
                                                    "\xe2\x96\x8f",
                                                    "\xe2\x96\x8e",
                                                    "\xe2\x96\x8d",
                                                    "\xe2\x96\x8c",
                                                    "\xe2\x96\x8b",
                                                    "\xe2\x96\x8a",
                                                    "\xe2\x96\x89",
                                                    "\xe2\x96\x88"};
static const char utf8_peak[] = "\xe2\x94\x82"; /* U+2502 */

struct vox_meter_style vox_meter_style(int fd)
{
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    return (struct vox_meter_style){
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour = isatty(fd) && (!term || strcmp(term, "dumb") != 0) && !(no_colour && *no_colour),
    };
}

static void put(struct vox_writer *w, const char *text)
{
    vox_write_bytes(w, text, strlen(text));
}

/* Terminates what was written; nothing, if not all of it fitted. */
static size_t finish(struct vox_writer *w, char *out, size_t capacity)
{
    vox_write_u8(w, 0);
    if (w->failed && capacity > 0)
        out[0] = '\0';
    return w->failed ? 0 : w->size - 1;
}

static int clamp_cells(int cells)
{
    return cells < 1 ? 1 : cells > VOX_METER_MAX_CELLS ? VOX_METER_MAX_CELLS : cells;
}

/* Where a share lies on a bar, in eighths of a cell; NaN is nothing. */
static int position(double share, int cells)
{
    if (!(share > 0))
        return 0;
    return share >= 1 ? cells * EIGHTHS : (int)(share * cells * EIGHTHS);
}

static const char *part(int eighths, struct vox_meter_style style)
{
    int filled = eighths < 0 ? 0 : eighths > EIGHTHS ? EIGHTHS : eighths;
    if (style.utf8)
        return utf8_parts[filled];
    return filled >= EIGHTHS / 2 ? "#" : "-";
}

static double share_of_db(double db)
{
    return 1 - db / VOX_METER_FLOOR_DB;
}

static enum colour colour_at(int cell, int cells)
{
    double db = VOX_METER_FLOOR_DB - VOX_METER_FLOOR_DB * cell / cells;
    return db >= RED_FROM_DB ? RED : db >= YELLOW_FROM_DB ? YELLOW : GREEN;
}

size_t vox_meter_level(double rms_db, double peak_db, int cells, struct vox_meter_style style,
                       char *out, size_t capacity)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    cells = clamp_cells(cells);
    int level = position(share_of_db(rms_db), cells);
    int peak = position(share_of_db(peak_db), cells);
    int peak_cell = peak == 0 ? -1 : (peak - 1) / EIGHTHS;
    enum colour now = PLAIN;
    for (int i = 0; i < cells; i++) {
        enum colour wanted = colour_at(i, cells);
        if (style.colour && wanted != now)
            put(&w, colour_codes[now = wanted]);
        bool mark = i == peak_cell && level < (i + 1) * EIGHTHS;
        put(&w, mark ? (style.utf8 ? utf8_peak : "|") : part(level - i * EIGHTHS, style));
    }
    if (now != PLAIN)
        put(&w, colour_codes[PLAIN]);
    return finish(&w, out, capacity);
}

size_t vox_meter_progress(double share, int cells, struct vox_meter_style style, char *out,
                          size_t capacity)
{
    struct vox_writer w = vox_writer_of(out, capacity);
    cells = clamp_cells(cells);
    int done = position(share, cells);
    for (int i = 0; i < cells; i++)
        put(&w, part(done - i * EIGHTHS, style));
    return finish(&w, out, capacity);
}

/* Bytes of the ANSI sequence (ECMA-48, section 5.4: CSI ... final byte 0x40..0x7e) at text; 0 if
 * none. */
static size_t sequence_bytes(const char *text)
{
    if (text[0] != '\033' || text[1] != '[')
        return 0;
    size_t len = 2;
    while (text[len] && (text[len] < 0x40 || text[len] > 0x7e))
        len++;
    return text[len] ? len + 1 : len;
}

static size_t character_bytes(const char *text)
{
    size_t len = 1;
    while (((unsigned char)text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

size_t vox_meter_cut(const char *text, size_t columns)
{
    size_t at = 0;
    for (size_t taken = 0; text[at];) {
        size_t sequence = sequence_bytes(text + at);
        if (sequence == 0 && taken++ == columns)
            break;
        at += sequence ? sequence : character_bytes(text + at);
    }
    return at;
}
