#include "lab/report.h"

#include "base/err.h"
#include "base/time.h"
#include "lab/report_facts.h"
#include "support/folder.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

enum { PACKETS = 250, PACKET_FRAMES = 960, FRAMES = PACKETS * PACKET_FRAMES, SSRC = 7 };

#define MS VOX_NS_PER_MS
#define START_NS (100 * MS)
#define NEVER VOX_RUN_NEVER

/* Five seconds, of which all is known: two packets are lost, one is 35 ms late, some is stretched.
 */
static const struct vox_event events[] = {
    {.kind = VOX_EVENT_STRETCH, .reason = VOX_STRETCH_STALL, .t_ns = 1000 * MS, .value = 9 * MS},
    {.kind = VOX_EVENT_STRETCH, .reason = VOX_STRETCH_STALL, .t_ns = 1010 * MS, .value = 8 * MS},
    {.kind = VOX_EVENT_STRETCH, .reason = VOX_STRETCH_TARGET, .t_ns = 1500 * MS, .value = -5 * MS},
    {.kind = VOX_EVENT_STRETCH, .reason = VOX_STRETCH_TARGET, .t_ns = 1600 * MS, .value = 4 * MS},
    {.kind = VOX_EVENT_GLITCH,
     .cause = VOX_GLITCH_LOST,
     .t_ns = START_NS + 2040 * MS,
     .duration_ns = 40 * MS},
    {.kind = VOX_EVENT_STRETCH, .reason = VOX_STRETCH_HOLE, .t_ns = 2200 * MS, .value = -12 * MS},
    {.kind = VOX_EVENT_GLITCH,
     .cause = VOX_GLITCH_LATE,
     .t_ns = START_NS + 3040 * MS,
     .duration_ns = 20 * MS,
     .late_ns = 35 * MS},
};

static const struct vox_choice curve[] = {
    {.delay_ms = 11, .late_pct = 9.0},
    {.delay_ms = 23, .late_pct = 2.0},
    {.delay_ms = 45, .late_pct = 0.1, .chosen = true},
    {.delay_ms = 78, .late_pct = 0.0},
};

static struct vox_run_packet packets[PACKETS];
static struct vox_event run_events[COUNT(events)];
static float heard[FRAMES + PACKET_FRAMES], meant[FRAMES];
static struct vox_run run;

static void fill_packets(void)
{
    for (int i = 0; i < PACKETS; i++) {
        int64_t send_ns = START_NS + i * 20 * MS;
        packets[i] = (struct vox_run_packet){.send_ns = send_ns,
                                             .arrival_ns = send_ns + (5 + i % 3) * MS,
                                             .copy_ns = NEVER,
                                             .play_ns = send_ns + 40 * MS,
                                             .bytes = 90,
                                             .outcome = VOX_RUN_PLAYED};
    }
    for (int i = 100; i < 102; i++) {
        packets[i].arrival_ns = packets[i].play_ns = NEVER;
        packets[i].outcome = VOX_RUN_LOST;
        packets[i].fate = VOX_FATE_LOST;
    }
    packets[150].arrival_ns = packets[150].send_ns + 75 * MS;
    packets[150].play_ns = NEVER;
    packets[150].outcome = VOX_RUN_LATE;
}

static void fill_sound(void)
{
    for (int i = 0; i < FRAMES; i++)
        meant[i] = 0.3F * sinf((float)i * 0.05F);
    memset(heard, 0, sizeof heard);
    memcpy(heard + PACKET_FRAMES, meant, sizeof meant);
}

/* What a report is made of; the next call makes it anew. */
static struct vox_lab_report_input make_input(void)
{
    static const char *const settings[] = {"network", "<bad> & \"worse\"", NULL};
    fill_packets();
    fill_sound();
    memcpy(run_events, events, sizeof events);
    run = (struct vox_run){.stream_count = 1,
                           .events = run_events,
                           .event_count = COUNT(events),
                           .pcm = heard,
                           .frames = FRAMES + PACKET_FRAMES,
                           .channels = 1,
                           .pcm_start_ns = START_NS + 20 * MS};
    run.streams[0] = (struct vox_run_stream){.ssrc = SSRC, .packets = packets, .count = PACKETS};
    for (size_t i = 0; i < COUNT(events); i++)
        run_events[i].ssrc = SSRC;
    struct vox_source_stats *source = &run.result.receiver.sources[0];
    run.result.receiver.source_count = 1;
    source->played_ns = 5000 * MS;
    source->concealed_ns = 60 * MS;
    source->stretched_ns = 38 * MS;
    source->glitches[VOX_GLITCH_LOST].count = source->glitches[VOX_GLITCH_LATE].count = 1;
    source->curve_count = COUNT(curve);
    memcpy(source->curve, curve, sizeof curve);
    return (struct vox_lab_report_input){.title = "a <call>",
                                         .settings = settings,
                                         .run = &run,
                                         .reference = meant,
                                         .reference_frames = FRAMES,
                                         .channels = 1,
                                         .r_factor = 88.0,
                                         .mos = 4.3};
}

/* ---- files ---- */

static char *read_page(const char *name, size_t *len)
{
    struct stat kind;
    FILE *file = fopen(folder_file(name), "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &kind), 0);
    char *text = calloc(1, (size_t)kind.st_size + 1);
    assert_non_null(text);
    *len = fread(text, 1, (size_t)kind.st_size, file);
    fclose(file);
    return text;
}

static char *make_page(const struct vox_lab_report_input *input)
{
    size_t len;
    struct vox_audio_error error = {0};
    if (vox_lab_report_check(&error) == VOX_ENOTFOUND)
        skip();
    if (vox_lab_report_write(folder_file("page.html"), input, &error) < 0)
        fail_msg("%s", error.text);
    return read_page("page.html", &len);
}

static size_t count_of(const char *page, const char *text)
{
    size_t n = 0;
    for (; (page = strstr(page, text)); page += strlen(text))
        n++;
    return n;
}

/* Where it is. */
static const char *has(const char *page, const char *text)
{
    const char *found = strstr(page, text);
    if (!found)
        fail_msg("not in the page: %s", text);
    return found;
}

static void has_not(const char *page, const char *text)
{
    if (strstr(page, text))
        fail_msg("in the page: %s", text);
}

/* Files of the test's folder, which is also that for temporary ones. */
static int files_left(void)
{
    int n = 0;
    struct dirent *entry;
    DIR *folder = opendir(folder_path);
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

static int begin(void **state)
{
    return folder_setup(state) < 0 ? -1 : setenv("TMPDIR", folder_path, 1);
}

static void refuse(const char *path, const struct vox_lab_report_input *input, int err)
{
    struct vox_audio_error error = {0};
    assert_int_equal(vox_lab_report_write(path, input, &error), err);
    assert_string_not_equal(error.text, "");
}

/* ---- what cannot be ---- */

static void wrong_input_is_refused(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    input.channels = 2; /* the run has one */
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input.channels = run.channels = 0;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input.channels = run.channels = 3;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input = make_input();
    input.reference = NULL;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input = make_input();
    input.reference_frames = 0;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input = make_input();
    run.frames = 0;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input = make_input();
    run.streams[0].count = 0;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    input = make_input();
    run.stream_count = 0;
    refuse(folder_file("r.html"), &input, VOX_EINVAL);
    assert_int_equal(files_left(), 0);
}

static void without_gnuplot_it_says_what_to_install(void **state)
{
    (void)state;
    char before[4096];
    struct vox_audio_error error = {0};
    struct vox_lab_report_input input = make_input();
    snprintf(before, sizeof before, "%s", getenv("PATH"));
    setenv("PATH", folder_path, 1);
    int check = vox_lab_report_check(&error);
    int err = vox_lab_report_write(folder_file("r.html"), &input, NULL);
    setenv("PATH", before, 1);
    assert_int_equal(check, VOX_ENOTFOUND);
    assert_int_equal(err, VOX_ENOTFOUND);
    has(error.text, "install");
    assert_int_equal(files_left(), 0);
}

static void where_it_cannot_be_written_nothing_is_left(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    if (vox_lab_report_check(NULL) == VOX_ENOTFOUND)
        skip();
    refuse(folder_file("no/such/folder.html"), &input, VOX_ENOTFOUND);
    assert_int_equal(files_left(), 0);
    int full = open("/dev/full", O_WRONLY);
    if (full >= 0) {
        close(full);
        refuse("/dev/full", &input, VOX_ENOSPC);
    }
    setenv("TMPDIR", "/no/such/folder", 1);
    struct vox_audio_error error = {0};
    assert_true(vox_lab_report_write(folder_file("r.html"), &input, &error) < 0);
    has(error.text, "TMPDIR");
    setenv("TMPDIR", folder_path, 1);
    assert_int_equal(files_left(), 0);
}

static void a_failure_leaves_what_was_there(void **state)
{
    (void)state;
    size_t len;
    struct vox_lab_report_input input = make_input();
    FILE *file = fopen(folder_file("page.html"), "w");
    assert_non_null(file);
    fputs("old", file);
    fclose(file);
    input.reference_frames = 0;
    refuse(folder_file("page.html"), &input, VOX_EINVAL);
    char *page = read_page("page.html", &len);
    assert_string_equal(page, "old");
    free(page);
}

/* ---- the page ---- */

static void equal_input_gives_equal_bytes(void **state)
{
    (void)state;
    size_t one_len, two_len;
    struct vox_lab_report_input input = make_input();
    free(make_page(&input));
    assert_int_equal(rename(folder_file("page.html"), folder_file("one.html")), 0);
    input = make_input();
    free(make_page(&input));
    char *one = read_page("one.html", &one_len);
    char *two = read_page("page.html", &two_len);
    assert_int_equal(one_len, two_len);
    assert_memory_equal(one, two, one_len);
    free(one);
    free(two);
    assert_int_equal(files_left(), 2);
}

static void the_page_is_whole_and_stands_alone(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    char *page = make_page(&input);
    has(page, "<title>a &lt;call&gt;</title>");
    has(page, "&lt;bad&gt; &amp; &quot;worse&quot;");
    has(page, "</html>");
    assert_int_equal(count_of(page, "<svg"), count_of(page, "</svg>"));
    /* Timeline, delay and curve in two sizes, two distributions, two glitches. */
    assert_int_equal(count_of(page, "<svg"), 3 * 2 + 2 + 2);
    assert_int_equal(count_of(page, "<audio"), 2 + 2 * 2);
    has(page, "R&nbsp;88");
    has_not(page, "<script");
    has_not(page, "http://");
    has_not(page, "https://");
    has_not(page, "rgb(1,1,"); /* every role has become a colour of the page */
    free(page);
}

static void glitches_have_their_causes(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    char *page = make_page(&input);
    has(page, "<b>2 of 250 packets</b>");
    has(page, "<b>2 glitches</b>; the longest took 40&nbsp;ms");
    has(page, "2 packets were lost");
    has(page, "1 packet came late, 35&nbsp;ms after its turn");
    free(page);
}

static void stretches_have_their_reasons(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    char *page = make_page(&input);
    has(page, "<b>5 times</b>");
    has(page, "<b>0.8&nbsp;%</b> of what was heard");
    const char *end = "</td><td class=\"n\">2</td><td class=\"n\">17</td><td class=\"n\">0</td>";
    has(has(page, "</i>overdue: "), end);
    end = "</td><td class=\"n\">2</td><td class=\"n\">4</td><td class=\"n\">5</td>";
    has(has(page, "</i>target: "), end);
    end = "</td><td class=\"n\">1</td><td class=\"n\">0</td><td class=\"n\">12</td>";
    has(has(page, "</i>hole: "), end);
    free(page);
    run.event_count = 0;
    page = make_page(&input);
    has(page, "Nothing was stretched");
    has_not(page, "</i>overdue: ");
    free(page);
}

static void the_curve_says_what_was_chosen(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    char *page = make_page(&input);
    has(page, "chosen: 45 ms"); /* in the figure */
    has(page, "5.4&nbsp;s at 11&nbsp;ms, <b>60&nbsp;ms at 45&nbsp;ms</b>, the chosen delay, next "
              "to nothing at 78&nbsp;ms.");
    free(page);
}

static void without_a_choice_there_is_no_curve(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    for (int count = 0; count < 2; count++) {
        run.result.receiver.sources[0].curve_count = count;
        char *page = make_page(&input);
        has(page, "nothing to choose between");
        has_not(page, "chosen: ");
        assert_int_equal(count_of(page, "<svg"), 2 * 2 + 2 + 2);
        free(page);
    }
}

static void a_run_of_one_packet_has_a_page(void **state)
{
    (void)state;
    struct vox_lab_report_input input = make_input();
    run.streams[0].count = 1;
    run.event_count = 0;
    char *page = make_page(&input);
    has(page, "no glitch");
    has(page, "</html>");
    free(page);
}

/* ---- facts ---- */

static void facts_are_those_of_the_run(void **state)
{
    (void)state;
    struct vox_lab_facts f;
    struct vox_lab_report_input input = make_input();
    assert_int_equal(vox_lab_facts_init(&f, &input), 0);
    assert_int_equal(f.sent, PACKETS);
    assert_int_equal(f.outcomes[VOX_RUN_LOST], 2);
    assert_int_equal(f.outcomes[VOX_RUN_LATE], 1);
    assert_int_equal(f.network.count, PACKETS - 2);
    assert_int_equal(f.total.count, PACKETS - 3);
    assert_int_equal(vox_lab_delays_quantile_ns(&f.network, 1.0), 75 * MS);
    assert_int_equal(vox_lab_delays_quantile_ns(&f.total, 0.5), 40 * MS);
    assert_int_equal(f.stretches[VOX_STRETCH_STALL].put_in_ns, 17 * MS);
    assert_int_equal(f.stretches[VOX_STRETCH_TARGET].left_out_ns, 5 * MS);
    assert_int_equal(f.sum.curve_count, COUNT(curve));
    assert_int_equal(f.glitch_count, 2);
    assert_int_equal(f.worst_count, 2);
    /* Heard from 20 ms on, played 40 ms after its sending. */
    assert_int_equal(f.glitches[0].output_frame, (2000 + 20) * 48);
    assert_int_equal(f.glitches[0].packets, 2);
    assert_int_equal(f.glitches[1].packets, 1);
    assert_false(f.glitches[0].is_silent);
    vox_lab_facts_clear(&f);
}

/* The curve and the delays are those of the source that was heard most. */
static void of_several_sources_the_most_heard_has_the_curve(void **state)
{
    (void)state;
    struct vox_lab_facts f;
    struct vox_lab_report_input input = make_input();
    struct vox_receiver_stats *stats = &run.result.receiver;
    stats->source_count = 2;
    stats->sources[1] = (struct vox_source_stats){.played_ns = 6000 * MS, .curve_count = 1};
    stats->sources[1].curve[0] = (struct vox_choice){.delay_ms = 3, .chosen = true};
    assert_int_equal(vox_lab_facts_init(&f, &input), 0);
    assert_int_equal(f.sum.curve_count, 1);
    assert_int_equal(f.sum.played_ns, 11000 * MS);
    vox_lab_facts_clear(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, folder_teardown)

RUN(TEST(wrong_input_is_refused), TEST(without_gnuplot_it_says_what_to_install),
    TEST(where_it_cannot_be_written_nothing_is_left), TEST(a_failure_leaves_what_was_there),
    TEST(equal_input_gives_equal_bytes), TEST(the_page_is_whole_and_stands_alone),
    TEST(glitches_have_their_causes), TEST(stretches_have_their_reasons),
    TEST(the_curve_says_what_was_chosen), TEST(without_a_choice_there_is_no_curve),
    TEST(a_run_of_one_packet_has_a_page), TEST(facts_are_those_of_the_run),
    TEST(of_several_sources_the_most_heard_has_the_curve))
