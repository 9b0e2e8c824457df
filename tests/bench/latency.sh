# Latency from sound card to sound card on a JACK server without hardware (48 kHz, periods of 128),
# port to port, beside other programs on the same rig:
#
#     latency.sh BUILD_DIR [SECONDS]       (./dev bench gives the folder by BIN)
#
# Noise is played into the sender's port and sought behind the receiver's (jack_probe), for SECONDS
# (default 20) once the delay has had ten to settle. jack_iodelay, whose tones are a second opinion,
# prints what it reads at the end, where it is installed. A busy machine makes all of it longer.
set -eu

build=${1:-${BIN:+$BIN/..}}
[ -n "$build" ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(cd "$build" && pwd)
bin=$build/bin
tools=$build/tools
seconds=${2:-20}
[ -x "$tools/jack_probe" ] || { echo "latency: built without the JACK library" >&2; exit 0; }
. "$(dirname "$0")/../support/jack.sh"
dir=$(mktemp -d)
receiver='' sender='' tones=''
trap 'kill $receiver $sender $tones 2>/dev/null || :; jack_stop; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
cd "$dir"
jack_start 48000 128 || exit 0

wait_for() { # FILE TEXT
    tries=0
    until grep -qs "$2" "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { cat "$1" >&2; exit 1; }
        sleep 0.05
    done
}

value() { # PATH
    "$tools/jsonget" probe.json "$1"
}

read_tones() {
    command -v jack_iodelay >/dev/null || { echo -; return; }
    stdbuf -oL jack_iodelay >tones.txt 2>&1 9>&- &
    tones=$!
    jack_wait_port jack_delay:out
    jack_connect jack_delay:out voxgram-send:in_0
    jack_connect voxgram-recv:out_0 jack_delay:in
    sleep 5
    jack_disconnect jack_delay:out voxgram-send:in_0
    jack_disconnect voxgram-recv:out_0 jack_delay:in
    kill "$tones" 2>/dev/null || :
    wait "$tones" 2>/dev/null || :
    awk '/total roundtrip latency/ { last = $3 } END { print last ? last : "-" }' tones.txt
}

measure() { # PROFILE FRAME_MS PEERS
    rm -f recv.err send.err
    "$bin/voxgram-recv" 127.0.0.1:0 2>recv.err 9>&- &
    receiver=$!
    wait_for recv.err 'playing on'
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' recv.err)
    "$bin/voxgram-send" mic "127.0.0.1:$port" --profile "$1" --frame "$2" 2>send.err 9>&- &
    sender=$!
    wait_for recv.err 'plays'
    "$tools/jack_probe" voxgram-send:in_0 voxgram-recv:out_0 $((seconds + 10)) 10 >probe.json
    iodelay=$(read_tones)
    kill -INT "$sender" "$receiver"
    wait "$sender" "$receiver" || :
    receiver='' sender=''
    printf '%-9s %5s  %6s %6s %6s  %11.3f  %8s  %s\n' "$1" "$2" "$(value latency_ms.p50)" \
        "$(value latency_ms.min)" "$(value latency_ms.max)" "$(value correlation.p50)" "$iodelay" "$3"
}

printf '%-9s %5s  %6s %6s %6s  %11s  %8s  %s\n' profile frame median least most correlation \
    iodelay "others, ms"
measure music 20 "GStreamer 49.9, trx 70.5"
measure voice 20 "GStreamer 49.9, trx 70.5"
measure lowdelay 5 -
measure lowdelay 2.5 "GStreamer 34.3, trx 42.8, JackTrip (no codec) 2.7"
