/*
 * Session descriptions (SDP, RFC 8866) for one Opus stream over RTP (RFC 7587, section 7), with its
 * redundancy (RFC 2198), retransmission (RFC 4588) and feedback (RFC 4585), as players and our
 * receiver read them. Text <-> struct. Pure.
 *
 *     struct vox_sdp sdp;
 *     int line = 0;
 *     if (vox_sdp_parse(text, len, &sdp, &line) < 0)
 *         fail("line %d", line);
 *
 *     vox_sdp_init(&sdp);
 *     snprintf(sdp.address, sizeof sdp.address, "%s", "192.0.2.7");
 *     int bytes = vox_sdp_write(&sdp, text, sizeof text);
 *
 * Thread rule: values, one owner.
 */
#ifndef VOX_WIRE_SDP_H
#define VOX_WIRE_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_SDP_MAX_TEXT = 255,
    VOX_SDP_MAX_BYTES = 4096,
    VOX_SDP_MAX_PAYLOAD_TYPE = 127,
    VOX_SDP_MAX_TTL = 255,
    VOX_SDP_MAX_EXTENSION_ID = 255,
    VOX_SDP_MAX_PTIME_MS = 120,
    VOX_SDP_MAX_RTX_TIME_MS = 60000,
    VOX_SDP_MIN_BITRATE_BPS = 6000, /* RFC 7587, section 6.1 */
    VOX_SDP_MAX_BITRATE_BPS = 510000,
};

struct vox_sdp {
    char session_name[VOX_SDP_MAX_TEXT + 1];
    char origin_address[VOX_SDP_MAX_TEXT + 1]; /* o=: who made it; 0.0.0.0: not said */
    char address[VOX_SDP_MAX_TEXT + 1]; /* c=: where the media goes, without TTL; "" if none */
    char source_filter[VOX_SDP_MAX_TEXT + 1]; /* RFC 4570: first source allowed; "" if any */
    bool ipv6;
    int ttl; /* 0..255; IPv4 multicast needs one (RFC 8866, section 5.7); 0 if none is given */
    uint64_t session_id;
    uint16_t port;
    int payload_type;            /* 0..127 */
    int ptime_ms;                /* 0..120, 2.5 ms frames round up to 3; 0 if none is given */
    int channels;                /* what the sender will send: 2 if sprop-stereo=1 */
    bool inband_fec;             /* useinbandfec=1 */
    bool dtx;                    /* usedtx=1 */
    int max_average_bitrate_bps; /* 6000..510000; 0 if none is given */
    int capture_time_id;         /* 1..255: a=extmap of abs-capture-time; 0 if none */
    bool rtcp_mux;               /* RFC 5761 */
    int red_payload_type;        /* 1..127: blocks of payload_type; 0 if none */
    int rtx_payload_type;        /* 1..127: repeats payload_type; 0 if none */
    int rtx_time_ms;             /* 0..60000: how long packets are kept; 0 if not said */
    bool nack;                   /* generic NACKs are answered; the profile is RTP/AVPF */
};

/*
 * Defaults: session "Voxgram", origin 0.0.0.0, port 5004, payload type 96, 1 channel, rtcp_mux.
 * The address is left for the caller to fill in.
 */
void vox_sdp_init(struct vox_sdp *sdp);

/*
 * Writes a terminated text with CRLF line ends. Returns its length without the terminator.
 * Errors: VOX_ENOSPC, VOX_EINVAL (a text with control characters, an address that is empty or not
 * one word, a TTL with IPv6, a port of 0, a number out of its range above, two uses of a payload
 * type, an rtx_time without rtx).
 */
int vox_sdp_write(const struct vox_sdp *sdp, char *out, size_t capacity);

/*
 * Reads the first audio medium that has an opus/48000/2 mapping; LF and CRLF line ends. As lenient
 * as players are, since people write these files by hand: v=, o=, s=, c= and t= may be missing, and
 * what only informs (o=, ptime, bitrate) is passed over if it makes no sense, as is the caption
 * "SDP:" that FFmpeg prints in front. Of red and rtx formats the first that the m= line has and
 * that goes with the Opus format counts: rtx says so by apt=, red by an fmtp of that type alone or
 * by having none. *out is written only on success.
 *
 * *bad_line (from 1) tells where an error stands; 0 if the description as a whole lacks something.
 * Errors: VOX_EFORMAT (malformed line), VOX_ENOTFOUND (no audio medium over RTP),
 * VOX_EUNSUPPORTED (audio, but not opus/48000/2: wrong codec, clock rate or channel count, a
 * profile other than RTP/AVP and RTP/AVPF, or port 0), VOX_ELIMIT (longer than VOX_SDP_MAX_BYTES).
 */
int vox_sdp_parse(const char *text, size_t len, struct vox_sdp *out, int *bad_line);

#endif
