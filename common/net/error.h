/*
 * What to tell a person when the network refuses: what was tried, with which value, why it failed
 * and what to do next, in one sentence for the program to print. Codes come from base/err.h.
 *
 *     struct vox_net_error error;
 *     if (vox_transport_open(&config, &transport, &error) < 0)
 *         vox_message_error("%s", error.text);
 *
 * Thread rule: values, one owner.
 */
#ifndef VOX_NET_ERROR_H
#define VOX_NET_ERROR_H

enum { VOX_NET_ERROR_BYTES = 240 };

struct vox_net_error {
    char text[VOX_NET_ERROR_BYTES]; /* terminated; written only when a call fails */
};

/* Fills the text (cut off where it is full) and returns code. error may be NULL. */
__attribute__((format(printf, 3, 4))) int vox_net_error_set(struct vox_net_error *error, int code,
                                                            const char *format, ...);

/* The code of enum vox_err for an errno of a socket call; VOX_EIO for what has no better one. */
int vox_net_error_code(int errno_value);

#endif
