# No #include goes against the table of layers in docs/architecture.md, and the layers without I/O
# include no header of the operating system.
. "$(dirname "$0")/lib.sh"

# "LAYER ALLOWED...", one line a layer, from the table; the engines as sender and receiver.
rules() {
    awk -F '|' '
        /^\| layer \| may use/ { inside = 1; next }
        inside && !/^\|/       { exit }
        inside && !/^\|--/     {
            gsub(/ \(engine\)/, "", $2); gsub(/,/, " ", $2); gsub(/,/, " ", $3)
            n = split($2, layers, " ")
            for (i = 1; i <= n; i++) print layers[i], $3
        }' docs/architecture.md
}

# Files that stand around an engine: sources of the host layers and programs of a CMakeLists.txt.
program_files() {
    tr '\n' ' ' <"$1/CMakeLists.txt" | sed 's/)/)\n/g' |
        sed -n -e 's/.*vox_layer([a-z]*_\(host\|report\|options\) SOURCES\([^)]*\) DEPS.*/\2/p' \
            -e 's/.*vox_program(voxgram-[a-z]* *SOURCES\([^)]*\) DEPS.*/\1/p' |
        tr ' ' '\n' | sed -n "s,^\([a-z_]*\)\.c$,$1/\1.c\n$1/\1.h,p"
}

# The layer that a file belongs to.
layer_of() {
    case $1 in
    common/*/*) echo "$1" | cut -d / -f 2 ;;
    *) if echo "$programs" | grep -qx "$1"; then echo "${1%%/*}-program"; else echo "${1%%/*}"; fi ;;
    esac
}

allowed_for() {
    case $1 in
    lab-program) echo "lab sender receiver base wire channel dsp cli audio net" ;;
    *-program) echo "${1%-program} base wire channel dsp cli audio net" ;;
    *) echo "$rules" | sed -n "s/^$1 / /p" ;;
    esac
}

# include_faults FILE
include_faults() {
    layer=$(layer_of "$1")
    allowed=" ${layer%-program} $(allowed_for "$layer") "
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$1" | while read -r header; do
        case $header in */*) ;; *) continue ;; esac # beside it: the same layer
        case "$allowed" in
        *" ${header%%/*} "*) ;;
        *) echo "$1 ($layer) includes $header; it may use:$allowed" ;;
        esac
        # An engine does not know the program around it.
        [ "$layer" = "${1%%/*}" ] && echo "$programs" | grep -qx "$header" &&
            echo "$1 (engine) includes $header of the program"
    done
    case $layer in
    base | wire | channel | dsp | sender | receiver | lab)
        grep -Hn '^ *# *include *<\(sys\|net\|netinet\|arpa\)/\|^ *# *include *<\(unistd\|time\|pthread\|threads\|poll\|fcntl\|signal\|uv\)\.h>' "$1" |
            sed "s/^/layer $layer does no I\/O and reads no clock: /"
        ;;
    esac
}

rules=$(rules)
programs=$(program_files sender; program_files receiver; program_files lab)
sources=$(files | grep -E '^(common/[a-z]+|sender|receiver|lab)/[^/]*\.[ch]$')
{
    echo "$rules" | at_least 10 "layers in docs/architecture.md"
    echo "$programs" | at_least 10 "files of programs"
    echo "$sources" | at_least 80 "sources"
    for file in $sources; do
        include_faults "$file"
    done
} | report
