#include "lab/score.h"

#include "base/err.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_OUTPUT = 65536, CANNOT_RUN = 127 };

static int starts_number(const char *text)
{
    const char *digits = text + (*text == '-' || *text == '+');
    return isdigit((unsigned char)*digits) || (*digits == '.' && isdigit((unsigned char)digits[1]));
}

double vox_score_last_number(const char *text, size_t len)
{
    double last = (double)NAN;
    bool inside_word = false;
    for (size_t i = 0; i < len;) {
        char *end;
        if (!inside_word && starts_number(text + i)) {
            last = strtod(text + i, &end);
            i = (size_t)(end - text);
            continue;
        }
        inside_word = isalpha((unsigned char)text[i]) || text[i] == '_';
        i++;
    }
    return last;
}

static void run_command(const char *command, const char *reference, const char *heard, int out)
{
    char script[4096];
    snprintf(script, sizeof script, "%s \"$@\"", command);
    dup2(out, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", script, "score", reference, heard, (char *)NULL);
    _exit(CANNOT_RUN);
}

/* The end of what comes, as much as there is room for. */
static size_t read_end(int fd, char *text)
{
    size_t len = 0;
    for (;;) {
        if (len == MAX_OUTPUT) {
            memmove(text, text + MAX_OUTPUT / 2, MAX_OUTPUT / 2);
            len = MAX_OUTPUT / 2;
        }
        ssize_t n = read(fd, text + len, MAX_OUTPUT - len);
        if (n <= 0)
            return len;
        len += (size_t)n;
    }
}

int vox_score_run(const char *command, const char *reference, const char *heard, double *score,
                  int *status)
{
    int ends[2];
    *status = CANNOT_RUN;
    char *text = malloc(MAX_OUTPUT + 1);
    if (!text || pipe(ends) < 0) {
        free(text);
        return VOX_EIO;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_command(command, reference, heard, ends[1]);
    }
    close(ends[1]);
    size_t len = child > 0 ? read_end(ends[0], text) : 0;
    text[len] = '\0';
    close(ends[0]);
    int how = 0;
    bool ended = child > 0 && waitpid(child, &how, 0) == child;
    *status = ended && WIFEXITED(how) ? WEXITSTATUS(how) : CANNOT_RUN;
    *score = vox_score_last_number(text, len);
    free(text);
    if (*status != 0)
        return VOX_EIO;
    return isnan(*score) ? VOX_EFORMAT : 0;
}
