# What the tests of this folder share. POSIX. Source it first:
#
#     . "$(dirname "$0")/lib.sh"
#
#     some_listing | while read -r line; do is_wrong "$line" && echo "$line is wrong"; done | report
#
# ROOT is the source tree (ctest sets it). A test prints one line for each fault and ends with 1 if
# there is any, or if it found nothing to look at.

set -u
LC_ALL=C
export LC_ALL
: "${ROOT:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${BIN:=$ROOT/build/release/bin}"
cd "$ROOT" || exit 2

# Texts and sources as they are in the tree, not what was built from them: NUL-free names, no "./".
files() {
    if git rev-parse --show-prefix 2>/dev/null | grep -qx ''; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f | sed 's,^\./,,' | grep -v -e '^build/' -e '^out/' -e '^\.git/'
    fi | while IFS= read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done
}

skip() {
    echo "skipped: $*"
    exit 77
}

# at_least COUNT WHAT < LIST: a check that looks at nothing must not pass.
at_least() {
    count=$(grep -c '')
    [ "$count" -ge "$1" ] || echo "only $count $2 found, expected $1 or more: is the check blind?"
}

# Ends the test with the faults that come in.
report() {
    faults=$(cat)
    [ -z "$faults" ] && exit 0
    printf '%s\n' "$faults"
    exit 1
}
