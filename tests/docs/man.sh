# The man pages: mandoc finds no fault in them, and each program's page has the options of its
# --help, with the same letters and placeholders, and no others.
. "$(dirname "$0")/lib.sh"
command -v mandoc >/dev/null || skip "mandoc is not installed"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# The help of the program, and of each command that it lists.
all_help() {
    "$BIN/$1" --help
    "$BIN/$1" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' | while read -r command; do
        "$BIN/$1" "$command" --help
    done
}

# "-o --output WHERE", "--dtx": one for each option, sorted.
options_of_help() {
    all_help "$1" | sed -n 's/^  \(-[A-Za-z]\), /\1 /; s/^      --\([a-z]\)/--\1/; /^-/p' |
        sed 's/   *.*//' | sort -u
}

options_of_page() {
    sed -n 's/^\.It Fl \(.*\)$/-\1/p' "docs/man/$1.1" |
        sed 's/^-\([A-Za-z]\) , Fl -/-\1 --/; s/ Ar / /' | sort -u
}

{
    find docs/man -name '*.[1-8]' | at_least 4 "man pages"
    mandoc -Tlint -Wwarning docs/man/*.[1-8]
    for program in voxgram-send voxgram-recv voxgram-lab; do
        [ -x "$BIN/$program" ] || { echo "$BIN/$program is not there"; continue; }
        options_of_help "$program" >"$scratch/help"
        options_of_page "$program" >"$scratch/page"
        at_least 15 "options in $program --help" <"$scratch/help"
        comm -23 "$scratch/help" "$scratch/page" | sed "s/^/$program.1 lacks an option of --help: /"
        comm -13 "$scratch/help" "$scratch/page" | sed "s/^/$program --help has no: /"
    done
} 2>&1 | report
