/* A goodbye on a network that reorders: it may overtake the last packets. */
#include "stream.h"

enum { STREAM_MS = 1000, PACKETS = STREAM_MS / 20 };

static struct player player;
static struct stream stream;

static int setup(void **state)
{
    (void)state;
    struct vox_receiver_config config;
    struct vox_sender_config sender;
    static float pcm[STREAM_MS * 48];
    fill_speech(pcm, STREAM_MS * 48);
    stream_config(&sender, VOX_PROFILE_MUSIC, 960, 1);
    stream_record(&sender, pcm, STREAM_MS * 48, &stream);
    player_config(&config);
    player_init(&player, &config, 2 * STREAM_MS * 48);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    player_free(&player);
    stream_free(&stream);
    return 0;
}

/* Sends everything; media from number `from` on comes late_ns after its time, RTCP at its own. */
static void send_with_late_end(size_t from, int64_t late_ns)
{
    size_t media = 0;
    for (size_t i = 0; i < stream.count; i++) {
        const struct stream_packet *packet = &stream.packets[i];
        if (!packet->rtcp && ++media > from)
            break;
        player_push(&player, packet, packet->send_ns);
    }
    const struct stream_packet *goodbye = &stream.packets[stream.count - 1];
    while ((goodbye - 1)->rtcp)
        goodbye--; /* the first of those that are sent */
    player_push(&player, goodbye, goodbye->send_ns);
    media = 0;
    for (size_t i = 0; i < stream.count; i++) {
        const struct stream_packet *packet = &stream.packets[i];
        if (!packet->rtcp && ++media > from)
            player_push(&player, packet, packet->send_ns + late_ns);
    }
    player_run(&player, stream.end_ns + VOX_NS_PER_S);
}

static void packets_that_it_overtook_are_played(void **state)
{
    (void)state;
    send_with_late_end(PACKETS - 3, 50 * VOX_NS_PER_MS);
    assert_int_equal(player_source(&player)->frames.played, PACKETS);
    assert_int_equal(player_source(&player)->state, VOX_SOURCE_ENDED);
    assert_int_equal(player.frames, PACKETS * 960);
}

static void packets_after_the_end_begin_no_new_source(void **state)
{
    (void)state;
    send_with_late_end(PACKETS - 3, 400 * VOX_NS_PER_MS);
    assert_int_equal(player_stats(&player)->source_count, 1);
    assert_int_equal(player_stats(&player)->pushed[VOX_PUSH_LATE], 3);
    assert_int_equal(player_source(&player)->frames.played, PACKETS - 3);
    assert_int_equal(player_source(&player)->state, VOX_SOURCE_ENDED);
}

static void the_same_ssrc_may_come_back_later(void **state)
{
    (void)state;
    send_with_late_end(PACKETS, 0);
    stream_drop_rtcp(&stream);
    for (size_t i = 0; i < 10; i++) {
        struct stream_packet packet = stream_at(&stream, PACKETS + i);
        player_push(&player, &packet, packet.send_ns + 2 * VOX_NS_PER_S);
    }
    assert_int_equal(player.kinds[VOX_EVENT_SOURCE_STARTED], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

RUN(TEST(packets_that_it_overtook_are_played), TEST(packets_after_the_end_begin_no_new_source),
    TEST(the_same_ssrc_may_come_back_later))
