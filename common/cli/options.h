/*
 * The command line as a table: parsing, checking and --help come from the same rows.
 *
 *     static const char *const profiles[] = {"voice", "music", "lowdelay", NULL};
 *     const struct vox_option options[] = {
 *         {.name = "bitrate", .argument = "KBPS", .group = "Encoding", .help = "bits per second",
 *          .kind = VOX_OPTION_KBPS, .min = 6, .max = 510, .target.integer = &bitrate_bps},
 *         {.name = "profile", .argument = "NAME", .group = "Encoding", .help = "tuned for what",
 *          .kind = VOX_OPTION_CHOICE, .choices = profiles, .target.integer = &profile},
 *     };
 *     const struct vox_options command = {.program = "voxgram-send", .version = "0.1.0",
 *         .usage = "SOURCE DESTINATION [options]", .options = options, .count = 2, ...};
 *     struct vox_arguments arguments;
 *     int outcome = vox_options_parse(&command, argc, argv, &arguments);
 *     if (outcome != VOX_OPTIONS_RUN)
 *         return outcome == VOX_OPTIONS_DONE ? VOX_EXIT_DONE : VOX_EXIT_USAGE;
 *
 * GNU style: --name VALUE, --name=VALUE, unambiguous abbreviations, options anywhere, `--` ends
 * them, `-` is an argument. --help and --version (and -h, -V) are in every table by themselves.
 * Whatever is wrong goes to stderr (cli/message.h) and says which option, which value and what is
 * allowed.
 *
 * Thread rule: once, in main.
 */
#ifndef VOX_CLI_OPTIONS_H
#define VOX_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit status of all programs. */
enum { VOX_EXIT_DONE = 0, VOX_EXIT_FAILED = 1, VOX_EXIT_USAGE = 2 };

enum { VOX_OPTIONS_MAX = 96, VOX_OPTION_LIST_MAX = 32 };

/* What the user writes, and what lands in the target. */
enum vox_option_kind {
    VOX_OPTION_FLAG,    /* nothing -> bool true (flag); --no-NAME -> false where `negatable` */
    VOX_OPTION_INT,     /* whole number -> int (integer) */
    VOX_OPTION_UINT64,  /* whole number, hexadecimal with 0x -> uint64_t (number64); for seeds */
    VOX_OPTION_NUMBER,  /* number -> double (number) */
    VOX_OPTION_PERCENT, /* 0..100 -> double, share 0..1 (number) */
    VOX_OPTION_KBPS,    /* kbit/s -> int bit/s (integer) */
    VOX_OPTION_MS,      /* milliseconds -> int64_t ns (ns) */
    VOX_OPTION_SECONDS, /* seconds -> int64_t ns (ns) */
    VOX_OPTION_STRING,  /* anything but "" -> const char *, borrowed from argv (string) */
    VOX_OPTION_LIST,    /* the same, may be repeated (list) */
    VOX_OPTION_CHOICE,  /* one of choices -> int, its index (integer) */
};

struct vox_option_list {
    const char *items[VOX_OPTION_LIST_MAX];
    size_t count;
};

struct vox_option {
    const char *name;     /* without the dashes */
    char letter;          /* short form; 0: none */
    const char *argument; /* placeholder in the help; NULL for flags */
    const char *help;     /* wrapped to fit; the default value belongs into it */
    const char *group;    /* heading; options of a group stand together in the table */
    enum vox_option_kind kind;
    bool negatable;
    /* In the user's unit; max may be HUGE_VAL. Both 0: anything (percent: 0..100). */
    double min, max;
    const char *const *choices; /* ended by NULL */
    const char *word;           /* a word allowed in place of the number ("auto") ... */
    int64_t word_value;         /* ... and what it puts into the target */
    union {
        bool *flag;
        int *integer;
        int64_t *ns;
        uint64_t *number64;
        double *number;
        const char **string;
        struct vox_option_list *list;
    } target;
    bool *given; /* set to true when the option is there; NULL if nobody asks */
};

struct vox_options {
    const char *program;
    const char *version;
    const char *usage;       /* what follows the program's name; lines parted by \n */
    const char *description; /* paragraphs parted by \n */
    const char *arguments;   /* rows of "NAME\tmeaning\n" for the positional ones; NULL if none */
    const char *examples;    /* lines, printed as they are; NULL if none */
    const struct vox_option *options;
    size_t count;                     /* at most VOX_OPTIONS_MAX */
    int min_arguments, max_arguments; /* of the positional ones */
};

struct vox_arguments {
    char *const *items; /* in argv, which gets reordered */
    int count;
};

enum vox_options_outcome {
    VOX_OPTIONS_RUN,   /* go on */
    VOX_OPTIONS_DONE,  /* --help or --version was printed to stdout: exit 0 */
    VOX_OPTIONS_WRONG, /* said on stderr: exit 2 */
};

/* Targets of options that are not given stay as they are. On WRONG, some may have been written. */
enum vox_options_outcome vox_options_parse(const struct vox_options *command, int argc, char **argv,
                                           struct vox_arguments *out);

/* The help text, at most 80 columns wide where the texts can be wrapped. */
void vox_options_print_help(const struct vox_options *command, FILE *out);

#endif
