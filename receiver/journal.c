#include "receiver/journal.h"

#include "base/time.h"
#include "cli/message.h"
#include "receiver/event_line.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STATS_NS VOX_NS_PER_S

enum { STATUS_BYTES = 1024 };

static FILE *open_file(struct vox_journal *journal, const char *path)
{
    if (!path)
        return NULL;
    if (strcmp(path, "-") == 0)
        return stdout;
    FILE *file = fopen(path, "w");
    if (!file) {
        vox_message_error("cannot write %s: %s; choose another file or folder", path,
                          strerror(errno));
        journal->failed = true;
    }
    return file;
}

bool vox_journal_open(struct vox_journal *journal, const struct vox_recv_options *options,
                      int64_t now_ns, int64_t now_unix_ns)
{
    *journal = (struct vox_journal){
        .options = options,
        .context = {.program = "voxgram-recv",
                    .start_ns = now_ns,
                    .start_unix_ns = now_unix_ns,
                    .output = options->output_name,
                    .separate = options->separate,
                    .recording =
                        options->output == VOX_OUTPUT_FILE || options->output == VOX_OUTPUT_OGG},
        .style = vox_meter_style(STDERR_FILENO),
        .next_stats_ns = now_ns + STATS_NS,
    };
    vox_status_init(&journal->status, STDERR_FILENO, VOX_JOURNAL_STATUS_NS);
    vox_message_set_status(&journal->status);
    journal->stats = open_file(journal, options->stats_path);
    journal->events = open_file(journal, options->events_path);
    return !journal->failed;
}

static void close_file(FILE **file)
{
    if (*file && *file != stdout)
        fclose(*file);
    *file = NULL;
}

void vox_journal_close(struct vox_journal *journal)
{
    close_file(&journal->stats);
    close_file(&journal->events);
    vox_message_set_status(NULL);
}

static void give_up(struct vox_journal *journal, FILE **file, const char *path)
{
    vox_message_error("cannot write %s: %s; it ends here, all else goes on",
                      *file == stdout ? "standard output" : path, strerror(errno));
    close_file(file);
    journal->failed = true;
}

static void say_event(const struct vox_event *event)
{
    switch (event->kind) {
    case VOX_EVENT_SOURCE_STARTED:
        vox_message_info("source %08x plays", event->ssrc);
        break;
    case VOX_EVENT_SOURCE_ENDED:
        vox_message_info("source %08x %s", event->ssrc,
                         event->value == VOX_END_BYE       ? "has said goodbye"
                         : event->value == VOX_END_TIMEOUT ? "has gone silent without a goodbye"
                                                           : "was replaced by a new one");
        break;
    case VOX_EVENT_WRONG_CLOCK:
        vox_message_warn("source %08x counts its timestamps at %lld Hz where Opus has 48000 "
                         "(RFC 7587): playing by the packets' durations; mend the sender",
                         event->ssrc, (long long)event->value);
        break;
    case VOX_EVENT_SEQUENCE_JUMP:
    case VOX_EVENT_TIMESTAMP_JUMP:
        vox_message_info("source %08x restarted its %s: playing on", event->ssrc,
                         event->kind == VOX_EVENT_SEQUENCE_JUMP ? "numbering" : "timestamps");
        break;
    case VOX_EVENT_GLITCH:
    case VOX_EVENT_TARGET:
    case VOX_EVENT_STRETCH:
    case VOX_EVENT_RECOVERED:
    case VOX_EVENT_KINDS:
        break;
    }
}

void vox_journal_event(struct vox_journal *journal, const struct vox_event *event)
{
    say_event(event);
    const struct vox_report_context *c = &journal->context;
    if (journal->events &&
        vox_event_line_print(event, c->start_ns, c->start_unix_ns, journal->events) < 0)
        give_up(journal, &journal->events, journal->options->events_path);
}

static bool row_is_due(const struct vox_journal *journal, int64_t now_ns)
{
    return journal->stats == stdout && now_ns >= journal->next_stats_ns;
}

static bool line_is_due(const struct vox_journal *journal, int64_t now_ns)
{
    return vox_journal_is_live(journal) && vox_status_due(&journal->status, now_ns);
}

bool vox_journal_is_due(const struct vox_journal *journal, int64_t now_ns)
{
    return row_is_due(journal, now_ns) || line_is_due(journal, now_ns);
}

bool vox_journal_is_live(const struct vox_journal *journal)
{
    return journal->status.terminal && !journal->options->quiet;
}

static void write_row(struct vox_journal *journal, const struct vox_receiver_stats *stats,
                      bool final)
{
    if (journal->stats && vox_report_json(stats, &journal->context, final, journal->stats) < 0)
        give_up(journal, &journal->stats, journal->options->stats_path);
}

void vox_journal_show(struct vox_journal *journal, const struct vox_receiver_stats *stats,
                      int64_t now_ns)
{
    journal->context.elapsed_ns = now_ns - journal->context.start_ns;
    if (row_is_due(journal, now_ns)) {
        write_row(journal, stats, false);
        journal->next_stats_ns = now_ns + STATS_NS;
    }
    if (line_is_due(journal, now_ns)) {
        char text[STATUS_BYTES];
        vox_report_status(stats, &journal->context, journal->style, text, sizeof text);
        vox_status_show(&journal->status, text, now_ns);
    }
}

void vox_journal_end(struct vox_journal *journal, const struct vox_receiver_stats *stats,
                     int64_t now_ns, int64_t recorded_ns)
{
    journal->context.elapsed_ns = now_ns - journal->context.start_ns;
    journal->context.recorded_ns = recorded_ns;
    vox_status_clear(&journal->status);
    write_row(journal, stats, true);
    if (!journal->options->quiet)
        vox_report_summary(stats, &journal->context, stderr);
}
