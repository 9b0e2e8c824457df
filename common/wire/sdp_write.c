#include "wire/sdp.h"

#include "base/bytes.h"
#include "base/err.h"
#include "wire/hdrext.h"

enum { MAX_DIGITS = 20 /* of 64 bits */ };

void vox_sdp_init(struct vox_sdp *sdp)
{
    *sdp = (struct vox_sdp){
        .session_name = "Voxgram",
        .origin_address = "0.0.0.0",
        .port = 5004,
        .payload_type = 96,
        .channels = 1,
        .rtcp_mux = true,
    };
}

static bool is_text(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static bool is_address(const char *s)
{
    return s[0] && is_text(s) && !strpbrk(s, " /");
}

static bool is_within(int value, int min, int max)
{
    return value >= min && value <= max;
}

static bool is_recovery_writable(const struct vox_sdp *sdp)
{
    int red = sdp->red_payload_type;
    int rtx = sdp->rtx_payload_type;
    return is_within(red, 0, VOX_SDP_MAX_PAYLOAD_TYPE) &&
           is_within(rtx, 0, VOX_SDP_MAX_PAYLOAD_TYPE) && (red == 0 || red != sdp->payload_type) &&
           (rtx == 0 || rtx != sdp->payload_type) && (red == 0 || red != rtx) &&
           is_within(sdp->rtx_time_ms, 0, rtx > 0 ? VOX_SDP_MAX_RTX_TIME_MS : 0);
}

static bool is_writable(const struct vox_sdp *sdp)
{
    int bitrate_bps = sdp->max_average_bitrate_bps;
    return is_text(sdp->session_name) && is_address(sdp->address) &&
           is_address(sdp->origin_address) &&
           (sdp->source_filter[0] == '\0' || is_address(sdp->source_filter)) && sdp->port > 0 &&
           is_within(sdp->payload_type, 0, VOX_SDP_MAX_PAYLOAD_TYPE) &&
           is_within(sdp->channels, 1, 2) &&
           is_within(sdp->ttl, 0, sdp->ipv6 ? 0 : VOX_SDP_MAX_TTL) &&
           is_within(sdp->ptime_ms, 0, VOX_SDP_MAX_PTIME_MS) &&
           is_within(sdp->capture_time_id, 0, VOX_SDP_MAX_EXTENSION_ID) &&
           is_recovery_writable(sdp) &&
           (bitrate_bps == 0 ||
            is_within(bitrate_bps, VOX_SDP_MIN_BITRATE_BPS, VOX_SDP_MAX_BITRATE_BPS));
}

static void put(struct vox_writer *w, const char *s)
{
    vox_write_bytes(w, s, strlen(s));
}

static void put_number(struct vox_writer *w, uint64_t n)
{
    char digits[MAX_DIGITS];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    vox_write_bytes(w, digits + at, sizeof digits - at);
}

/* name, number, rest of the line */
static void put_line(struct vox_writer *w, const char *name, int n, const char *rest)
{
    put(w, name);
    put_number(w, (uint64_t)n);
    put(w, rest);
    put(w, "\r\n");
}

static void put_address(struct vox_writer *w, const char *address)
{
    put(w, strchr(address, ':') ? "IN IP6 " : "IN IP4 ");
    put(w, address);
}

static void put_session(struct vox_writer *w, const struct vox_sdp *sdp)
{
    put(w, "v=0\r\no=- ");
    put_number(w, sdp->session_id);
    put(w, " 1 ");
    put_address(w, sdp->origin_address);
    put(w, "\r\ns=");
    put(w, sdp->session_name[0] ? sdp->session_name : " "); /* RFC 4566 forbids an empty one */
    put(w, sdp->ipv6 ? "\r\nc=IN IP6 " : "\r\nc=IN IP4 ");
    put(w, sdp->address);
    if (sdp->ttl > 0) {
        put(w, "/");
        put_number(w, (uint64_t)sdp->ttl);
    }
    put(w, "\r\nt=0 0\r\n");
}

static void put_fmtp(struct vox_writer *w, const struct vox_sdp *sdp)
{
    put(w, "a=fmtp:");
    put_number(w, (uint64_t)sdp->payload_type);
    put(w, sdp->channels == 2 ? " sprop-stereo=1;stereo=1" : " sprop-stereo=0");
    put(w, sdp->inband_fec ? ";useinbandfec=1" : "");
    put(w, sdp->dtx ? ";usedtx=1" : "");
    if (sdp->max_average_bitrate_bps > 0) {
        put(w, ";maxaveragebitrate=");
        put_number(w, (uint64_t)sdp->max_average_bitrate_bps);
    }
    put(w, "\r\n");
}

/* Opus first, for readers that look at one format only. */
static void put_medium_line(struct vox_writer *w, const struct vox_sdp *sdp)
{
    const int companions[] = {sdp->red_payload_type, sdp->rtx_payload_type};
    put(w, "m=audio ");
    put_number(w, sdp->port);
    put(w, sdp->nack ? " RTP/AVPF " : " RTP/AVP "); /* RFC 4585, section 4: feedback is AVPF's */
    put_number(w, (uint64_t)sdp->payload_type);
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        if (companions[i] == 0)
            continue;
        put(w, " ");
        put_number(w, (uint64_t)companions[i]);
    }
    put(w, "\r\n");
}

/* The list says of which types the blocks are, not how many there are (as in WebRTC). */
static void put_red(struct vox_writer *w, const struct vox_sdp *sdp)
{
    put_line(w, "a=rtpmap:", sdp->red_payload_type, " red/48000/2");
    put(w, "a=fmtp:");
    put_number(w, (uint64_t)sdp->red_payload_type);
    put(w, " ");
    put_number(w, (uint64_t)sdp->payload_type);
    put_line(w, "/", sdp->payload_type, "");
}

/* RFC 4588, section 8.6 */
static void put_rtx(struct vox_writer *w, const struct vox_sdp *sdp)
{
    put_line(w, "a=rtpmap:", sdp->rtx_payload_type, " rtx/48000/2");
    put(w, "a=fmtp:");
    put_number(w, (uint64_t)sdp->rtx_payload_type);
    put(w, " apt=");
    put_number(w, (uint64_t)sdp->payload_type);
    if (sdp->rtx_time_ms > 0) {
        put(w, ";rtx-time=");
        put_number(w, (uint64_t)sdp->rtx_time_ms);
    }
    put(w, "\r\n");
}

static void put_medium(struct vox_writer *w, const struct vox_sdp *sdp)
{
    put_medium_line(w, sdp);
    put_line(w, "a=rtpmap:", sdp->payload_type, " opus/48000/2");
    put_fmtp(w, sdp);
    if (sdp->red_payload_type > 0)
        put_red(w, sdp);
    if (sdp->rtx_payload_type > 0)
        put_rtx(w, sdp);
    if (sdp->nack)
        put_line(w, "a=rtcp-fb:", sdp->payload_type, " nack");
    if (sdp->ptime_ms > 0)
        put_line(w, "a=ptime:", sdp->ptime_ms, "");
    if (sdp->capture_time_id > 0)
        put_line(w, "a=extmap:", sdp->capture_time_id, " " VOX_HDREXT_CAPTURE_TIME_URI);
    put(w, sdp->rtcp_mux ? "a=rtcp-mux\r\n" : "");
    if (sdp->source_filter[0]) {
        put(w, "a=source-filter: incl ");
        put_address(w, sdp->address);
        put(w, " ");
        put(w, sdp->source_filter);
        put(w, "\r\n");
    }
}

int vox_sdp_write(const struct vox_sdp *sdp, char *out, size_t capacity)
{
    if (!is_writable(sdp))
        return VOX_EINVAL;
    struct vox_writer w = vox_writer_of(out, capacity);
    put_session(&w, sdp);
    put_medium(&w, sdp);
    vox_write_u8(&w, '\0');
    return w.failed ? VOX_ENOSPC : (int)w.size - 1;
}
