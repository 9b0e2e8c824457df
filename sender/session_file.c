#include "sender/session_file.h"

#include "base/err.h"
#include "base/time.h"
#include "wire/sdp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void describe(const struct vox_send_options *options, const struct vox_sender_config *stream,
                     const struct vox_address *to, struct vox_sdp *sdp)
{
    char host[VOX_ADDRESS_TEXT_BYTES];
    vox_sdp_init(sdp);
    snprintf(sdp->address, sizeof sdp->address, "%s", vox_address_format_host(to, host));
    sdp->ipv6 = vox_address_family(to) == AF_INET6;
    if (!sdp->ipv6 && vox_address_is_multicast(to))
        sdp->ttl = options->ttl > 0 ? options->ttl : 1;
    sdp->session_id = stream->ssrc;
    sdp->port = vox_address_port(to);
    sdp->payload_type = stream->payload_type;
    sdp->ptime_ms = (stream->frame_ticks + 47) / 48;
    sdp->channels = stream->channels;
    sdp->inband_fec = stream->fec || stream->adapt;
    sdp->dtx = stream->dtx;
    sdp->red_payload_type =
        stream->red_distances[0] > 0 || stream->adapt ? stream->red_payload_type : 0;
    sdp->rtx_payload_type = stream->rtx ? stream->rtx_payload_type : 0;
    sdp->nack = stream->rtx;
    sdp->capture_time_id = stream->capture_time_id;
    sdp->rtcp_mux = !options->no_rtcp_mux;
}

static int fail(const char *path, int errno_value, struct vox_net_error *error)
{
    return vox_net_error_set(error, vox_net_error_code(errno_value),
                             "cannot write the session description %s: %s; choose another place "
                             "for --sdp",
                             path, strerror(errno_value));
}

int vox_session_file_write(const struct vox_send_options *options,
                           const struct vox_sender_config *stream, const struct vox_address *to,
                           struct vox_net_error *error)
{
    struct vox_sdp sdp;
    char text[VOX_SDP_MAX_BYTES];
    describe(options, stream, to, &sdp);
    int len = vox_sdp_write(&sdp, text, sizeof text);
    if (len < 0)
        return vox_net_error_set(error, len, "cannot describe the stream in SDP: %s",
                                 vox_err_text(len));
    FILE *file = fopen(options->sdp, "wb");
    if (!file)
        return fail(options->sdp, errno, error);
    bool written = fwrite(text, 1, (size_t)len, file) == (size_t)len;
    int kept = errno;
    if (fclose(file) != 0 || !written)
        return fail(options->sdp, written ? errno : kept, error);
    return 0;
}
