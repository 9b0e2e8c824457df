#include "base/rt.h"

static _Thread_local int depth;

void vox_rt_enter(void)
{
    depth++;
}

void vox_rt_leave(void)
{
    depth--;
}

int vox_rt_depth(void)
{
    return depth;
}
