/*
 * The plain parts of an HTML page: text from outside, files inside of it, its style.
 *
 * Thread rule: pure.
 */
#ifndef VOX_LAB_REPORT_HTML_H
#define VOX_LAB_REPORT_HTML_H

#include <stdio.h>

/* Text as text, whatever is in it; what is no UTF-8 becomes U+FFFD. */
void vox_lab_html_text(FILE *out, const char *text);

/* The rest of a file in base 64 (RFC 4648). */
void vox_lab_html_base64(FILE *in, FILE *out);

/* The content of <style>. */
void vox_lab_html_style(FILE *out);

#endif
