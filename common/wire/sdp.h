/*
 * Session descriptions (SDP, RFC 8866) for one Opus stream over RTP (RFC 7587, section 7), as players
 * and our receiver read them. Text <-> struct. Pure.
 *
 *     struct vox_sdp sdp;
 *     vox_sdp_init(&sdp);
 *     int line = 0;
 *     if (vox_sdp_parse(text, len, &sdp, &line) < 0)
 *         fail("line %d", line);
 *
 * Thread rule: values, one owner.
 */
#ifndef VOX_WIRE_SDP_H
#define VOX_WIRE_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VOX_SDP_MAX_TEXT = 255, VOX_SDP_MAX_BYTES = 4096 };

struct vox_sdp {
    char session_name[VOX_SDP_MAX_TEXT + 1];
    char origin_address[VOX_SDP_MAX_TEXT + 1]; /* o=: who made it */
    char address[VOX_SDP_MAX_TEXT + 1];        /* c=: where the media goes, without TTL */
    char source_filter[VOX_SDP_MAX_TEXT + 1];  /* a=source-filter incl (RFC 4570); "" if none */
    bool ipv6;
    int ttl;               /* IPv4 multicast; 0 if none is given */
    uint64_t session_id;
    uint16_t port;
    int payload_type;
    int ptime_ms;          /* 0 if none is given; for 2.5 ms frames see maxptime in RFC 7587 */
    int channels;          /* what the sender will send: 2 if sprop-stereo=1 */
    bool inband_fec;       /* useinbandfec=1 */
    bool dtx;              /* usedtx=1 */
    int max_average_bitrate_bps; /* 0 if none is given */
    int capture_time_id;   /* a=extmap of abs-capture-time; 0 if none */
    bool rtcp_mux;         /* RFC 5761 */
};

/* Defaults: session "Voxgram", port 5004, payload type 96, 1 channel, rtcp_mux. */
void vox_sdp_init(struct vox_sdp *sdp);

/*
 * Writes a terminated text with CRLF line ends. Returns its length.
 * Errors: VOX_ENOSPC, VOX_EINVAL (a text with control characters, a port of 0).
 */
int vox_sdp_write(const struct vox_sdp *sdp, char *out, size_t capacity);

/*
 * Reads the first audio medium that has an opus/48000/2 mapping; LF and CRLF line ends.
 * *bad_line (from 1) tells where an error stands; 0 if the description as a whole lacks something.
 * Errors: VOX_EFORMAT (malformed line), VOX_ENOTFOUND (no audio medium over RTP),
 * VOX_EUNSUPPORTED (audio, but not opus/48000/2: wrong codec, clock rate or channel count, or a
 * profile other than RTP/AVP and RTP/AVPF), VOX_ELIMIT (longer than VOX_SDP_MAX_BYTES).
 */
int vox_sdp_parse(const char *text, size_t len, struct vox_sdp *out, int *bad_line);

#endif
