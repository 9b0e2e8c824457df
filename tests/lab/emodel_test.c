#include "lab/emodel.h"

#include "base/err.h"
#include "support/test.h"

#include <math.h>

static struct vox_emodel_rating rate(double delay_ms, double loss_pct)
{
    struct vox_emodel e;
    struct vox_emodel_rating rating;
    vox_emodel_init(&e);
    e.delay_ms = delay_ms;
    e.loss_pct = loss_pct;
    assert_int_equal(vox_emodel_rate(&e, &rating), 0);
    return rating;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%g instead of %g +- %g", value, expected, tolerance);
}

/* G.107 7.7: "the calculation results in a rating factor of R = 93.2". */
static void defaults_give_what_the_standard_says(void **state)
{
    (void)state;
    assert_near(rate(0, 0).r, 93.2, 0.05);
    assert_near(rate(0, 0).mos, 4.41, 0.005);
    assert_true(rate(0, 0).equipment_impairment == 0);
    assert_true(rate(0, 0).absolute_delay == 0);
}

static double power(double db)
{
    return pow(10, db / 10);
}

/* Ro - Is by the long way, G.107 7.2 and 7.3, from the default values of its Table 2. */
static void the_constants_follow_from_table_2(void **state)
{
    (void)state;
    double slr = 8, rlr = 2, olr = slr + rlr, stmr = 15, lstr = 18, ds = 3, telr = 65, qdu = 1;
    double nc = -70, nfor = -64, ps = 35, pr = 35;
    double nos = ps - slr - ds - 100 + 0.004 * pow(ps - olr - ds - 14, 2);
    double pre = pr + 10 * log10(1 + power(10 - lstr));
    double nor = rlr - 121 + pre + 0.008 * pow(pre - 35, 2);
    double no = 10 * log10(power(nc) + power(nos) + power(nor) + power(nfor + rlr));
    double ro = 15 - 1.5 * (slr + no);
    double xolr = olr + 0.2 * (64 + no - rlr);
    double iolr = 20 * (pow(1 + pow(xolr / 8, 8), 1.0 / 8) - xolr / 8);
    double stmro = -10 * log10(power(-stmr) + power(-telr));
    double ist = 12 * pow(1 + pow((stmro - 13) / 6, 8), 1.0 / 8) -
                 28 * pow(1 + pow((stmro + 1) / 19.4, 35), 1.0 / 35) -
                 13 * pow(1 + pow((stmro - 3) / 33, 13), 1.0 / 13) + 29;
    double q = 37 - 15 * log10(qdu);
    double g = 1.07 + 0.258 * q + 0.0602 * q * q;
    double iq = 15 * log10(1 + power(10 * ((ro - 100) / 15 + 46 / 8.4 - g / 9)) +
                           power(10 * (46.0 / 30 - g / 40)));
    struct vox_emodel_rating none = rate(0, 0);
    assert_near(none.r + none.delay_impairment, ro - iolr - ist - iq, 1e-4);
}

/* Idd in numbers: (7-27) at whole octaves of 100 ms, where X is 1, 2 and 3. */
static void delay_alone_costs_what_the_formula_says(void **state)
{
    (void)state;
    assert_true(rate(100, 0).absolute_delay == 0);
    assert_near(rate(200, 0).absolute_delay, 3.04, 0.01);
    assert_near(rate(400, 0).absolute_delay, 24.07, 0.01);
    double x = pow(730, 1.0 / 6);
    assert_near(rate(800, 0).absolute_delay, 25 * (x - 3 * pow(2, 1.0 / 6) + 2), 1e-9);
}

/* With the echo of the defaults: Cole and Rosenbluth's two straight lines, within their error. */
static void echo_gives_the_known_slope(void **state)
{
    (void)state;
    double below = (rate(50, 0).r - rate(150, 0).r) / 100;
    assert_near(below, 0.024, 0.003);
    for (double ms = 25; ms <= 400; ms += 25) {
        double lines = 0.024 * ms + 0.11 * fmax(ms - 177.3, 0);
        assert_near(rate(ms, 0).delay_impairment, lines, 3.0);
    }
}

static void without_echo_short_delays_cost_next_to_nothing(void **state)
{
    (void)state;
    struct vox_emodel e;
    struct vox_emodel_rating rating;
    vox_emodel_init(&e);
    e.telr_db = (double)INFINITY;
    for (e.delay_ms = 0; e.delay_ms <= 100; e.delay_ms += 10) {
        assert_int_equal(vox_emodel_rate(&e, &rating), 0);
        assert_true(rating.delay_impairment < 0.8);
    }
    e.delay_ms = 300;
    assert_int_equal(vox_emodel_rate(&e, &rating), 0);
    assert_near(rating.delay_impairment, rating.absolute_delay, 1.2);
    for (e.telr_db = 5; e.telr_db < 200; e.telr_db += 5) { /* no echo is rewarded */
        struct vox_emodel_rating echo;
        assert_int_equal(vox_emodel_rate(&e, &echo), 0);
        assert_true(echo.r <= rating.r);
    }
}

/* Ie,eff by hand: 95 * 5 / (5 + 25.1); 10 + 85 * 5 / (5 / 2 + 19). */
static void loss_costs_what_the_formula_says(void **state)
{
    (void)state;
    assert_near(rate(0, 5).equipment_impairment, 15.781, 0.001);
    struct vox_emodel e;
    struct vox_emodel_rating rating;
    vox_emodel_init(&e);
    e.ie = 10;
    e.bpl = 19;
    e.burst_ratio = 2;
    e.loss_pct = 5;
    assert_int_equal(vox_emodel_rate(&e, &rating), 0);
    assert_near(rating.equipment_impairment, 29.767, 0.001);
}

/* One per cent of concealment against delay, the exchange rate by which playout is judged. */
static void one_per_cent_is_worth_158_to_198_ms(void **state)
{
    (void)state;
    static const double bpl[] = {VOX_EMODEL_BPL_CONCEALED, VOX_EMODEL_BPL_OPUS_FEC};
    static const double ms[] = {158, 198};
    for (size_t i = 0; i < COUNT(bpl); i++) {
        struct vox_emodel e;
        struct vox_emodel_rating rating;
        vox_emodel_init(&e);
        e.bpl = bpl[i];
        e.loss_pct = 0.01;
        assert_int_equal(vox_emodel_rate(&e, &rating), 0);
        assert_near((rate(0, 0).r - rating.r) / 0.01 / 0.024, ms[i], 1);
    }
}

/* G.107 Annex B, Table B.1: lower limits of R for the categories of satisfaction. */
static void opinions_follow_annex_b(void **state)
{
    (void)state;
    static const double r[] = {90, 80, 70, 60, 50};
    static const double mos[] = {4.34, 4.03, 3.60, 3.10, 2.58};
    for (size_t i = 0; i < COUNT(r); i++)
        assert_near(vox_emodel_mos(r[i]), mos[i], 0.01);
    assert_true(vox_emodel_mos(-5) == 1);
    assert_true(vox_emodel_mos(100) == 4.5);
    assert_true(vox_emodel_mos(129) == 4.5);
    for (double x = 0; x < 110; x += 0.01)
        assert_true(vox_emodel_mos(x + 0.01) >= vox_emodel_mos(x));
    assert_near(vox_emodel_mos(99.999), 4.5, 1e-3);
}

static void more_delay_or_loss_is_never_better(void **state)
{
    (void)state;
    for (double loss = 0; loss <= 100; loss += 5) {
        for (double ms = 0; ms < 2000; ms += 7) {
            struct vox_emodel_rating here = rate(ms, loss);
            assert_true(here.r >= 0 && here.r <= 100 && here.mos >= 1 && here.mos <= 4.5);
            assert_true(rate(ms + 7, loss).r <= here.r);
            assert_true(loss > 95 || rate(ms, loss + 5).r <= here.r);
        }
    }
    assert_true(rate((double)INFINITY, 0).r <= rate(10000, 0).r);
    assert_true(isfinite(rate((double)INFINITY, 0).r));
}

static void refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const struct vox_emodel good = {.burst_ratio = 1, .bpl = 10, .telr_db = 65};
    struct vox_emodel bad[12];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].delay_ms = -1;
    bad[1].delay_ms = (double)NAN;
    bad[2].loss_pct = -0.1;
    bad[3].loss_pct = 100.1;
    bad[4].loss_pct = (double)NAN;
    bad[5].burst_ratio = 0.9;
    bad[6].bpl = 0;
    bad[7].ie = 96;
    bad[8].ie = -1;
    bad[9].telr_db = 4;
    bad[10].telr_db = (double)NAN;
    bad[11].burst_ratio = (double)NAN;
    struct vox_emodel_rating rating = {.r = -7};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(vox_emodel_rate(&bad[i], &rating), VOX_EINVAL);
    assert_true(rating.r == -7);
    assert_int_equal(vox_emodel_rate(&good, &rating), 0);
}

RUN(cmocka_unit_test(defaults_give_what_the_standard_says),
    cmocka_unit_test(the_constants_follow_from_table_2),
    cmocka_unit_test(delay_alone_costs_what_the_formula_says),
    cmocka_unit_test(echo_gives_the_known_slope),
    cmocka_unit_test(without_echo_short_delays_cost_next_to_nothing),
    cmocka_unit_test(loss_costs_what_the_formula_says),
    cmocka_unit_test(one_per_cent_is_worth_158_to_198_ms),
    cmocka_unit_test(opinions_follow_annex_b), cmocka_unit_test(more_delay_or_loss_is_never_better),
    cmocka_unit_test(refuses_what_is_out_of_range))
