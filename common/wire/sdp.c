#include "wire/sdp.h"

#include "base/err.h"
#include "wire/hdrext.h"

#include <string.h>

enum { NO_PAYLOAD_TYPE = -1 /* in the session part, where no rtpmap or fmtp applies */ };

/* A piece of the description. */
struct text {
    const char *at;
    size_t len;
};

struct line {
    char type; /* the letter in front of '=' */
    struct text value;
};

struct lines {
    struct text rest;
    int number; /* of the line read last, from 1 */
};

/* ---- pieces of text ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text trim(struct text t)
{
    while (t.len > 0 && is_blank(t.at[0])) {
        t.at++;
        t.len--;
    }
    while (t.len > 0 && is_blank(t.at[t.len - 1]))
        t.len--;
    return t;
}

/* Takes what stands before the separator off the front, and the separator; all if there is none. */
static struct text cut(struct text *t, char separator)
{
    struct text head = {.at = t->at};
    while (head.len < t->len && t->at[head.len] != separator)
        head.len++;
    size_t taken = head.len < t->len ? head.len + 1 : head.len;
    t->at += taken;
    t->len -= taken;
    return head;
}

/* The next word; empty at the end. */
static struct text cut_word(struct text *t)
{
    *t = trim(*t);
    return cut(t, ' ');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equals(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

/* Names of codecs and their parameters have no case (RFC 4855, section 3). */
static bool equals_caseless(struct text t, const char *lower_word)
{
    if (t.len != strlen(lower_word))
        return false;
    for (size_t i = 0; i < t.len; i++)
        if (lower(t.at[i]) != lower_word[i])
            return false;
    return true;
}

static bool has_control(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 0x7f)
            return true;
    return false;
}

static bool has(struct text t, char c)
{
    return t.len > 0 && memchr(t.at, c, t.len) != NULL;
}

/* Decimal digits and nothing else. */
static bool number_of(struct text t, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(t.at[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return t.len > 0;
}

static bool is_number(struct text t, int value)
{
    uint64_t n;
    return number_of(t, VOX_SDP_MAX_PAYLOAD_TYPE, &n) && (int)n == value;
}

/* One that only advises (RFC 8866 lets readers pass over what they do not know): 0 if unusable. */
static int hint_of(struct text t, int min, int max)
{
    uint64_t n;
    return number_of(t, (uint64_t)max, &n) && n >= (uint64_t)min ? (int)n : 0;
}

static int copy_text(char out[VOX_SDP_MAX_TEXT + 1], struct text t)
{
    if (t.len > VOX_SDP_MAX_TEXT)
        return VOX_EFORMAT;
    if (t.len > 0)
        memcpy(out, t.at, t.len);
    out[t.len] = '\0';
    return 0;
}

/* One word without the '/' that would begin a TTL. */
static int copy_address(char out[VOX_SDP_MAX_TEXT + 1], struct text t)
{
    return t.len == 0 || has(t, '/') ? VOX_EFORMAT : copy_text(out, t);
}

/* ---- lines ---- */

/* What `ffmpeg -f rtp` prints in front of its description, and people save with it. */
static bool is_caption(struct text line)
{
    return equals(line, "SDP:");
}

/* Returns 1, 0 at the end, VOX_EFORMAT if the line is not `letter=text`. */
static int next_line(struct lines *l, struct line *out)
{
    while (l->rest.len > 0) {
        struct text t = trim(cut(&l->rest, '\n'));
        l->number++;
        if (t.len == 0 || is_caption(t))
            continue;
        if (t.len < 2 || t.at[0] < 'a' || t.at[0] > 'z' || t.at[1] != '=' || has_control(t))
            return VOX_EFORMAT;
        out->type = t.at[0];
        out->value = trim((struct text){.at = t.at + 2, .len = t.len - 2});
        return 1;
    }
    return 0;
}

/* As next_line, but 0 in front of an m= line, which stays to be read. */
static int next_in_section(struct lines *l, struct line *out)
{
    struct lines ahead = *l;
    int got = next_line(&ahead, out);
    if (got > 0 && out->type == 'm')
        return 0;
    *l = ahead;
    return got;
}

/* ---- fields ---- */

/* o=user id version IN IP4 address. Only informs, so one that we cannot read is passed over. */
static void read_origin(struct text value, struct vox_sdp *sdp)
{
    cut_word(&value);
    struct text id = cut_word(&value);
    cut_word(&value);
    cut_word(&value);
    cut_word(&value);
    uint64_t session_id;
    if (number_of(id, UINT64_MAX, &session_id) &&
        copy_address(sdp->origin_address, cut_word(&value)) == 0)
        sdp->session_id = session_id;
}

/* c=IN IP4 address[/ttl[/count]] or c=IN IP6 address[/count] (RFC 8866, section 5.7). */
static int read_connection(struct text value, struct vox_sdp *sdp)
{
    struct text net = cut_word(&value);
    struct text family = cut_word(&value);
    struct text rest = cut_word(&value);
    bool ipv6 = equals(family, "IP6");
    if (!equals(net, "IN") || (!ipv6 && !equals(family, "IP4")))
        return VOX_EFORMAT;
    struct text address = cut(&rest, '/');
    uint64_t ttl = 0;
    if (!ipv6 && rest.len > 0 && !number_of(cut(&rest, '/'), VOX_SDP_MAX_TTL, &ttl))
        return VOX_EFORMAT;
    sdp->ipv6 = ipv6;
    sdp->ttl = (int)ttl;
    return copy_address(sdp->address, address);
}

/* fmtp:96 key=value;key=value */
static void read_fmtp(struct text value, struct vox_sdp *sdp)
{
    if (!is_number(cut_word(&value), sdp->payload_type))
        return;
    while (value.len > 0) {
        struct text parameter = cut(&value, ';');
        struct text key = trim(cut(&parameter, '='));
        parameter = trim(parameter);
        if (equals_caseless(key, "sprop-stereo"))
            sdp->channels = equals(parameter, "1") ? 2 : 1;
        else if (equals_caseless(key, "useinbandfec"))
            sdp->inband_fec = equals(parameter, "1");
        else if (equals_caseless(key, "usedtx"))
            sdp->dtx = equals(parameter, "1");
        else if (equals_caseless(key, "maxaveragebitrate"))
            sdp->max_average_bitrate_bps =
                hint_of(parameter, VOX_SDP_MIN_BITRATE_BPS, VOX_SDP_MAX_BITRATE_BPS);
    }
}

/* ptime:20. May have a fraction (RFC 8866, section 6.4); rounded up as RFC 7587 does. */
static int ptime_of(struct text value)
{
    int ms = hint_of(cut(&value, '.'), 0, VOX_SDP_MAX_PTIME_MS);
    bool more = false;
    for (size_t i = 0; i < value.len; i++)
        more = more || (value.at[i] >= '1' && value.at[i] <= '9');
    return more && ms < VOX_SDP_MAX_PTIME_MS ? ms + 1 : ms;
}

/* extmap:1[/direction] URI (RFC 8285, section 8) */
static void read_extmap(struct text value, struct vox_sdp *sdp)
{
    struct text id = cut_word(&value);
    if (equals(cut_word(&value), VOX_HDREXT_CAPTURE_TIME_URI))
        sdp->capture_time_id = hint_of(cut(&id, '/'), 1, VOX_SDP_MAX_EXTENSION_ID);
}

/* rtcp-fb:96 nack (RFC 4585, section 4.2); with a word behind it, it is another feedback. */
static void read_feedback(struct text value, struct vox_sdp *sdp)
{
    struct text format = cut_word(&value);
    bool is_for_us = sdp->payload_type != NO_PAYLOAD_TYPE &&
                     (equals(format, "*") || is_number(format, sdp->payload_type));
    if (is_for_us && equals(trim(value), "nack"))
        sdp->nack = true;
}

/*
 * source-filter: incl IN IP4 destination source... (RFC 4570, section 3); the first source is
 * taken. It keeps strangers out, so one that we cannot read is an error.
 */
static int read_source_filter(struct text value, struct vox_sdp *sdp)
{
    if (!equals(cut_word(&value), "incl"))
        return 0;
    cut_word(&value);
    cut_word(&value);
    cut_word(&value);
    return copy_address(sdp->source_filter, cut_word(&value));
}

static int read_attribute(struct text value, struct vox_sdp *sdp)
{
    struct text name = trim(cut(&value, ':'));
    if (equals(name, "fmtp"))
        read_fmtp(value, sdp);
    else if (equals(name, "ptime"))
        sdp->ptime_ms = ptime_of(trim(value));
    else if (equals(name, "extmap"))
        read_extmap(value, sdp);
    else if (equals(name, "rtcp-mux"))
        sdp->rtcp_mux = true;
    else if (equals(name, "rtcp-fb"))
        read_feedback(value, sdp);
    else if (equals(name, "source-filter"))
        return read_source_filter(value, sdp);
    return 0;
}

static int read_field(const struct line *line, struct vox_sdp *sdp)
{
    switch (line->type) {
    case 'v':
        return equals(line->value, "0") ? 0 : VOX_EFORMAT;
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
static int read_section(struct lines *l, struct vox_sdp *sdp)
{
    struct line line;
    int got;
    while ((got = next_in_section(l, &line)) > 0) {
        int err = read_field(&line, sdp);
        if (err < 0)
            return err;
    }
    return got;
}

static int skip_section(struct lines *l)
{
    struct line line;
    int got;
    while ((got = next_in_section(l, &line)) > 0)
        continue;
    return got;
}

/* ---- media ---- */

/* The next line `a=NAME:payload-type value` of the section. Returns false at its end. */
static bool next_mapping(struct lines *section, const char *name, int *payload_type,
                         struct text *value)
{
    struct line line;
    while (next_in_section(section, &line) > 0) {
        uint64_t number;
        if (line.type != 'a' || !equals(trim(cut(&line.value, ':')), name) ||
            !number_of(cut_word(&line.value), VOX_SDP_MAX_PAYLOAD_TYPE, &number))
            continue;
        *payload_type = (int)number;
        *value = line.value;
        return true;
    }
    return false;
}

/* opus/48000/2, whatever the sender really sends (RFC 7587, section 7). */
static bool is_opus(struct text encoding)
{
    struct text name = cut(&encoding, '/');
    struct text rate = cut(&encoding, '/');
    return equals_caseless(name, "opus") && equals(rate, "48000") && equals(encoding, "2");
}

/* Where a payload type stands among the formats of an m= line; -1 if it does not. */
static int rank_of(struct text formats, int payload_type)
{
    for (int rank = 0; formats.len > 0; rank++)
        if (is_number(cut_word(&formats), payload_type))
            return rank;
    return -1;
}

/*
 * The first format of the m= line that a rtpmap line of the section maps to Opus. *bad_line: the
 * first rtpmap of another codec, else left alone. Errors: VOX_EUNSUPPORTED (none).
 */
static int choose_payload_type(struct lines section, struct text formats, int *bad_line)
{
    int best = VOX_EUNSUPPORTED;
    int best_rank = 0;
    bool is_bad_known = false;
    struct text value;
    int payload_type;
    while (next_mapping(&section, "rtpmap", &payload_type, &value)) {
        int rank = rank_of(formats, payload_type);
        bool opus = is_opus(cut_word(&value));
        if (rank >= 0 && !opus && !is_bad_known) {
            is_bad_known = true;
            *bad_line = section.number;
        }
        if (rank >= 0 && opus && (best < 0 || rank < best_rank)) {
            best = payload_type;
            best_rank = rank;
        }
    }
    return best;
}

/* red/48000/2 or rtx/48000; the channels say nothing that Opus does not. */
static bool is_companion(struct text encoding, const char *name)
{
    return equals_caseless(cut(&encoding, '/'), name) && equals(cut(&encoding, '/'), "48000");
}

/* fmtp:97 96/96: all blocks are of our type. Absent, as in what people write by hand, they are. */
static bool is_red_of(struct lines section, int red, int payload_type)
{
    struct text value;
    int subject;
    while (next_mapping(&section, "fmtp", &subject, &value)) {
        value = trim(value);
        while (subject == red && value.len > 0)
            if (!is_number(trim(cut(&value, '/')), payload_type))
                return false;
    }
    return true;
}

/* fmtp:98 apt=96;rtx-time=200 (RFC 4588, section 8.1) */
static bool is_rtx_of(struct lines section, int rtx, int payload_type, int *time_ms)
{
    bool is_ours = false;
    struct text value;
    int subject;
    *time_ms = 0;
    while (next_mapping(&section, "fmtp", &subject, &value)) {
        while (subject == rtx && value.len > 0) {
            struct text parameter = cut(&value, ';');
            struct text key = trim(cut(&parameter, '='));
            if (equals_caseless(key, "apt"))
                is_ours = is_number(trim(parameter), payload_type);
            else if (equals_caseless(key, "rtx-time"))
                *time_ms = hint_of(trim(parameter), 0, VOX_SDP_MAX_RTX_TIME_MS);
        }
    }
    return is_ours;
}

/* The formats beside Opus. 0 is the type of PCMU and our "none", so it is not taken for them. */
static void choose_companions(struct lines section, struct text formats, struct vox_sdp *sdp)
{
    struct lines ahead = section;
    struct text value;
    int type;
    while (next_mapping(&ahead, "rtpmap", &type, &value)) {
        struct text encoding = cut_word(&value);
        int time_ms;
        if (type == 0 || type == sdp->payload_type || rank_of(formats, type) < 0)
            continue;
        if (sdp->red_payload_type == 0 && type != sdp->rtx_payload_type &&
            is_companion(encoding, "red") && is_red_of(section, type, sdp->payload_type))
            sdp->red_payload_type = type;
        if (sdp->rtx_payload_type == 0 && type != sdp->red_payload_type &&
            is_companion(encoding, "rtx") &&
            is_rtx_of(section, type, sdp->payload_type, &time_ms)) {
            sdp->rtx_payload_type = type;
            sdp->rtx_time_ms = time_ms;
        }
    }
}

/*
 * m=audio port[/count] RTP/AVP format... Returns 1 if *sdp was filled from it, 0 if it is not audio
 * over RTP; VOX_EUNSUPPORTED, VOX_EFORMAT with *bad_line. The section has been read unless that is
 * VOX_EFORMAT.
 */
static int read_medium(struct lines *l, struct text value, struct vox_sdp *sdp, int *bad_line)
{
    *bad_line = l->number;
    struct text kind = cut_word(&value);
    struct text ports = cut_word(&value);
    struct text protocol = cut_word(&value);
    uint64_t port;
    if (!number_of(cut(&ports, '/'), UINT16_MAX, &port) || value.len == 0)
        return VOX_EFORMAT;
    bool is_rtp = protocol.len >= 4 && memcmp(protocol.at, "RTP/", 4) == 0;
    bool is_plain = equals(protocol, "RTP/AVP") || equals(protocol, "RTP/AVPF");
    bool is_ours = equals(kind, "audio") && is_rtp;
    int payload_type = VOX_EUNSUPPORTED;
    if (is_ours && is_plain && port > 0)
        payload_type = choose_payload_type(*l, value, bad_line);
    sdp->port = (uint16_t)port;
    sdp->payload_type = payload_type;
    if (payload_type >= 0)
        choose_companions(*l, value, sdp);
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
    struct lines lines = {.rest = {.at = text, .len = len}};
    struct vox_sdp session;
    vox_sdp_init(&session);
    session.session_name[0] = '\0';
    session.rtcp_mux = false;
    session.payload_type = NO_PAYLOAD_TYPE;
    int got = read_section(&lines, &session);
    int unsupported_line = 0;
    struct line line;
    while (got >= 0 && (got = next_line(&lines, &line)) > 0) {
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
