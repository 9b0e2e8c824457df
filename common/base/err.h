/*
 * Error codes. Every fallible function returns int: >= 0 is success or a count, < 0 one of these.
 *
 *     int n = vox_rtp_parse(bytes, len, &rtp);
 *     if (n < 0)
 *         fprintf(stderr, "%s\n", vox_err_text(n));
 *
 * Expected outcomes (a duplicate packet, a late frame) are enums and counters, never errors.
 * Thread rule: pure, any thread.
 */
#ifndef VOX_BASE_ERR_H
#define VOX_BASE_ERR_H

#include "api.h" /* beside this one, in the sources as where it is installed */

#ifdef __cplusplus
extern "C" {
#endif

/* name, value, text for people */
#define VOX_ERRORS(X)                                                                              \
    X(EINVAL, -1, "invalid argument")                                                              \
    X(ENOMEM, -2, "out of memory")                                                                 \
    X(EFORMAT, -3, "malformed data")                                                               \
    X(ETRUNCATED, -4, "data ends too early")                                                       \
    X(ENOSPC, -5, "no room left in the buffer or on the disk")                                     \
    X(EUNSUPPORTED, -6, "not supported")                                                           \
    X(ENOTFOUND, -7, "not found")                                                                  \
    X(EIO, -8, "input/output error")                                                               \
    X(EADDRESS, -9, "address cannot be used")                                                      \
    X(EINUSE, -10, "already in use")                                                               \
    X(EPERMISSION, -11, "permission denied")                                                       \
    X(ECODEC, -12, "codec refused the data")                                                       \
    X(EDEVICE, -13, "audio device failed")                                                         \
    X(ELIMIT, -14, "limit reached")                                                                \
    X(EEND, -15, "end of stream")

enum vox_err {
#define VOX_ERR_ENUM(name, value, text) VOX_##name = (value),
    VOX_ERRORS(VOX_ERR_ENUM)
#undef VOX_ERR_ENUM
};

/* Text in plain words for a code of enum vox_err; never NULL ("unknown error" for others). */
VOX_API const char *vox_err_text(int err);

#ifdef __cplusplus
}
#endif

#endif
