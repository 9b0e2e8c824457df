/*
 * Which formats of a medium are for us: Opus (RFC 7587, section 7), and what goes with it, RED
 * (RFC 2198) and RTX (RFC 4588). By the rtpmap and fmtp lines of its section, for sdp.c.
 *
 * Thread rule: pure.
 */
#ifndef VOX_WIRE_SDP_FORMATS_H
#define VOX_WIRE_SDP_FORMATS_H

#include "wire/sdp.h"
#include "wire/sdp_text.h"

/*
 * The first format of the m= line that a rtpmap line of the section maps to Opus. *bad_line: the
 * first rtpmap of another codec, else left alone. Errors: VOX_EUNSUPPORTED (none).
 */
int vox_sdp_formats_choose(struct vox_sdp_lines section, struct vox_sdp_text formats,
                           int *bad_line);

/* Those beside sdp->payload_type: fills red_payload_type, rtx_payload_type and rtx_time_ms. */
void vox_sdp_formats_companions(struct vox_sdp_lines section, struct vox_sdp_text formats,
                                struct vox_sdp *sdp);

#endif
