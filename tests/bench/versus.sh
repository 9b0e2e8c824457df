# `voxgram-lab versus` over three networks, beside what a bare probe of such networks had measured
# before (frames of 160 bytes, one each 20 ms):
#
#     versus.sh BUILD_DIR [SEEDS [SECONDS]]
#
# The clip that comes with the program, again and again for SECONDS (default 60: bursts of loss are
# rare, and a 99th percentile of fewer frames hangs on one or two stalls), with SEEDS seeds (default
# 5). Rows are medians over seeds, with the least and the greatest; bbr where the kernel has it.
#
# JOBS (default 1) seeds run at a time. A busy machine adds delay, and frames come in steps, one of
# which lies at 100 ms: only figures of a quiet one count. docs/versus.md says where they differ.
set -eu

build=${1:-}
[ -n "$build" ] || { sed -n '4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
seeds=${2:-5} seconds=${3:-60} jobs=${JOBS:-1}
lab=$build/bin/voxgram-lab
"$lab" link -q -- true -- true || { echo "versus: left out" >&2; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

controls='cubic'
! grep -qw bbr /proc/sys/net/ipv4/tcp_available_congestion_control || controls='cubic bbr'

# run OPTION...: all figures of a network.
run() {
    network=$*
    arms=plain
    for control in $controls; do
        arms=$arms,tcp-$control
    done
    "$lab" versus -q "$@" --duration "$seconds" --repeat "$seeds" --jobs "$jobs" --arms "$arms" \
        --stats "$dir/stats"
    "$build/tools/jsonget" "$dir/stats" 'arms.*.name' >"$dir/names"
}

# value ARM PATH
value() {
    index=$(awk -v name="$1" '$0 == name { print NR - 1 }' "$dir/names")
    "$build/tools/jsonget" "$dir/stats" "arms.$index.$2"
}

# row WHAT ARM FIELD BEFORE [within]: FIELD is a share that is not there in time; `within` turns it
# about, and with it the least and the greatest.
row() {
    printf '%-44s %-32s %9s   ' "$network" "$1" "$4"
    network=
    for part in "$3" "range.$3.0" "range.$3.1"; do
        value "$2" "$part"
    done | awk -v turned="${5:-}" '
        { v[NR] = turned ? 100 - $1 : $1 }
        END { printf "%7.1f  (%.1f to %.1f)\n", v[1], v[turned ? 3 : 2], v[turned ? 2 : 3] }'
}

# each BEFORE FIELD WHAT [within]: a row for each congestion control.
each() {
    for control in $controls; do
        row "TCP ($control) $3" "tcp-$control" "$2" "$1" "${4:-}"
    done
}

echo "$seeds seeds of $seconds s; medians, least to greatest"
printf '%-44s %-32s %9s   %7s\n' network '' 'a probe' versus
run --delay 20 --loss 5
each 96-98 late_pct.100 "within 100 ms, %" within
row "UDP lost, %" plain lost_pct 4.9
run --delay 50 --loss 5
each 22-25 late_pct.100 "later than 100 ms, %"
row "UDP lost, %" plain lost_pct 4.9
run --delay 40 --jitter 15 --loss 5 --burst 3
each "some 500" delay_ms.p99 "99 %, ms"
each 600 longest_silence_ms "longest silence, ms"
row "UDP 99 %, ms" plain delay_ms.p99 84
