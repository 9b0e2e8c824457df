# How exactly the lab finds what a live stream through the same simulated network did: voxgram-send
# to voxgram-recv on loopback against `voxgram-lab replay`, packet by packet from the traces of both.
#
#     virtual.sh BUILD_DIR DATA_DIR [SECONDS]
#
# SECONDS (default 15) is for each row. `more` is how much longer packets took live, `late` how late
# voxgram-send says that they left, and `delay` by how much the mean delay of the played ones differs.
set -u

[ $# -ge 2 ] || { sed -n '4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
BIN=$(cd "$1" && pwd)/bin TOOLS=$(cd "$1" && pwd)/tools DATA=$(cd "$2" && pwd)
seconds=${3:-15}
. "$(dirname "$0")/../support/lib.sh"

ways() { # TRACE: one-way time of the first copy of each packet, or what became of it
    awk '!/^#/ && !($1 in seen) { seen[$1]; print $3 == "lost" ? $3 : $3 - $2 }' "$1" |
        awk '/lost/ { n++; next } { for (; n > 0; n--) if (came) print "lost"; n = 0; came = 1; print }'
}

measure() { # PLAYOUT OPTION...
    playout=$1
    shift
    set -- --duration "$seconds" --loss 5 --burst 3 --delay 30 --jitter 20 --seed 1 "$@"
    receive a 127.0.0.1:0 --output null --delay "$playout" --stats a.json --trace-out a.trace
    send a "$DATA/speech.flac" "127.0.0.1:$port" --loop --stats a.send.json "$@"
    received a
    "$BIN/voxgram-lab" replay "$DATA/speech.flac" --loop --playout-delay "$playout" --quiet \
        --stats v.json --trace-out v.trace "$@"
    ways a.trace >a.ways
    ways v.trace >v.ways
    printf '%6s %-14s ' "$playout" "$name"
    paste -d ' ' v.ways a.ways | awk '
        ($1 == "lost") != ($2 == "lost") { differ++ }
        $1 != "lost" && $2 != "lost" { print 1000 * ($2 - $1) }
        END { print "differ", differ + 0, NR }' | sort -n | awk '
        /differ/ { differ = $2; packets = $3; next }
        { more[n++] = $1; sum += $1 }
        END { printf "%7d %6d %6.0f %6.0f %6.0f %6.0f ", packets, differ, sum / n, more[int(n / 2)],
            more[int(n * 0.99)], more[n - 1] }'
    printf '%6.0f %6.0f %6.0f %7.0f\n' "$(json a.send.json pacing_us.p50)" \
        "$(json a.send.json pacing_us.p99)" "$(json a.send.json pacing_us.max)" \
        "$(awk "BEGIN { print 1000 * ($(json a.json delay_ms.total.mean) - $(json v.json delay_ms.total.mean)) }")"
}

printf '%44s %s\n' "" "us more: live - virtual     us late: sent     us delay"
printf '%6s %-14s %7s %6s %6s %6s %6s %6s %6s %6s %6s %7s\n' \
    "delay" packets number differ mean half 99% most half 99% most mean
name="20 ms" measure 130
name="2.5 ms" measure 130 --frame 2.5
name="60 ms" measure 130 --frame 60
name="20 ms, FEC" measure auto --fec
name="10 ms, music" measure auto --frame 10 --profile music
