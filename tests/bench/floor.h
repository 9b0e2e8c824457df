/* What the two bare programs share: saying what is wrong, and leaving. */
#ifndef VOX_TESTS_BENCH_FLOOR_H
#define VOX_TESTS_BENCH_FLOOR_H

#include <stdio.h>
#include <stdlib.h>

static inline void give_up(const char *what)
{
    perror(what);
    exit(1);
}

#endif
