#include "cli/prefer.h"

#include "base/prefer.h"

#include <stddef.h>

const char *const vox_prefer_names[] = {"latency", "balanced", "smooth", NULL};

double vox_prefer_ms(enum vox_prefer prefer)
{
    switch (prefer) {
    case VOX_PREFER_LATENCY:
        return VOX_PREFER_LATENCY_MS;
    case VOX_PREFER_SMOOTH:
        return VOX_PREFER_SMOOTH_MS;
    case VOX_PREFER_BALANCED:
        break;
    }
    return VOX_PREFER_BALANCED_MS;
}
