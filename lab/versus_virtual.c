#include "lab/versus.h"

#include "cli/message.h"

int vox_versus_run_virtual(struct vox_versus_result *result)
{
    (void)result;
    vox_message_error("--virtual is not there yet");
    return VOX_EXIT_FAILED;
}
