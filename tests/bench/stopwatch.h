/* What something takes, in ns of a monotonic clock: of many times the median. */
#ifndef VOX_TESTS_BENCH_STOPWATCH_H
#define VOX_TESTS_BENCH_STOPWATCH_H

#include <stddef.h>

double now(void);

/* What it costs to ask for the time. */
double clock_cost(void);

/* Sorts the values. */
double median(double *values, size_t n);

#endif
