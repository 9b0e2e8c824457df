/*
 * A session description as lines of text (RFC 8866, section 5), for sdp.c and its parts: pieces
 * that point into it, and the way from line to line.
 *
 *     struct vox_sdp_lines lines = {.rest = {.at = text, .len = len}};
 *     while ((got = vox_sdp_next_line(&lines, &line)) > 0)
 *         if (line.type == 'v')
 *             ... line.value ...
 *
 * Thread rule: values, one owner. Nothing is copied.
 */
#ifndef VOX_WIRE_SDP_TEXT_H
#define VOX_WIRE_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the description. */
struct vox_sdp_text {
    const char *at;
    size_t len;
};

struct vox_sdp_line {
    char type; /* the letter in front of '=' */
    struct vox_sdp_text value;
};

struct vox_sdp_lines {
    struct vox_sdp_text rest;
    int number; /* of the line read last, from 1 */
};

/* ---- pieces ---- */

/* Without blanks at both ends. */
struct vox_sdp_text vox_sdp_text_trim(struct vox_sdp_text t);

/* Takes what stands before the separator off the front, and the separator; all if there is none. */
struct vox_sdp_text vox_sdp_text_cut(struct vox_sdp_text *t, char separator);

/* The next word; empty at the end. */
struct vox_sdp_text vox_sdp_text_cut_word(struct vox_sdp_text *t);

bool vox_sdp_text_equals(struct vox_sdp_text t, const char *word);
/* Names of codecs and their parameters have no case (RFC 4855, section 3). */
bool vox_sdp_text_equals_caseless(struct vox_sdp_text t, const char *lower_word);
bool vox_sdp_text_has(struct vox_sdp_text t, char c);

/* Decimal digits and nothing else, up to max. */
bool vox_sdp_text_number(struct vox_sdp_text t, uint64_t max, uint64_t *out);
/* Whether it is this payload type. */
bool vox_sdp_text_is(struct vox_sdp_text t, int value);
/* One that only advises (RFC 8866 lets readers pass over what they do not know): 0 if unusable. */
int vox_sdp_text_hint(struct vox_sdp_text t, int min, int max);

/* ---- lines ---- */

/* Returns 1, 0 at the end, VOX_EFORMAT if the line is not `letter=text`. */
int vox_sdp_next_line(struct vox_sdp_lines *l, struct vox_sdp_line *out);

/* As vox_sdp_next_line, but 0 in front of an m= line, which stays to be read. */
int vox_sdp_next_in_section(struct vox_sdp_lines *l, struct vox_sdp_line *out);

#endif
