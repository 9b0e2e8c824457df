/*
 * cmocka with the headers it needs before it, and RUN: the main() of every test; RUN_AFTER calls
 * setup first.
 */
#ifndef VOX_TEST_H
#define VOX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RUN(...) RUN_AFTER(NULL, __VA_ARGS__)

#define RUN_AFTER(setup, ...)                                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                           \
        return cmocka_run_group_tests(tests, setup, NULL);                                         \
    }

#endif
