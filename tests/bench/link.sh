# How exactly `voxgram-lab link` delays: datagrams from A to B, the time from sendto to the kernel's
# arrival time less the wanted delay.
#
#     link.sh BUILD_DIR [SECONDS]          (./dev bench gives the folder by BIN)
#
# SECONDS (default 10) is for each row. A busy machine makes packets late; -q keeps the link's own
# figures out of the table.
set -eu

build=${1:-${BIN:+$BIN/..}}
[ -n "$build" ] || { sed -n '4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
seconds=${2:-10}
lab=$build/bin/voxgram-lab
bench=$build/tests/bench/bench_link
"$lab" link -q -- true -- true || { echo "link: left out" >&2; exit 0; }

measure() { # DELAY_MS SPACING_MS [OPTION...]
    delay=$1 spacing=$2
    shift 2
    count=$(awk "BEGIN { print int($seconds * 1000 / $spacing) }")
    printf '%8s %8s ' "$delay" "$spacing"
    "$lab" link -q --delay "$delay" --until b "$@" -- \
        "$bench" send 10.77.0.2 "$spacing" "$count" -- "$bench" receive "$delay" "$count"
}

printf 'difference from the wanted delay, us\n%8s %8s %7s %7s %7s %7s %7s %7s %8s\n' \
    delay_ms every_ms packets 1% half 99% 99.9% most within_200us_%
measure 0 20
measure 5 20
measure 50 20
measure 50 2.5
measure 50 1
measure 200 2.5
