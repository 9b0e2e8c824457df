/*
 * The entry that libFuzzer calls, and the check of a fuzz target. A target parses its input; where
 * a writer exists, what was parsed must come out of it unchanged.
 */
#ifndef VOX_FUZZ_H
#define VOX_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
