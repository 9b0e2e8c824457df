/*
 * gnuplot's SVG as a part of an HTML page: colours by role instead of numbers, the page's fonts, no
 * identifier twice on the page, nothing that differs with gnuplot's version for no reason, and a
 * third of the bytes.
 *
 * Thread rule: pure; allocates.
 */
#ifndef VOX_LAB_REPORT_SVG_H
#define VOX_LAB_REPORT_SVG_H

#include <stdio.h>

struct vox_lab_svg_frame {
    int number;              /* of the figure on this page */
    int width_px, height_px; /* its viewBox */
    const char *classes;     /* may be "" */
    const char *label;       /* what is to be seen, for those who cannot; plain ASCII */
};

/* Errors: VOX_ENOMEM, VOX_EIO (cannot be read), VOX_EFORMAT (a tag does not end). */
int vox_lab_svg_copy(FILE *svg, const struct vox_lab_svg_frame *frame, FILE *out);

#endif
