#include "net/error.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int vox_net_error_set(struct vox_net_error *error, int code, const char *format, ...)
{
    if (!error)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

int vox_net_error_code(int errno_value)
{
    switch (errno_value) {
    case EADDRINUSE:
    case EEXIST: /* a file where a socket shall be */
        return VOX_EINUSE;
    case EACCES:
    case EPERM:
    case EROFS:
        return VOX_EPERMISSION;
    case EADDRNOTAVAIL:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ECONNREFUSED:
        return VOX_EADDRESS;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return VOX_EUNSUPPORTED;
    case ENODEV:
    case ENXIO:
    case ENOENT:
    case ENOTDIR:
        return VOX_ENOTFOUND;
    case EMSGSIZE:
    case EMFILE:
    case ENFILE:
        return VOX_ELIMIT;
    case EAGAIN:
    case ENOBUFS:
        return VOX_ENOSPC;
    case ENOMEM:
        return VOX_ENOMEM;
    default:
        return VOX_EIO;
    }
}
