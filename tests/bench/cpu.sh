#!/bin/sh
# Processor time of voxgram-send and voxgram-recv beside the bare floor, for the same packets, in
# real time over loopback:
#
#     cpu.sh BUILD_DIR SPEECH MUSIC [REPETITIONS [SECONDS]]
#
# SPEECH and MUSIC are any sound files (sox loops and converts them to 48 kHz). In each repetition
# every case runs three streams: ours to a receiver without output, ours to one that writes WAV, and
# floor_send to floor_recv (see there for what these do and leave out). They run one after the
# other, in turn first; TOGETHER=1 starts the three at once, so that all see the same disturbance.
# What a process costs before and after its stream (loading, opening, summary) is measured by
# streams of 0.2 s and taken off in the column "stream".
set -eu

[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$1 speech=$2 music=$3 repetitions=${4:-5} seconds=${5:-20}
bench=$build/tests/bench
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

# name, clip, channels, profile, frame in ms, in ticks
cases='voice:speech:1:voice:20:960
music:music:1:music:20:960
stereo:music:2:music:20:960
lowdelay:speech:1:lowdelay:2.5:120'

for clip in speech music; do
    for channels in 1 2; do
        for length in 0.2 "$seconds"; do
            eval "file=\$$clip"
            base=$dir/$clip-$channels-$length
            sox "$file" -c $channels -r 48000 -b 16 "$base.wav" repeat 99 trim 0 "$length"
            sox "$base.wav" -t raw -e float -b 32 "$base.f32"
        done
    done
done

wait_for_line() { # FILE PATTERN: prints the first match
    until line=$(grep -m 1 "$2" "$1"); do sleep 0.05; done
    echo "$line"
}

ours() { # TAG OUTPUT: one stream through our programs; uses the case's variables
    : >"$dir/$1.log"
    "$bench/bench_cputime" "$dir/$1-recv" "$build/bin/voxgram-recv" 127.0.0.1:0 -o "$2" \
        --idle-exit 0 2>"$dir/$1.log" &
    port=$(wait_for_line "$dir/$1.log" listening | sed 's/.*://')
    "$bench/bench_cputime" "$dir/$1-send" "$build/bin/voxgram-send" --quiet "$base.wav" \
        "127.0.0.1:$port" --profile "$profile" --frame "$ms" >"$dir/$1-send.log" 2>&1
    wait $!
}

floor() {
    : >"$dir/$1.log"
    "$bench/bench_cputime" "$dir/$1-recv" "$bench/bench_floor_recv" "$channels" \
        >"$dir/$1.log" 2>"$dir/$1.err" &
    port=$(wait_for_line "$dir/$1.log" .)
    "$bench/bench_cputime" "$dir/$1-send" "$bench/bench_floor_send" "$port" "$base.f32" \
        "$profile" "$ticks" "$channels"
    wait $!
}

stream() { # null|wav|floor LENGTH
    base=$dir/$clip-$channels-$2
    case $1 in
    null) ours "$name-null-$2" null ;;
    wav) ours "$name-wav-$2" "$dir/$name.wav" ;;
    floor) floor "$name-floor-$2" ;;
    esac
}

# The three kinds of stream, each at the front every third time.
turn() { # NUMBER LENGTH
    case $(($1 % 3)) in
    0) order='null wav floor' ;;
    1) order='wav floor null' ;;
    2) order='floor null wav' ;;
    esac
    for kind in $order; do
        if [ -n "${TOGETHER:-}" ]; then
            stream "$kind" "$2" &
        else
            stream "$kind" "$2"
        fi
    done
    wait
}

n=0
while [ $n -lt "$repetitions" ]; do
    for one in $cases; do
        IFS=: read -r name clip channels profile ms ticks <<END
$one
END
        [ -t 2 ] && printf '\r%d/%d %-10s' $((n + 1)) "$repetitions" "$name" >&2
        turn $n 0.2
        turn $n "$seconds"
    done
    n=$((n + 1))
done
[ -t 2 ] && printf '\r%20s\r' '' >&2

summary() { # FILE: median, least, most of user + system
    awk '{ print $1 + $2 }' "$1" | sort -n | awk '{ x[NR] = $1 }
        END { m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
              print m, x[1], x[NR] }'
}

row() { # NAME WHAT FILE-STEM FLOOR-STEM
    summary "$dir/$3" >"$dir/a"; summary "$dir/$4" >"$dir/b"
    summary "$(echo "$dir/$3" | sed "s/-$seconds-/-0.2-/")" >"$dir/c"
    summary "$(echo "$dir/$4" | sed "s/-$seconds-/-0.2-/")" >"$dir/d"
    cat "$dir/a" "$dir/b" "$dir/c" "$dir/d" | awk -v name="$1" -v what="$2" -v s="$seconds" '
        { m[NR] = $1; lo[NR] = $2; hi[NR] = $3 }
        END { k = 60 / s; steady = 60 / (s - 0.2)
              printf "%-9s %-14s %7.0f %6.0f..%-6.0f %7.0f %6.0f..%-6.0f %6.2f   %6.1f %6.1f %6.2f\n",
                  name, what, m[1] * k, lo[1] * k, hi[1] * k, m[2] * k, lo[2] * k, hi[2] * k,
                  m[1] / m[2], m[3], m[4],
                  (m[1] - m[3]) * steady / ((m[2] - m[4]) * steady) }'
}

echo "CPU ms (user + system, whole process) per minute of audio; $repetitions streams of $seconds s each"
printf '%-9s %-14s %7s %14s %7s %14s %6s   %6s %6s %6s\n' case program ours least..most floor \
    least..most ratio start floor stream
for one in $cases; do
    name=${one%%:*}
    cat "$dir/$name-null-$seconds-send" "$dir/$name-wav-$seconds-send" >"$dir/$name-all-$seconds-send"
    cat "$dir/$name-null-0.2-send" "$dir/$name-wav-0.2-send" >"$dir/$name-all-0.2-send"
    row "$name" send "$name-all-$seconds-send" "$name-floor-$seconds-send"
    row "$name" 'recv to null' "$name-null-$seconds-recv" "$name-floor-$seconds-recv"
    row "$name" 'recv to WAV' "$name-wav-$seconds-recv" "$name-floor-$seconds-recv"
done
[ -z "${KEEP:-}" ] || cp -r "$dir" "$KEEP"
