#include "base/err.h"
#include "hostile.h"
#include "support/test.h"
#include "wire/hdrext.h"
#include "wire/sdp.h"

static int bad_line;

static int parse(const char *text, struct vox_sdp *sdp)
{
    bad_line = -1;
    return vox_sdp_parse(text, strlen(text), sdp, &bad_line);
}

/* ---- writing ---- */

static const char golden[] =
    "v=0\r\n"
    "o=- 18446744073709551615 1 IN IP4 192.0.2.1\r\n"
    "s=Evening concert\r\n"
    "c=IN IP4 232.1.2.3/16\r\n"
    "t=0 0\r\n"
    "m=audio 5006 RTP/AVP 111\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=fmtp:111 sprop-stereo=1;stereo=1;useinbandfec=1;usedtx=1;maxaveragebitrate=96000\r\n"
    "a=ptime:20\r\n"
    "a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time\r\n"
    "a=rtcp-mux\r\n"
    "a=source-filter: incl IN IP4 232.1.2.3 192.0.2.1\r\n";

static const struct vox_sdp golden_values = {
    .session_name = "Evening concert",
    .origin_address = "192.0.2.1",
    .address = "232.1.2.3",
    .source_filter = "192.0.2.1",
    .ttl = 16,
    .session_id = UINT64_MAX,
    .port = 5006,
    .payload_type = 111,
    .ptime_ms = 20,
    .channels = 2,
    .inband_fec = true,
    .dtx = true,
    .max_average_bitrate_bps = 96000,
    .capture_time_id = VOX_HDREXT_CAPTURE_TIME_ID,
    .rtcp_mux = true,
};

static const char golden_least[] = "v=0\r\n"
                                   "o=- 0 1 IN IP4 0.0.0.0\r\n"
                                   "s=Voxgram\r\n"
                                   "c=IN IP6 ff15::1\r\n"
                                   "t=0 0\r\n"
                                   "m=audio 5004 RTP/AVP 96\r\n"
                                   "a=rtpmap:96 opus/48000/2\r\n"
                                   "a=fmtp:96 sprop-stereo=0\r\n"
                                   "a=rtcp-mux\r\n";

static const char golden_recovery[] = "v=0\r\n"
                                      "o=- 0 1 IN IP4 0.0.0.0\r\n"
                                      "s=Voxgram\r\n"
                                      "c=IN IP6 ff15::1\r\n"
                                      "t=0 0\r\n"
                                      "m=audio 5004 RTP/AVPF 96 97 98\r\n"
                                      "a=rtpmap:96 opus/48000/2\r\n"
                                      "a=fmtp:96 sprop-stereo=0\r\n"
                                      "a=rtpmap:97 red/48000/2\r\n"
                                      "a=fmtp:97 96/96\r\n"
                                      "a=rtpmap:98 rtx/48000/2\r\n"
                                      "a=fmtp:98 apt=96;rtx-time=200\r\n"
                                      "a=rtcp-fb:96 nack\r\n"
                                      "a=rtcp-mux\r\n";

static struct vox_sdp least_values(void)
{
    struct vox_sdp sdp;
    vox_sdp_init(&sdp);
    strcpy(sdp.address, "ff15::1");
    sdp.ipv6 = true;
    return sdp;
}

static struct vox_sdp recovery_values(void)
{
    struct vox_sdp sdp = least_values();
    sdp.red_payload_type = 97;
    sdp.rtx_payload_type = 98;
    sdp.rtx_time_ms = 200;
    sdp.nack = true;
    return sdp;
}

static void writes_the_golden_texts(void **state)
{
    (void)state;
    char text[VOX_SDP_MAX_BYTES];
    struct vox_sdp least = least_values();
    assert_int_equal(vox_sdp_write(&golden_values, text, sizeof text), strlen(golden));
    assert_string_equal(text, golden);
    assert_int_equal(vox_sdp_write(&least, text, sizeof text), strlen(golden_least));
    assert_string_equal(text, golden_least);
    struct vox_sdp recovery = recovery_values();
    assert_int_equal(vox_sdp_write(&recovery, text, sizeof text), strlen(golden_recovery));
    assert_string_equal(text, golden_recovery);
}

static void assert_sdps_equal(const struct vox_sdp *a, const struct vox_sdp *b)
{
    assert_string_equal(a->session_name, b->session_name);
    assert_string_equal(a->origin_address, b->origin_address);
    assert_string_equal(a->address, b->address);
    assert_string_equal(a->source_filter, b->source_filter);
    assert_int_equal(a->ipv6, b->ipv6);
    assert_int_equal(a->ttl, b->ttl);
    assert_true(a->session_id == b->session_id);
    assert_int_equal(a->port, b->port);
    assert_int_equal(a->payload_type, b->payload_type);
    assert_int_equal(a->ptime_ms, b->ptime_ms);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->inband_fec, b->inband_fec);
    assert_int_equal(a->dtx, b->dtx);
    assert_int_equal(a->max_average_bitrate_bps, b->max_average_bitrate_bps);
    assert_int_equal(a->capture_time_id, b->capture_time_id);
    assert_int_equal(a->rtcp_mux, b->rtcp_mux);
    assert_int_equal(a->red_payload_type, b->red_payload_type);
    assert_int_equal(a->rtx_payload_type, b->rtx_payload_type);
    assert_int_equal(a->rtx_time_ms, b->rtx_time_ms);
    assert_int_equal(a->nack, b->nack);
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    struct vox_sdp sdp;
    struct vox_sdp least = least_values();
    assert_int_equal(parse(golden, &sdp), 0);
    assert_sdps_equal(&sdp, &golden_values);
    assert_int_equal(parse(golden_least, &sdp), 0);
    assert_sdps_equal(&sdp, &least);
    struct vox_sdp recovery = recovery_values();
    assert_int_equal(parse(golden_recovery, &sdp), 0);
    assert_sdps_equal(&sdp, &recovery);
}

static void each_means_of_recovery_stands_alone(void **state)
{
    (void)state;
    for (int means = 0; means < 8; means++) {
        char text[VOX_SDP_MAX_BYTES];
        struct vox_sdp back, sdp = recovery_values();
        sdp.red_payload_type = means & 1 ? 1 : 0;
        sdp.rtx_payload_type = means & 2 ? 127 : 0;
        sdp.rtx_time_ms = means == 3 ? VOX_SDP_MAX_RTX_TIME_MS : 0;
        sdp.nack = (means & 4) != 0;
        assert_true(vox_sdp_write(&sdp, text, sizeof text) > 0);
        assert_int_equal(strstr(text, "AVPF") != NULL, sdp.nack);
        assert_int_equal(strstr(text, " red/") != NULL, (means & 1) != 0);
        assert_int_equal(strstr(text, " rtx/") != NULL, (means & 2) != 0);
        assert_int_equal(parse(text, &back), 0);
        assert_sdps_equal(&back, &sdp);
    }
}

static void longest_texts_round_trip(void **state)
{
    (void)state;
    char text[VOX_SDP_MAX_BYTES];
    struct vox_sdp sdp = golden_values, back;
    memset(sdp.session_name, 's', VOX_SDP_MAX_TEXT);
    memset(sdp.origin_address, 'o', VOX_SDP_MAX_TEXT);
    memset(sdp.address, 'c', VOX_SDP_MAX_TEXT);
    memset(sdp.source_filter, 'f', VOX_SDP_MAX_TEXT);
    assert_true(vox_sdp_write(&sdp, text, sizeof text) > 0);
    assert_int_equal(parse(text, &back), 0);
    assert_sdps_equal(&back, &sdp);
    sdp.session_name[0] = '\0';
    assert_true(vox_sdp_write(&sdp, text, sizeof text) > 0);
    assert_non_null(strstr(text, "\r\ns= \r\n"));
    assert_int_equal(parse(text, &back), 0);
    assert_sdps_equal(&back, &sdp);
}

static void refuses_every_capacity_that_is_too_small(void **state)
{
    (void)state;
    char text[sizeof golden];
    for (size_t capacity = 0; capacity < sizeof golden; capacity++)
        assert_int_equal(vox_sdp_write(&golden_values, text, capacity), VOX_ENOSPC);
    assert_int_equal(vox_sdp_write(&golden_values, text, sizeof golden), sizeof golden - 1);
}

static void refuses_to_write_nonsense(void **state)
{
    (void)state;
    struct vox_sdp rows[24];
    char text[VOX_SDP_MAX_BYTES];
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = golden_values;
    strcpy(rows[0].session_name, "a\r\nm=audio 1 RTP/AVP 0");
    strcpy(rows[1].address, "");
    strcpy(rows[2].address, "10.0.0.1/127");
    strcpy(rows[3].address, "10.0.0.1 x");
    strcpy(rows[4].origin_address, "");
    strcpy(rows[5].source_filter, "192.0.2.1\n");
    rows[6].port = 0;
    rows[7].payload_type = 128;
    rows[8].payload_type = -1;
    rows[9].channels = 3;
    rows[10].ttl = 256;
    rows[11].ipv6 = true; /* with a TTL */
    rows[12].ptime_ms = 121;
    rows[13].max_average_bitrate_bps = 5999;
    rows[14].capture_time_id = 256;
    rows[15].channels = 0;
    rows[16].red_payload_type = 128;
    rows[17].rtx_payload_type = -1;
    rows[18].red_payload_type = rows[18].payload_type;
    rows[19].rtx_payload_type = rows[19].payload_type;
    rows[20].red_payload_type = rows[20].rtx_payload_type = 97;
    rows[21].rtx_time_ms = 1; /* of no rtx */
    rows[22].rtx_payload_type = 98;
    rows[22].rtx_time_ms = VOX_SDP_MAX_RTX_TIME_MS + 1;
    rows[23].rtx_time_ms = -1;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (vox_sdp_write(&rows[i], text, sizeof text) != VOX_EINVAL)
            fail_msg("row %d was written", (int)i);
}

/* ---- what others write ---- */

/* `ffmpeg -f rtp 'rtp://239.1.2.3:5004?ttl=5'` of 5.1, caption, mixed line ends and all. */
static void reads_the_description_of_ffmpeg(void **state)
{
    (void)state;
    static const char text[] = "SDP:\n"
                               "v=0\r\n"
                               "o=- 0 0 IN IP4 127.0.0.1\r\n"
                               "s=No Name\r\n"
                               "c=IN IP4 239.1.2.3/5\r\n"
                               "t=0 0\r\n"
                               "a=tool:libavformat 59.27.100\r\n"
                               "m=audio 5004 RTP/AVP 97\r\n"
                               "b=AS:96\r\n"
                               "a=rtpmap:97 opus/48000/2\r\n"
                               "a=fmtp:97 sprop-stereo=1\r\n"
                               "\n";
    struct vox_sdp sdp;
    assert_int_equal(parse(text, &sdp), 0);
    assert_string_equal(sdp.session_name, "No Name");
    assert_string_equal(sdp.address, "239.1.2.3");
    assert_int_equal(sdp.ttl, 5);
    assert_false(sdp.ipv6);
    assert_int_equal(sdp.port, 5004);
    assert_int_equal(sdp.payload_type, 97);
    assert_int_equal(sdp.channels, 2);
    assert_false(sdp.rtcp_mux);
    assert_int_equal(sdp.capture_time_id, 0);
}

/* As people write beside a gst-launch line: no o=, s= or t=, the name of the codec from the caps.
 */
static void reads_what_gstreamer_users_write(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\n"
        "m=audio 5000 RTP/AVP 96\n"
        "c=IN IP6 ::1\n"
        "a=rtpmap:96 OPUS/48000/2\n"
        "a=fmtp:96 sprop-maxcapturerate=48000; Sprop-Stereo=1 ; useinbandfec=1";
    struct vox_sdp sdp;
    assert_int_equal(parse(text, &sdp), 0);
    assert_string_equal(sdp.address, "::1");
    assert_true(sdp.ipv6);
    assert_int_equal(sdp.port, 5000);
    assert_int_equal(sdp.channels, 2);
    assert_true(sdp.inband_fec);
}

/* An offer of a browser has several media and formats; ours is the first that is Opus. */
static void picks_opus_among_media_and_formats(void **state)
{
    (void)state;
    static const char text[] =
        "v=0\no=- 4611731400430051336 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
        "c=IN IP4 192.0.2.9\n"
        "m=video 9 RTP/AVP 98\nc=IN IP4 192.0.2.66\na=rtpmap:98 opus/48000/2\n"
        "m=application 9 UDP/BFCP *\n"
        "m=audio 5002 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"
        "m=audio 5004/2 RTP/AVPF 8 111 96 97\n"
        "a=fmtp:111 sprop-stereo=1;maxaveragebitrate=20000\n" /* before its rtpmap */
        "a=fmtp:97 usedtx=1\n"
        "a=rtpmap:8 PCMA/8000\n"
        "a=rtpmap:97 opus/48000/2\n"
        "a=rtpmap:111 opus/48000/2\n" /* stands in front of 97 in the m= line */
        "a=rtpmap:110 opus/48000/2\n" /* not in the m= line */
        "a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
        "a=extmap:5/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time\n"
        "m=audio 6000 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n";
    struct vox_sdp sdp;
    assert_int_equal(parse(text, &sdp), 0);
    assert_string_equal(sdp.address, "192.0.2.9");
    assert_int_equal(sdp.port, 5004);
    assert_int_equal(sdp.payload_type, 111);
    assert_int_equal(sdp.channels, 2);
    assert_int_equal(sdp.max_average_bitrate_bps, 20000);
    assert_false(sdp.dtx);
    assert_int_equal(sdp.capture_time_id, 5);
}

static void payload_type_0_may_be_opus(void **state)
{
    (void)state;
    struct vox_sdp sdp;
    static const char text[] = "m=audio 5004 RTP/AVP 0 127\na=rtpmap:0 opus/48000/2\na=ptime:10\n"
                               "a=rtpmap:127 opus/48000/2\n";
    assert_int_equal(parse(text, &sdp), 0);
    assert_int_equal(sdp.payload_type, 0);
    assert_int_equal(sdp.ptime_ms, 10);
}

#define MEDIUM "m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n"

static void medium_overrides_the_session(void **state)
{
    (void)state;
    struct vox_sdp sdp;
    assert_int_equal(parse("c=IN IP4 239.0.0.1/7\n" MEDIUM "c=IN IP6 ::1\n", &sdp), 0);
    assert_string_equal(sdp.address, "::1");
    assert_true(sdp.ipv6);
    assert_int_equal(sdp.ttl, 0);
}

static void hints_that_make_no_sense_are_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int ptime_ms, bitrate_bps;
    } rows[] = {
        {"a=ptime:20\n", 20, 0},
        {"a=ptime: 60 \n", 60, 0},
        {"a=ptime:2.5\n", 3, 0},
        {"a=ptime:2.1\n", 3, 0},
        {"a=ptime:2.09\n", 3, 0},
        {"a=ptime:120.5\n", 120, 0},
        {"a=ptime:2:\n", 0, 0},
        {"a=ptime:40.00\n", 40, 0},
        {"a=ptime:many\n", 0, 0},
        {"a=ptime:121\n", 0, 0},
        {"a=ptime:99999999999999999999999\n", 0, 0},
        {"a=fmtp:96 maxaveragebitrate=510000\n", 0, 510000},
        {"a=fmtp:96 maxaveragebitrate=510001\n", 0, 0},
        {"a=fmtp:96 maxaveragebitrate=-1;;=;x\n", 0, 0},
        {"a=fmtp:96 maxaveragebitrate=\n", 0, 0},
        {"a=fmtp:97 maxaveragebitrate=64000\n", 0, 0},
        {"a=fmtp\na=\nz=\n", 0, 0},
        {"o=nonsense\nk=clear:x\n", 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        struct vox_sdp sdp;
        snprintf(text, sizeof text, MEDIUM "%s", rows[i].line);
        assert_int_equal(parse(text, &sdp), 0);
        assert_int_equal(sdp.ptime_ms, rows[i].ptime_ms);
        assert_int_equal(sdp.max_average_bitrate_bps, rows[i].bitrate_bps);
        assert_int_equal(sdp.channels, 1);
        assert_string_equal(sdp.origin_address, "0.0.0.0");
    }
}

#define RECOVERY "m=audio 5004 RTP/AVPF 96 97 98 0\na=rtpmap:96 opus/48000/2\n"

/* What does not go with our Opus is passed over, as is what we do not know. */
static void takes_the_recovery_that_goes_with_opus(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        int red, rtx, time_ms, nack;
    } rows[] = {
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/96\n", 97, 0, 0, 0},
        {"a=fmtp:97 96/96/96/96\na=rtpmap:97 RED/48000\n", 97, 0, 0, 0},
        {"a=rtpmap:97 red/48000/2\n", 97, 0, 0, 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96 / 96 \n", 97, 0, 0, 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/0\n", 0, 0, 0, 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 111/111\n", 0, 0, 0, 0},
        {"a=rtpmap:97 red/90000\na=rtpmap:98 redder/48000\n", 0, 0, 0, 0},
        {"a=rtpmap:99 red/48000/2\n", 0, 0, 0, 0}, /* not in the m= line */
        {"a=rtpmap:96 red/48000/2\n", 0, 0, 0, 0}, /* is Opus already */
        {"a=rtpmap:0 red/48000/2\na=rtpmap:98 red/48000/2\n", 98, 0, 0, 0},
        {"a=rtpmap:97 red/8000\na=rtpmap:98 red/48000\n", 98, 0, 0, 0},
        {"a=rtpmap:98 rtx/48000/2\na=fmtp:98 apt=96;rtx-time=3000\n", 0, 98, 3000, 0},
        {"a=rtpmap:98 rtx/48000\na=fmtp:98 rtx-time=1 ; APT = 96\n", 0, 98, 1, 0},
        {"a=rtpmap:98 rtx/48000\na=fmtp:98 apt=96;rtx-time=60001\n", 0, 98, 0, 0},
        {"a=rtpmap:98 rtx/48000\na=fmtp:98 apt=97;rtx-time=9\n", 0, 0, 0, 0},
        {"a=rtpmap:98 rtx/48000\na=fmtp:98 rtx-time=9\n", 0, 0, 0, 0},
        {"a=rtpmap:98 rtx/48000\n", 0, 0, 0, 0},
        {"a=rtpmap:98 rtx/90000\na=fmtp:98 apt=96\n", 0, 0, 0, 0},
        {"a=rtpmap:97 rtx/48000\na=fmtp:97 apt=8\na=rtpmap:98 rtx/48000\na=fmtp:98 apt=96\n", 0, 98,
         0, 0},
        {"a=rtpmap:97 red/48000\na=rtpmap:97 rtx/48000\n", 97, 0, 0, 0}, /* two uses */
        {"a=rtcp-fb:96 nack\n", 0, 0, 0, 1},
        {"a=rtcp-fb:* nack \n", 0, 0, 0, 1},
        {"a=rtcp-fb:97 nack\n", 0, 0, 0, 0},
        {"a=rtcp-fb:96 nack pli\na=rtcp-fb:96 transport-cc\na=rtcp-fb\n", 0, 0, 0, 0},
        {"a=rtpmap:98 flexfec-03/48000\na=fmtp:98 repair-window=10000\n", 0, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        struct vox_sdp sdp;
        snprintf(text, sizeof text, RECOVERY "%s", rows[i].lines);
        assert_int_equal(parse(text, &sdp), 0);
        if (sdp.payload_type != 96 || sdp.red_payload_type != rows[i].red ||
            sdp.rtx_payload_type != rows[i].rtx || sdp.rtx_time_ms != rows[i].time_ms ||
            sdp.nack != (rows[i].nack != 0))
            fail_msg("%s-> %d %d %d %d", rows[i].lines, sdp.red_payload_type, sdp.rtx_payload_type,
                     sdp.rtx_time_ms, sdp.nack);
    }
}

/* Feedback is of a medium; another medium's formats are not ours. */
static void recovery_is_of_one_medium(void **state)
{
    (void)state;
    struct vox_sdp sdp;
    assert_int_equal(parse("a=rtcp-fb:* nack\nm=audio 6 RTP/AVPF 0 97\na=rtcp-fb:* nack\n"
                           "a=rtpmap:97 red/48000\n" MEDIUM "m=audio 8 RTP/AVPF 96 98\n"
                           "a=rtpmap:98 red/48000\na=rtcp-fb:* nack\n",
                           &sdp),
                     0);
    assert_int_equal(sdp.port, 5004);
    assert_int_equal(sdp.red_payload_type, 0);
    assert_false(sdp.nack);
}

static void errors_say_what_and_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err, line;
    } rows[] = {
        {"", VOX_ENOTFOUND, 0},
        {"v=0\ns=x\n", VOX_ENOTFOUND, 0},
        {"v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 VP8/90000\n", VOX_ENOTFOUND, 0},
        {"v=0\nm=audio 5004 udp 96\n", VOX_ENOTFOUND, 0},
        {"v=1\n" MEDIUM, VOX_EFORMAT, 1},
        {"v=0\n\nhello\n" MEDIUM, VOX_EFORMAT, 3},
        {"v=0\nS=x\n" MEDIUM, VOX_EFORMAT, 2},
        {"v=0\n{=x\n" MEDIUM, VOX_EFORMAT, 2},
        {"v=0\ns=tab\there\n" MEDIUM, VOX_EFORMAT, 2},
        {"v=0\nc=IN IP5 1.2.3.4\n" MEDIUM, VOX_EFORMAT, 2},
        {"v=0\nc=IN IP4\n" MEDIUM, VOX_EFORMAT, 2},
        {"v=0\nc=IN IP4 1.2.3.4/256\n" MEDIUM, VOX_EFORMAT, 2},
        {MEDIUM "c=ATM NSAP 47\n", VOX_EFORMAT, 3},
        {MEDIUM "a=source-filter: incl IN IP4 *\n", VOX_EFORMAT, 3},
        {"m=audio\n", VOX_EFORMAT, 1},
        {"m=audio 50x4 RTP/AVP 96\n", VOX_EFORMAT, 1},
        {"m=audio 50/4 RT 96\n", VOX_ENOTFOUND, 0},
        {"m=audio 5004 TCP/RTP/AVP 96\n", VOX_ENOTFOUND, 0},
        {"m=audio /2 RTP/AVP 96\n", VOX_EFORMAT, 1},
        {"m=audio 65536 RTP/AVP 96\n", VOX_EFORMAT, 1},
        {"m=audio 5004 RTP/AVP\n", VOX_EFORMAT, 1},
        {"v=0\nm=audio 0 RTP/AVP 96\na=rtpmap:96 opus/48000/2\n", VOX_EUNSUPPORTED, 2},
        {"v=0\nm=audio 5004 RTP/SAVPF 96\na=rtpmap:96 opus/48000/2\n", VOX_EUNSUPPORTED, 2},
        {"v=0\nm=audio 5004 RTP/AVP 0\n", VOX_EUNSUPPORTED, 2},
        {"v=0\nm=audio 5004 RTP/AVP 97\na=rtpmap:96 opus/48000/2\n", VOX_EUNSUPPORTED, 2},
        {"m=audio 5004 RTP/AVP 96\na=x\na=rtpmap:96 speex/16000\n", VOX_EUNSUPPORTED, 3},
        {"m=audio 5 RTP/AVP 8 9\na=rtpmap:7 x/1\na=rtpmap:9 x/1\na=rtpmap:8 y/1\n",
         VOX_EUNSUPPORTED, 3},
        {"m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/16000/2\n", VOX_EUNSUPPORTED, 2},
        {"m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/48000\n", VOX_EUNSUPPORTED, 2},
        {"m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/48000/1\n", VOX_EUNSUPPORTED, 2},
        {"m=audio 5004 RTP/AVP 96\na=rtpmap:96 opus/48000/2/2\n", VOX_EUNSUPPORTED, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vox_sdp sdp = {.port = 7};
        int err = parse(rows[i].text, &sdp);
        if (err != rows[i].err || bad_line != rows[i].line || sdp.port != 7)
            fail_msg("%s-> %d in line %d", rows[i].text, err, bad_line);
    }
}

static void limits_the_length(void **state)
{
    (void)state;
    static char text[VOX_SDP_MAX_BYTES + 2];
    struct vox_sdp sdp;
    memset(text, '\n', VOX_SDP_MAX_BYTES + 1);
    assert_int_equal(parse(text, &sdp), VOX_ELIMIT);
    text[VOX_SDP_MAX_BYTES] = '\0';
    assert_int_equal(parse(text, &sdp), VOX_ENOTFOUND);
    char name[VOX_SDP_MAX_TEXT + 8];
    memset(name, 'x', sizeof name);
    memcpy(name, "s=", 2);
    name[2 + VOX_SDP_MAX_TEXT + 1] = '\0';
    assert_int_equal(parse(name, &sdp), VOX_EFORMAT);
    assert_int_equal(bad_line, 1);
}

static void parse_and_rewrite(const uint8_t *bytes, size_t len)
{
    char text[VOX_SDP_MAX_BYTES];
    struct vox_sdp sdp, back;
    if (vox_sdp_parse((const char *)bytes, len, &sdp, &bad_line) < 0)
        return;
    int written = vox_sdp_write(&sdp, text, sizeof text);
    if (written == VOX_EINVAL && sdp.address[0] == '\0')
        return;
    assert_true(written > 0);
    assert_int_equal(parse(text, &back), 0);
    assert_sdps_equal(&back, &sdp);
}

static void survives_hostile_bytes(void **state)
{
    (void)state;
    hostile_feed_prefixes(golden, strlen(golden), parse_and_rewrite);
    hostile_feed_mutations(golden, strlen(golden), 20000, parse_and_rewrite);
    hostile_feed_prefixes(golden_recovery, strlen(golden_recovery), parse_and_rewrite);
    hostile_feed_mutations(golden_recovery, strlen(golden_recovery), 20000, parse_and_rewrite);
    hostile_feed_noise(5000, parse_and_rewrite);
}

RUN(cmocka_unit_test(writes_the_golden_texts), cmocka_unit_test(reads_what_it_writes),
    cmocka_unit_test(each_means_of_recovery_stands_alone),
    cmocka_unit_test(longest_texts_round_trip),
    cmocka_unit_test(refuses_every_capacity_that_is_too_small),
    cmocka_unit_test(refuses_to_write_nonsense), cmocka_unit_test(reads_the_description_of_ffmpeg),
    cmocka_unit_test(reads_what_gstreamer_users_write),
    cmocka_unit_test(picks_opus_among_media_and_formats),
    cmocka_unit_test(payload_type_0_may_be_opus), cmocka_unit_test(medium_overrides_the_session),
    cmocka_unit_test(hints_that_make_no_sense_are_passed_over),
    cmocka_unit_test(takes_the_recovery_that_goes_with_opus),
    cmocka_unit_test(recovery_is_of_one_medium), cmocka_unit_test(errors_say_what_and_where),
    cmocka_unit_test(limits_the_length), cmocka_unit_test(survives_hostile_bytes))
