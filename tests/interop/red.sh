# Copies (RFC 2198): those of GStreamer repair what we play, and ours what GStreamer plays.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0
gst-inspect-1.0 rtpredenc >/dev/null 2>&1 || skip "this GStreamer has no rtpredenc"

LOSSY="identity drop-probability=0.1"
CAPS="application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=96"

# One packet in ten is dropped behind the element that puts copies into the next.
theirs() {
    listen theirs 127.0.0.1:0 --output theirs.wav --delay "$PATIENT_MS" --stats theirs.json
    peer gst_theirs gst-launch-1.0 -q filesrc "location=$NOISE" ! wavparse ! audioconvert ! \
        opusenc bitrate=96000 ! rtpopuspay pt=96 ! rtpredenc pt=97 distance=1 ! $LOSSY ! \
        udpsink host=127.0.0.1 "port=$port"
    finished gst_theirs 0
    until_true has_seconds theirs.wav 4.5 || fail "theirs: too little was recorded"
    kill -INT "$pid_theirs"
    received theirs
}

# Where its jitter buffer stands behind rtpreddec, it misses only what no copy brought.
ours() {
    free_port
    export GST_DEBUG_NO_COLOR=1 GST_DEBUG=rtpjitterbuffer:6 "GST_DEBUG_FILE=$WORK/ours.jitter"
    peer ours gst-launch-1.0 -q -e udpsrc "port=$port" "caps=$CAPS" ! rtpreddec pt=97 ! \
        rtpjitterbuffer do-lost=true "latency=$PATIENT_MS" ! rtpopusdepay ! opusdec plc=true ! \
        audioconvert ! wavenc ! filesink buffer-mode=unbuffered location=ours.wav
    bound "$port" ours
    send us "$NOISE" "127.0.0.1:$port" --profile music --red 1 --loss 10 --seed 3 --stats us.json
    until_true has_seconds ours.wav 4.5 || fail "GStreamer has not heard all"
    interrupt ours
}

at_once <<'END'
theirs
ours
END

holds "$(json theirs.json packets.lost) > 5"
holds "$(json theirs.json frames.from_red) > 0.6 * $(json theirs.json packets.lost)"
correlates "$NOISE" theirs.wav 0.95

lost=$(grep -c 'Packet #[0-9]* lost' ours.jitter)
dropped=$(json us.json packets.dropped_by_simulation)
holds "$dropped > 15 && $lost < 0.3 * $dropped"
correlates "$NOISE" ours.wav 0.95
