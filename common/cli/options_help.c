#include "cli/options.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, MEANING_COLUMN = 28, LEFT_BYTES = 64, MEANING_BYTES = 512 };

static void new_line(FILE *out, int indent)
{
    fprintf(out, "\n%*s", indent, "");
}

/* Prints a text that begins at `indent`, folding between words; \n in it begins a new line. */
static void print_folded(FILE *out, const char *text, int indent)
{
    int column = indent;
    bool first = true;
    while (*text) {
        if (*text == '\n') {
            new_line(out, indent);
            column = indent;
            first = true;
            text++;
            continue;
        }
        int len = (int)strcspn(text, " \n");
        if (!first && column + 1 + len > WIDTH) {
            new_line(out, indent);
            column = indent;
            first = true;
        }
        if (!first)
            fputc(' ', out);
        fprintf(out, "%.*s", len, text);
        column += len + !first;
        first = false;
        text += len;
        text += *text == ' ';
    }
    fputc('\n', out);
}

/* One row of two columns; the right one begins on a line of its own if the left one is long. */
static void print_row(FILE *out, const char *left, const char *meaning)
{
    int len = fprintf(out, "  %s", left);
    if (len > MEANING_COLUMN - 2) {
        new_line(out, MEANING_COLUMN);
    } else {
        fprintf(out, "%*s", MEANING_COLUMN - len, "");
    }
    print_folded(out, meaning, MEANING_COLUMN);
}

static void print_usage(const struct vox_options *command, FILE *out)
{
    const char *line = command->usage;
    const char *lead = "Usage: ";
    do {
        int len = (int)strcspn(line, "\n");
        fprintf(out, "%s%s %.*s\n", lead, command->program, len, line);
        line += len;
        lead = "       ";
    } while (*line++ == '\n');
    fputc('\n', out);
}

static void print_arguments(const char *row, FILE *out)
{
    while (row && *row) {
        char left[LEFT_BYTES], meaning[MEANING_BYTES];
        int name_len = (int)strcspn(row, "\t\n");
        snprintf(left, sizeof left, "%.*s", name_len, row);
        row += name_len;
        row += *row == '\t';
        int meaning_len = (int)strcspn(row, "\n");
        snprintf(meaning, sizeof meaning, "%.*s", meaning_len, row);
        row += meaning_len;
        row += *row == '\n';
        print_row(out, left, meaning);
    }
}

/* The help of the row, with the choices or the range that parse checks. */
static void describe(const struct vox_option *option, char out[MEANING_BYTES])
{
    int len = snprintf(out, MEANING_BYTES, "%s", option->help);
    size_t at = len < 0 ? 0 : (size_t)len;
    if (option->kind == VOX_OPTION_CHOICE)
        for (int i = 0; option->choices[i] && at < MEANING_BYTES; i++)
            at += (size_t)snprintf(out + at, MEANING_BYTES - at, "%s%s", i == 0 ? ": " : ", ",
                                   option->choices[i]);
    else if ((option->min != 0 || option->max != 0) && isfinite(option->max) && at < MEANING_BYTES)
        snprintf(out + at, MEANING_BYTES - at, " (%.12g..%.12g)", option->min, option->max);
}

static void print_option(const struct vox_option *option, FILE *out)
{
    char left[LEFT_BYTES], meaning[MEANING_BYTES], letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s%s", letter, option->negatable ? "[no-]" : "",
             option->name, option->argument ? " " : "", option->argument ? option->argument : "");
    describe(option, meaning);
    print_row(out, left, meaning);
}

void vox_options_print_help(const struct vox_options *command, FILE *out)
{
    print_usage(command, out);
    print_folded(out, command->description, 0);
    if (command->arguments) {
        fprintf(out, "\nArguments:\n");
        print_arguments(command->arguments, out);
    }
    const char *group = "";
    for (size_t i = 0; i < command->count; i++) {
        const struct vox_option *option = &command->options[i];
        if (option->group && strcmp(option->group, group) != 0) {
            group = option->group;
            fprintf(out, "\n%s:\n", group);
        }
        print_option(option, out);
    }
    fprintf(out, "\nHelp:\n");
    print_row(out, "-h, --help", "print this and leave");
    print_row(out, "-V, --version", "print the version and leave");
    if (command->examples)
        fprintf(out, "\nExamples:\n%s\n", command->examples);
}
