/* Medians and such of what several runs measured. */
#ifndef VOX_TEST_QUANTILE_H
#define VOX_TEST_QUANTILE_H

#include <stdlib.h>

static inline int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Sorts the values; the nearest one to that share of the way, 0..1, through them. */
static inline double quantile(double *values, int count, double share)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return values[(int)(share * (count - 1) + 0.5)];
}

#endif
