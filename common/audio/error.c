#include "audio/error.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int vox_audio_fail(struct vox_audio_error *error, int code, const char *format, ...)
{
    if (!error)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

int vox_audio_code_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return VOX_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return VOX_EPERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* the limit of ulimit -f, or of the file system */
        return VOX_ENOSPC;
    case ENOMEM:
        return VOX_ENOMEM;
    default:
        return VOX_EIO;
    }
}
