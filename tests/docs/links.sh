# What README.md and docs/*.md point at is there: relative links with their anchors, source files,
# folders, commands, options.
. "$(dirname "$0")/lib.sh"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

docs=$(find README.md CHANGELOG.md CONTRIBUTING.md docs -name '*.md')
files >"$scratch/files"
sed 's,/[^/]*$,/,' "$scratch/files" | sort -u | grep / >"$scratch/folders"
grep -ho '\.name = "[a-z-]*"' common/cli/*.c sender/*.c receiver/*.c lab/*.c | cut -d '"' -f 2 >"$scratch/options"
sed -n 's/.*_options_rows([^"]*"\([a-z-]*\)".*/\1/p' lab/*.c >>"$scratch/options" # by another name there
printf '%s\n' help version quick >>"$scratch/options"

# Anchors as GitHub makes them from headings.
anchors() {
    sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# link_faults DOC: "](target)" that is no web address.
link_faults() {
    grep -o '](<*[^)>]*)' "$1" | sed 's/^](<*//; s/>*)$//' | grep -v '^[a-z]*:' |
        while read -r link; do
            path=${link%%#*}
            target=$1
            [ -z "$path" ] || target=$(dirname "$1")/$path
            if [ ! -e "$target" ]; then
                echo "$1: link to $link: no such file"
            elif [ "$link" != "$path" ] && ! anchors "$target" | grep -qx -e "${link#*#}"; then
                echo "$1: link to $link: no such heading"
            fi
        done
}

# Names of files and folders, whole or from any folder on ("net/pacer.h"); placeholders with capitals
# or <...> are no names. Headers are installed below voxgram/.
path_faults() {
    sed 's/<voxgram\/\([a-z_]*\.h\)>/\1/g; s/<[A-Za-z]*>/X/g; s,[a-z]*://[^ )>]*,,g' "$1" |
        grep -oE '[A-Za-z0-9_./*-]*(\.(c|h|md|sh|cmake|1|7)|/)([^A-Za-z0-9_./*-]|$)' |
        sed 's/[^A-Za-z0-9_./*-]*$//' | grep -E '(^|/)[a-z0-9_.*-]+(\.[a-z0-9]+|/)$|README.md$|CHANGELOG.md$|CONTRIBUTING.md$' |
        grep -vE '^[0-9./]+$|^\.*/$|^/|^out/|^build/|[A-Z]+[_/]' | sort -u |
        while read -r name; do
            name=${name#./}
            name=${name#../}
            case $name in
            */) grep -qE "(^|/)$name\$" "$scratch/folders" || [ -d "$name" ] ;;
            *\**) find . -path "*/$name" | grep -q . ;;
            *) grep -qE "(^|/)$(echo "$name" | sed 's/\./\\./g')\$" "$scratch/files" ;;
            esac || echo "$1: mentions $name: no such file"
        done
}

# "./dev COMMAND", .ci/run, voxgram-PROGRAM.
command_faults() {
    grep -oE '\./dev [a-z]+' "$1" | sort -u | while read -r _ name; do
        ./dev help | grep -qE "^  $name( |\$)" || echo "$1: ./dev has no command $name"
    done
    grep -oE 'voxgram-[a-z]+' "$1" | sort -u | while read -r name; do
        grep -qE "vox_program\($name( |\$)" sender/CMakeLists.txt receiver/CMakeLists.txt \
            lab/CMakeLists.txt ||
            echo "$1: $name is no program"
    done
    grep -oE '(^|[ `])\.[a-z]+/[a-z]+' "$1" | sed 's/^[ `]//' | while read -r name; do
        [ -e "$name" ] || echo "$1: mentions $name: no such file"
    done
}

# Options in backticks, and those on a line with one of our programs.
option_faults() {
    {
        grep -oE '`--[a-z][a-z-]*' "$1"
        sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$1" | grep -E 'voxgram-(send|recv|lab) ' |
            sed 's/| *[a-z].*//' | grep -oE ' --[a-z][a-z-]*'
    } | sed 's/^[` ]*--//' | sort -u | while read -r name; do
        grep -qx -e "$name" "$scratch/options" || echo "$1: no program has the option --$name"
    done
}

{
    echo "$docs" | at_least 8 "documents"
    for doc in $docs; do
        link_faults "$doc"
        path_faults "$doc"
        command_faults "$doc"
        option_faults "$doc"
    done
} 2>&1 | report
