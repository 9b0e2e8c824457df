#include "stopwatch.h"

#include <stdlib.h>
#include <time.h>

enum { TIMES = 4000 };

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

double clock_cost(void)
{
    static double costs[TIMES];
    for (int i = 0; i < TIMES; i++) {
        double from = now();
        costs[i] = now() - from;
    }
    return median(costs, TIMES);
}
