# Sound card to sound card, on a JACK server of our own: device.sh FRAME_MS DELAY PROFILE
# Noise into the microphone's port must come out of the speaker's, in time, and the statistics must
# tell the same latency as the probe measures from outside. DELAY as for --delay of voxgram-recv.
. "$(dirname "$0")/peers.sh"
. "$(dirname "$0")/sound.sh"
frame_ms=$1 delay=$2 profile=$3

jack_start 48000 128 || skip "no JACK"
start_both "--delay $delay" "--profile $profile --frame $frame_ms"
probe probe 6 3
stop_both

latency_ms=$(json probe.json latency_ms.p50)
echo "$frame_ms ms frames, --delay $delay: $latency_ms ms from port to port" \
    "(GStreamer $([ "$frame_ms" = 20 ] && echo 49.9 || echo 34.3) on this rig)"
holds "$(json probe.json correlation.p50) > 0.9"
holds "$latency_ms > $frame_ms"
if awk "BEGIN { exit !($(json us.send.json pacing_us.max) < 10000) }"; then
    holds "$latency_ms < 100"
    holds "$(json probe.json gaps.ms) < 300" # of 3 s
else
    echo "a busy machine; latency and gaps are not judged"
fi
equal "$(json us.json packets.lost)" 0 "lost packets"
equal "$(json us.json delay_reference)" capture "delay_reference"

# From converter to converter it is one period more in front of us and two behind, as JACK says.
# Where the machine stood still meanwhile, there is no single figure to compare.
if [ "$delay" != auto ] && [ "$(json us.json underruns)" = 0 ] &&
    [ "$(json probe.json jumps)" = 0 ]; then
    total_ms=$(json us.json delay_ms.total.p50)
    holds "$total_ms - 3 * 128 / 48 > $latency_ms - 2 && $total_ms - 3 * 128 / 48 < $latency_ms + 2"
fi
