#include "receiver/recover.h"

#include "sender/protect.h"
#include "stream.h"

#include "base/rng.h"
#include "dsp/pcm.h"

#include <math.h>
#include <opus.h>
#include <stdlib.h>

enum { PACKETS = 400 };

/* ---- what is RED and what is not ---- */

static void opus_is_no_red(void **state)
{
    (void)state;
    static const enum vox_profile profiles[] = {VOX_PROFILE_VOICE, VOX_PROFILE_MUSIC,
                                                VOX_PROFILE_LOWDELAY};
    for (size_t i = 0; i < COUNT(profiles); i++) {
        struct stream s;
        stream_voice(profiles[i], 960, 20000, &s);
        for (size_t k = 0; k < s.count; k++) {
            struct vox_rtp rtp = packet_rtp(&s.packets[k]);
            assert_int_equal(vox_recover_payload_type(&rtp), -1);
        }
        stream_free(&s);
    }
}

static void copies_get_their_numbers(void **state)
{
    (void)state;
    static const uint8_t toc[] = {0x78, 1, 2}; /* hybrid, 20 ms, mono, one frame */
    struct vox_packet packet = {.index = 1000, .ts = 960000, .arrival_ns = 5};
    struct vox_packet copy;
    int64_t index;
    assert_true(vox_opus_parse(toc, sizeof toc, &packet.info) >= 0);
    int ticks = packet.info.duration_ticks;
    struct vox_red_block block = {.payload_type = 96, .data = toc, .data_bytes = sizeof toc};
    struct vox_red red = {.copy_count = 4, .primary = block};
    const int offsets[] = {4 * ticks, 2 * ticks, ticks / 2, ticks};
    for (int i = 0; i < 4; i++)
        red.copies[i] =
            (struct vox_red_copy){.block = block, .offset_rtp_ts = (uint16_t)offsets[i]};
    red.copies[3].block.payload_type = 111; /* of another codec */
    assert_true(vox_recover_number(&red.copies[1], &packet, &index) && index == 998);
    assert_false(vox_recover_number(&red.copies[2], &packet, &index));
    assert_true(vox_recover_copy(&red, 0, &packet, &copy));
    assert_int_equal(copy.index, 996);
    assert_int_equal(copy.ts, 960000 - 4 * ticks);
    assert_true(vox_recover_copy(&red, 1, &packet, &copy));
    assert_int_equal(copy.index, 998);
    assert_true(copy.is_copy && copy.arrival_ns == 5);
    assert_false(vox_recover_copy(&red, 2, &packet, &copy));
    assert_false(vox_recover_copy(&red, 3, &packet, &copy));
}

/* ---- through both engines ---- */

struct row {
    const char *name;
    bool fec;
    int depth, spacing, frame_ticks;
    int delay_frames; /* that the receiver waits */
    int burst;        /* packets lost in a row, every `every` */
    int every;
};

static struct stream s;

static void record(const struct row *row)
{
    struct vox_sender_config config;
    size_t frames = (size_t)(PACKETS * row->frame_ticks);
    float *pcm = calloc(frames, sizeof *pcm);
    assert_non_null(pcm);
    fill_speech(pcm, frames);
    stream_config(&config, VOX_PROFILE_VOICE, row->frame_ticks, 1);
    config.bitrate_bps = 32000;
    config.fec = row->fec;
    for (int i = 0; i < row->depth; i++)
        config.red_distances[i] = (i + 1) * row->spacing;
    stream_record(&config, pcm, frames, &s);
    stream_drop_rtcp(&s);
    free(pcm);
}

static bool is_lost(const struct row *row, size_t i)
{
    return i > 60 && i + 30 < s.count && i % (size_t)row->every < (size_t)row->burst;
}

static void play(const struct row *row, bool lossy, struct player *player)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.delay_ns = vox_rtp_to_ns(row->delay_frames * row->frame_ticks) + VOX_NS_PER_MS;
    player_init(player, &config, (size_t)((PACKETS + 50) * row->frame_ticks));
    for (size_t i = 0; i < s.count; i++)
        if (!lossy || !is_lost(row, i))
            player_push(player, &s.packets[i], s.packets[i].send_ns);
    player_run(player, s.end_ns + VOX_NS_PER_S / 10);
    vox_receiver_finish(player->receiver, player->now_ns);
}

static size_t lost_in(const struct row *row)
{
    size_t lost = 0;
    for (size_t i = 0; i < s.count; i++)
        lost += is_lost(row, i);
    return lost;
}

/* Where all that the decoder needs came in time, each sample is what it would have been. */
static void a_recovered_frame_is_the_frame(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"one copy", false, 1, 1, 960, 1, 1, 7},
        {"one copy, two apart, bursts of two", false, 1, 2, 960, 2, 2, 9},
        {"two copies, bursts of two", false, 2, 1, 960, 2, 2, 9},
        {"three copies, three apart, bursts of three", false, 3, 3, 960, 9, 3, 20},
        {"with FEC", true, 1, 3, 960, 3, 3, 17},
        {"10 ms", false, 2, 2, 480, 4, 2, 11},
        {"2.5 ms", false, 4, 1, 120, 4, 4, 13},
        {"60 ms", false, 1, 1, 2880, 1, 1, 5},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct player clean, repaired;
        record(&rows[i]);
        play(&rows[i], false, &clean);
        play(&rows[i], true, &repaired);
        const struct vox_source_stats *got = player_source(&repaired);
        print_message("%s: %d copies played\n", rows[i].name, (int)got->frames.from_red);
        assert_int_equal(got->packets.lost, lost_in(&rows[i]));
        assert_int_equal(got->frames.from_red, lost_in(&rows[i]));
        assert_int_equal(got->concealed_ns, 0);
        assert_int_equal(got->packets.late + got->packets.duplicate, 0);
        assert_int_equal(repaired.frames, clean.frames);
        assert_memory_equal(repaired.pcm, clean.pcm, clean.frames * 2 * sizeof *clean.pcm);
        player_free(&clean);
        player_free(&repaired);
        stream_free(&s);
    }
}

/* A copy that comes too late is no use, and does no harm; the delay of an adaptive receiver grows
 * until copies are of use. */
static void playout_waits_for_copies_where_that_pays(void **state)
{
    (void)state;
    static const struct row row = {"", false, 1, 2, 960, 0, 1, 20};
    static struct player player;
    struct vox_receiver_config config;
    record(&row);
    player_config(&config);
    config.delay_ns = -1;
    player_init(&player, &config, 0);
    uint64_t played = 0;
    for (size_t round = 0; round < 5; round++)
        for (size_t i = 0; i < s.count; i++) {
            struct stream_packet packet = stream_at(&s, round * s.count + i);
            if (i % 20 != 7)
                player_push(&player, &packet, packet.send_ns);
            if (round == 3 && i + 1 == s.count)
                played = player_source(&player)->frames.from_red;
        }
    const struct vox_source_stats *got = player_source(&player);
    assert_true(got->target_ns >= 38 * VOX_NS_PER_MS && got->target_ns < 90 * VOX_NS_PER_MS);
    assert_in_range(got->frames.from_red - played, PACKETS / 20 - 2, PACKETS / 20);
    player_free(&player);
    stream_free(&s);
}

/* The original after its copy is neither late nor a duplicate. */
static void the_packet_after_its_copy_is_welcome(void **state)
{
    (void)state;
    static const struct row row = {"", false, 1, 1, 960, 1, 1, 400};
    static struct player player;
    struct vox_receiver_config config;
    record(&row);
    player_config(&config);
    config.delay_ns = 60 * VOX_NS_PER_MS;
    player_init(&player, &config, 0);
    for (size_t i = 0; i < 200; i++) {
        if (i == 100 || i == 150)
            continue;
        player_push(&player, &s.packets[i], s.packets[i].send_ns);
        if (i == 101) /* before it is played */
            player_push(&player, &s.packets[100], s.packets[i].send_ns + VOX_NS_PER_MS);
        if (i == 160) /* long after */
            player_push(&player, &s.packets[150], s.packets[i].send_ns + VOX_NS_PER_MS);
    }
    player_run(&player, s.packets[200].send_ns + 100 * VOX_NS_PER_MS);
    vox_receiver_finish(player.receiver, player.now_ns);
    const struct vox_source_stats *got = player_source(&player);
    assert_int_equal(got->packets.received, 200);
    assert_int_equal(got->packets.lost, 0);
    assert_int_equal(got->packets.late, 0);
    assert_int_equal(got->packets.duplicate, 0);
    assert_int_equal(got->packets.reordered, 2);
    player_free(&player);
    stream_free(&s);
}

/* ---- late packets ---- */

enum { DELAY_MS = 20, LATE_EVERY = 10, FADE = 120 };

/* Packets that come so much later than the delay allows, now and then, some in a row. */
static void play_late(double late_ms, size_t in_a_row, struct player *player)
{
    struct vox_receiver_config config;
    player_config(&config);
    config.delay_ns = DELAY_MS * VOX_NS_PER_MS;
    player_init(player, &config, (size_t)((PACKETS + 50) * 960));
    for (size_t i = 0; i < s.count; i++) {
        bool late = i % LATE_EVERY >= 5 && i % LATE_EVERY < 5 + in_a_row;
        double by_ms = late ? DELAY_MS + late_ms : 0;
        player_push(player, &s.packets[i], s.packets[i].send_ns + vox_ms_to_ns(by_ms));
    }
    player_run(player, s.end_ns + VOX_NS_PER_S / 10);
}

/* First frame of a packet's playing that is what it would have been, and is so to the end. */
static size_t exact_from(const struct player *a, const struct player *b, size_t from, size_t to)
{
    size_t exact = to;
    while (exact > from &&
           memcmp(a->pcm + 2 * (exact - 1), b->pcm + 2 * (exact - 1), 2 * sizeof *a->pcm) == 0)
        exact--;
    return exact - from;
}

/* What came late repairs the decoder's state: what follows is bit for bit what it would have been,
 * but for the fade. */
static void a_late_packet_leaves_no_trace(void **state)
{
    (void)state;
    static const struct {
        double late_ms;
        size_t in_a_row;
        size_t concealed; /* frames, in steps of 2.5 ms */
    } rows[] = {{2, 1, 120}, {6, 1, 360}, {11, 1, 600}, {18, 1, 960}, {19, 3, 3 * 960}};
    static struct player clean, late;
    static const struct row row = {"", false, 0, 1, 960, 1, 1, 400};
    record(&row);
    for (size_t k = 0; k < COUNT(rows); k++) {
        play_late(-DELAY_MS, 1, &clean);
        play_late(rows[k].late_ms, rows[k].in_a_row, &late);
        assert_int_equal(late.frames, clean.frames);
        for (size_t i = 25; i + 10 < s.count; i += LATE_EVERY) {
            size_t at = i * 960;
            size_t differs = exact_from(&clean, &late, at, at + 5 * 960);
            if (differs > rows[k].concealed + FADE)
                fail_msg("%.0f ms late: %d frames differ", rows[k].late_ms, (int)differs);
        }
        player_free(&clean);
        player_free(&late);
    }
    stream_free(&s);
}

static bool has_fec(const struct stream_packet *packet)
{
    struct vox_opus_info info;
    struct vox_rtp rtp = packet_rtp(packet);
    return vox_opus_parse(rtp.payload, rtp.payload_bytes, &info) >= 0 && info.has_lbrr;
}

/* It comes while its in-band FEC is being heard: it is not heard once more, and the delay stays. */
static void what_fec_brought_is_not_played_twice(void **state)
{
    (void)state;
    size_t gone = 300;
    static const struct row row = {"", true, 0, 1, 960, 1, 1, 400};
    static struct player player;
    struct vox_receiver_config config;
    record(&row);
    while (gone + 20 < s.count && !has_fec(&s.packets[gone + 1]))
        gone++;
    player_config(&config);
    config.delay_ns = -1;
    config.min_delay_ns = 40 * VOX_NS_PER_MS;
    config.keep_tempo = true; /* else it is waited for */
    player_init(&player, &config, 0);
    int64_t late_ns = s.end_ns, before_ns = 0;
    for (size_t i = 0; i < gone + 10; i++) {
        if (i == gone) { /* its playing began 7 ms before it comes */
            before_ns = player_source(&player)->current_ns;
            late_ns = s.packets[gone].send_ns + before_ns + 7 * VOX_NS_PER_MS;
            continue;
        }
        if (s.packets[i].send_ns > late_ns) {
            player_push(&player, &s.packets[gone], late_ns);
            late_ns = s.end_ns;
        }
        player_push(&player, &s.packets[i], s.packets[i].send_ns);
    }
    const struct vox_source_stats *got = player_source(&player);
    assert_int_equal(got->frames.from_fec, 1);
    assert_int_equal(got->packets.late, 1);
    assert_true(llabs(got->current_ns - before_ns) < 5 * VOX_NS_PER_MS);
    player_free(&player);
    stream_free(&s);
}

/* As some senders have it: RED from the first packet on, one without copies, and nobody said what
 * the payload types are. */
static void red_is_known_by_its_copies(void **state)
{
    (void)state;
    static const struct row row = {"", false, 1, 1, 960, 1, 1, 400};
    static struct player player;
    struct vox_receiver_config config;
    record(&row);
    for (int described = 0; described <= 1; described++) {
        player_config(&config);
        config.red_payload_type = described ? 97 : 0;
        player_init(&player, &config, 0);
        struct stream_packet first = s.packets[0];
        struct vox_rtp rtp = packet_rtp(&first);
        size_t header = first.len - rtp.payload_bytes;
        memmove(first.bytes + header + 1, first.bytes + header, rtp.payload_bytes);
        first.bytes[header] = 96; /* no copy: the primary's header alone */
        first.bytes[1] = (uint8_t)((first.bytes[1] & 0x80) | 97);
        first.len++;
        player_push(&player, &first, first.send_ns);
        for (size_t i = 1; i < 200; i++)
            if (i != 100)
                player_push(&player, &s.packets[i], s.packets[i].send_ns);
        player_run(&player, s.packets[199].send_ns + 100 * VOX_NS_PER_MS);
        const struct vox_source_stats *got = player_source(&player);
        assert_int_equal(got->payload_type, 96);
        assert_in_range(got->frames.from_red, 1, 2); /* the first packet may come as a copy */
        assert_in_range(got->frames.played, described ? 198 : 195, 200);
        player_free(&player);
    }
    stream_free(&s);
}

/* Random loss: nothing that a copy brought in time is concealed. */
static void every_copy_in_time_is_used(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        static const struct row row = {"", false, 2, 2, 960, 4, 0, 1};
        static struct player player;
        struct vox_receiver_config config;
        struct vox_rng rng;
        bool lost[PACKETS + 8] = {false};
        record(&row);
        print_message("seed %llu\n", (unsigned long long)seed);
        vox_rng_init(&rng, seed, 0);
        player_config(&config);
        config.delay_ns = vox_rtp_to_ns(4 * 960) + VOX_NS_PER_MS;
        player_init(&player, &config, 0);
        for (size_t i = 0; i < s.count; i++) {
            lost[i] = i > 60 && i + 60 < s.count && vox_rng_uniform(&rng) < 0.2;
            if (!lost[i])
                player_push(&player, &s.packets[i], s.packets[i].send_ns);
        }
        player_run(&player, s.end_ns + VOX_NS_PER_S / 10);
        size_t gone = 0, back = 0;
        for (size_t i = 0; i + 4 < s.count; i++) {
            gone += lost[i] && lost[i + 2] && lost[i + 4];
            back += lost[i] && !(lost[i + 2] && lost[i + 4]);
        }
        const struct vox_source_stats *got = player_source(&player);
        assert_int_equal(got->frames.from_red, back);
        assert_int_equal(got->concealed_ns, (int64_t)gone * 20 * VOX_NS_PER_MS);
        player_free(&player);
        stream_free(&s);
    }
}

RUN(cmocka_unit_test(opus_is_no_red), cmocka_unit_test(copies_get_their_numbers),
    cmocka_unit_test(a_recovered_frame_is_the_frame),
    cmocka_unit_test(playout_waits_for_copies_where_that_pays),
    cmocka_unit_test(the_packet_after_its_copy_is_welcome),
    cmocka_unit_test(a_late_packet_leaves_no_trace),
    cmocka_unit_test(what_fec_brought_is_not_played_twice),
    cmocka_unit_test(red_is_known_by_its_copies), cmocka_unit_test(every_copy_in_time_is_used))
