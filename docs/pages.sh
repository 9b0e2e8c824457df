#!/bin/sh
# Makes pages for a browser of README.md, CHANGELOG.md, CONTRIBUTING.md, docs/*.md and the manual pages.
#
#     docs/pages.sh [OUT]        (default out/pages; ./dev docs)
#
# Links between documents lead to their pages, links to sources to the sources as they are.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/out/pages}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$root"
for tool in cmark-gfm mandoc; do
    command -v $tool >/dev/null || { echo "${0##*/}: install $tool" >&2; exit 1; }
done

# head TITLE UP: UP leads from the page to the top folder.
head() {
    cat <<HTML
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>$1</title>
<style>
:root{color-scheme:light dark;--page:#faf9f6;--card:#fff;--line:#dedcd5;--ink:#1b1d21;--muted:#5a606b;--link:#0060a0}
@media(prefers-color-scheme:dark){:root{--page:#13151a;--card:#1a1d23;--line:#30353e;--ink:#e8e6e1;--muted:#a0a6b0;
--link:#6cb8ee}}
body{margin:0 auto;max-width:60rem;padding:1rem 1rem 4rem;background:var(--page);color:var(--ink);
font:16px/1.55 system-ui,Helvetica,Arial,sans-serif}
nav{font-size:.9rem;color:var(--muted);margin-bottom:1.5rem}
a{color:var(--link)}
h1,h2,h3{line-height:1.25}h2{margin-top:2.2rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;overflow-x:auto;
font-size:.82rem;line-height:1.4}
code{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
p code,li code,td code{font-size:.88em;overflow-wrap:anywhere}
table{display:block;overflow-x:auto;border-collapse:collapse;font-size:.92rem}
th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
img{max-width:100%;background:#fff;border-radius:6px}
blockquote{margin-left:0;padding-left:1rem;border-left:3px solid var(--line);color:var(--muted)}
</style></head><body>
<nav><a href="$2README.html">Voxgram</a> · <a href="$2docs/sockets.html">Sockets</a> ·
<a href="$2docs/architecture.html">Architecture</a> · <a href="$2docs/lab.html">Lab</a> ·
<a href="$2docs/man/voxgram.7.html">Manual pages</a></nav>
HTML
}

# What leads to a document leads to its page; headings get the names that links give them.
finish() {
    sed -E -e 's/href="(\.*[A-Za-z0-9_.\/-]*)\.md([#"])/href="\1.html\2/g' |
        awk '
        function name_of(text) {
            gsub(/<[^>]*>|&[a-z]+;/, "", text)
            text = tolower(text)
            gsub(/[^a-z0-9 _-]/, "", text)
            gsub(/ /, "-", text)
            return text
        }
        /^<h[1-6]>/ { $0 = substr($0, 1, 3) " id=\"" name_of($0) "\"" substr($0, 4) }
        { print }'
}

up_from() { printf '%s' "${1%/*}/" | sed -E -e "s|^$1/\$||" -e 's|[^/]+/|../|g'; }

page() { # DOCUMENT.md
    to=$out/${1%.md}.html
    mkdir -p "$(dirname "$to")"
    {
        head "$(sed -n '1s/^# *//p' "$1")" "$(up_from "$1")"
        cmark-gfm -e table --unsafe "$1" | finish
        echo '</body></html>'
    } >"$to"
}

# Manual pages of others are on the web.
manual() { # PAGE.N, in $out/docs/man, where each page of ours has a file already
    {
        head "$1" ../../
        mandoc -T html -O 'fragment,man=%N.%S.html;https://manpages.debian.org/%N.%S' "$root/docs/man/$1"
        echo '</body></html>'
    } >"$1.html"
}

manuals() {
    mkdir -p "$out/docs/man"
    cd "$out/docs/man"
    for name in "$@"; do : >"$name.html"; done
    for name in "$@"; do manual "$name"; done
}

# found NAME-PATTERN...: files of the sources, not what was built.
found() { find README.md CHANGELOG.md CONTRIBUTING.md LICENSE dev CMakeLists.txt */ -type f "$@" | grep -vE '^(build|out)/'; }

for document in $(found -name '*.md'); do page "$document"; done
# shellcheck disable=SC2046 # names without spaces
(manuals $(cd docs/man && ls ./*.[1-9] | sed 's,^./,,'))
found ! -name '*.md' | while read -r file; do
    mkdir -p "$out/$(dirname "$file")"
    ln -sf "$root/$file" "$out/$file"
done
echo "pages in $out: README.html is the first"
