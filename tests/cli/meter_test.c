#include "cli/meter.h"
#include "support/test.h"

#include <math.h>

static const struct vox_meter_style ascii = {0}, utf8 = {.utf8 = true},
                                    colour = {.utf8 = true, .colour = true};

static void level_grows_with_db(void **state)
{
    (void)state;
    static const struct {
        double rms_db, peak_db;
        const char *expected; /* 12 cells of 5 dB */
    } rows[] = {
        {-100, -100, "------------"},
        {-HUGE_VAL, -HUGE_VAL, "------------"},
        {(double)NAN, (double)NAN, "------------"},
        {-60, -60, "------------"},
        {-30, -30, "######------"},
        {-30, -14, "######---|--"},
        {-30, 0, "######-----|"},
        {-2, -1, "###########|"},
        {0, 0, "############"},
        {40, 40, "############"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bar[VOX_METER_BYTES];
        size_t len = vox_meter_level(rows[i].rms_db, rows[i].peak_db, 12, ascii, bar, sizeof bar);
        assert_string_equal(bar, rows[i].expected);
        assert_int_equal(len, 12);
    }
}

static size_t columns_of(const char *text)
{
    size_t columns = 0;
    while (text[vox_meter_cut(text, columns)] != '\0')
        columns++;
    return columns;
}

static void every_bar_takes_its_columns(void **state)
{
    (void)state;
    static const int cells[] = {1, 2, 17, 80};
    for (size_t c = 0; c < COUNT(cells); c++)
        for (double db = -70; db < 10; db += 0.7) {
            char bar[VOX_METER_BYTES];
            assert_true(vox_meter_level(db, db + 5, cells[c], utf8, bar, sizeof bar) > 0);
            assert_int_equal(columns_of(bar), cells[c]);
            assert_true(vox_meter_level(db, db + 5, cells[c], colour, bar, sizeof bar) > 0);
            assert_int_equal(columns_of(bar), cells[c]);
            assert_string_equal(bar + strlen(bar) - 4, "\033[0m");
            assert_true(vox_meter_progress(db / 80 + 1, cells[c], utf8, bar, sizeof bar) > 0);
            assert_int_equal(columns_of(bar), cells[c]);
        }
    char bar[VOX_METER_BYTES];
    assert_int_equal(vox_meter_progress(1, 1000, ascii, bar, sizeof bar), VOX_METER_MAX_CELLS);
    assert_int_equal(vox_meter_progress(1, -5, ascii, bar, sizeof bar), 1);
}

static void colours_follow_the_scale(void **state)
{
    (void)state;
    char bar[VOX_METER_BYTES];
    vox_meter_level(0, 0, 60, colour, bar, sizeof bar);
    const char *green = strstr(bar, "\033[32m"), *yellow = strstr(bar, "\033[33m"),
               *red = strstr(bar, "\033[31m");
    assert_true(green == bar && yellow > green && red > yellow);
    char before[VOX_METER_BYTES] = "";
    memcpy(before, bar, (size_t)(yellow - bar));
    assert_int_equal(columns_of(before), 48); /* to -12 dB */
    assert_int_equal(columns_of(red), 3);
}

static void progress_fills_by_eighths(void **state)
{
    (void)state;
    char bar[VOX_METER_BYTES];
    vox_meter_progress(0.5, 4, utf8, bar, sizeof bar);
    assert_string_equal(bar, "\xe2\x96\x88\xe2\x96\x88  ");
    vox_meter_progress(0.375, 2, utf8, bar, sizeof bar);
    assert_string_equal(bar, "\xe2\x96\x8a ");
    vox_meter_progress(0.25, 4, ascii, bar, sizeof bar);
    assert_string_equal(bar, "#---");
    vox_meter_progress(-1, 3, ascii, bar, sizeof bar);
    assert_string_equal(bar, "---");
    vox_meter_progress(2, 3, ascii, bar, sizeof bar);
    assert_string_equal(bar, "###");
}

static void too_small_a_buffer_stays_empty(void **state)
{
    (void)state;
    char bar[8] = "before";
    assert_int_equal(vox_meter_progress(1, 8, ascii, bar, sizeof bar), 0);
    assert_string_equal(bar, "");
    assert_int_equal(vox_meter_progress(1, 7, ascii, bar, sizeof bar), 7);
    assert_int_equal(vox_meter_progress(1, 7, ascii, NULL, 0), 0);
}

static void cuts_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns, bytes;
    } rows[] = {
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"abc", 3, 3},
        {"abc", 9, 3},
        {"", 3, 0},
        {"\xc3\xa9\xe2\x96\x88x", 1, 2},
        {"\xc3\xa9\xe2\x96\x88x", 2, 5},
        {"\033[31mab\033[0m", 1, 6},
        {"\033[31mab\033[0m", 2, 11},
        {"a\033[31", 5, 5},
        {"\xff\x80\x80z", 1, 3}, /* not UTF-8: must not run past the end */
        {"\x80", 1, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(vox_meter_cut(rows[i].text, rows[i].columns), rows[i].bytes);
}

RUN(cmocka_unit_test(level_grows_with_db), cmocka_unit_test(every_bar_takes_its_columns),
    cmocka_unit_test(colours_follow_the_scale), cmocka_unit_test(progress_fills_by_eighths),
    cmocka_unit_test(too_small_a_buffer_stays_empty), cmocka_unit_test(cuts_between_characters))
