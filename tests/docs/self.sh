# The checks of this folder can fail: each fault that one is for, put into a copy of the tree, is found.
. "$(dirname "$0")/lib.sh"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
faults=$scratch/faults
: >"$faults"

# Programs whose --help can be changed with the texts.
mkdir "$scratch/bin" "$scratch/clean"
for program in voxgram-send voxgram-recv voxgram-lab; do
    [ -x "$BIN/$program" ] || { echo "$BIN/$program is not there"; exit 1; }
    "$BIN/$program" --help >"$scratch/bin/$program.help"
    sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' "$scratch/bin/$program.help" |
        while read -r command; do
            "$BIN/$program" "$command" --help >"$scratch/bin/$program.help.$command"
        done
    printf '#!/bin/sh\n[ $# = 1 ] || command=.$1\ncat "$0.help$command"\n' >"$scratch/bin/$program"
    chmod +x "$scratch/bin/$program"
done
files | tr '\n' '\0' | xargs -0 cp --parents -t "$scratch/clean"

# finds CHECK WHAT FILE SED-SCRIPT: in a copy, FILE changed by the script makes CHECK fail, and it
# says so with FILE's own name or the WHAT.
finds() {
    rm -rf "$scratch/tree"
    cp -r "$scratch/clean" "$scratch/tree"
    rm -rf "$scratch/bin2"
    cp -r "$scratch/bin" "$scratch/bin2"
    file=$scratch/tree/$3
    case $3 in bin/*) file=$scratch/bin2/${3#bin/} ;; esac
    cp "$file" "$scratch/before"
    sed "$4" "$scratch/before" >"$file"
    cmp -s "$file" "$scratch/before" && echo "$1: nothing to change in $3 for: $2" >>"$faults"
    ROOT=$scratch/tree BIN=$scratch/bin2 sh "$scratch/tree/tests/docs/$1.sh" >"$scratch/said" 2>&1
    status=$?
    { [ $status -eq 77 ] && return; } || { [ $status -eq 1 ] && grep -q "$2" "$scratch/said"; } ||
        { echo "$1 (status $status) does not find: $2"; sed 's/^/    /' "$scratch/said"; } >>"$faults"
}

finds man 'lacks an option' docs/man/voxgram-send.1 '/^\.It Fl -fec/d'
finds man 'has no: --nonsense' docs/man/voxgram-recv.1 's/^\.It Fl -delay Ar MS/.It Fl -nonsense Ar MS/'
finds man 'lacks an option' bin/voxgram-recv.help 's/--separate /--separete /'
finds man 'voxgram-lab.1 lacks an option' bin/voxgram-lab.help.link 's/--one-way /--once-way /'
finds man 'UNSUPP\|WARNING\|ERROR' docs/man/voxgram.7 's/^\.Sh EVENTS/.Xx/'
finds statistics 'does not describe: concealed_ms' docs/man/voxgram.7 's/^\.It Va concealed_ms/.It Va x_ms/'
finds statistics 'no program writes: played_ms' receiver/report.c 's/"played_ms"/"heard_ms"/'
finds links 'no-such-file.md' docs/timing.md '1s/$/ [x](no-such-file.md)/'
finds links 'no such heading' docs/timing.md '1s/$/ [x](protocol.md#nowhere)/'
finds links 'net/pacemaker.h' docs/timing.md 's,net/pacer\.h,net/pacemaker.h,'
finds links 'no command nonsense' docs/timing.md 's,\./dev bench,./dev nonsense,'
finds links 'voxgram-dance is no program' docs/protocol.md 's/voxgram-send/voxgram-dance/'
finds links 'no program has the option --nonsense' docs/protocol.md 's/`--sdp\|--sdp/`--nonsense/'
finds words 'a path' docs/timing.md '1s,$, /wo''rk/main,'
finds words 'registry' dev '2s,$, https://py''pi.org/simple,'
finds words 'quotation mark' docs/timing.md "1s/\$/ $(printf '\342\200\234')/"
finds sockets 'no vox_socket_join in' common/net/socket.c 's/vox_socket_join/vox_socket_enter/'
finds sockets 'no file ../common/net/pacemaker.c' docs/sockets.md 's,net/pacer\.c,net/pacemaker.c,'
finds sockets 'says nothing of docs/examples/broadcast.c' docs/sockets.md 's,(examples/broadcast\.c),,'
finds layers 'base/bytes.h (base) includes wire' common/base/bytes.h '1i #include "wire/rtp.h"'
finds layers 'includes net/udp.h' sender/sender.c '1i #include "net/udp.h"'
finds layers 'includes sender/sender.h' receiver/report.c '1i #include "sender/sender.h"'
finds layers 'of the program' receiver/source.c '1i #include "receiver/report.h"'
finds layers 'includes net/clock.h' lab/agenda.c '1i #include "net/clock.h"'
finds layers 'no I/O' receiver/playout.c '1i #include <time.h>'
finds layers 'it may use' docs/architecture.md 's/^| net | base, wire/| net | wire/'

report <"$faults"
