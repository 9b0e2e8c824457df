#include "lab/versus_commands.h"

#include "base/time.h"
#include "cli/message.h"
#include "lab/setting.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUE_BYTES = VOX_CLIP_PATH_BYTES, MAX_ROWS = 32 };

/* ---- programs ---- */

static bool find_in_path(const char *name, char out[PATH_MAX])
{
    const char *folders = getenv("PATH");
    while (folders && *folders) {
        int len = (int)strcspn(folders, ":");
        int n = snprintf(out, PATH_MAX, "%.*s%s%s", len, folders, len > 0 ? "/" : "./", name);
        if (n < PATH_MAX && access(out, X_OK) == 0)
            return true;
        folders += len;
        folders += *folders == ':';
    }
    return false;
}

static bool find_program(const char *lab, const char *name, char out[PATH_MAX])
{
    const char *slash = strrchr(lab, '/');
    int len = slash ? (int)(slash - lab) : 0;
    int n = snprintf(out, PATH_MAX, "%.*s/%s", len, lab, name);
    if ((n < PATH_MAX && access(out, X_OK) == 0) || find_in_path(name, out))
        return true;
    vox_message_error("%s is neither beside voxgram-lab nor in PATH; install it there", name);
    return false;
}

bool vox_versus_find_programs(struct vox_versus_programs *out)
{
    ssize_t len = readlink("/proc/self/exe", out->lab, sizeof out->lab - 1);
    if (len <= 0) {
        vox_message_error("cannot tell where voxgram-lab is: no /proc");
        return false;
    }
    out->lab[len] = '\0';
    return find_program(out->lab, "voxgram-send", out->send) &&
           find_program(out->lab, "voxgram-recv", out->recv);
}

/* ---- words ---- */

static void add(struct vox_versus_command *c, const char *word)
{
    size_t len = strlen(word) + 1;
    if (c->count + 1 >= VOX_VERSUS_MAX_WORDS || c->used + len > sizeof c->text)
        return;
    memcpy(c->text + c->used, word, len);
    c->words[c->count++] = c->text + c->used;
    c->words[c->count] = NULL;
    c->used += len;
}

static void add_pair(struct vox_versus_command *c, const char *name, const char *value)
{
    add(c, name);
    add(c, value);
}

static void add_file(struct vox_versus_command *c, const char *option, const char *name,
                     const char *ending)
{
    char path[VALUE_BYTES];
    snprintf(path, sizeof path, "%s.%s", name, ending);
    add_pair(c, option, path);
}

/* --NAME VALUE if that is not what it is without. */
static void add_option(struct vox_versus_command *c, const struct vox_option *row,
                       const struct vox_option *usual)
{
    char option[64], value[VALUE_BYTES], other[VALUE_BYTES];
    vox_setting_print(row, value, sizeof value);
    vox_setting_print(usual, other, sizeof other);
    if (strcmp(value, other) == 0)
        return;
    snprintf(option, sizeof option, "--%s", row->name);
    add(c, option);
    if (row->kind != VOX_OPTION_FLAG)
        add(c, value);
}

static void add_network(struct vox_versus_command *c, const struct vox_versus_options *o,
                        bool for_people)
{
    struct vox_network_options mine = o->network, usual;
    struct vox_option rows[MAX_ROWS], usual_rows[MAX_ROWS];
    vox_network_options_init(&usual);
    if (mine.trace && !for_people)
        mine.trace = o->trace_path;
    size_t count = vox_network_options_rows(&mine, "", rows);
    vox_network_options_rows(&usual, "", usual_rows);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind != VOX_OPTION_UINT64)
            add_option(c, &rows[i], &usual_rows[i]);
    if (o->one_way)
        add(c, "--one-way");
}

static bool is_of_red(const struct vox_option *row)
{
    return strncmp(row->name, "red", 3) == 0;
}

static void add_encoding(struct vox_versus_command *c, const struct vox_versus_options *o,
                         enum vox_versus_link link)
{
    struct vox_encoding_options mine = o->encoding, usual;
    struct vox_option rows[MAX_ROWS], usual_rows[MAX_ROWS];
    vox_encoding_options_init(&usual);
    usual.complexity = mine.complexity; /* settled */
    size_t count = vox_encoding_options_rows(&mine, rows);
    vox_encoding_options_rows(&usual, usual_rows);
    for (size_t i = 0; i < count; i++)
        if (link == VOX_VERSUS_LINK_RED || !is_of_red(&rows[i]))
            add_option(c, &rows[i], &usual_rows[i]);
    if (link == VOX_VERSUS_LINK_FEC)
        add(c, "--fec");
    if (link == VOX_VERSUS_LINK_RTX)
        add(c, "--rtx");
}

/* ---- commands ---- */

static void add_sender(struct vox_versus_command *c, const struct vox_versus_options *o,
                       const struct vox_versus_programs *programs, enum vox_versus_link link,
                       const char *name)
{
    char seconds[32];
    const char *congestion = vox_versus_congestion(link);
    add(c, programs ? programs->send : "voxgram-send");
    add(c, programs || *o->file == '\0' ? o->path : o->file);
    add(c, *congestion ? "tcp://10.77.0.2:5004" : "udp://10.77.0.2:5004");
    add_encoding(c, o, link);
    if (*congestion)
        add_pair(c, "--tcp-congestion", congestion);
    if (o->again)
        add(c, "--loop");
    if (o->duration_ns > 0) {
        snprintf(seconds, sizeof seconds, "%.12g", (double)o->duration_ns / 1e9);
        add_pair(c, "--duration", seconds);
    }
    add_file(c, "--stats", name, "send.json");
}

/* The longest budget: what is asked for again, and how long, hangs on it. */
static void add_receiver(struct vox_versus_command *c, const struct vox_versus_options *o,
                         const struct vox_versus_programs *programs, enum vox_versus_link link,
                         const char *name)
{
    char delay[32];
    struct vox_versus_budgets budgets;
    vox_versus_budgets_init(&budgets, o->budget_ms);
    snprintf(delay, sizeof delay, "%.9g", vox_versus_largest_ms(&budgets));
    add(c, programs ? programs->recv : "voxgram-recv");
    add(c, *vox_versus_congestion(link) ? "tcp://:5004" : "udp://:5004");
    add_pair(c, "--delay", delay);
    add_pair(c, "--output", "null");
    if (link == VOX_VERSUS_LINK_RTX)
        add(c, "--rtx");
    add_file(c, "--pcap", name, "pcap");
    add_file(c, "--stats", name, "recv.json");
    add_pair(c, "--idle-exit", "0.5");
}

void vox_versus_command_make(const struct vox_versus_options *options,
                             const struct vox_versus_programs *programs, enum vox_versus_link link,
                             uint64_t seed, const char *name, struct vox_versus_command *out)
{
    char number[32];
    *out = (struct vox_versus_command){.count = 0};
    add(out, programs ? programs->lab : "voxgram-lab");
    add(out, "link");
    add_network(out, options, !programs);
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    add_pair(out, "--seed", number);
    add_pair(out, "--wait", "10");
    add_pair(out, "--grace", "3");
    add_file(out, "--stats", name, "link.json");
    add(out, "--");
    add_sender(out, options, programs, link, name);
    add(out, "--");
    add_receiver(out, options, programs, link, name);
}

static bool is_plain_word(const char *word)
{
    for (const char *c = word; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_./:=,+@%", *c))
            return false;
    return *word != '\0';
}

void vox_versus_command_print(const struct vox_versus_command *command, char *out, size_t capacity)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < command->count && used + 4 < capacity; i++) {
        const char *word = command->words[i];
        bool plain = is_plain_word(word);
        used += (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? " " : "",
                                 plain ? "" : "'");
        for (; *word && used + 5 < capacity; word++)
            used += (size_t)snprintf(out + used, capacity - used, *word == '\'' ? "'\\%c'" : "%c",
                                     *word);
        if (!plain && used + 1 < capacity)
            used += (size_t)snprintf(out + used, capacity - used, "'");
    }
}

void vox_versus_network_print(const struct vox_versus_options *options, char *out, size_t capacity)
{
    struct vox_versus_command words = {.count = 0};
    add_network(&words, options, true);
    vox_versus_command_print(&words, out, capacity);
}
