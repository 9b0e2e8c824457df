/*
 * Whether parity_net counts what arithmetic says: closed forms under independent losses, and
 * patterns of losses that a scheme must repair, or must not.
 */
#ifndef VOX_TESTS_PARITY_CHECK_H
#define VOX_TESTS_PARITY_CHECK_H

#include <stdbool.h>

/* Says on standard error what is wrong. */
bool parity_check(void);

#endif
