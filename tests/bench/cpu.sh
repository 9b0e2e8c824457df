#!/bin/sh
# Processor time of voxgram-send and voxgram-recv beside the bare floor, for the same packets, in
# real time over loopback:
#
#     cpu.sh BUILD_DIR SPEECH MUSIC [REPETITIONS [SECONDS]]
#
# SPEECH and MUSIC are any sound files (sox loops and converts them to 48 kHz). In each repetition
# every case runs five streams: ours to a receiver without output, to one that writes WAV, to one that
# writes raw PCM to stdout (and so has to be in time, packet by packet, where the others may read
# several at once), and floor_send to floor_recv (see there for what these do and leave out), without
# and with writing; the pipe is held against the latter. They run one after the other, in turn first; TOGETHER=1 starts all at once, so that all see the same
# disturbance.
# What a process costs before and after its stream (loading, opening, summary) is measured by
# streams of 0.2 s: column "start", which counts once in a minute; "w/o it" is the ratio of the rest.
set -eu

[ $# -ge 3 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$1 speech=$2 music=$3 repetitions=${4:-5} seconds=${5:-20}
bench=$build/tests/bench
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

# name, clip, channels, profile, frame in ms, in ticks; CASES=name,name takes some of them
all_cases='voice:speech:1:voice:20:960
music:music:1:music:20:960
stereo:music:2:music:20:960
lowdelay:speech:1:lowdelay:2.5:120'
cases=
for one in $all_cases; do
    case ,${CASES:-${one%%:*}}, in
    *,"${one%%:*}",*) cases="$cases $one" ;;
    esac
done

# Senders on one processor, receivers on another: where the scheduler happens to put them decides
# whether a datagram wakes somebody next door or far away, which costs the sender 1 or 10 us.
pin_send='' pin_recv=''
if [ -z "${UNPINNED:-}" ] && [ "$(nproc)" -ge 2 ]; then
    pin_send='taskset -c 0' pin_recv='taskset -c 1'
fi

for clip in speech music; do
    for channels in 1 2; do
        for length in 0.2 "$seconds"; do
            case $clip in
            speech) file=$speech ;;
            music) file=$music ;;
            esac
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
    $pin_recv "$bench/bench_cputime" "$dir/$1-recv" "$build/bin/voxgram-recv" 127.0.0.1:0 -o "$2" \
        --idle-exit 0 >/dev/null 2>"$dir/$1.log" &
    port=$(wait_for_line "$dir/$1.log" listening | sed 's/.*://')
    $pin_send "$bench/bench_cputime" "$dir/$1-send" "$build/bin/voxgram-send" --quiet "$base.wav" \
        "127.0.0.1:$port" --profile "$profile" --frame "$ms" >"$dir/$1-send.log" 2>&1
    wait $!
}

floor() { # TAG [write]
    : >"$dir/$1.log"
    $pin_recv "$bench/bench_cputime" "$dir/$1-recv" "$bench/bench_floor_recv" "$channels" ${2:-} \
        >/dev/null 2>"$dir/$1.log" &
    port=$(wait_for_line "$dir/$1.log" .)
    $pin_send "$bench/bench_cputime" "$dir/$1-send" "$bench/bench_floor_send" "$port" "$base.f32" \
        "$profile" "$ticks" "$channels"
    wait $!
}

stream() { # null|wav|floor LENGTH
    base=$dir/$clip-$channels-$2
    case $1 in
    pipe) ours "$name-pipe-$2" - ;;
    null) ours "$name-null-$2" null ;;
    wav) ours "$name-wav-$2" "$dir/$name.wav" ;;
    floor) floor "$name-floor-$2" ;;
    floorpipe) floor "$name-floorpipe-$2" write ;;
    esac
}

# All kinds of stream, each at the front in its turn.
turn() { # NUMBER LENGTH
    case $(($1 % 5)) in
    0) order='null wav pipe floor floorpipe' ;;
    1) order='wav pipe floor floorpipe null' ;;
    2) order='pipe floor floorpipe null wav' ;;
    3) order='floor floorpipe null wav pipe' ;;
    4) order='floorpipe null wav pipe floor' ;;
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

middle() { # FILE: median, least, most of user + system
    awk '{ print $1 + $2 }' "$1" | sort -n | awk '{ x[NR] = $1 }
        END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2, x[1], x[NR] }'
}

row() { # NAME WHAT FILE-STEM FLOOR-STEM; stems without the length
    {
        middle "$dir/$3-$seconds-$5"
        middle "$dir/$4-$seconds-$5"
        middle "$dir/$3-0.2-$5"
        middle "$dir/$4-0.2-$5"
    } | awk -v name="$1" -v what="$2" -v s="$seconds" '
        function minute(ms, start) { return (ms - start) * 60 / (s - 0.2) + start }
        { m[NR] = $1; lo[NR] = $2; hi[NR] = $3 }
        END { printf "%-9s %-13s %6.0f %6.0f..%-5.0f %6.0f %6.0f..%-5.0f %6.2f  %6.1f %6.1f %7.2f\n",
                  name, what, minute(m[1], m[3]), minute(lo[1], m[3]), minute(hi[1], m[3]),
                  minute(m[2], m[4]), minute(lo[2], m[4]), minute(hi[2], m[4]),
                  minute(m[1], m[3]) / minute(m[2], m[4]), m[3], m[4],
                  (m[1] - m[3]) / (m[2] - m[4]) }'
}

echo "CPU ms (user + system, whole process) of a stream of one minute, from $repetitions of $seconds s each"
printf '%-9s %-13s %6s %13s %6s %13s %6s  %6s %6s %7s\n' case program ours least..most floor \
    least..most ratio start floor "w/o it"
for one in $cases; do
    name=${one%%:*}
    for length in 0.2 "$seconds"; do
        for kind in null wav pipe; do
            cat "$dir/$name-$kind-$length-send"
        done >"$dir/$name-all-$length-send"
    done
    row "$name" send "$name-all" "$name-floor" send
    row "$name" 'recv to null' "$name-null" "$name-floor" recv
    row "$name" 'recv to WAV' "$name-wav" "$name-floor" recv
    row "$name" 'recv to pipe' "$name-pipe" "$name-floorpipe" recv
done
[ -z "${KEEP:-}" ] || cp -r "$dir" "$KEEP"
