# The model of TCP (lab/tcp_model.h) beside the kernel's, and UDP: messages of 160 bytes, one each
# 20 ms, across `voxgram-lab link` with the same networks, each lossy both ways and one way.
#
#     tcp_model.sh BUILD_DIR [SECONDS [SEEDS]]          (./dev bench gives the folder by BIN)
#
# A row is the median over SEEDS (default 3) of SECONDS (default 60) each; all seeds of a network run
# at once. Delays are counted from the writing of a message, which is the end of a 20 ms frame, to
# when it can be read, in ms: half, 95 %, 99 %, the most; `gap` is the longest time without any.
# Then %: lost, and readable later than 60, 100, 200 and 400 ms after it was written. The model runs
# the same seeds, and MODEL_SEEDS (default 60), because a minute of such a network is not much.
#
# GRID=1 takes other networks: losses of 1, 5, 10 and 20 %, alone and in bursts of 3, over 5, 20, 50
# and 150 ms, both ways. With 20 % a run has stalls of up to a minute, and takes as much longer.
#
# CONTROL (default cubic, which is what the model has) is the kernel's congestion control.
set -eu

build=${1:-${BIN:+$BIN/..}}
[ -n "$build" ] || { sed -n '4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
seconds=${2:-60} seeds=${3:-3}
control=${CONTROL:-cubic} model_seeds=${MODEL_SEEDS:-60}
count=$((seconds * 50))
lab=$build/bin/voxgram-lab
bench=$build/tests/bench
"$lab" link -q -- true -- true || { echo "tcp_model: left out" >&2; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

# over PROTOCOL SEED LINK_OPTION...: a line of figures.
over() {
    protocol=$1 seed=$2
    shift 2
    "$lab" link -q --wait 100 --until both --seed "$seed" "$@" -- \
        sh -c "sleep 0.3; exec '$bench/bench_tcp_probe' send $protocol 10.77.0.2 $count" -- \
        "$bench/bench_tcp_probe" receive "$protocol" >"$dir/$protocol.$seed"
    "$bench/bench_tcp_probe" summary "$count" <"$dir/$protocol.$seed" >"$dir/$protocol.$seed.line"
}

# modelled SEEDS DELAY JITTER LOSS BURST WAYS: a line for each.
modelled() {
    last=$1
    shift
    for seed in $(seq "$last"); do
        "$bench/bench_tcp_model" "$count" "$1" "$2" "$3" "$4" "$seed" "$5" 2>/dev/null |
            "$bench/bench_tcp_probe" summary "$count"
    done
}

# medians WHAT <LINES: column by column.
medians() {
    printf '%-14s' "$1"
    awk '{ for (i = 1; i <= NF; i++) v[i, NR] = $i; n = NF }
        END {
            for (i = 1; i <= n; i++) {
                for (a = 1; a < NR; a++)
                    for (b = a + 1; b <= NR; b++)
                        if (v[i, b] < v[i, a]) { t = v[i, a]; v[i, a] = v[i, b]; v[i, b] = t }
                printf((i > 5 ? "%7.2f" : "%8.1f"), v[i, int((NR + 1) / 2)])
            }
            print ""
        }'
}

compare() { # DELAY JITTER LOSS BURST both|one-way
    option=
    [ "$5" = both ] || option=--one-way
    echo "$1 ms, jitter $2 ms, loss $3 % in bursts of $4, $5"
    rm -f "$dir"/*
    for seed in $(seq "$seeds"); do
        for protocol in "$control" udp; do
            # shellcheck disable=SC2086
            over "$protocol" "$seed" --delay "$1" --jitter "$2" --loss "$3" --burst "$4" $option &
        done
    done
    wait
    cat "$dir/$control".*.line | medians "  $control"
    modelled "$seeds" "$@" | medians "  model"
    modelled "$model_seeds" "$@" | medians "  model, $model_seeds"
    cat "$dir"/udp.*.line | medians "  udp"
}

printf '%-14s%8s%8s%8s%8s%8s%7s%7s%7s%7s%7s\n' '' 50% 95% 99% most gap lost '>60' '>100' '>200' '>400'
if [ -n "${GRID:-}" ]; then
    for delay in 5 20 50 150; do
        for burst in 1 3; do
            for loss in 1 5 10 20; do
                compare $delay 0 $loss $burst both
            done
        done
    done
    exit 0
fi
for ways in both one-way; do
    compare 20 0 5 1 $ways
    compare 50 0 5 1 $ways
    compare 40 15 5 3 $ways
done
