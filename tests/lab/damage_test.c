#include "lab/damage.h"

#include "lab/speech.h"
#include "support/test.h"

#include <math.h>

/* The speech with some damage, in place. */
static float heard[SPEECH_ROOM];

static int begin(void **state)
{
    (void)state;
    memcpy(heard, speech, sizeof heard);
    return 0;
}

/* Against the speech, `lag` frames later. */
static struct vox_damage_list find_at(int64_t lag)
{
    struct vox_align_piece piece = {.frames = (int64_t)speech_frames, .lag_frames = lag};
    struct vox_alignment alignment = {.pieces = &piece, .count = 1};
    struct vox_audio_view reference = mono(speech, speech_frames);
    struct vox_audio_view output = mono(heard, speech_frames);
    struct vox_damage_list list;
    assert_int_equal(vox_damage_find(&reference, &output, &alignment, &list), 0);
    return list;
}

static struct vox_damage_list find(void)
{
    return find_at(0);
}

static void assert_nothing(void)
{
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 0);
    assert_int_equal(list.clicks, 0);
    assert_int_equal(list.count, 0);
    vox_damage_list_clear(&list);
}

static void scale(size_t from, size_t frames, float gain)
{
    for (size_t i = from; i < from + frames; i++)
        heard[i] *= gain;
}

/* One dropout from `at` on, give or take half a millisecond, and nothing else. */
static void assert_dropout(size_t at, size_t frames)
{
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 1);
    assert_int_equal(list.clicks, 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].kind, VOX_DAMAGE_DROPOUT);
    assert_in_range(list.items[0].output_frame, at - 24, at + 24);
    assert_in_range(list.items[0].frames, frames - 24, frames + 48);
    assert_int_equal(list.items[0].reference_frame, list.items[0].output_frame);
    assert_int_equal(list.dropout_frames, list.items[0].frames);
    vox_damage_list_clear(&list);
}

static void an_undamaged_signal_has_none(void **state)
{
    (void)state;
    assert_nothing();
    scale(0, speech_frames, 0.1F); /* quieter by 20 dB */
    assert_nothing();
}

static void silence_for_three_milliseconds_is_a_dropout(void **state)
{
    static const size_t ms[] = {3, 4, 10, 60};
    size_t at = 0;
    for (size_t i = 0; i < COUNT(ms); i++) {
        begin(state);
        at = loud_from(at + 48000, ms[i] + 20) + 10 * MS + 7 * i;
        scale(at, ms[i] * MS, 0.0F);
        assert_dropout(at, ms[i] * MS);
    }
}

static void less_than_that_is_none(void **state)
{
    (void)state;
    size_t at = loud_from(48000, 40) + 10 * MS;
    scale(at, 2 * MS, 0.0F);
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 0);
    vox_damage_list_clear(&list);
}

static void only_30_dB_down_is_a_dropout(void **state)
{
    size_t at = loud_from(48000, 60) + 20 * MS;
    scale(at, 20 * MS, 0.003F); /* 50 dB, below the quietest 3 ms nearby by 30 for sure */
    assert_dropout(at, 20 * MS);
    begin(state);
    scale(at, 20 * MS, 0.05F); /* 26 dB */
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 0);
    vox_damage_list_clear(&list);
}

static void nothing_is_missing_in_a_pause(void **state)
{
    (void)state;
    size_t at = quiet_from(48000, 60) + 10 * MS;
    scale(at, 40 * MS, 0.0F);
    assert_nothing();
}

/* Output that shows nothing of the reference stands where the next of it should. */
static void inserted_silence_is_a_dropout(void **state)
{
    (void)state;
    size_t at = loud_from(48000, 60) + 30 * MS;
    size_t gap = 25 * MS;
    scale(at, gap, 0.0F);
    memcpy(heard + at + gap, speech + at, (speech_frames - at - gap) * sizeof heard[0]);
    struct vox_align_piece pieces[] = {
        {.frames = (int64_t)at},
        {.reference_frame = (int64_t)at,
         .frames = (int64_t)(speech_frames - at),
         .lag_frames = (int64_t)gap},
    };
    struct vox_alignment alignment = {.pieces = pieces, .count = 2};
    struct vox_audio_view reference = mono(speech, speech_frames);
    struct vox_audio_view output = mono(heard, speech_frames);
    struct vox_damage_list list;
    assert_int_equal(vox_damage_find(&reference, &output, &alignment, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.dropouts, 1);
    assert_in_range(list.items[0].frames, gap - 24, gap + 48);
    assert_int_equal(list.items[0].reference_frame, at);
    vox_damage_list_clear(&list);
}

static void a_wrong_sample_is_a_click(void **state)
{
    (void)state;
    size_t at[] = {quiet_from(48000, 60) + 30 * MS, loud_from(48000, 60) + 30 * MS,
                   loud_from(9 * 48000, 60) + 30 * MS};
    heard[at[0]] += 0.01F;
    heard[at[1]] += 0.3F;
    heard[at[2]] -= 0.3F;
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 0);
    assert_int_equal(list.clicks, 3);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].kind, VOX_DAMAGE_CLICK);
        bool known = false;
        for (size_t k = 0; k < COUNT(at); k++)
            known = known || llabs(list.items[i].output_frame - (int64_t)at[k]) <= 1;
        assert_true(known);
        assert_true(list.items[i].frames <= 3);
    }
    vox_damage_list_clear(&list);
}

static void a_click_of_the_reference_is_its_own(void **state)
{
    (void)state;
    size_t at = quiet_from(48000, 60) + 30 * MS;
    float before = speech[at];
    speech[at] += 0.1F;
    heard[at + 5 * MS] += 0.1F; /* decoded, and not quite at its place */
    assert_nothing();
    speech[at] = before;
}

/* 7 ms that do not fit to what is around them. */
static void both_edges_of_a_step_are_clicks(void **state)
{
    (void)state;
    size_t at = loud_from(48000, 60) + 30 * MS;
    size_t end = at + 7 * MS;
    for (size_t i = at; i < end; i++)
        heard[i] -= 0.2F;
    struct vox_damage_list list = find();
    assert_int_equal(list.dropouts, 0);
    assert_int_equal(list.clicks, 2);
    assert_in_range(list.items[0].output_frame, at - 2, at + 2);
    assert_in_range(list.items[1].output_frame, end - 2, end + 2);
    vox_damage_list_clear(&list);
}

static void one_event_in_two_channels_is_listed_once(void **state)
{
    (void)state;
    static float clean[2 * SPEECH_ROOM];
    static float two[2 * SPEECH_ROOM];
    size_t gap = loud_from(48000, 60) + 10 * MS;
    size_t gap_right = loud_from(6 * 48000, 60) + 10 * MS;
    for (size_t i = 0; i < speech_frames; i++) {
        clean[2 * i] = two[2 * i] = 0.8F * speech[i];
        clean[2 * i + 1] = two[2 * i + 1] = 0.5F * speech[i];
    }
    memset(two + 2 * gap, 0, 2 * 20 * MS * sizeof two[0]);
    for (size_t i = gap_right; i < gap_right + 20 * MS; i++)
        two[2 * i + 1] = 0;
    struct vox_align_piece piece = {.frames = (int64_t)speech_frames};
    struct vox_alignment alignment = {.pieces = &piece, .count = 1};
    struct vox_audio_view reference = {clean, speech_frames, 2};
    struct vox_audio_view output = {two, speech_frames, 2};
    struct vox_damage_list list;
    assert_int_equal(vox_damage_find(&reference, &output, &alignment, &list), 0);
    assert_int_equal(list.dropouts, 2);
    assert_int_equal(list.clicks, 0);
    assert_int_equal(list.items[0].channel, 0);
    assert_int_equal(list.items[1].channel, 1);
    vox_damage_list_clear(&list);
}

static void the_list_ends_but_counting_goes_on(void **state)
{
    (void)state;
    memset(heard, 0, sizeof heard);
    memset(speech, 0, sizeof speech);
    for (size_t i = 0; i < 1500; i++)
        heard[1000 + 480 * i] = 0.1F;
    struct vox_damage_list list = find();
    assert_int_equal(list.clicks, 1500);
    assert_int_equal(list.count, VOX_DAMAGE_MAX_ITEMS);
    for (size_t i = 0; i < list.count; i++)
        assert_in_range(list.items[i].output_frame, 1000 + 480 * i - 1, 1000 + 480 * i + 1);
    vox_damage_list_clear(&list);
    assert_int_equal(read_speech(state), 0);
}

static void an_output_that_is_all_silence_has_no_end_of_dropouts(void **state)
{
    (void)state;
    memset(heard, 0, sizeof heard);
    struct vox_damage_list list = find();
    assert_true(list.dropouts > 10);
    assert_true(list.dropout_frames > (int64_t)speech_frames / 2);
    assert_int_equal(list.clicks, 0);
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.items[i].output_frame >=
                    list.items[i - 1].output_frame + list.items[i - 1].frames);
    vox_damage_list_clear(&list);
}

static void what_lies_beyond_the_reference_is_not_judged(void **state)
{
    (void)state;
    memset(heard, 0, sizeof heard);
    struct vox_damage_list list = find_at((int64_t)speech_frames);
    assert_int_equal(list.count, 0);
    vox_damage_list_clear(&list);
    list = find_at(-(int64_t)speech_frames - 5000);
    assert_int_equal(list.count, 0);
    vox_damage_list_clear(&list);
}

#define CASE(test) cmocka_unit_test_setup(test, begin)

RUN_AFTER(read_speech, CASE(an_undamaged_signal_has_none),
          CASE(silence_for_three_milliseconds_is_a_dropout), CASE(less_than_that_is_none),
          CASE(only_30_dB_down_is_a_dropout), CASE(nothing_is_missing_in_a_pause),
          CASE(inserted_silence_is_a_dropout), CASE(a_wrong_sample_is_a_click),
          CASE(a_click_of_the_reference_is_its_own), CASE(both_edges_of_a_step_are_clicks),
          CASE(one_event_in_two_channels_is_listed_once), CASE(the_list_ends_but_counting_goes_on),
          CASE(an_output_that_is_all_silence_has_no_end_of_dropouts),
          CASE(what_lies_beyond_the_reference_is_not_judged))
