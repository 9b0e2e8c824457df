#include "lab/sweep_table.h"

#include "base/err.h"
#include "lab/sweep_line.h"
#include "support/folder.h"
#include "support/test.h"

static void write_text(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(folder_file(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static size_t read_text(const char *name, char *text, size_t capacity)
{
    FILE *file = fopen(folder_file(name), "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, capacity, file);
    fclose(file);
    return len;
}

/* Ten rows of one sound. */
static struct vox_sweep_plan open_plan(const char *network)
{
    struct vox_sweep_plan plan;
    char text[512];
    char why[VOX_SWEEP_WHY_BYTES] = "";
    snprintf(text, sizeof text,
             "{\"files\": [\"%s/speech-mono.flac\"], \"networks\": [%s], \"seeds\": {\"count\": "
             "10}}",
             VOX_TEST_DATA, network);
    write_text("scenario.json", text, strlen(text));
    if (vox_sweep_plan_open(folder_file("scenario.json"), &plan, why) < 0)
        fail_msg("%s", why);
    assert_int_equal(plan.scenario.row_count, 10);
    return plan;
}

static size_t make_line(const struct vox_sweep_plan *plan, int64_t row, uint64_t rejected,
                        char *line)
{
    static const struct vox_sweep_sound sound;
    const struct vox_sweep_cell cell = {.rejected = rejected};
    return vox_sweep_line_write(plan, row, &sound, &cell, line);
}

static struct vox_sweep_table *open_table(const struct vox_sweep_plan *plan, const char *name)
{
    struct vox_sweep_table *table = NULL;
    char why[VOX_SWEEP_WHY_BYTES] = "";
    if (vox_sweep_table_open(plan, folder_file(name), false, &table, why) < 0)
        fail_msg("%s", why);
    return table;
}

static void refuse(const struct vox_sweep_plan *plan, const char *name, int err, const char *reason)
{
    struct vox_sweep_table *table = NULL;
    char why[VOX_SWEEP_WHY_BYTES] = "";
    assert_int_equal(vox_sweep_table_open(plan, folder_file(name), false, &table, why), err);
    if (!strstr(why, reason))
        fail_msg("\"%s\" does not say \"%s\"", why, reason);
}

static void append(const struct vox_sweep_plan *plan, struct vox_sweep_table *table, int64_t row)
{
    char line[VOX_SWEEP_LINE_BYTES];
    size_t len = make_line(plan, row, 0, line);
    assert_int_equal(vox_sweep_table_append(table, row, line, len), 0);
}

static void make_table(const struct vox_sweep_plan *plan, const char *name, const int *rows,
                       size_t count)
{
    struct vox_sweep_table *table = open_table(plan, name);
    for (size_t i = 0; i < count; i++)
        append(plan, table, rows[i]);
    vox_sweep_table_close(table);
}

static void rows_come_in_any_order_and_end_in_theirs(void **state)
{
    (void)state;
    static const int mixed[] = {3, 1, 9, 0, 2, 8, 4, 7, 5, 6};
    static char text[1 << 16], expected[1 << 16];
    char why[VOX_SWEEP_WHY_BYTES];
    struct vox_sweep_plan plan = open_plan("{}");
    make_table(&plan, "mixed.csv", mixed, COUNT(mixed));
    struct vox_sweep_table *table = open_table(&plan, "mixed.csv");
    assert_int_equal(vox_sweep_table_count(table), 10);
    assert_int_equal(vox_sweep_table_finish(table, why), 0);
    vox_sweep_table_close(table);
    size_t len = vox_sweep_line_header(expected);
    for (int64_t row = 0; row < 10; row++)
        len += make_line(&plan, row, 0, expected + len);
    assert_int_equal(read_text("mixed.csv", text, sizeof text), len);
    assert_memory_equal(text, expected, len);
    vox_sweep_plan_close(&plan);
}

/* Whatever a kill leaves of the last line, or of the header. */
static void any_torn_end_is_dropped(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct vox_sweep_plan plan = open_plan("{}");
    size_t header = vox_sweep_line_header(text);
    size_t first = header + make_line(&plan, 4, 0, text + header);
    size_t whole = first + make_line(&plan, 7, 0, text + first);
    for (size_t len = 0; len <= whole; len++) {
        if (len < header - 2 && len % 97 > 0)
            continue;
        write_text("torn.csv", text, len);
        struct vox_sweep_table *table = open_table(&plan, "torn.csv");
        assert_int_equal(vox_sweep_table_has(table, 4), len >= first);
        assert_int_equal(vox_sweep_table_has(table, 7), len == whole);
        assert_int_equal(vox_sweep_table_was_torn(table),
                         len != 0 && len != header && len != first && len != whole);
        append(&plan, table, 5);
        vox_sweep_table_close(table);
        table = open_table(&plan, "torn.csv");
        assert_int_equal(vox_sweep_table_count(table), 1 + (len >= first) + (len == whole));
        assert_false(vox_sweep_table_was_torn(table));
        vox_sweep_table_close(table);
    }
    vox_sweep_plan_close(&plan);
}

static void tables_of_others_are_refused(void **state)
{
    (void)state;
    static const int rows[] = {0, 1};
    static char text[1 << 16];
    struct vox_sweep_plan plan = open_plan("{}");
    struct vox_sweep_plan other = open_plan("{\"loss_pct\": 1}");
    make_table(&other, "other.csv", rows, COUNT(rows));
    refuse(&plan, "other.csv", VOX_EFORMAT, "other.csv: line 2 is of another scenario");
    write_text("text.csv", "a,b,c\n1,2,3\n", 12);
    refuse(&plan, "text.csv", VOX_EFORMAT, "text.csv: line 1 is not the header");
    size_t len = vox_sweep_line_header(text);
    len += (size_t)sprintf(text + len, "hello\n");
    write_text("damaged.csv", text, len);
    refuse(&plan, "damaged.csv", VOX_EFORMAT, "damaged.csv: line 2 is damaged");
    refuse(&plan, ".", VOX_EIO, "cannot open");
    /* Unless it is told to begin anew. */
    struct vox_sweep_table *table = NULL;
    char why[VOX_SWEEP_WHY_BYTES];
    assert_int_equal(vox_sweep_table_open(&plan, folder_file("other.csv"), true, &table, why), 0);
    assert_int_equal(vox_sweep_table_count(table), 0);
    vox_sweep_table_close(table);
    vox_sweep_plan_close(&plan);
    vox_sweep_plan_close(&other);
}

static void a_table_has_one_writer(void **state)
{
    (void)state;
    struct vox_sweep_plan plan = open_plan("{}");
    struct vox_sweep_table *table = open_table(&plan, "mine.csv");
    refuse(&plan, "mine.csv", VOX_EINUSE, "being written by another sweep");
    vox_sweep_table_close(table);
    vox_sweep_table_close(open_table(&plan, "mine.csv"));
    vox_sweep_plan_close(&plan);
}

static int merge(const struct vox_sweep_plan *plan, struct vox_sweep_merge *result, char *why)
{
    char a[160], b[160], out[160];
    snprintf(a, sizeof a, "%s", folder_file("a.csv"));
    snprintf(b, sizeof b, "%s", folder_file("b.csv"));
    snprintf(out, sizeof out, "%s", folder_file("merged.csv"));
    char *const tables[] = {a, b};
    return vox_sweep_table_merge(plan, tables, 2, out, result, why);
}

static void merging_tells_what_is_missing_and_what_is_there_twice(void **state)
{
    (void)state;
    static const int even[] = {0, 2, 4, 6, 8}, odd[] = {1, 3, 5, 7, 9}, most[] = {9, 7, 5, 8};
    struct vox_sweep_plan plan = open_plan("{}");
    struct vox_sweep_merge result;
    char why[VOX_SWEEP_WHY_BYTES];
    char line[VOX_SWEEP_LINE_BYTES];
    make_table(&plan, "a.csv", even, COUNT(even));
    make_table(&plan, "b.csv", odd, COUNT(odd));
    assert_int_equal(merge(&plan, &result, why), 0);
    assert_true(result.rows == 10 && result.twice == 0 && result.missing == 0);
    remove(folder_file("b.csv"));
    make_table(&plan, "b.csv", most, COUNT(most));
    assert_int_equal(merge(&plan, &result, why), 0);
    assert_true(result.rows == 8 && result.twice == 1 && result.missing == 2);
    assert_int_equal(result.first_missing, 1);
    /* The same row with another result: one of the two is wrong. */
    struct vox_sweep_table *table = open_table(&plan, "b.csv");
    size_t len = make_line(&plan, 4, 77, line);
    assert_int_equal(vox_sweep_table_append(table, 4, line, len), 0);
    vox_sweep_table_close(table);
    assert_int_equal(merge(&plan, &result, why), VOX_EFORMAT);
    assert_non_null(strstr(why, "other results for row 4"));
    vox_sweep_plan_close(&plan);
}

static void names_are_quoted_as_csv_has_it(void **state)
{
    (void)state;
    struct vox_sweep_plan plan = open_plan("{\"name\": \"5 % \\\"bad\\\", wifi\"}");
    char line[VOX_SWEEP_LINE_BYTES];
    make_line(&plan, 0, 0, line);
    assert_non_null(strstr(line, ",\"5 % \"\"bad\"\", wifi\","));
    vox_sweep_plan_close(&plan);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

RUN(IN_FOLDER(rows_come_in_any_order_and_end_in_theirs), IN_FOLDER(any_torn_end_is_dropped),
    IN_FOLDER(tables_of_others_are_refused), IN_FOLDER(a_table_has_one_writer),
    IN_FOLDER(merging_tells_what_is_missing_and_what_is_there_twice),
    IN_FOLDER(names_are_quoted_as_csv_has_it))
