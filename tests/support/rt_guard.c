/*
 * An allocator in front of glibc's that aborts with a message when a real-time section calls it.
 * Interposes the whole process, so a library's allocation is caught as well as our own.
 */
#include "base/rt.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *ptr);

extern const int vox_rt_guard_present;
const int vox_rt_guard_present = 1;

static void refuse_in_real_time(const char *what, size_t len)
{
    if (vox_rt_depth() == 0)
        return;
    static const char text[] = " inside a real-time section\n";
    ssize_t ignored = write(STDERR_FILENO, what, len);
    ignored += write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    abort();
}

void *malloc(size_t size)
{
    refuse_in_real_time("malloc", 6);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    refuse_in_real_time("calloc", 6);
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    refuse_in_real_time("realloc", 7);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    refuse_in_real_time("aligned_alloc", 13);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    refuse_in_real_time("posix_memalign", 14);
    void *made = __libc_memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *out = made;
    return 0;
}

void free(void *ptr)
{
    if (ptr)
        refuse_in_real_time("free", 4);
    __libc_free(ptr);
}
