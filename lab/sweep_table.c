#include "lab/sweep_table.h"

#include "audio/error.h"
#include "base/err.h"
#include "lab/sweep_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 20 };

struct vox_sweep_table {
    const struct vox_sweep_plan *plan;
    char *path;
    int fd;
    uint8_t *has; /* a bit for each row */
    int64_t count;
    int64_t last; /* row appended last */
    bool in_order;
    bool was_torn;
};

static int fail_errno(const char *verb, const char *path, char why[VOX_SWEEP_WHY_BYTES])
{
    int err = vox_audio_code_of_errno(errno);
    snprintf(why, VOX_SWEEP_WHY_BYTES, "cannot %s %s: %s", verb, path, strerror(errno));
    return err;
}

/* ---- reading a table ---- */

struct text {
    const char *bytes; /* mapped; NULL if empty */
    size_t len;
};

static int map_text(int fd, const char *path, struct text *out, char why[VOX_SWEEP_WHY_BYTES])
{
    struct stat info;
    *out = (struct text){0};
    if (fstat(fd, &info) < 0)
        return fail_errno("read", path, why);
    if (!S_ISREG(info.st_mode)) {
        snprintf(why, VOX_SWEEP_WHY_BYTES,
                 "%s is no plain file; a sweep goes on from what is in it", path);
        return VOX_EFORMAT;
    }
    if (info.st_size == 0)
        return 0;
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return fail_errno("read", path, why);
    *out = (struct text){bytes, (size_t)info.st_size};
    return 0;
}

static int open_text(const char *path, struct text *out, char why[VOX_SWEEP_WHY_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = (struct text){0};
    if (fd < 0)
        return fail_errno("open", path, why);
    int err = map_text(fd, path, out, why);
    close(fd);
    return err;
}

static void unmap_text(struct text *text)
{
    if (text->bytes)
        munmap((void *)(uintptr_t)text->bytes, text->len);
    *text = (struct text){0};
}

/* Length of the header; 0 if there is none yet, or a part of it. */
static int skip_header(const struct text *text, const char *path, size_t *len,
                       char why[VOX_SWEEP_WHY_BYTES])
{
    char header[VOX_SWEEP_LINE_BYTES];
    size_t whole = vox_sweep_line_header(header);
    size_t shown = text->len < whole ? text->len : whole;
    *len = text->len < whole ? 0 : whole;
    if (shown == 0 || memcmp(text->bytes, header, shown) == 0)
        return 0;
    snprintf(why, VOX_SWEEP_WHY_BYTES,
             "%s: line 1 is not the header of a sweep by this version of the program; name another "
             "file, or --restart",
             path);
    return VOX_EFORMAT;
}

static int fail_line(int err, const char *path, size_t number, char why[VOX_SWEEP_WHY_BYTES])
{
    snprintf(why, VOX_SWEEP_WHY_BYTES, "%s: line %zu %s; name another file, or --restart", path,
             number,
             err == VOX_ENOTFOUND
                 ? "is of another scenario, of sound or traces that have changed since, or of "
                   "another version of the program"
                 : "is damaged: no row of a sweep");
    return VOX_EFORMAT;
}

/* good: bytes up to the end of the last whole line. */
static int scan(const struct vox_sweep_plan *plan, const struct text *text, const char *path,
                const struct vox_sweep_visitor *visitor, size_t *good,
                char why[VOX_SWEEP_WHY_BYTES])
{
    size_t at;
    int err = skip_header(text, path, &at, why);
    *good = at;
    for (size_t number = 2; err >= 0 && at > 0 && at < text->len; number++) {
        const char *line = text->bytes + at;
        const char *end = memchr(line, '\n', text->len - at);
        int64_t row;
        if (!end)
            break;
        err = vox_sweep_line_row(plan, line, (size_t)(end - line), &row);
        if (err < 0)
            return fail_line(err, path, number, why);
        size_t len = (size_t)(end - line) + 1;
        err = visitor->visit(visitor->ctx, row, line, len);
        if (err == VOX_EFORMAT)
            snprintf(why, VOX_SWEEP_WHY_BYTES,
                     "%s: line %zu has other results for row %lld than a table before", path,
                     number, (long long)row);
        at += len;
        *good = at;
    }
    return err;
}

int vox_sweep_table_read(const struct vox_sweep_plan *plan, const char *path,
                         const struct vox_sweep_visitor *visitor, char why[VOX_SWEEP_WHY_BYTES])
{
    struct text text;
    size_t good;
    int err = open_text(path, &text, why);
    if (err >= 0)
        err = scan(plan, &text, path, visitor, &good, why);
    unmap_text(&text);
    return err;
}

/* ---- the table that is written ---- */

static void note_row(struct vox_sweep_table *table, int64_t row)
{
    uint8_t bit = (uint8_t)(1U << (row % 8));
    table->in_order = table->in_order && row > table->last;
    table->last = row;
    table->count += !(table->has[row / 8] & bit);
    table->has[row / 8] |= bit;
}

static int visit_own(void *ctx, int64_t row, const char *line, size_t len)
{
    (void)line;
    (void)len;
    note_row(ctx, row);
    return 0;
}

bool vox_sweep_table_has(const struct vox_sweep_table *table, int64_t row)
{
    return table->has[row / 8] >> (row % 8) & 1;
}

int64_t vox_sweep_table_count(const struct vox_sweep_table *table)
{
    return table->count;
}

bool vox_sweep_table_was_torn(const struct vox_sweep_table *table)
{
    return table->was_torn;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vox_audio_code_of_errno(errno);
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Whether the file that is open is the one of that name: another sweep may have put its own there
 * while this one waited. */
static bool is_same_file(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* A sweep that was killed a moment ago may still be writing its last line to the disk. */
static bool lock(int fd)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static int open_locked(struct vox_sweep_table *table, char why[VOX_SWEEP_WHY_BYTES])
{
    table->fd = open(table->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (table->fd < 0)
        return fail_errno("open", table->path, why);
    if (lock(table->fd) && is_same_file(table->fd, table->path))
        return 0;
    snprintf(why, VOX_SWEEP_WHY_BYTES,
             "%s is being written by another sweep; wait for it, or give each shard a file of its "
             "own",
             table->path);
    return VOX_EINUSE;
}

/* Drops what was cut off and begins with the header. */
static int settle(struct vox_sweep_table *table, size_t good, char why[VOX_SWEEP_WHY_BYTES])
{
    char header[VOX_SWEEP_LINE_BYTES];
    if (ftruncate(table->fd, (off_t)good) < 0)
        return fail_errno("write", table->path, why);
    if (good > 0)
        return 0;
    int err = write_all(table->fd, header, vox_sweep_line_header(header));
    return err < 0 ? fail_errno("write", table->path, why) : 0;
}

static int read_own(struct vox_sweep_table *table, bool restart, char why[VOX_SWEEP_WHY_BYTES])
{
    struct text text;
    struct vox_sweep_visitor visitor = {visit_own, table};
    size_t good = 0;
    int err = map_text(table->fd, table->path, &text, why);
    if (err >= 0 && !restart)
        err = scan(table->plan, &text, table->path, &visitor, &good, why);
    table->was_torn = !restart && good < text.len;
    unmap_text(&text);
    return err < 0 ? err : settle(table, good, why);
}

int vox_sweep_table_open(const struct vox_sweep_plan *plan, const char *path, bool restart,
                         struct vox_sweep_table **out, char why[VOX_SWEEP_WHY_BYTES])
{
    struct vox_sweep_table *table = calloc(1, sizeof *table);
    snprintf(why, VOX_SWEEP_WHY_BYTES, "out of memory");
    if (!table)
        return VOX_ENOMEM;
    table->plan = plan;
    table->fd = -1;
    table->last = -1;
    table->in_order = true;
    table->path = strdup(path);
    table->has = calloc((size_t)plan->scenario.row_count / 8 + 1, 1);
    int err = table->path && table->has ? open_locked(table, why) : VOX_ENOMEM;
    if (err >= 0)
        err = read_own(table, restart, why);
    if (err < 0)
        vox_sweep_table_close(table);
    else
        *out = table;
    return err;
}

void vox_sweep_table_close(struct vox_sweep_table *table)
{
    if (!table)
        return;
    if (table->fd >= 0)
        close(table->fd);
    free(table->path);
    free(table->has);
    free(table);
}

int vox_sweep_table_append(struct vox_sweep_table *table, int64_t row, const char *line, size_t len)
{
    int err = write_all(table->fd, line, len);
    if (err >= 0)
        note_row(table, row);
    return err;
}

int vox_sweep_table_sync(struct vox_sweep_table *table)
{
    return fdatasync(table->fd) < 0 ? vox_audio_code_of_errno(errno) : 0;
}

int vox_sweep_table_finish(struct vox_sweep_table *table, char why[VOX_SWEEP_WHY_BYTES])
{
    struct vox_sweep_merge merge;
    if (table->in_order)
        return vox_sweep_table_sync(table) < 0 ? fail_errno("write", table->path, why) : 0;
    return vox_sweep_table_merge(table->plan, &table->path, 1, table->path, &merge, why);
}

/* ---- merging ---- */

struct found {
    const char *line; /* NULL: missing */
    size_t len;
};

struct merger {
    struct found *rows;
    struct vox_sweep_merge *result;
};

static int visit_merged(void *ctx, int64_t row, const char *line, size_t len)
{
    struct merger *merger = ctx;
    struct found *found = &merger->rows[row];
    if (!found->line) {
        *found = (struct found){line, len};
        return 0;
    }
    merger->result->twice++;
    return found->len == len && memcmp(found->line, line, len) == 0 ? 0 : VOX_EFORMAT;
}

static bool write_rows(const struct vox_sweep_plan *plan, const struct merger *merger, FILE *file)
{
    char header[VOX_SWEEP_LINE_BYTES];
    struct vox_sweep_merge *result = merger->result;
    fwrite(header, 1, vox_sweep_line_header(header), file);
    for (int64_t row = 0; row < plan->scenario.row_count; row++) {
        const struct found *found = &merger->rows[row];
        if (found->line)
            fwrite(found->line, 1, found->len, file);
        else if (result->missing++ == 0)
            result->first_missing = row;
        result->rows += found->line != NULL;
    }
    return fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
}

/* Under another name first, so that there is a whole file at any time. */
static int write_merged(const struct vox_sweep_plan *plan, const struct merger *merger,
                        const char *path, char why[VOX_SWEEP_WHY_BYTES])
{
    size_t len = strlen(path) + sizeof ".part";
    char *part = malloc(len);
    if (!part)
        return VOX_ENOMEM;
    snprintf(part, len, "%s.part", path);
    FILE *file = fopen(part, "wb");
    bool written = file && write_rows(plan, merger, file);
    int err = written ? 0 : fail_errno("write", part, why);
    if (file && fclose(file) != 0 && err >= 0)
        err = fail_errno("write", part, why);
    if (err >= 0 && rename(part, path) < 0)
        err = fail_errno("rename to", path, why);
    if (err < 0 && file)
        unlink(part);
    free(part);
    return err;
}

static int read_tables(const struct vox_sweep_plan *plan, char *const *tables, int count,
                       struct text *texts, struct merger *merger, char why[VOX_SWEEP_WHY_BYTES])
{
    struct vox_sweep_visitor visitor = {visit_merged, merger};
    int err = 0;
    for (int i = 0; err >= 0 && i < count; i++) {
        size_t good;
        err = open_text(tables[i], &texts[i], why);
        if (err >= 0)
            err = scan(plan, &texts[i], tables[i], &visitor, &good, why);
    }
    return err;
}

int vox_sweep_table_merge(const struct vox_sweep_plan *plan, char *const *tables, int count,
                          const char *path, struct vox_sweep_merge *out,
                          char why[VOX_SWEEP_WHY_BYTES])
{
    struct merger merger = {.rows = calloc((size_t)plan->scenario.row_count, sizeof *merger.rows),
                            .result = out};
    struct text *texts = calloc((size_t)count, sizeof *texts);
    int err = merger.rows && texts ? 0 : VOX_ENOMEM;
    *out = (struct vox_sweep_merge){.first_missing = -1};
    snprintf(why, VOX_SWEEP_WHY_BYTES, "out of memory");
    if (err >= 0)
        err = read_tables(plan, tables, count, texts, &merger, why);
    if (err >= 0)
        err = write_merged(plan, &merger, path, why);
    for (int i = 0; texts && i < count; i++)
        unmap_text(&texts[i]);
    free(texts);
    free(merger.rows);
    return err;
}
