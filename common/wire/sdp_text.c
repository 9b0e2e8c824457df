#include "wire/sdp_text.h"

#include "base/err.h"
#include "wire/sdp.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct vox_sdp_text vox_sdp_text_trim(struct vox_sdp_text t)
{
    while (t.len > 0 && is_blank(t.at[0])) {
        t.at++;
        t.len--;
    }
    while (t.len > 0 && is_blank(t.at[t.len - 1]))
        t.len--;
    return t;
}

struct vox_sdp_text vox_sdp_text_cut(struct vox_sdp_text *t, char separator)
{
    struct vox_sdp_text head = {.at = t->at};
    while (head.len < t->len && t->at[head.len] != separator)
        head.len++;
    size_t taken = head.len < t->len ? head.len + 1 : head.len;
    t->at += taken;
    t->len -= taken;
    return head;
}

struct vox_sdp_text vox_sdp_text_cut_word(struct vox_sdp_text *t)
{
    *t = vox_sdp_text_trim(*t);
    return vox_sdp_text_cut(t, ' ');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool vox_sdp_text_equals(struct vox_sdp_text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

bool vox_sdp_text_equals_caseless(struct vox_sdp_text t, const char *lower_word)
{
    if (t.len != strlen(lower_word))
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (lower(t.at[i]) != lower_word[i])
            return false;
    return true;
}

static bool has_control(struct vox_sdp_text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 0x7f)
            return true;
    return false;
}

bool vox_sdp_text_has(struct vox_sdp_text t, char c)
{
    return t.len > 0 && memchr(t.at, c, t.len) != NULL;
}

bool vox_sdp_text_number(struct vox_sdp_text t, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(t.at[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return t.len > 0;
}

bool vox_sdp_text_is(struct vox_sdp_text t, int value)
{
    uint64_t n;
    return vox_sdp_text_number(t, VOX_SDP_MAX_PAYLOAD_TYPE, &n) && (int)n == value;
}

int vox_sdp_text_hint(struct vox_sdp_text t, int min, int max)
{
    uint64_t n;
    return vox_sdp_text_number(t, (uint64_t)max, &n) && n >= (uint64_t)min ? (int)n : 0;
}

/* ---- lines ---- */

/* What `ffmpeg -f rtp` prints in front of its description, and people save with it. */
static bool is_caption(struct vox_sdp_text line)
{
    return vox_sdp_text_equals(line, "SDP:");
}

int vox_sdp_next_line(struct vox_sdp_lines *l, struct vox_sdp_line *out)
{
    while (l->rest.len > 0) {
        struct vox_sdp_text t = vox_sdp_text_trim(vox_sdp_text_cut(&l->rest, '\n'));
        l->number++;
        if (t.len == 0 || is_caption(t))
            continue;
        if (t.len < 2 || t.at[0] < 'a' || t.at[0] > 'z' || t.at[1] != '=' || has_control(t))
            return VOX_EFORMAT;
        out->type = t.at[0];
        out->value = vox_sdp_text_trim((struct vox_sdp_text){.at = t.at + 2, .len = t.len - 2});
        return 1;
    }
    return 0;
}

int vox_sdp_next_in_section(struct vox_sdp_lines *l, struct vox_sdp_line *out)
{
    struct vox_sdp_lines ahead = *l;
    int got = vox_sdp_next_line(&ahead, out);
    if (got > 0 && out->type == 'm')
        return 0;
    *l = ahead;
    return got;
}
