# What the tests with other people's programs share, on top of tests/support/lib.sh. Source it first:
#
#     . "$(dirname "$0")/peers.sh"
#
#     need gst-launch-1.0
#     free_port                                    # sets $port
#     peer gst gst-launch-1.0 -q udpsrc port=$port ...
#     bound "$port" gst
#     send us "$NOISE" "127.0.0.1:$port"
#     interrupt gst
#
# $NOISE is what is streamed: 5 s of mono noise. Opus carries its waveform (but for the voice
# profile), so that a recording correlates with it by 0.99 and aligns with it in one place only.
. "$(dirname "$0")/../support/lib.sh"

need sox
NOISE=$WORK/noise.wav
NOISE_S=5
sox -R -n -r 48000 -c 1 -b 16 "$NOISE" synth $NOISE_S brownnoise \
    highpass -1 100 norm -10

# peer NAME COMMAND...: somebody else's program in the background, for three minutes at most, and no
# longer than this test. What it says is shown when the test fails.
peer() {
    name=$1
    shift
    timeout -s KILL 180 setpriv --pdeathsig KILL "$@" >"$name.out" 2>"$name.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_$name=$pid"
}

is_bound_or_gone() {
    is_bound "$1" || ! kill -0 "$2" 2>/dev/null
}

# bound PORT NAME: waits until the peer listens there.
bound() {
    eval "until_true is_bound_or_gone $1 \$pid_$2"
    is_bound "$1" || fail "$2 does not listen on port $1"
}

# interrupt NAME: Ctrl-C for a peer that records until then; waits for its end.
interrupt() {
    eval "peer_pid=\$pid_$1"
    # The child of timeout(1), which passes other signals on but not this one when in background.
    kill -INT $(ps -o pid= --ppid "$peer_pid")
    wait "$peer_pid" || fail "$1 ended with $?"
}

# has_seconds FILE.wav SECONDS: so much of it is written by now, which its header need not know.
has_seconds() {
    bytes=$(wc -c 2>/dev/null <"$1") && [ "$bytes" -gt 44 ] || return 1
    bytes_per_s=$(od -An -tu4 -j28 -N4 "$1")
    awk "BEGIN { exit !($bytes - 44 >= $bytes_per_s * ($2)) }" </dev/null
}

# seconds FILE
seconds() {
    "$TOOLS/wavtool" info "$1" | awk '{ print $3 / $1 }'
}

# part_of_noise RECORDING SECONDS [LEAST]: so much of the noise and nothing else, anywhere in it.
part_of_noise() {
    correlates "$1" "$NOISE" "${3:-0.95}" 10000
    holds "$(seconds "$1") > $2 - 0.1 && $(seconds "$1") < $2 + 0.1"
}

GST_OPUS_CAPS="application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=96"

# gst_log NAME: tells the peer started next to write what its RTP session does into NAME.rtp.
gst_log() {
    export GST_DEBUG_NO_COLOR=1 GST_DEBUG=rtpsession:6,rtpsource:6 "GST_DEBUG_FILE=$WORK/$1.rtp"
}

gst_said() {
    grep -qE -- "$2" "$1.rtp" || fail "$1's RTP session did not log: $2"
}
