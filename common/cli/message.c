#include "cli/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum { MESSAGE_BYTES = 1024 };

static struct {
    const char *program;
    FILE *stream;
    enum vox_message_level level;
    struct vox_status *status;
} messages = {.level = VOX_MESSAGE_NORMAL};

void vox_message_init(const char *program, FILE *stream)
{
    messages.program = program;
    messages.stream = stream;
    messages.level = VOX_MESSAGE_NORMAL;
    messages.status = NULL;
}

void vox_message_set_level(enum vox_message_level level)
{
    messages.level = level;
}

void vox_message_set_status(struct vox_status *status)
{
    messages.status = status;
}

/* U+0080..U+009F in UTF-8, of which U+009B begins a sequence as ESC [ does. */
static bool is_c1_control(const char *text)
{
    return (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 &&
           (unsigned char)text[1] < 0xa0;
}

static void disarm(char *text)
{
    for (; *text; text++) {
        if (is_c1_control(text))
            *text++ = '?';
        else if ((unsigned char)*text >= ' ' && *text != 0x7f)
            continue;
        *text = '?';
    }
}

__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *format,
                                                      va_list args)
{
    FILE *stream = messages.stream ? messages.stream : stderr;
    char text[MESSAGE_BYTES];
    vsnprintf(text, sizeof text, format, args);
    disarm(text);
    if (messages.status)
        vox_status_clear(messages.status);
    if (messages.program)
        fprintf(stream, "%s: ", messages.program);
    fprintf(stream, "%s%s\n", kind, text);
    fflush(stream);
}

void vox_message_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

void vox_message_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (messages.level > VOX_MESSAGE_QUIET)
        say("warning: ", format, args);
    va_end(args);
}

void vox_message_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (messages.level > VOX_MESSAGE_QUIET)
        say("", format, args);
    va_end(args);
}

void vox_message_detail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (messages.level == VOX_MESSAGE_VERBOSE)
        say("", format, args);
    va_end(args);
}
