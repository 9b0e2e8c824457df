#include "lab/versus.h"

#include "base/err.h"

int vox_versus_report_write(const char *path, const struct vox_versus_result *result,
                            struct vox_audio_error *error)
{
    (void)result;
    return vox_audio_fail(error, VOX_EUNSUPPORTED, "cannot write %s: not there yet", path);
}
