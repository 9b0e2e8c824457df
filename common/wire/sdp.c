#include "wire/sdp.h"

#include "base/err.h"
#include "wire/hdrext.h"
#include "wire/sdp_formats.h"
#include "wire/sdp_text.h"

#include <string.h>

enum { NO_PAYLOAD_TYPE = -1 /* in the session part, where no rtpmap or fmtp applies */ };

static int copy_text(char out[VOX_SDP_MAX_TEXT + 1], struct vox_sdp_text t)
{
    if (t.len > VOX_SDP_MAX_TEXT)
        return VOX_EFORMAT;
    if (t.len > 0)
        memcpy(out, t.at, t.len);
    out[t.len] = '\0';
    return 0;
}

/* One word without the '/' that would begin a TTL. */
static int copy_address(char out[VOX_SDP_MAX_TEXT + 1], struct vox_sdp_text t)
{
    return t.len == 0 || vox_sdp_text_has(t, '/') ? VOX_EFORMAT : copy_text(out, t);
}

/* ---- fields ---- */

/* o=user id version IN IP4 address. Only informs, so one that we cannot read is passed over. */
static void read_origin(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    vox_sdp_text_cut_word(&value);
    struct vox_sdp_text id = vox_sdp_text_cut_word(&value);
    vox_sdp_text_cut_word(&value);
    vox_sdp_text_cut_word(&value);
    vox_sdp_text_cut_word(&value);
    uint64_t session_id;
    if (vox_sdp_text_number(id, UINT64_MAX, &session_id) &&
        copy_address(sdp->origin_address, vox_sdp_text_cut_word(&value)) == 0)
        sdp->session_id = session_id;
}

/* c=IN IP4 address[/ttl[/count]] or c=IN IP6 address[/count] (RFC 8866, section 5.7). */
static int read_connection(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    struct vox_sdp_text net = vox_sdp_text_cut_word(&value);
    struct vox_sdp_text family = vox_sdp_text_cut_word(&value);
    struct vox_sdp_text rest = vox_sdp_text_cut_word(&value);
    bool ipv6 = vox_sdp_text_equals(family, "IP6");
    if (!vox_sdp_text_equals(net, "IN") || (!ipv6 && !vox_sdp_text_equals(family, "IP4")))
        return VOX_EFORMAT;
    struct vox_sdp_text address = vox_sdp_text_cut(&rest, '/');
    uint64_t ttl = 0;
    if (!ipv6 && rest.len > 0 &&
        !vox_sdp_text_number(vox_sdp_text_cut(&rest, '/'), VOX_SDP_MAX_TTL, &ttl))
        return VOX_EFORMAT;
    sdp->ipv6 = ipv6;
    sdp->ttl = (int)ttl;
    return copy_address(sdp->address, address);
}

/* fmtp:96 key=value;key=value */
static void read_fmtp(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    if (!vox_sdp_text_is(vox_sdp_text_cut_word(&value), sdp->payload_type))
        return;
    while (value.len > 0) {
        struct vox_sdp_text parameter = vox_sdp_text_cut(&value, ';');
        struct vox_sdp_text key = vox_sdp_text_trim(vox_sdp_text_cut(&parameter, '='));
        parameter = vox_sdp_text_trim(parameter);
        if (vox_sdp_text_equals_caseless(key, "sprop-stereo"))
            sdp->channels = vox_sdp_text_equals(parameter, "1") ? 2 : 1;
        else if (vox_sdp_text_equals_caseless(key, "useinbandfec"))
            sdp->inband_fec = vox_sdp_text_equals(parameter, "1");
        else if (vox_sdp_text_equals_caseless(key, "usedtx"))
            sdp->dtx = vox_sdp_text_equals(parameter, "1");
        else if (vox_sdp_text_equals_caseless(key, "maxaveragebitrate"))
            sdp->max_average_bitrate_bps =
                vox_sdp_text_hint(parameter, VOX_SDP_MIN_BITRATE_BPS, VOX_SDP_MAX_BITRATE_BPS);
    }
}

/* ptime:20. May have a fraction (RFC 8866, section 6.4); rounded up as RFC 7587 does. */
static int ptime_of(struct vox_sdp_text value)
{
    int ms = vox_sdp_text_hint(vox_sdp_text_cut(&value, '.'), 0, VOX_SDP_MAX_PTIME_MS);
    bool more = false;
    for (size_t i = 0; i < value.len; i++)
        more = more || (value.at[i] >= '1' && value.at[i] <= '9');
    return more && ms < VOX_SDP_MAX_PTIME_MS ? ms + 1 : ms;
}

/* extmap:1[/direction] URI (RFC 8285, section 8) */
static void read_extmap(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    struct vox_sdp_text id = vox_sdp_text_cut_word(&value);
    if (vox_sdp_text_equals(vox_sdp_text_cut_word(&value), VOX_HDREXT_CAPTURE_TIME_URI))
        sdp->capture_time_id =
            vox_sdp_text_hint(vox_sdp_text_cut(&id, '/'), 1, VOX_SDP_MAX_EXTENSION_ID);
}

/* rtcp-fb:96 nack (RFC 4585, section 4.2); with a word behind it, it is another feedback. */
static void read_feedback(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    struct vox_sdp_text format = vox_sdp_text_cut_word(&value);
    bool is_for_us =
        sdp->payload_type != NO_PAYLOAD_TYPE &&
        (vox_sdp_text_equals(format, "*") || vox_sdp_text_is(format, sdp->payload_type));
    if (is_for_us && vox_sdp_text_equals(vox_sdp_text_trim(value), "nack"))
        sdp->nack = true;
}

/*
 * source-filter: incl IN IP4 destination source... (RFC 4570, section 3); the first source is
 * taken. It keeps strangers out, so one that we cannot read is an error.
 */
static int read_source_filter(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    if (!vox_sdp_text_equals(vox_sdp_text_cut_word(&value), "incl"))
        return 0;
    vox_sdp_text_cut_word(&value);
    vox_sdp_text_cut_word(&value);
    vox_sdp_text_cut_word(&value);
    return copy_address(sdp->source_filter, vox_sdp_text_cut_word(&value));
}

static int read_attribute(struct vox_sdp_text value, struct vox_sdp *sdp)
{
    struct vox_sdp_text name = vox_sdp_text_trim(vox_sdp_text_cut(&value, ':'));
    if (vox_sdp_text_equals(name, "fmtp"))
        read_fmtp(value, sdp);
    else if (vox_sdp_text_equals(name, "ptime"))
        sdp->ptime_ms = ptime_of(vox_sdp_text_trim(value));
    else if (vox_sdp_text_equals(name, "extmap"))
        read_extmap(value, sdp);
    else if (vox_sdp_text_equals(name, "rtcp-mux"))
        sdp->rtcp_mux = true;
    else if (vox_sdp_text_equals(name, "rtcp-fb"))
        read_feedback(value, sdp);
    else if (vox_sdp_text_equals(name, "source-filter"))
        return read_source_filter(value, sdp);
    return 0;
}

static int read_field(const struct vox_sdp_line *line, struct vox_sdp *sdp)
{
    switch (line->type) {
    case 'v':
        return vox_sdp_text_equals(line->value, "0") ? 0 : VOX_EFORMAT;
    case 'o':
        read_origin(line->value, sdp);
        return 0;
    case 's':
        return copy_text(sdp->session_name, line->value);
    case 'c':
        return read_connection(line->value, sdp);
    case 'a':
        return read_attribute(line->value, sdp);
    }
    return 0;
}

/* The fields up to the next m= line or the end. On error, l->number is the bad line. */
static int read_section(struct vox_sdp_lines *l, struct vox_sdp *sdp)
{
    struct vox_sdp_line line;
    int got;
    while ((got = vox_sdp_next_in_section(l, &line)) > 0) {
        int err = read_field(&line, sdp);
        if (err < 0)
            return err;
    }
    return got;
}

static int skip_section(struct vox_sdp_lines *l)
{
    struct vox_sdp_line line;
    int got;
    while ((got = vox_sdp_next_in_section(l, &line)) > 0)
        continue;
    return got;
}

/* ---- media ---- */

/*
 * m=audio port[/count] RTP/AVP format... Returns 1 if *sdp was filled from it, 0 if it is not audio
 * over RTP; VOX_EUNSUPPORTED, VOX_EFORMAT with *bad_line. The section has been read unless that is
 * VOX_EFORMAT.
 */
static int read_medium(struct vox_sdp_lines *l, struct vox_sdp_text value, struct vox_sdp *sdp,
                       int *bad_line)
{
    *bad_line = l->number;
    struct vox_sdp_text kind = vox_sdp_text_cut_word(&value);
    struct vox_sdp_text ports = vox_sdp_text_cut_word(&value);
    struct vox_sdp_text protocol = vox_sdp_text_cut_word(&value);
    uint64_t port;
    if (!vox_sdp_text_number(vox_sdp_text_cut(&ports, '/'), UINT16_MAX, &port) || value.len == 0)
        return VOX_EFORMAT;
    bool is_rtp = protocol.len >= 4 && memcmp(protocol.at, "RTP/", 4) == 0;
    bool is_plain =
        vox_sdp_text_equals(protocol, "RTP/AVP") || vox_sdp_text_equals(protocol, "RTP/AVPF");
    bool is_ours = vox_sdp_text_equals(kind, "audio") && is_rtp;
    int payload_type = VOX_EUNSUPPORTED;
    if (is_ours && is_plain && port > 0)
        payload_type = vox_sdp_formats_choose(*l, value, bad_line);
    sdp->port = (uint16_t)port;
    sdp->payload_type = payload_type;
    if (payload_type >= 0)
        vox_sdp_formats_companions(*l, value, sdp);
    int err = payload_type >= 0 ? read_section(l, sdp) : skip_section(l);
    if (err < 0) {
        *bad_line = l->number;
        return err;
    }
    if (!is_ours)
        return 0;
    return payload_type >= 0 ? 1 : VOX_EUNSUPPORTED;
}

int vox_sdp_parse(const char *text, size_t len, struct vox_sdp *out, int *bad_line)
{
    *bad_line = 0;
    if (len > VOX_SDP_MAX_BYTES)
        return VOX_ELIMIT;
    struct vox_sdp_lines lines = {.rest = {.at = text, .len = len}};
    struct vox_sdp session;
    vox_sdp_init(&session);
    session.session_name[0] = '\0';
    session.rtcp_mux = false;
    session.payload_type = NO_PAYLOAD_TYPE;
    int got = read_section(&lines, &session);
    int unsupported_line = 0;
    struct vox_sdp_line line;
    while (got >= 0 && (got = vox_sdp_next_line(&lines, &line)) > 0) {
        struct vox_sdp sdp = session;
        int line_number = 0;
        got = read_medium(&lines, line.value, &sdp, &line_number);
        if (got > 0) {
            *out = sdp;
            return 0;
        }
        if (got == VOX_EUNSUPPORTED) {
            unsupported_line = unsupported_line > 0 ? unsupported_line : line_number;
            got = 0;
        } else if (got < 0) {
            *bad_line = line_number;
            return got;
        }
    }
    *bad_line = got < 0 ? lines.number : unsupported_line;
    if (got < 0)
        return got;
    return unsupported_line > 0 ? VOX_EUNSUPPORTED : VOX_ENOTFOUND;
}
