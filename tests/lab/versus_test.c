#include "base/err.h"
#include "base/time.h"
#include "lab/versus_figures.h"
#include "lab/versus_groups.h"
#include "lab/versus_verdict.h"
#include "support/test.h"

#include <math.h>

static struct vox_versus_budgets budgets;
static struct vox_versus_table table;

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static int reset(void **state)
{
    (void)state;
    vox_versus_budgets_init(&budgets, 100);
    memset(&table, 0, sizeof table);
    return 0;
}

static void set(enum vox_versus_arm arm, enum vox_versus_figure figure, double value)
{
    table.figures[arm][figure] = (struct vox_versus_spread){value, value, value};
}

/* The same at each budget. */
static void row(enum vox_versus_arm arm, double late_pct, double r, double kbytes)
{
    table.has[arm] = true;
    set(arm, VOX_VERSUS_WIRE_KB, kbytes);
    for (int i = 0; i < budgets.count; i++) {
        set(arm, (enum vox_versus_figure)(VOX_VERSUS_LATE_PCT + i), late_pct);
        set(arm, (enum vox_versus_figure)(VOX_VERSUS_R_AT + i), r);
    }
}

static struct vox_versus_verdict judged(void)
{
    struct vox_versus_verdict verdict;
    vox_versus_judge(&budgets, &table, budgets.chosen, &verdict);
    return verdict;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void budgets_hold_the_listeners(void **state)
{
    (void)state;
    static const struct {
        double chosen_ms;
        int count, chosen;
    } rows[] = {{100, 4, 1}, {60, 4, 0}, {400, 4, 3}, {20, 5, 0}, {150, 5, 2}, {1000, 5, 4}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        vox_versus_budgets_init(&budgets, rows[i].chosen_ms);
        assert_int_equal(budgets.count, rows[i].count);
        assert_int_equal(budgets.chosen, rows[i].chosen);
        assert_true(near(budgets.ms[budgets.chosen], rows[i].chosen_ms));
        for (int k = 1; k < budgets.count; k++)
            assert_true(budgets.ms[k] > budgets.ms[k - 1]);
        assert_true(near(vox_versus_largest_ms(&budgets), fmax(400, rows[i].chosen_ms)));
    }
}

static void the_best_is_chosen(void **state)
{
    (void)state;
    row(VOX_VERSUS_CONCEAL, 4.9, 75, 620);
    row(VOX_VERSUS_RED, 0.3, 89, 1110);
    row(VOX_VERSUS_CUBIC, 22.4, 40, 700);
    struct vox_versus_verdict v = judged();
    assert_int_equal(v.choice, VOX_VERSUS_RED);
    assert_int_equal(v.best, VOX_VERSUS_RED);
    has(v.text, "With a budget of 100 ms choose UDP with RED, because it misses 0.3 %");
    has(v.text, "; TCP (cubic) misses 22.4 % (R 40); UDP with concealment alone misses 4.9 %");
}

static void of_equals_the_cheaper_is_chosen(void **state)
{
    (void)state;
    row(VOX_VERSUS_CONCEAL, 4.9, 75, 620);
    row(VOX_VERSUS_RED, 0.0, 90, 1110);
    row(VOX_VERSUS_RTX, 0.1, 89.2, 650);
    struct vox_versus_verdict v = judged();
    assert_int_equal(v.choice, VOX_VERSUS_RTX);
    assert_int_equal(v.best, VOX_VERSUS_RED);
    has(v.text, "UDP with RED is better by 0.8 R");
    has(v.text, "71 % more bytes");
    row(VOX_VERSUS_RTX, 0.1, 88.9, 650);
    assert_int_equal(judged().choice, VOX_VERSUS_RED);
}

/* On a network that loses nothing: the same bytes, so concealment costs nothing. */
static void nothing_lost_needs_nothing(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 0, 91, 620);
    row(VOX_VERSUS_CONCEAL, 0, 91, 620);
    row(VOX_VERSUS_RED, 0, 91, 1110);
    row(VOX_VERSUS_CUBIC, 0, 91, 700);
    struct vox_versus_verdict v = judged();
    assert_true(v.choice == VOX_VERSUS_PLAIN || v.choice == VOX_VERSUS_CONCEAL);
    has(v.text, "misses no frame");
}

/* It may miss less than the one that is chosen: there, somebody makes up what is missing. */
static void plain_is_silent(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 2.0, 61, 620);
    row(VOX_VERSUS_CUBIC, 4.0, 77, 830);
    has(judged().text,
        "misses 4.0 % of the frames (R 77); plain UDP misses 2.0 %, which are silent");
}

/* One of ten thousand is no 0.0 %. */
static void little_is_not_nothing(void **state)
{
    (void)state;
    row(VOX_VERSUS_CONCEAL, 0.05, 90, 620);
    row(VOX_VERSUS_CUBIC, 0.01, 80, 700);
    struct vox_versus_verdict v = judged();
    has(v.text, "it misses less than 0.1 % of the frames (R 90); TCP (cubic) misses less than");
}

static void tcp_may_win(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 4.9, 41, 620);
    row(VOX_VERSUS_CONCEAL, 4.9, 75, 620);
    row(VOX_VERSUS_CUBIC, 2.1, 82, 700);
    set(VOX_VERSUS_PLAIN, VOX_VERSUS_LOST_PCT, 4.9);
    struct vox_versus_verdict v = judged();
    assert_int_equal(v.choice, VOX_VERSUS_CUBIC);
    has(v.text, "choose TCP (cubic), because it misses 2.1 %");
    has(v.text, "UDP with concealment alone misses 4.9 %");
    char text[VOX_VERSUS_TEXT_BYTES];
    vox_versus_judge_plain(&budgets, &table, text);
    has(text, "does not win");
    has(text, "within 100 ms TCP (cubic) misses 2.1 % of the frames and plain UDP 4.9 %");
    has(text, "lost for good");
}

static void plain_udp_may_win(void **state)
{
    (void)state;
    char text[VOX_VERSUS_TEXT_BYTES];
    row(VOX_VERSUS_PLAIN, 4.9, 41, 620);
    vox_versus_judge_plain(&budgets, &table, text);
    assert_string_equal(text, "");
    row(VOX_VERSUS_CUBIC, 22, 40, 700);
    vox_versus_judge_plain(&budgets, &table, text);
    has(text, "Within none of the budgets");
}

static void it_says_when_nothing_is_good(void **state)
{
    (void)state;
    assert_int_equal(judged().best, -1);
    row(VOX_VERSUS_CONCEAL, 30, 32, 620);
    row(VOX_VERSUS_CUBIC, 90, 5, 700);
    struct vox_versus_verdict v = judged();
    assert_int_equal(v.choice, -1);
    assert_int_equal(v.best, VOX_VERSUS_CONCEAL);
    has(v.text, "nothing is good here");
    has(v.text, "30.0 %");
}

/* Advice is what helps here: time, if more of it is good, else protection, or fewer bits. */
static void advice_is_of_use(void **state)
{
    (void)state;
    row(VOX_VERSUS_RED, 20, 40, 1100);
    has(judged().text, "Spend more bytes on protection");
    set(VOX_VERSUS_RED, (enum vox_versus_figure)(VOX_VERSUS_R_AT + budgets.chosen + 1), 60);
    has(judged().text, "Allow more delay, or spend more bytes");
    table.link_kbps = 100;
    has(judged().text, "takes 147 kbit/s, and the link carries 100: lower --bitrate");
}

static void one_way_alone_is_not_the_best_of_many(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 4, 45, 617);
    struct vox_versus_verdict v = judged();
    has(v.text, "nothing is good here: plain UDP, all that was tried, misses 4.0 %");
    has(v.text, "Repair what is lost");
}

static void too_late_by_any_way(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 100, 0, 617);
    row(VOX_VERSUS_CUBIC, 100, 0, 700);
    set(VOX_VERSUS_PLAIN, VOX_VERSUS_P50, 500);
    set(VOX_VERSUS_CUBIC, VOX_VERSUS_P50, 860);
    has(judged().text, "nothing can be played: half of what came by plain UDP, the fastest here, "
                       "took 500 ms and more");
    char text[VOX_VERSUS_TEXT_BYTES];
    for (int i = 0; i < budgets.count; i++) {
        const enum vox_versus_figure late = (enum vox_versus_figure)(VOX_VERSUS_LATE_PCT + i);
        set(VOX_VERSUS_PLAIN, late, 100);
        set(VOX_VERSUS_CUBIC, late, 100);
    }
    vox_versus_judge_plain(&budgets, &table, text);
    assert_string_equal(text,
                        "Neither plain UDP nor TCP brings a frame within any of the budgets.");
}

/* With nothing missing it is the delay: more of it, or more bytes, would not help. */
static void too_long_to_talk(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 4, 0, 617);
    row(VOX_VERSUS_CUBIC, 0, 28, 700);
    struct vox_versus_verdict v = judged();
    assert_int_equal(v.choice, -1);
    has(v.text, "no conversation is good, so long is the delay alone; for listening only, TCP "
                "(cubic) misses no frame (R 28).");
}

/* Ratings end at 0; what is missing does not. */
static void past_rating_the_one_that_misses_less_is_best(void **state)
{
    (void)state;
    row(VOX_VERSUS_PLAIN, 99, 0.2, 617);
    row(VOX_VERSUS_FEC, 97, 0.1, 615);
    assert_int_equal(judged().best, VOX_VERSUS_FEC);
}

/* 100 frames of 20 ms, one lost, two of 150 ms, the rest of 30 ms. */
static void figures_are_of_the_run(void **state)
{
    (void)state;
    enum { FRAMES = 100 };
    struct vox_playable_frame frames[FRAMES];
    double f[VOX_VERSUS_FIGURES], plain[VOX_VERSUS_FIGURES];
    for (int i = 0; i < FRAMES; i++)
        frames[i] =
            (struct vox_playable_frame){.delay_ns = 30 * VOX_NS_PER_MS, .way = VOX_PLAYABLE_PACKET};
    frames[50] = (struct vox_playable_frame){.delay_ns = VOX_PLAYABLE_NEVER_NS};
    frames[51].delay_ns = frames[52].delay_ns = 150 * VOX_NS_PER_MS;
    const struct vox_playable playable = {
        .frames = frames, .count = FRAMES, .frame_ns = 20 * VOX_NS_PER_MS};
    const struct vox_versus_run run = {.playable = &playable,
                                       .extra_ms = 26.5,
                                       .concealed_pct = 3,
                                       .bytes_there = 20000,
                                       .bytes_back = 1000};
    assert_int_equal(vox_versus_measure(&budgets, VOX_VERSUS_CONCEAL, &run, f), 0);
    assert_int_equal(vox_versus_measure(&budgets, VOX_VERSUS_PLAIN, &run, plain), 0);
    assert_true(near(f[VOX_VERSUS_P50], 30) && near(f[VOX_VERSUS_MAX], 150));
    assert_true(near(f[VOX_VERSUS_LOST_PCT], 1));
    assert_true(near(f[VOX_VERSUS_LATE_PCT], 3) && near(f[VOX_VERSUS_LATE_PCT + 2], 1));
    assert_true(near(f[VOX_VERSUS_GAP_MS], 60) && near(f[VOX_VERSUS_SILENCE_MS], 80));
    assert_true(near(f[VOX_VERSUS_WIRE_KB], 630) && near(f[VOX_VERSUS_BACK_KB], 30));
    assert_true(near(f[VOX_VERSUS_R], f[VOX_VERSUS_R_AT + 1]));
    assert_true(f[VOX_VERSUS_R] > plain[VOX_VERSUS_R] + 10);
    assert_true(f[VOX_VERSUS_R_AT] > f[VOX_VERSUS_R_AT + 1]); /* equally much, later */
    /* All too late: no rating at all. */
    for (int i = 0; i < FRAMES; i++)
        frames[i].delay_ns = 80 * VOX_NS_PER_MS;
    assert_int_equal(vox_versus_measure(&budgets, VOX_VERSUS_CONCEAL, &run, f), 0);
    assert_true(near(f[VOX_VERSUS_LATE_PCT], 100) && near(f[VOX_VERSUS_R_AT], 0));
}

static void medians_are_in_the_middle(void **state)
{
    (void)state;
    static const double values[] = {5, 0, 1, 0, 9, 0, 2, 0};
    struct vox_versus_spread s;
    assert_int_equal(vox_versus_spread(values, 3, 2, &s), 0);
    assert_true(near(s.median, 5) && near(s.min, 1) && near(s.max, 9));
    assert_int_equal(vox_versus_spread(values, 4, 2, &s), 0);
    assert_true(near(s.median, 3.5));
    assert_int_equal(vox_versus_spread(values, 0, 2, &s), VOX_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

/* ---- groups ---- */

static int grouped(struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS])
{
    struct vox_versus_verdict verdicts[VOX_VERSUS_MAX_BUDGETS];
    for (int i = 0; i < budgets.count; i++)
        vox_versus_judge(&budgets, &table, i, &verdicts[i]);
    return vox_versus_group(verdicts, budgets.count, groups);
}

static void budgets_that_agree_are_told_at_once(void **state)
{
    (void)state;
    struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS];
    row(VOX_VERSUS_RED, 0.3, 89, 1110);
    row(VOX_VERSUS_CUBIC, 22.4, 40, 700);
    assert_int_equal(grouped(groups), 1);
    assert_int_equal(groups[0].first, 0);
    assert_int_equal(groups[0].last, 3);
    assert_string_equal(groups[0].text,
                        "With a budget of 60, 100, 200 or 400 ms choose UDP with RED, because it "
                        "misses 0.3 % of the frames (R 89); TCP (cubic) misses 22.4 % (R 40).");
}

/* Another choice, or the same with other figures. */
static void budgets_that_differ_are_told_each(void **state)
{
    (void)state;
    struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS];
    row(VOX_VERSUS_RED, 0.3, 89, 1110);
    row(VOX_VERSUS_CUBIC, 22.4, 40, 700);
    set(VOX_VERSUS_RED, VOX_VERSUS_R_AT, 30); /* at 60 ms nothing is good */
    set(VOX_VERSUS_CUBIC, (enum vox_versus_figure)(VOX_VERSUS_LATE_PCT + 3), 10.5);
    assert_int_equal(grouped(groups), 3);
    has(groups[0].text, "With a budget of 60 ms nothing is good here");
    has(groups[1].text, "With a budget of 100 or 200 ms choose UDP with RED");
    has(groups[2].text, "With a budget of 400 ms choose UDP with RED");
    assert_int_equal(groups[1].first, 1);
    assert_int_equal(groups[1].last, 2);
}

static void nothing_run_is_said_once(void **state)
{
    (void)state;
    struct vox_versus_group groups[VOX_VERSUS_MAX_BUDGETS];
    assert_int_equal(grouped(groups), 1);
    assert_string_equal(groups[0].text, "Nothing was run.");
}

RUN(TEST(budgets_hold_the_listeners), TEST(the_best_is_chosen),
    TEST(of_equals_the_cheaper_is_chosen), TEST(nothing_lost_needs_nothing), TEST(plain_is_silent),
    TEST(little_is_not_nothing), TEST(tcp_may_win), TEST(plain_udp_may_win),
    TEST(it_says_when_nothing_is_good), TEST(advice_is_of_use),
    TEST(one_way_alone_is_not_the_best_of_many), TEST(too_late_by_any_way), TEST(too_long_to_talk),
    TEST(past_rating_the_one_that_misses_less_is_best), TEST(figures_are_of_the_run),
    TEST(medians_are_in_the_middle), TEST(budgets_that_agree_are_told_at_once),
    TEST(budgets_that_differ_are_told_each), TEST(nothing_run_is_said_once))
