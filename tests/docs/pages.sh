# docs/pages.sh: every document has its page, and what a page links to is there, headings included.
. "$(dirname "$0")/lib.sh"
command -v cmark-gfm >/dev/null && command -v mandoc >/dev/null || skip "no cmark-gfm or no mandoc"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

sh docs/pages.sh "$scratch" >"$scratch/said" || exit 1

# link_faults PAGE: local ones; the target is relative to the page.
link_faults() {
    grep -oE '(href|src)="[^"]*"' "$1" | sed -E 's/^[a-z]*="([^"]*)"/\1/' | grep -v '^[a-z]*:' |
        sort -u | while read -r link; do
        path=${link%%#*}
        target=$1
        [ -z "$path" ] || target=$(dirname "$1")/$path
        if [ ! -e "$target" ]; then
            echo "${1#"$scratch/"}: link to $link: nothing there"
        elif [ "$link" != "$path" ] && ! grep -qF "id=\"${link#*#}\"" "$target"; then
            echo "${1#"$scratch/"}: link to $link: no such heading"
        fi
    done
}

{
    find "$scratch" -type f -name '*.html' | at_least 20 "pages"
    files | grep -E '\.md$|^docs/man/.*\.[1-9]$' | while read -r document; do
        [ -s "$scratch/${document%.md}.html" ] || echo "$document has no page"
    done
    find "$scratch" -type f -name '*.html' | while read -r page; do link_faults "$page"; done
} 2>&1 | report
