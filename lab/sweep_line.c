#include "lab/sweep_line.h"

#include "base/err.h"
#include "base/time.h"
#include "receiver/event_line.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ID_DIGITS = 16, MAX_ROW_DIGITS = 9 };

/* Writes names or values: one list of columns for both. */
struct writer {
    char *out;
    size_t used;
    bool names;
};

static void put_text(struct writer *w, const char *name, const char *value)
{
    w->used += (size_t)snprintf(w->out + w->used, VOX_SWEEP_LINE_BYTES - w->used, ",%s",
                                w->names ? name : value);
}

static void put_count(struct writer *w, const char *name, uint64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    put_text(w, name, text);
}

/* Empty where it is not known. */
static void put_number(struct writer *w, const char *name, double x, int decimals, bool known)
{
    char text[48] = "";
    if (known)
        snprintf(text, sizeof text, "%.*f", decimals, x);
    put_text(w, name, text);
}

static void put_ms(struct writer *w, const char *name, int64_t ns, bool known)
{
    put_number(w, name, round((double)ns / 1e3) / 1e3, 3, known); /* as in JSON */
}

static void put_quantiles(struct writer *w, const char *kind, const struct vox_quantiles *q,
                          bool known)
{
    const struct {
        const char *name;
        int64_t ns;
    } all[] = {{"p50", q->p50_ns},
               {"p95", q->p95_ns},
               {"p99", q->p99_ns},
               {"max", q->max_ns},
               {"mean", q->mean_ns}};
    char name[64];
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        snprintf(name, sizeof name, "delay_ms.%s.%s", kind, all[i].name);
        put_ms(w, name, all[i].ns, known);
    }
}

static void put_glitches(struct writer *w, const struct vox_source_stats *s)
{
    char name[64];
    for (enum vox_glitch_cause i = 0; i < VOX_GLITCH_CAUSES; i++) {
        snprintf(name, sizeof name, "glitches.%s.count", vox_glitch_cause_name(i));
        put_count(w, name, s->glitches[i].count);
        snprintf(name, sizeof name, "glitches.%s.ms", vox_glitch_cause_name(i));
        put_ms(w, name, s->glitches[i].ns, true);
    }
}

static void put_source(struct writer *w, const struct vox_source_stats *s, bool heard)
{
    put_count(w, "packets.received", s->packets.received);
    put_count(w, "packets.lost", s->packets.lost);
    put_count(w, "packets.late", s->packets.late);
    put_count(w, "packets.duplicate", s->packets.duplicate);
    put_count(w, "packets.reordered", s->packets.reordered);
    put_count(w, "frames.played", s->frames.played);
    put_count(w, "frames.decoded", s->frames.decoded);
    put_count(w, "frames.concealed", s->frames.concealed);
    put_count(w, "frames.from_fec", s->frames.from_fec);
    put_count(w, "frames.from_red", s->frames.from_red);
    put_count(w, "frames.from_rtx", s->frames.from_rtx);
    put_count(w, "frames.stretched", s->frames.stretched);
    put_count(w, "lbrr_packets", s->lbrr_packets);
    put_ms(w, "played_ms", s->played_ns, true);
    put_ms(w, "concealed_ms", s->concealed_ns, true);
    put_ms(w, "dtx_ms", s->dtx_ns, true);
    put_ms(w, "stretched_ms", s->stretched_ns, true);
    put_count(w, "stretch_ops", s->stretch_ops);
    put_quantiles(w, "network", &s->delay.network, heard);
    put_quantiles(w, "buffer", &s->delay.buffer, heard);
    put_quantiles(w, "total", &s->delay.total, heard);
    put_ms(w, "target_delay_ms", s->target_ns, heard);
    put_ms(w, "jitter_ms", s->jitter_ns, heard);
    put_glitches(w, s);
}

static void put_results(struct writer *w, const struct vox_sweep_sound *sound,
                        const struct vox_sweep_cell *c)
{
    put_number(w, "sent_s", (double)sound->duration_ns / 1e9, 3, true);
    put_count(w, "sent.packets", sound->packets);
    put_number(w, "wire_kbps", c->wire_kbps, 2, true);
    put_count(w, "packets.rejected", c->rejected);
    put_source(w, &c->source, c->heard);
    put_number(w, "e_model.concealed_pct", c->concealed_pct, 4, c->heard);
    put_number(w, "e_model.burst_ratio", c->burst_ratio, 4, c->heard);
    put_number(w, "e_model.r_factor", c->r_factor, 3, c->heard);
    put_number(w, "e_model.mos", c->mos, 4, c->heard);
    put_number(w, "quality.segmental_snr_db", c->segmental_snr_db, 3, c->compared);
    put_number(w, "quality.log_spectral_distance_db", c->log_spectral_distance_db, 3, c->compared);
    put_number(w, "quality.dropouts", (double)c->dropouts, 0, c->compared);
    put_ms(w, "quality.dropout_ms", c->dropout_ns, c->compared);
    put_number(w, "quality.clicks", (double)c->clicks, 0, c->compared);
}

size_t vox_sweep_line_header(char out[VOX_SWEEP_LINE_BYTES])
{
    char settings[VOX_SWEEP_SETTINGS_BYTES];
    struct writer w = {.out = out, .names = true};
    vox_sweep_plan_header(settings);
    w.used = (size_t)snprintf(out, VOX_SWEEP_LINE_BYTES, "row,id,%s", settings);
    put_results(&w, &(struct vox_sweep_sound){0}, &(struct vox_sweep_cell){0});
    out[w.used++] = '\n';
    return w.used;
}

size_t vox_sweep_line_write(const struct vox_sweep_plan *plan, int64_t row,
                            const struct vox_sweep_sound *sound, const struct vox_sweep_cell *cell,
                            char out[VOX_SWEEP_LINE_BYTES])
{
    char settings[VOX_SWEEP_SETTINGS_BYTES];
    struct writer w = {.out = out};
    vox_sweep_plan_settings(plan, row, settings);
    w.used = (size_t)snprintf(out, VOX_SWEEP_LINE_BYTES, "%lld,%016llx,%s", (long long)row,
                              (unsigned long long)vox_sweep_plan_id(plan, row), settings);
    put_results(&w, sound, cell);
    out[w.used++] = '\n';
    return w.used;
}

/* ---- reading ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int vox_sweep_line_row(const struct vox_sweep_plan *plan, const char *line, size_t len,
                       int64_t *row)
{
    size_t at = 0;
    int64_t number = 0;
    uint64_t id = 0;
    while (at < len && at < MAX_ROW_DIGITS && is_digit(line[at]))
        number = 10 * number + (line[at++] - '0');
    if (at == 0 || at >= len || line[at] != ',' || len - at < ID_DIGITS + 2)
        return VOX_EFORMAT;
    for (size_t i = 1; i <= ID_DIGITS; i++) {
        int digit = hex_value(line[at + i]);
        if (digit < 0)
            return VOX_EFORMAT;
        id = id << 4 | (uint64_t)digit;
    }
    if (line[at + ID_DIGITS + 1] != ',' || memchr(line, '\0', len))
        return VOX_EFORMAT;
    if (number >= plan->scenario.row_count || vox_sweep_plan_id(plan, number) != id)
        return VOX_ENOTFOUND;
    *row = number;
    return 0;
}
