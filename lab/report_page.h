/*
 * A page on its way into a file: written beside its figures first, so that a report that fails
 * leaves no half of itself.
 *
 *     static int put(void *context, FILE *page, struct vox_audio_error *error);
 *     ...
 *     err = vox_lab_page_write(&plots, "report.html", put, me, &error);
 *
 * Thread rule: one owner.
 */
#ifndef VOX_LAB_REPORT_PAGE_H
#define VOX_LAB_REPORT_PAGE_H

#include "lab/report_gnuplot.h"

#include <stdio.h>

/*
 * put: writes the page; a negative error of its own ends it, with a text or without. On failure
 * there is no file, or what was there before it could be opened. error may be NULL.
 * Errors, with text: those of put, VOX_EIO and others of the file, VOX_ENOSPC.
 */
int vox_lab_page_write(struct vox_lab_gnuplot *plots, const char *path,
                       int (*put)(void *context, FILE *page, struct vox_audio_error *error),
                       void *context, struct vox_audio_error *error);

#endif
