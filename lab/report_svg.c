#include "lab/report_svg.h"

#include "base/err.h"
#include "lab/report_html.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* By the last byte of VOX_LAB_INK and the others. */
static const char *const roles[] = {
    [1] = "ink",       [2] = "muted", [3] = "grid", [4] = "played",
    [5] = "recovered", [6] = "late",  [7] = "lost", [8] = "buffer",
};

struct copying {
    const struct vox_lab_svg_frame *frame;
    FILE *out;
    bool in_defs;
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* ---- attributes ---- */

struct attribute {
    char name[32];
    const char *value;
    int value_len;
};

/* Reads the next one of a tag; where it ends, or NULL if there is none. */
static const char *next_attribute(const char *p, const char *end, struct attribute *a)
{
    size_t len = 0;
    while (p < end && isspace((unsigned char)*p))
        p++;
    for (; p < end && !isspace((unsigned char)*p) && *p != '='; p++)
        if (len + 1 < sizeof a->name)
            a->name[len++] = *p;
    a->name[len] = '\0';
    while (p < end && (isspace((unsigned char)*p) || *p == '='))
        p++;
    if (len == 0 || p >= end || (*p != '"' && *p != '\''))
        return NULL;
    const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (!close)
        return NULL;
    a->value = p + 1;
    a->value_len = (int)(close - p - 1);
    return close + 1;
}

static bool is_default_color(const struct attribute *a)
{
    static const char *const defaults[] = {"black", "white", "gray"};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if ((size_t)a->value_len == strlen(defaults[i]) && starts_with(a->value, defaults[i]))
            return true;
    return false;
}

static bool is_dropped(const struct copying *c, const struct attribute *a)
{
    if (strcmp(a->name, "id") == 0)
        return !c->in_defs;
    if (strcmp(a->name, "color") == 0)
        return is_default_color(a);
    return strcmp(a->name, "font-family") == 0 || strcmp(a->name, "class") == 0 ||
           strcmp(a->name, "shape-rendering") == 0;
}

static const char *role_of(const struct attribute *a)
{
    int red, green, blue;
    char color[32]; /* a copy: sscanf looks for the end of its whole text */
    snprintf(color, sizeof color, "%.*s", a->value_len, a->value);
    if (sscanf(color, "rgb(%d,%d,%d)", &red, &green, &blue) != 3)
        return NULL;
    bool is_role = red == 1 && green == 1 && blue > 0 && blue < (int)(sizeof roles / sizeof *roles);
    return is_role ? roles[blue] : NULL;
}

static void put_attribute(const struct copying *c, const struct attribute *a)
{
    const char *role = role_of(a);
    if (role)
        fprintf(c->out, " %s=\"var(--%s)\"", a->name, role);
    else if (strcmp(a->name, "id") == 0)
        fprintf(c->out, " id=\"f%d-%.*s\"", c->frame->number, a->value_len, a->value);
    else if (strcmp(a->name, "xlink:href") == 0 && a->value[0] == '#')
        fprintf(c->out, " href=\"#f%d-%.*s\"", c->frame->number, a->value_len - 1, a->value + 1);
    else if (strcmp(a->name, "xlink:href") == 0)
        fprintf(c->out, " href=\"%.*s\"", a->value_len, a->value);
    else
        fprintf(c->out, " %s=\"%.*s\"", a->name, a->value_len, a->value);
}

/* ---- tags ---- */

/* From '<' to behind '>'. */
static void put_tag(const struct copying *c, const char *tag, const char *end)
{
    struct attribute a;
    bool is_empty = end[-2] == '/';
    const char *p = tag + 1;
    const char *stop = is_empty ? end - 2 : end - 1;
    while (p < stop && !isspace((unsigned char)*p))
        p++;
    fwrite(tag, 1, (size_t)(p - tag), c->out);
    while ((p = next_attribute(p, stop, &a)))
        if (!is_dropped(c, &a))
            put_attribute(c, &a);
    fputs(is_empty ? "/>" : ">", c->out);
}

/* Behind an element that is to be left out, or NULL if this one is not. */
static const char *skip(const char *tag, bool keeps_defs)
{
    static const char *const whole[][2] = {{"<?xml", ">"},
                                           {"<svg", ">"},
                                           {"<title", "</title>"},
                                           {"<desc", "</desc>"},
                                           {"<filter", "</filter>"},
                                           {"<defs", "</defs>"},
                                           {"</svg", ">"}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (!starts_with(tag, whole[i][0]) || (starts_with(tag, "<defs") && keeps_defs))
            continue;
        const char *end = strstr(tag, whole[i][1]);
        return end ? end + strlen(whole[i][1]) : NULL;
    }
    return NULL;
}

/* Behind a group without content, of which gnuplot writes many; NULL if it has some. */
static const char *skip_empty_group(const char *tag)
{
    const char *p = starts_with(tag, "<g ") ? strchr(tag, '>') : NULL;
    if (!p)
        return NULL;
    p += 1 + strspn(p + 1, " \t\n");
    return starts_with(p, "</g>") ? p + strlen("</g>") : NULL;
}

static int copy_tags(struct copying *c, const char *p)
{
    const char *defs_end = strstr(p, "</defs>");
    bool keeps_defs = defs_end && strstr(defs_end, "#gp");
    while (*p) {
        size_t text = strcspn(p, "<");
        if (strspn(p, " \t\n") < text)
            fwrite(p, 1, text, c->out);
        p += text;
        if (!*p)
            break;
        const char *behind = skip(p, keeps_defs);
        behind = behind ? behind : skip_empty_group(p);
        if (!behind) {
            const char *end = strchr(p, '>');
            if (!end)
                return VOX_EFORMAT;
            c->in_defs = starts_with(p, "<defs") || (c->in_defs && !starts_with(p, "</defs"));
            put_tag(c, p, end + 1);
            behind = end + 1;
        }
        p = behind;
    }
    return 0;
}

static char *read_all(FILE *in)
{
    size_t room = 1 << 16;
    size_t len = 0;
    char *text = malloc(room);
    while (text) {
        len += fread(text + len, 1, room - len - 1, in);
        if (len + 1 < room)
            break;
        room *= 2;
        char *grown = realloc(text, room);
        if (!grown)
            free(text);
        text = grown;
    }
    if (text)
        text[len] = '\0';
    return text;
}

int vox_lab_svg_copy(FILE *svg, const struct vox_lab_svg_frame *frame, FILE *out)
{
    struct copying c = {.frame = frame, .out = out};
    char *text = read_all(svg);
    if (!text || ferror(svg)) {
        free(text);
        return text ? VOX_EIO : VOX_ENOMEM;
    }
    fprintf(out, "<svg class=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
            frame->classes, frame->width_px, frame->height_px);
    vox_lab_html_text(out, frame->label);
    fputs("\">", out);
    int err = copy_tags(&c, text);
    fputs("</svg>\n", out);
    free(text);
    return err;
}
