#include "lab/report_gnuplot.h"

#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, PATH_BYTES = 320 };

#define SCRIPT "figures.gp"
#define LOG "gnuplot.log"

/* ---- the child ---- */

static void become_gnuplot(const char *folder, const char *argument)
{
    int null = open("/dev/null", O_RDWR);
    if (folder && chdir(folder) < 0)
        _exit(1);
    int log = folder ? open(LOG, O_WRONLY | O_CREAT | O_TRUNC, 0600) : null;
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    setenv("LC_ALL", "C", 1);
    execlp("gnuplot", "gnuplot", "-d", argument, (char *)NULL); /* -d: nobody's own defaults */
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : 126);
}

/* Exit status of gnuplot, or -1. */
static int run_gnuplot(const char *folder, const char *argument)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        become_gnuplot(folder, argument);
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int fail_not_found(struct vox_audio_error *error)
{
    return vox_audio_fail(error, VOX_ENOTFOUND,
                          "reports are drawn by gnuplot, which is not installed; install it "
                          "(Debian: apt install gnuplot-nox) or leave out --report");
}

int vox_lab_gnuplot_check(struct vox_audio_error *error)
{
    return run_gnuplot(NULL, "--version") == EXIT_NOT_FOUND ? fail_not_found(error) : 0;
}

/* ---- the folder ---- */

void vox_lab_gnuplot_path(const struct vox_lab_gnuplot *plots, const char *name, char *out,
                          size_t capacity)
{
    snprintf(out, capacity, "%s/%s", plots->folder, name);
}

FILE *vox_lab_gnuplot_file(const struct vox_lab_gnuplot *plots, const char *name, const char *mode)
{
    char path[PATH_BYTES];
    vox_lab_gnuplot_path(plots, name, path, sizeof path);
    return fopen(path, mode);
}

int vox_lab_gnuplot_open(struct vox_lab_gnuplot *plots, struct vox_audio_error *error)
{
    const char *where = getenv("TMPDIR");
    where = where && *where ? where : "/tmp";
    *plots = (struct vox_lab_gnuplot){0};
    int n = snprintf(plots->folder, sizeof plots->folder, "%s/voxgram-report-XXXXXX", where);
    if (n >= (int)sizeof plots->folder || !mkdtemp(plots->folder)) {
        int number = n >= (int)sizeof plots->folder ? ENAMETOOLONG : errno;
        plots->folder[0] = '\0';
        return vox_audio_fail(error, vox_audio_code_of_errno(number),
                              "cannot make a temporary folder in %.200s: %s; see TMPDIR", where,
                              strerror(number));
    }
    plots->script = vox_lab_gnuplot_file(plots, SCRIPT, "w");
    if (!plots->script)
        return vox_audio_fail(error, vox_audio_code_of_errno(errno), "cannot write to %s: %s",
                              plots->folder, strerror(errno));
    return 0;
}

void vox_lab_gnuplot_close(struct vox_lab_gnuplot *plots)
{
    struct dirent *entry;
    DIR *folder = plots->folder[0] ? opendir(plots->folder) : NULL;
    if (plots->script)
        fclose(plots->script);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder) {
        closedir(folder);
        rmdir(plots->folder);
    }
    *plots = (struct vox_lab_gnuplot){0};
}

/* ---- the script ---- */

int vox_lab_gnuplot_begin(struct vox_lab_gnuplot *plots, int width_px, int height_px)
{
    int number = ++plots->figures;
    fprintf(plots->script,
            "unset multiplot; reset; set encoding utf8\n"
            "set terminal svg size %d,%d dynamic noenhanced rounded font 'sans,12'\n"
            "set output '%d.svg'\n"
            "unset key; unset colorbox\n"
            "set border 1 lc rgb '" VOX_LAB_MUTED "'\n"
            "set tics nomirror scale 0.4 textcolor rgb '" VOX_LAB_MUTED "'\n"
            "set grid ytics lt 1 lw 1 lc rgb '" VOX_LAB_GRID "'\n"
            "set multiplot\n",
            width_px, height_px, number);
    return number;
}

void vox_lab_gnuplot_panel(struct vox_lab_gnuplot *plots, const struct vox_lab_panel *p)
{
    double width = p->width_px;
    double height = p->height_px;
    fprintf(plots->script,
            "set lmargin at screen %.6f; set rmargin at screen %.6f\n"
            "set tmargin at screen %.6f; set bmargin at screen %.6f\n",
            p->left_px / width, 1.0 - p->right_px / width, 1.0 - p->top_px / height,
            p->bottom_px / height);
}

void vox_lab_gnuplot_heading(struct vox_lab_gnuplot *plots, const char *text)
{
    fprintf(plots->script,
            "set label 1 '%s' at graph 0, graph 1 offset character 0, character 0.7 left "
            "tc rgb '" VOX_LAB_MUTED "'\n",
            text);
}

double vox_lab_gnuplot_step(double range, int count)
{
    double wanted = range > 0.0 ? range / count : 1.0;
    double unit = pow(10.0, floor(log10(wanted)));
    double part = wanted / unit;
    return unit * (part <= 1.0 ? 1.0 : part <= 2.0 ? 2.0 : part <= 5.0 ? 5.0 : 10.0);
}

/* What gnuplot complained about, in one line. */
static int fail_run(const struct vox_lab_gnuplot *plots, struct vox_audio_error *error)
{
    char text[200] = "";
    char line[200];
    FILE *log = vox_lab_gnuplot_file(plots, LOG, "r");
    while (log && fgets(line, sizeof line, log)) {
        line[strcspn(line, "\n")] = '\0';
        if (strspn(line, " \t^") != strlen(line))
            snprintf(text, sizeof text, "%s", line);
    }
    if (log)
        fclose(log);
    return vox_audio_fail(error, VOX_EIO, "gnuplot could not draw the figures of the report: %s",
                          *text ? text : "it said nothing");
}

int vox_lab_gnuplot_run(struct vox_lab_gnuplot *plots, struct vox_audio_error *error)
{
    fputs("unset multiplot; unset output\n", plots->script);
    int bad = ferror(plots->script);
    bad |= fclose(plots->script) == EOF;
    plots->script = NULL;
    if (bad)
        return vox_audio_fail(error, VOX_ENOSPC, "cannot write to %s; is the disk full?",
                              plots->folder);
    int status = run_gnuplot(plots->folder, SCRIPT);
    if (status == EXIT_NOT_FOUND)
        return fail_not_found(error);
    return status == 0 ? 0 : fail_run(plots, error);
}
