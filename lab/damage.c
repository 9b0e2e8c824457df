#include "lab/damage.h"

#include "base/err.h"
#include "lab/biquad.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    BLOCK = 24,       /* 0.5 ms, the grid on which energies are compared */
    CALM_BLOCKS = 6,  /* 3 ms of the reference */
    NEAR_BLOCKS = 8,  /* 4 ms */
    GAP_BLOCKS = 5,   /* surely within any gap of ... */
    GAP_FRAMES = 144, /* 3 ms */
    AROUND = 240,     /* 5 ms */
    HOLD = 96,        /* 2 ms */
    PERIOD = 576      /* 12 ms */
};

static const double LOWEST_HZ = 200.0;   /* voip mode takes away what lies below 100 */
static const double HIGHEST_HZ = 3500.0; /* narrowband ends at 4 kHz */
static const double DROP = 1e-3;         /* 30 dB */
static const double ACTIVE_POWER = 1e-6; /* -60 dBFS */
static const double CLICK_RATIO = 12.0;
static const double CLICK_FLOOR = 0.002;
static const double KNOWN_SHARE = 1.0 / 3.0;

/* One channel of the work. */
struct finder {
    const struct vox_audio_view *reference;
    const struct vox_audio_view *output;
    const struct vox_alignment *alignment;
    size_t channel;
    size_t piece; /* of the last place asked for: places come in order */
    double *calm; /* of the reference by block: its least power over 3 ms nearby */
    int64_t blocks;
    struct vox_damage *found; /* of all channels */
    size_t count, room;
};

/* What of the reference belongs at a place of the output; in inserted sound, what is next. */
static int64_t reference_at(struct finder *f, int64_t output_frame)
{
    const struct vox_align_piece *p = f->alignment->pieces;
    while (f->piece + 1 < f->alignment->count &&
           output_frame >= p[f->piece + 1].reference_frame + p[f->piece + 1].lag_frames)
        f->piece++;
    while (f->piece > 0 && output_frame < p[f->piece].reference_frame + p[f->piece].lag_frames)
        f->piece--;
    p += f->piece;
    int64_t frame = output_frame - p->lag_frames;
    bool last = f->piece + 1 == f->alignment->count;
    return last || frame < p->reference_frame + p->frames ? frame : p->reference_frame + p->frames;
}

static int add(struct finder *f, enum vox_damage_kind kind, int64_t from, int64_t to)
{
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 64;
        struct vox_damage *found = realloc(f->found, room * sizeof *found);
        if (!found)
            return VOX_ENOMEM;
        f->found = found;
        f->room = room;
    }
    f->found[f->count++] = (struct vox_damage){.kind = kind,
                                               .channel = (int)f->channel,
                                               .output_frame = from,
                                               .reference_frame = reference_at(f, from),
                                               .frames = to - from};
    return 0;
}

static double block_power(const struct vox_audio_view *v, size_t channel, int64_t block)
{
    double sum = 0.0;
    for (int64_t i = block * BLOCK; i < (block + 1) * BLOCK; i++)
        sum += vox_audio_at(v, channel, i) * vox_audio_at(v, channel, i);
    return sum / BLOCK;
}

/*
 * Only of what each bandwidth and mode of Opus carries: what the codec takes away is no gap. (The
 * output is taken as it is: a filter would ring into the gaps.) calm[b] = the least mean power of
 * any CALM_BLOCKS in a row within NEAR_BLOCKS of block b.
 */
static int find_calm(struct finder *f)
{
    f->blocks = (int64_t)f->reference->frames / BLOCK + 1;
    f->calm = calloc((size_t)f->blocks, sizeof *f->calm);
    double *power = calloc((size_t)f->blocks, sizeof *power);
    if (!f->calm || !power) {
        free(power);
        return VOX_ENOMEM;
    }
    struct vox_biquad hp;
    struct vox_biquad lp;
    vox_biquad_highpass(&hp, LOWEST_HZ, 48000.0);
    vox_biquad_lowpass(&lp, HIGHEST_HZ, 48000.0);
    for (int64_t i = 0; i < f->blocks * BLOCK; i++) {
        double y =
            vox_biquad_next(&lp, vox_biquad_next(&hp, vox_audio_at(f->reference, f->channel, i)));
        power[i / BLOCK] += y * y / BLOCK;
    }
    for (int64_t b = NEAR_BLOCKS; b + NEAR_BLOCKS < f->blocks; b++) {
        double sum = 0.0;
        double least = (double)INFINITY;
        for (int64_t k = b - NEAR_BLOCKS; k <= b + NEAR_BLOCKS; k++) {
            sum += power[k] - (k >= b - NEAR_BLOCKS + CALM_BLOCKS ? power[k - CALM_BLOCKS] : 0.0);
            if (k >= b - NEAR_BLOCKS + CALM_BLOCKS - 1)
                least = fmin(least, sum / CALM_BLOCKS);
        }
        f->calm[b] = least;
    }
    free(power);
    return 0;
}

static double expected_power(struct finder *f, int64_t output_frame)
{
    int64_t frame = reference_at(f, output_frame);
    return frame >= 0 && frame / BLOCK < f->blocks ? f->calm[frame / BLOCK] : 0.0;
}

/* Blocks first..end of the output are down, and parts of the two around them: to the sample. */
static int add_dropout(struct finder *f, int64_t first, int64_t end)
{
    double limit = 2.0 * sqrt(DROP * expected_power(f, first * BLOCK));
    int64_t from = first * BLOCK;
    int64_t to = end * BLOCK;
    while (from > 0 && from > (first - 1) * BLOCK &&
           fabs(vox_audio_at(f->output, f->channel, from - 1)) <= limit)
        from--;
    while (to < (int64_t)f->output->frames && to < (end + 1) * BLOCK &&
           fabs(vox_audio_at(f->output, f->channel, to)) <= limit)
        to++;
    return to - from >= GAP_FRAMES ? add(f, VOX_DAMAGE_DROPOUT, from, to) : 0;
}

static int find_dropouts(struct finder *f)
{
    int64_t blocks = (int64_t)f->output->frames / BLOCK;
    int64_t run = 0;
    int err = 0;
    for (int64_t b = 0; b <= blocks && err == 0; b++) {
        double expected = b < blocks ? expected_power(f, b * BLOCK + BLOCK / 2) : 0.0;
        bool down =
            expected > ACTIVE_POWER && block_power(f->output, f->channel, b) < DROP * expected;
        if (!down && run >= GAP_BLOCKS)
            err = add_dropout(f, b - run, b);
        run = down ? run + 1 : 0;
    }
    return err;
}

/* |second difference| around a sample; 0 beyond the ends. */
static double roughness(const struct vox_audio_view *v, size_t channel, int64_t i)
{
    if (i < 1 || i + 1 >= (int64_t)v->frames)
        return 0.0;
    return fabs(vox_audio_at(v, channel, i + 1) - 2.0 * vox_audio_at(v, channel, i) +
                vox_audio_at(v, channel, i - 1));
}

/* The reference has something like it nearby: a voice's own pulse, a drum. */
static bool is_known(struct finder *f, int64_t at, double size)
{
    int64_t frame = reference_at(f, at);
    for (int64_t i = frame - PERIOD; i <= frame + PERIOD; i++)
        if (roughness(f->reference, f->channel, i) >= KNOWN_SHARE * size)
            return true;
    return false;
}

static int find_clicks(struct finder *f)
{
    int64_t from = -1; /* of the click under way */
    int64_t last = 0;
    int err = 0;
    double sum = 0.0; /* of i - AROUND .. i + AROUND */
    for (int64_t i = 0; i < AROUND; i++)
        sum += roughness(f->output, f->channel, i);
    for (int64_t i = 0; i <= (int64_t)f->output->frames + HOLD && err == 0; i++) {
        sum += roughness(f->output, f->channel, i + AROUND);
        double here = roughness(f->output, f->channel, i);
        /* The click itself shows in up to three differences. */
        double around = sum - here - roughness(f->output, f->channel, i - 1) -
                        roughness(f->output, f->channel, i + 1);
        double level = fmax(around, 0.0) / (2 * AROUND - 2);
        if (from >= 0 && i - last >= HOLD) {
            err = add(f, VOX_DAMAGE_CLICK, from, last + 1);
            from = -1;
        }
        if (here > CLICK_FLOOR && here > CLICK_RATIO * level && !is_known(f, i, here)) {
            from = from < 0 ? i : from;
            last = i;
        }
        sum -= roughness(f->output, f->channel, i - AROUND);
    }
    return err;
}

static int by_place(const void *a, const void *b)
{
    const struct vox_damage *x = a;
    const struct vox_damage *y = b;
    if (x->output_frame != y->output_frame)
        return x->output_frame < y->output_frame ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->channel - y->channel;
}

static bool is_near(const struct vox_damage *a, const struct vox_damage *b)
{
    return a->output_frame <= b->output_frame + b->frames + HOLD &&
           b->output_frame <= a->output_frame + a->frames + HOLD;
}

/* Takes b into a, if they are one: the same in another channel, or the edge of a dropout. */
static bool swallow(struct vox_damage *a, const struct vox_damage *b)
{
    if (!is_near(a, b) || (a->kind == VOX_DAMAGE_CLICK && b->kind == VOX_DAMAGE_DROPOUT))
        return false;
    if (a->kind == VOX_DAMAGE_CLICK && a->channel == b->channel)
        return false;
    if (a->kind == b->kind) {
        int64_t end = b->output_frame + b->frames;
        a->frames = end > a->output_frame + a->frames ? end - a->output_frame : a->frames;
    }
    return true;
}

/* A click may come in the list just in front of the dropout whose edge it is. */
static size_t merge(struct vox_damage *found, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool gone = false;
        for (size_t back = 1; back <= 4 && back <= kept && !gone; back++)
            gone = swallow(&found[kept - back], &found[i]);
        if (gone)
            continue;
        while (kept > 0 && found[i].kind == VOX_DAMAGE_DROPOUT &&
               found[kept - 1].kind == VOX_DAMAGE_CLICK && is_near(&found[kept - 1], &found[i]))
            kept--;
        found[kept++] = found[i];
    }
    return kept;
}

static void summarise(const struct finder *f, struct vox_damage_list *out)
{
    *out = (struct vox_damage_list){.items = f->found};
    for (size_t i = 0; i < f->count; i++) {
        bool gap = f->found[i].kind == VOX_DAMAGE_DROPOUT;
        out->dropouts += gap ? 1 : 0;
        out->clicks += gap ? 0 : 1;
        out->dropout_frames += gap ? f->found[i].frames : 0;
    }
    out->count = f->count < VOX_DAMAGE_MAX_ITEMS ? f->count : VOX_DAMAGE_MAX_ITEMS;
}

static int find_in_channel(struct finder *f, size_t channel)
{
    f->channel = channel;
    f->piece = 0;
    int err = find_calm(f);
    if (err == 0)
        err = find_dropouts(f);
    if (err == 0)
        err = find_clicks(f);
    free(f->calm);
    f->calm = NULL;
    return err;
}

int vox_damage_find(const struct vox_audio_view *reference, const struct vox_audio_view *output,
                    const struct vox_alignment *alignment, struct vox_damage_list *out)
{
    struct finder f = {.reference = reference, .output = output, .alignment = alignment};
    for (size_t c = 0; c < (size_t)output->channels; c++) {
        int err = find_in_channel(&f, c);
        if (err < 0) {
            free(f.found);
            return err;
        }
    }
    if (f.count > 0)
        qsort(f.found, f.count, sizeof *f.found, by_place);
    f.count = merge(f.found, f.count);
    summarise(&f, out);
    return 0;
}

void vox_damage_list_clear(struct vox_damage_list *list)
{
    free(list->items);
    *list = (struct vox_damage_list){0};
}
