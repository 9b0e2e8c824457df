#include "sender/promises.h"

#include "base/time.h"
#include "cli/message.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

/* What was asked for, what came of it, and what is said of that: NULL for nothing. */
struct row {
    const char *name;
    struct vox_encoding_options options;
    struct vox_sender_stats stats;
    int channels;
    double s;
    bool receiver_asks;
    const char *said;
};

/* Tells twice; the text is the caller's. */
static char *told(const struct row *row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct vox_promises promises = {0};
    const struct vox_promises_view view = {.options = &row->options,
                                           .stats = &row->stats,
                                           .channels = row->channels ? row->channels : 1,
                                           .sent_ns = (int64_t)(row->s * 1e9),
                                           .receiver_asks = row->receiver_asks};
    vox_message_init("test", out);
    vox_promises_tell(&promises, &view);
    vox_promises_tell(&promises, &view);
    vox_message_init("test", stderr);
    fclose(out);
    return text;
}

#define VOICE .profile = VOX_PROFILE_VOICE, .frame_ticks = 960

static void what_is_not_given_is_told_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"nothing asked for", {VOICE}, {.packets = 500}, 0, 60, false, NULL},
        {"FEC that is there", {VOICE, .fec = true}, {.lbrr_packets = 1}, 0, 60, false, NULL},
        {"FEC not yet", {VOICE, .fec = true}, {.packets = 50}, 0, 1, false, NULL},
        {"no FEC", {VOICE, .fec = true}, {.packets = 300}, 0, 6, false, "--fec: the codec puts"},
        {"FEC in vain",
         {.profile = VOX_PROFILE_LOWDELAY, .frame_ticks = 240, .fec = true},
         {.packets = 1},
         0,
         0.01,
         false,
         "choose --profile voice"},
        {"mono", {VOICE}, {.packets = 9, .stereo_packets = 4}, 2, 1, false, "makes mono"},
        {"copies",
         {VOICE, .red_distances = {1}},
         {.packets = 300, .copies = 299, .copies_absent = 1},
         0,
         6,
         false,
         NULL},
        {"copies too long",
         {VOICE, .red_depth = 1, .red_distances = {1}},
         {.packets = 300, .payload_bytes = 300 * 1275, .copies = 9, .copies_too_long = 290},
         0,
         6,
         false,
         "--red: 97 % of the copies are left out: packets of 1275 bytes"},
        {"some copies too long",
         {VOICE, .red_at = "1,3", .red_distances = {1, 3}},
         {.packets = 300, .copies = 300, .copies_too_long = 290},
         0,
         6,
         false,
         NULL},
        {"copies in silence",
         {VOICE, .dtx = true, .red_at = "1,3", .red_distances = {1, 3}},
         {.packets = 30, .dtx_packets = 270, .copies = 10, .copies_absent = 50},
         0,
         6,
         false,
         "--red-at: 83 % of the copies are left out: what would be copied was silence"},
        {"too few packets for copies",
         {VOICE, .red_at = "40", .red_distances = {40}},
         {.packets = 30, .copies_absent = 30},
         0,
         0.6,
         false,
         NULL},
        {"asked for again",
         {VOICE, .rtx = true},
         {.nacks_received = 1, .reported_lost = 90},
         0,
         6,
         false,
         NULL},
        {"nothing lost",
         {VOICE, .rtx = true},
         {.reports = 9, .reported_lost = -3},
         0,
         6,
         false,
         NULL},
        {"nobody asks",
         {VOICE, .rtx = true},
         {.reports = 2, .reported_lost = 7},
         0,
         2,
         false,
         "7 lost packets and asks for none again; start it with --rtx"},
        {"asking is too late",
         {VOICE, .rtx = true},
         {.reports = 2, .reported_lost = 7},
         0,
         2,
         true,
         "its delay is shorter than the round trip"},
        {"reports come", {VOICE, .adapt = true}, {.reports = 1}, 0, 60, false, NULL},
        {"reports may come", {VOICE, .adapt = true}, {.packets = 9}, 0, 4, false, NULL},
        {"no report",
         {VOICE, .adapt = true},
         {.packets = 300, .protection = {.bitrate_bps = 32000, .fec = true}},
         0,
         6,
         false,
         "the protection stays 32 kbit/s with in-band FEC"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = told(&rows[i]);
        bool once = text[0] != '\0' && strchr(text, '\n') == strrchr(text, '\n');
        if (rows[i].said ? !once || !strstr(text, rows[i].said) : text[0] != '\0')
            fail_msg("%s: %s", rows[i].name, text);
        free(text);
    }
}

RUN(cmocka_unit_test(what_is_not_given_is_told_once))
