#include "net/transport_ops.h"

#include "base/err.h"

int vox_stream_transport_open(const struct vox_transport_config *config, struct vox_transport **out,
                              struct vox_net_error *error)
{
    (void)config;
    (void)out;
    return vox_net_error_set(error, VOX_EUNSUPPORTED, "not supported yet");
}
