#include "lab/report_html.h"

#include <stdint.h>
#include <string.h>

/* ---- text ---- */

enum { INVALID = 9 };

/* Bytes of the UTF-8 character (RFC 3629) at p, or 0 if there is none. */
static size_t utf8_bytes(const unsigned char *p)
{
    size_t more = p[0] < 0x80   ? 0
                  : p[0] < 0xc2 ? INVALID
                  : p[0] < 0xe0 ? 1
                  : p[0] < 0xf0 ? 2
                  : p[0] < 0xf5 ? 3
                                : INVALID;
    if (more == INVALID)
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return more + 1;
}

static void put_character(FILE *out, const char *p, size_t bytes)
{
    switch (*p) {
    case '&':
        fputs("&amp;", out);
        return;
    case '<':
        fputs("&lt;", out);
        return;
    case '>':
        fputs("&gt;", out);
        return;
    case '"':
        fputs("&quot;", out);
        return;
    case '\'':
        fputs("&#39;", out);
        return;
    }
    fwrite(p, 1, bytes, out);
}

void vox_lab_html_text(FILE *out, const char *text)
{
    while (*text) {
        size_t bytes = utf8_bytes((const unsigned char *)text);
        unsigned char first = (unsigned char)*text;
        if (bytes == 0 || (first < 0x20 && first != '\t' && first != '\n') || first == 0x7f)
            fputs("\xef\xbf\xbd", out);
        else
            put_character(out, text, bytes);
        text += bytes ? bytes : 1;
    }
}

/* ---- files ---- */

void vox_lab_html_base64(FILE *in, FILE *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char three[3];
    size_t n;
    while ((n = fread(three, 1, sizeof three, in)) > 0) {
        uint32_t bits = (uint32_t)three[0] << 16;
        bits |= n > 1 ? (uint32_t)three[1] << 8 : 0;
        bits |= n > 2 ? three[2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='};
        fwrite(four, 1, sizeof four, out);
    }
}

/* ---- style ---- */

/*
 * The colours of outcomes keep apart for all kinds of colour vision (after Okabe and Ito, "Color
 * universal design", 2008), and each has a row or a shape of its own besides.
 */
static const char *const style[] = {
    ":root{color-scheme:light dark;--page:#faf9f6;--card:#fff;--line:#dedcd5;--ink:#1b1d21;",
    "--muted:#5a606b;--grid:#e8e6e0;--played:#0072b2;--recovered:#008a62;--late:#b0448a;",
    "--lost:#cf4a0a;--buffer:#0072b2}",
    "@media(prefers-color-scheme:dark){:root{--page:#13151a;--card:#1a1d23;--line:#30353e;",
    "--ink:#e9e7e2;--muted:#a0a7b2;--grid:#2a2f37;--played:#56b4e9;--recovered:#35c795;",
    "--late:#e58cc6;--lost:#ff8650;--buffer:#56b4e9}",
    "svg image{filter:invert(1) hue-rotate(180deg)}}",
    "*{box-sizing:border-box}",
    "body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:70rem;background:var(--page);",
    "color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',",
    "'DejaVu Sans',sans-serif;overflow-wrap:anywhere;-webkit-text-size-adjust:100%}",
    "h1{font-size:1.1rem;font-weight:600;color:var(--muted);margin:0 0 .75rem}",
    "h2{font-size:1.25rem;line-height:1.3;margin:3rem 0 .25rem}",
    "h3{font-size:1rem;margin:0 0 .25rem}",
    "p{margin:.25rem 0 .75rem;max-width:46rem}",
    ".lead{font-size:1.4rem;line-height:1.4;margin:0 0 1.5rem;max-width:52rem}",
    ".lead b{font-weight:650}",
    ".note{color:var(--muted);font-size:.9rem}",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;",
    "margin:0 0 1rem}",
    ".tiles div,.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;",
    "padding:.75rem .9rem}",
    ".tiles dt{color:var(--muted);font-size:.85rem}",
    ".tiles dd{margin:0}",
    ".tiles dd b{display:block;font-size:1.5rem;line-height:1.25;font-weight:600;",
    "font-variant-numeric:tabular-nums}",
    ".tiles dd span{color:var(--muted);font-size:.85rem}",
    ".settings{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.25rem;",
    "margin:.75rem 0 0;font-size:.95rem}",
    ".settings dt{color:var(--muted)}",
    ".settings dd{margin:0}",
    "figure{margin:.75rem 0 0}",
    "figcaption{margin:0 0 .5rem}",
    "svg{display:block;width:100%;height:auto;font-family:inherit;font-variant-numeric:",
    "tabular-nums}",
    ".narrow{display:none}",
    ".legend{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;margin:.25rem 0 .25rem;",
    "padding:0;font-size:.9rem;color:var(--muted)}",
    ".legend i{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin-right:.45em;",
    "background:var(--c)}",
    ".legend .dot{border-radius:50%;width:.55em;height:.55em}",
    ".legend .line{height:.17em;width:1.3em;vertical-align:.25em;border-radius:0}",
    ".legend .dash{height:0;width:1.3em;vertical-align:.25em;border-radius:0;background:none;",
    "border-top:.17em dashed var(--c)}",
    ".legend .pale{opacity:.3}",
    ".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));",
    "gap:1rem;margin:.75rem 0 0}",
    "audio{display:block;width:100%;height:2.25rem;margin:.25rem 0 .5rem}",
    ".players{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11rem),1fr));",
    "gap:0 1rem;font-size:.9rem;color:var(--muted)}",
    "table{border-collapse:collapse;font-size:.95rem;font-variant-numeric:tabular-nums;",
    "margin:.5rem 0}",
    ".scroll{overflow-x:auto}",
    "th{text-align:left;font-weight:500;color:var(--muted);border-bottom:1px solid var(--line)}",
    "th,td{padding:.2rem 1.25rem .2rem 0;vertical-align:top}",
    "td{border-bottom:1px solid var(--grid)}",
    ".n{text-align:right;white-space:nowrap}",
    "td i{display:inline-block;width:.6em;height:.6em;border-radius:50%;margin-right:.5em;",
    "background:var(--c)}",
    "summary{cursor:pointer;color:var(--muted);padding:.25rem 0}",
    "details[open] summary{margin-bottom:.25rem}",
    ".played{--c:var(--played)}.recovered{--c:var(--recovered)}.late{--c:var(--late)}",
    ".lost{--c:var(--lost)}.buffer{--c:var(--buffer)}.ink{--c:var(--ink)}.muted{--c:var(--muted)}",
    "@media(max-width:44rem){body{padding:1rem .8rem 3rem}.wide{display:none}",
    ".narrow{display:block}.lead{font-size:1.15rem}.tiles{grid-template-columns:1fr 1fr}",
    ".settings{grid-template-columns:1fr;gap:0}.settings dd{margin:0 0 .4rem}",
    "th,td{padding-right:.8rem}}",
};

void vox_lab_html_style(FILE *out)
{
    for (size_t i = 0; i < sizeof style / sizeof *style; i++)
        fprintf(out, "%s\n", style[i]);
}
