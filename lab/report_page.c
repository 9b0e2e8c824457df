#include "lab/report_page.h"

#include "base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the folder of the figures. */
#define PAGE "page.html"

static int fail_file(const char *path, int number, struct vox_audio_error *error)
{
    return vox_audio_fail(error, vox_audio_code_of_errno(number),
                          "cannot write the report %.200s: %s", path, strerror(number));
}

static int copy(FILE *from, const char *path, struct vox_audio_error *error)
{
    char bytes[1 << 14];
    size_t n;
    FILE *to = fopen(path, "wbe");
    if (!to)
        return fail_file(path, errno, error);
    errno = 0;
    while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
        if (fwrite(bytes, 1, n, to) < n)
            break;
    int number = ferror(to) || ferror(from) ? errno : 0;
    if (fclose(to) == EOF && number == 0)
        number = errno;
    struct stat kind;
    if (number != 0 && stat(path, &kind) == 0 && S_ISREG(kind.st_mode))
        unlink(path); /* half a page is none */
    return number != 0 ? fail_file(path, number, error) : 0;
}

int vox_lab_page_write(struct vox_lab_gnuplot *plots, const char *path,
                       int (*put)(void *context, FILE *page, struct vox_audio_error *error),
                       void *context, struct vox_audio_error *error)
{
    FILE *page = vox_lab_gnuplot_file(plots, PAGE, "w+b");
    if (!page)
        return vox_audio_fail(error, VOX_EIO, "cannot write to %s", plots->folder);
    if (error)
        error->text[0] = '\0';
    int err = put(context, page, error);
    if (err >= 0 && (fflush(page) == EOF || ferror(page)))
        err = VOX_ENOSPC;
    if (err < 0 && error && !error->text[0])
        vox_audio_fail(error, err, "cannot make the report in %s: %s", plots->folder,
                       vox_err_text(err));
    rewind(page);
    err = err < 0 ? err : copy(page, path, error);
    fclose(page);
    return err;
}
