#include "lab/render.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/time.h"
#include "lab/talker.h"
#include "speech.h"
#include "support/test.h"
#include "wire/rtp.h"
#include "wire/rtx.h"

#include <math.h>

#define NS_MS VOX_NS_PER_MS
#define START_NS (INT64_C(1767225600) * VOX_NS_PER_S)

enum { SECONDS = 6, FRAMES = 50 * SECONDS, MOST = 2 * FRAMES + 64, NEVER = -1 };

static struct vox_tape *tape;
static struct vox_playable_stream stream;
static struct vox_playable_packet packets[MOST];
static size_t count;
static uint8_t repeats[FRAMES][1500];
static struct vox_playable playable;

/* What a sender says, as a clock that counts from 1970 has it. */
static void record(bool fec, int distance, int bitrate_bps)
{
    struct vox_talker_config talker = {.pcm = speech,
                                       .pcm_frames = (int64_t)speech_frames,
                                       .frames = SECONDS * 48000,
                                       .start_ns = VOX_NS_PER_S};
    vox_tape_destroy(tape);
    tape = NULL;
    vox_sender_config_init(&talker.engine, VOX_PROFILE_VOICE);
    talker.engine.bitrate_bps = bitrate_bps;
    talker.engine.fec = fec;
    talker.engine.red_distances[0] = distance;
    talker.engine.ssrc = 77;
    talker.engine.first_seq = 65500;
    talker.engine.first_timestamp = 0xffffff00;
    talker.engine.wall_offset_ns = START_NS;
    assert_int_equal(vox_tape_record(&talker, &tape), 0);
    vox_playable_stream_init(&stream);
    stream.ssrc = 77;
    stream.first_timestamp = 0xffffff00;
    stream.frames = FRAMES;
    count = 0;
}

/* Its n-th packet after so many ms; NEVER. */
static void deliver(int (*delay_ms)(int frame))
{
    int frame = 0;
    for (size_t i = 0; i < vox_tape_count(tape); i++) {
        const struct vox_datagram *d = &vox_tape_at(tape, i)->datagram;
        int ms = d->kind == VOX_DATAGRAM_RTP ? delay_ms(frame++) : 30;
        if (ms != NEVER)
            packets[count++] = (struct vox_playable_packet){
                .arrival_ns = START_NS + d->send_ns + ms * NS_MS, .bytes = d->bytes, .len = d->len};
    }
    assert_int_equal(vox_playable_find(&stream, packets, count, &playable), 0);
}

static struct vox_render rendered(int budget_ms, bool silent)
{
    struct vox_render out = {0};
    const struct vox_render_config config = {.stream = &stream,
                                             .playable = &playable,
                                             .packets = packets,
                                             .count = count,
                                             .budget_ns = budget_ms * NS_MS,
                                             .silent = silent};
    assert_int_equal(vox_render(&config, &out), 0);
    assert_int_equal(out.frames, FRAMES * 960);
    assert_int_equal(out.channels, 1);
    return out;
}

static double missing_pct(int budget_ms)
{
    struct vox_playable_missing missing;
    vox_playable_at(&playable, budget_ms * NS_MS, &missing);
    return missing.pct;
}

/* One frame of them, in per cent. */
static const double FRAME_PCT = 100.0 / FRAMES;

/* Heard and reckoned agree, to within a frame or two. */
static void agree(int budget_ms)
{
    struct vox_render out = rendered(budget_ms, false);
    double expected = missing_pct(budget_ms);
    if (fabs(out.concealed_pct - expected) > 2 * FRAME_PCT)
        fail_msg("%d ms: concealed %.2f %%, missing %.2f %%", budget_ms, out.concealed_pct,
                 expected);
    vox_render_clear(&out);
}

static int always_20(int frame)
{
    (void)frame;
    return 20;
}

static int every_tenth_lost(int frame)
{
    return frame % 10 == 3 ? NEVER : 20;
}

/* Losses in bursts of up to four, also of the first and the last frames; delays of 20 to 60 ms. */
static int rough(int frame)
{
    static const char lost[] = "1100100000011110000100001100000010000000";
    bool is_last = frame >= FRAMES - 2;
    return is_last || lost[(size_t)frame % (sizeof lost - 1)] == '1' ? NEVER : 20 + frame * 7 % 41;
}

/* Head-of-line blocking: every 60 frames one is 300 ms late, and all behind it wait for it. */
static int blocked(int frame)
{
    int since = (frame + 30) % 60;
    int ms = 300 - 20 * since;
    return frame >= 30 && ms > 20 ? ms : 20;
}

/* An outage of more than a second, after which everything comes in a heap. */
static int cut_off(int frame)
{
    int ms = 1500 - 20 * (frame - 100);
    return frame >= 100 && ms > 25 ? ms : 25;
}

static void clear(void)
{
    vox_playable_clear(&playable);
}

static double difference(const struct vox_render *a, const struct vox_render *b, int64_t from,
                         int64_t frames)
{
    double most = 0;
    for (int64_t i = from; i < from + frames; i++)
        most = fmax(most, fabs((double)a->pcm[i] - (double)b->pcm[i]));
    return most;
}

/* Whatever the budget, the sound is the same, and in the same place. */
static void all_in_time_is_all_heard(void **state)
{
    (void)state;
    record(false, 0, 32000);
    deliver(always_20);
    struct vox_render a = rendered(21, false), b = rendered(400, false);
    assert_float_equal(a.concealed_pct, 0, 1e-9);
    assert_float_equal(b.concealed_pct, 0, 1e-9);
    assert_float_equal(difference(&a, &b, 0, a.frames), 0, 1e-9);
    double power = 0;
    for (int64_t i = 0; i < a.frames; i++)
        power += (double)(a.pcm[i] * a.pcm[i]);
    assert_true(power / (double)a.frames > 1e-4);
    vox_render_clear(&a);
    vox_render_clear(&b);
    clear();
}

static void the_delay_does_not_move_the_sound(void **state)
{
    (void)state;
    record(false, 0, 32000);
    deliver(always_20);
    struct vox_render steady = rendered(100, false);
    clear();
    count = 0;
    deliver(cut_off);
    struct vox_render cut = rendered(100, false);
    agree(100);
    agree(400);
    assert_true(cut.concealed_pct > 20 && cut.concealed_pct < 30);
    /* A second after it, the decoder has forgotten. */
    assert_true(difference(&steady, &cut, 250 * 960, 40 * 960) < 0.02);
    vox_render_clear(&steady);
    vox_render_clear(&cut);
    clear();
}

static void concealed_is_what_was_missing(void **state)
{
    (void)state;
    static int (*const networks[])(int) = {every_tenth_lost, rough, blocked, cut_off};
    static const int budgets[] = {22, 45, 60, 100, 200, 400};
    for (size_t kind = 0; kind < 3; kind++) {
        record(kind == 1, kind == 2 ? 1 : 0, 24000);
        for (size_t n = 0; n < COUNT(networks); n++) {
            count = 0;
            deliver(networks[n]);
            for (size_t b = 0; b < COUNT(budgets); b++)
                agree(budgets[b]);
            clear();
        }
    }
}

static void repairs_need_their_time(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        record(kind == 0, kind, 24000);
        deliver(every_tenth_lost);
        assert_float_equal(missing_pct(39), 10, 1e-9);
        double repaired = missing_pct(41); /* some packets carry no LBRR: nobody speaks in them */
        assert_true(repaired < (kind == 0 ? 8 : 1e-9));
        agree(39);
        agree(41);
        clear();
    }
}

/* Lost ones sent again come 80 ms after their capture. */
static void what_is_sent_again_is_heard(void **state)
{
    (void)state;
    record(false, 0, 32000);
    size_t frame = 0, repeated = 0;
    for (size_t i = 0; i < vox_tape_count(tape); i++) {
        const struct vox_datagram *d = &vox_tape_at(tape, i)->datagram;
        struct vox_rtp rtp;
        if (d->kind != VOX_DATAGRAM_RTP || frame++ % 10 != 3)
            continue;
        assert_int_equal(vox_rtp_parse(d->bytes, d->len, &rtp), 0);
        int len =
            vox_rtx_write(&rtp, 98, 78, (uint16_t)repeated, repeats[repeated], sizeof repeats[0]);
        assert_true(len > 0);
        packets[count++] =
            (struct vox_playable_packet){.arrival_ns = START_NS + d->send_ns + 80 * NS_MS,
                                         .bytes = repeats[repeated++],
                                         .len = (size_t)len};
    }
    deliver(every_tenth_lost);
    assert_float_equal(missing_pct(79), 10, 1e-9);
    assert_float_equal(missing_pct(81), 0, 1e-9);
    agree(79);
    agree(81);
    clear();
}

/* Without concealment: digital silence exactly where a frame is missing. */
static void plain_is_silent_where_it_misses(void **state)
{
    (void)state;
    record(false, 0, 32000);
    deliver(every_tenth_lost);
    struct vox_render plain = rendered(100, true), concealed = rendered(100, false);
    for (int64_t i = 0; i < plain.frames; i++) {
        if (i / 960 % 10 == 3)
            assert_true(plain.pcm[i] == 0);
        else
            assert_true(plain.pcm[i] == concealed.pcm[i]);
    }
    vox_render_clear(&plain);
    vox_render_clear(&concealed);
    clear();
}

static void too_short_a_budget_is_silence(void **state)
{
    (void)state;
    struct vox_render out;
    record(false, 0, 32000);
    deliver(always_20);
    out = rendered(19, false);
    assert_float_equal(out.concealed_pct, 100, 1e-9);
    for (int64_t i = 0; i < out.frames; i++)
        assert_true(out.pcm[i] == 0);
    vox_render_clear(&out);
    const struct vox_render_config config = {
        .stream = &stream, .playable = &playable, .budget_ns = -1};
    assert_int_equal(vox_render(&config, &out), VOX_EINVAL);
    clear();
    vox_tape_destroy(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_time_is_all_heard),
        cmocka_unit_test(the_delay_does_not_move_the_sound),
        cmocka_unit_test(concealed_is_what_was_missing),
        cmocka_unit_test(repairs_need_their_time),
        cmocka_unit_test(what_is_sent_again_is_heard),
        cmocka_unit_test(plain_is_silent_where_it_misses),
        cmocka_unit_test(too_short_a_budget_is_silence),
    };
    return cmocka_run_group_tests(tests, read_speech, NULL);
}
