#include "lab/sweep_digest.h"

#include "base/err.h"
#include "lab/sweep_line.h"
#include "lab/sweep_table.h"
#include "support/folder.h"
#include "support/test.h"

enum { SEEDS = 11 };

static struct vox_sweep_plan open_plan(void)
{
    struct vox_sweep_plan plan;
    char why[VOX_SWEEP_WHY_BYTES] = "";
    FILE *file = fopen(folder_file("scenario.json"), "w");
    assert_non_null(file);
    fprintf(file,
            "{\"files\": [{\"name\": \"a, \\\"b\\\"\", \"file\": \"%s/speech-mono.flac\"},"
            " {\"name\": \"c\", \"file\": \"%s/speech-mono.flac\"}],"
            " \"encoders\": [{}, {\"fec\": true}], \"networks\": [{}, {\"name\": \"x,y\"}],"
            " \"receivers\": [{}, {\"delay_ms\": 50}], \"seeds\": {\"count\": %d}}",
            VOX_TEST_DATA, VOX_TEST_DATA, SEEDS);
    assert_int_equal(fclose(file), 0);
    if (vox_sweep_plan_open(folder_file("scenario.json"), &plan, why) < 0)
        fail_msg("%s", why);
    return plan;
}

/* What the rows of a group differ by. */
static double group_mos(const struct vox_scenario_place *place)
{
    return 1 + 0.5 * (double)place->network + (double)place->encoder + 2 * (double)place->receiver;
}

static void append(const struct vox_sweep_plan *plan, struct vox_sweep_table *table, int64_t row)
{
    struct vox_scenario_place place = vox_scenario_place(&plan->scenario, row);
    const struct vox_sweep_sound sound = {0};
    struct vox_sweep_cell cell = {.wire_kbps = 10 + (double)place.encoder,
                                  .heard = place.seed != 3,
                                  .mos = group_mos(&place)};
    char line[VOX_SWEEP_LINE_BYTES];
    cell.source.delay.total.p50_ns = (int64_t)(place.seed + 100 * place.file) * 1000000;
    size_t len = vox_sweep_line_write(plan, row, &sound, &cell, line);
    assert_int_equal(vox_sweep_table_append(table, row, line, len), 0);
}

static void fill_table(const struct vox_sweep_plan *plan, int64_t except)
{
    struct vox_sweep_table *table;
    char why[VOX_SWEEP_WHY_BYTES];
    assert_int_equal(vox_sweep_table_open(plan, folder_file("t.csv"), true, &table, why), 0);
    for (int64_t row = 0; row < plan->scenario.row_count; row++)
        if (row != except)
            append(plan, table, row);
    vox_sweep_table_close(table);
}

static bool near(double a, double b)
{
    return a - b < 1e-4 && b - a < 1e-4;
}

static void groups_are_over_files_and_seeds(void **state)
{
    (void)state;
    struct vox_sweep_plan plan = open_plan();
    struct vox_sweep_digest digest;
    char why[VOX_SWEEP_WHY_BYTES];
    fill_table(&plan, 0);
    assert_int_equal(vox_sweep_digest_make(&plan, folder_file("t.csv"), &digest, why), 0);
    assert_int_equal(digest.rows, plan.scenario.row_count - 1);
    struct vox_scenario_place place = {0};
    for (place.network = 0; place.network < 2; place.network++)
        for (place.encoder = 0; place.encoder < 2; place.encoder++)
            for (place.receiver = 0; place.receiver < 2; place.receiver++) {
                const struct vox_sweep_group *g =
                    vox_sweep_digest_group(&digest, place.network, place.encoder, place.receiver);
                bool is_first = place.network + place.encoder + place.receiver == 0;
                size_t rows = 2 * SEEDS - is_first;
                assert_int_equal(g->rows, rows);
                assert_true(near(g->measures[VOX_SWEEP_WIRE].mean, 10 + (double)place.encoder));
                /* Seed 4 hears nothing in either file. */
                assert_int_equal(g->measures[VOX_SWEEP_MOS].count, rows - 2);
                assert_true(near(g->measures[VOX_SWEEP_MOS].mean, group_mos(&place)));
                assert_int_equal(g->measures[VOX_SWEEP_SNR].count, 0);
                const struct vox_sweep_measure *delay = &g->measures[VOX_SWEEP_DELAY];
                /* 0..10 without 3 in one file, 100 more in the other. */
                double sum = 52 + 1052;
                assert_true(near(delay->mean, sum / (double)(rows - 2)));
                assert_true(near(delay->low, is_first ? 2 : 1) && near(delay->high, 109));
            }
    vox_sweep_digest_clear(&digest);
    vox_sweep_plan_close(&plan);
}

static void a_table_of_others_has_no_digest(void **state)
{
    (void)state;
    struct vox_sweep_plan plan = open_plan();
    struct vox_sweep_digest digest;
    char why[VOX_SWEEP_WHY_BYTES];
    assert_int_equal(vox_sweep_digest_make(&plan, folder_file("none.csv"), &digest, why),
                     VOX_ENOTFOUND);
    assert_int_equal(vox_sweep_digest_make(&plan, folder_file("scenario.json"), &digest, why),
                     VOX_EFORMAT);
    vox_sweep_plan_close(&plan);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

RUN(IN_FOLDER(groups_are_over_files_and_seeds), IN_FOLDER(a_table_of_others_has_no_digest))
