#include "audio/sink.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char *advice_for(int code)
{
    switch (code) {
    case VOX_ENOTFOUND:
        return "create its folder first";
    case VOX_EPERMISSION:
        return "choose a place that you may write to";
    case VOX_ENOSPC:
        return "free some space or record to another disk";
    default:
        return "check the disk or record to another one";
    }
}

int vox_sink_open(struct vox_sink *sink, const char *path, struct vox_audio_error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        int code = vox_audio_code_of_errno(errno);
        return vox_audio_fail(error, code, "cannot create '%s': %s; %s", path, strerror(errno),
                              advice_for(code));
    }
    *sink = (struct vox_sink){.fd = fd};
    return 0;
}

static bool write_all(int fd, const char *bytes, size_t len, int64_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

int vox_sink_write(struct vox_sink *sink, const void *bytes, size_t len)
{
    int64_t end = sink->at_bytes + (int64_t)len;
    bool grows = end > sink->size_bytes;
    if (sink->failed_errno != 0 && grows)
        return vox_audio_code_of_errno(sink->failed_errno);
    if (!write_all(sink->fd, bytes, len, sink->at_bytes)) {
        if (sink->failed_errno == 0)
            sink->failed_errno = errno;
        /* The part of the block that found room would be a torn frame or page. If even this fails,
         * readers still stop at the last whole one. */
        int ignored = grows ? ftruncate(sink->fd, (off_t)sink->size_bytes) : 0;
        (void)ignored;
        return vox_audio_code_of_errno(sink->failed_errno);
    }
    sink->at_bytes = end;
    if (grows)
        sink->size_bytes = end;
    return 0;
}

int vox_sink_explain(const struct vox_sink *sink, const char *path, struct vox_audio_error *error)
{
    int code = vox_audio_code_of_errno(sink->failed_errno);
    return vox_audio_fail(error, code,
                          "cannot go on writing '%s': %s; what came before is kept; %s", path,
                          strerror(sink->failed_errno), advice_for(code));
}

int vox_sink_close(struct vox_sink *sink)
{
    if (close(sink->fd) == 0)
        return 0;
    if (sink->failed_errno == 0)
        sink->failed_errno = errno;
    return vox_audio_code_of_errno(sink->failed_errno);
}
