#include "wire/sdp_formats.h"

#include "base/err.h"

/* The next line `a=NAME:payload-type value` of the section. Returns false at its end. */
static bool next_mapping(struct vox_sdp_lines *section, const char *name, int *payload_type,
                         struct vox_sdp_text *value)
{
    struct vox_sdp_line line;
    while (vox_sdp_next_in_section(section, &line) > 0) {
        uint64_t number;
        if (line.type != 'a' ||
            !vox_sdp_text_equals(vox_sdp_text_trim(vox_sdp_text_cut(&line.value, ':')), name) ||
            !vox_sdp_text_number(vox_sdp_text_cut_word(&line.value), VOX_SDP_MAX_PAYLOAD_TYPE,
                                 &number))
            continue;
        *payload_type = (int)number;
        *value = line.value;
        return true;
    }
    return false;
}

/* opus/48000/2, whatever the sender really sends (RFC 7587, section 7). */
static bool is_opus(struct vox_sdp_text encoding)
{
    struct vox_sdp_text name = vox_sdp_text_cut(&encoding, '/');
    struct vox_sdp_text rate = vox_sdp_text_cut(&encoding, '/');
    return vox_sdp_text_equals_caseless(name, "opus") && vox_sdp_text_equals(rate, "48000") &&
           vox_sdp_text_equals(encoding, "2");
}

/* Where a payload type stands among the formats of an m= line; -1 if it does not. */
static int rank_of(struct vox_sdp_text formats, int payload_type)
{
    for (int rank = 0; formats.len > 0; rank++)
        if (vox_sdp_text_is(vox_sdp_text_cut_word(&formats), payload_type))
            return rank;
    return -1;
}

int vox_sdp_formats_choose(struct vox_sdp_lines section, struct vox_sdp_text formats, int *bad_line)
{
    int best = VOX_EUNSUPPORTED;
    int best_rank = 0;
    bool is_bad_known = false;
    struct vox_sdp_text value;
    int payload_type;
    while (next_mapping(&section, "rtpmap", &payload_type, &value)) {
        int rank = rank_of(formats, payload_type);
        bool opus = is_opus(vox_sdp_text_cut_word(&value));
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
static bool is_companion(struct vox_sdp_text encoding, const char *name)
{
    return vox_sdp_text_equals_caseless(vox_sdp_text_cut(&encoding, '/'), name) &&
           vox_sdp_text_equals(vox_sdp_text_cut(&encoding, '/'), "48000");
}

/* fmtp:97 96/96: all blocks are of our type. Absent, as in what people write by hand, they are. */
static bool is_red_of(struct vox_sdp_lines section, int red, int payload_type)
{
    struct vox_sdp_text value;
    int subject;
    while (next_mapping(&section, "fmtp", &subject, &value)) {
        value = vox_sdp_text_trim(value);
        while (subject == red && value.len > 0)
            if (!vox_sdp_text_is(vox_sdp_text_trim(vox_sdp_text_cut(&value, '/')), payload_type))
                return false;
    }
    return true;
}

/* fmtp:98 apt=96;rtx-time=200 (RFC 4588, section 8.1) */
static bool is_rtx_of(struct vox_sdp_lines section, int rtx, int payload_type, int *time_ms)
{
    bool is_ours = false;
    struct vox_sdp_text value;
    int subject;
    *time_ms = 0;
    while (next_mapping(&section, "fmtp", &subject, &value)) {
        while (subject == rtx && value.len > 0) {
            struct vox_sdp_text parameter = vox_sdp_text_cut(&value, ';');
            struct vox_sdp_text key = vox_sdp_text_trim(vox_sdp_text_cut(&parameter, '='));
            if (vox_sdp_text_equals_caseless(key, "apt"))
                is_ours = vox_sdp_text_is(vox_sdp_text_trim(parameter), payload_type);
            else if (vox_sdp_text_equals_caseless(key, "rtx-time"))
                *time_ms =
                    vox_sdp_text_hint(vox_sdp_text_trim(parameter), 0, VOX_SDP_MAX_RTX_TIME_MS);
        }
    }
    return is_ours;
}

/* 0 is the type of PCMU and our "none", so it is not taken for them. */
void vox_sdp_formats_companions(struct vox_sdp_lines section, struct vox_sdp_text formats,
                                struct vox_sdp *sdp)
{
    struct vox_sdp_lines ahead = section;
    struct vox_sdp_text value;
    int type;
    while (next_mapping(&ahead, "rtpmap", &type, &value)) {
        struct vox_sdp_text encoding = vox_sdp_text_cut_word(&value);
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
