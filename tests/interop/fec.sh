# GStreamer's FEC in our ears: Opus' own, inside the packets; and that of RFC 5109, in packets of
# another payload type among the audio, which use up its numbers and are not ours to read.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0
gst-inspect-1.0 rtpulpfecenc >/dev/null 2>&1 || skip "this GStreamer has no rtpulpfecenc"

LOSSY="identity drop-probability=0.1"
# One behind every second packet: for several at once it waits for marks as video has them.
PARITY="rtpulpfecenc pt=122 multipacket=false percentage=50"

# theirs NAME ELEMENT...: the elements stand between encoder and network.
theirs() {
    stream=$1
    shift
    listen "$stream" 127.0.0.1:0 --output "$stream.wav" --rtx --delay "$PATIENT_MS" \
        --stats "$stream.json" --events "$stream.events"
    peer "gst_$stream" gst-launch-1.0 -q filesrc "location=$SOUND" ! wavparse ! audioconvert ! \
        "$@" ! udpsink host=127.0.0.1 "port=$port"
    finished "gst_$stream" 0
    until_true has_seconds "$stream.wav" 4.5 || fail "$stream: too little was recorded"
    eval "kill -INT \$pid_$stream"
    received "$stream"
}

# Speech, which has in-band FEC.
inband() {
    SOUND=speech.wav
    theirs inband opusenc audio-type=voice bitrate=32000 inband-fec=true \
        packet-loss-percentage=10 ! rtpopuspay pt=96 ! $LOSSY
}

parity() {
    SOUND=$NOISE
    theirs parity opusenc bitrate=96000 ! rtpopuspay pt=96 ! $PARITY
}

# And of copies in it all.
both() {
    SOUND=$NOISE
    theirs both opusenc bitrate=96000 ! rtpopuspay pt=96 ! rtpredenc pt=97 distance=1 ! \
        $PARITY ! $LOSSY
}

sox "$DATA/speech.flac" -r 48000 -c 1 -b 16 speech.wav trim 0 5

at_once <<'END'
inband
parity
both
END

holds "$(json inband.json packets.lost) > 5"
holds "$(json inband.json lbrr_packets) > 50"
holds "$(json inband.json frames.from_fec) > 0.4 * $(json inband.json packets.lost)"
correlates inband.wav speech.wav 0.7 10000

# What is FEC was not lost, not asked for, and left no gap.
holds "$(json parity.json rejected.foreign_payload_type) >= 100"
equal "$(json parity.json packets.lost)" 0 "packets lost"
equal "$(json parity.json sources.#)" 1 "sources"
equal "$(json parity.json sources.0.payload_type)" 96 "payload type of the source"
equal "$(grep -c '"cause":"lost"' parity.events)" 0 "glitches by loss"
correlates "$NOISE" parity.wav 0.95

# A copy counts from one packet of audio to the next. One of three that are lost is FEC.
holds "$(json both.json rejected.foreign_payload_type) >= 50"
holds "$(json both.json packets.lost) > 5"
holds "$(json both.json frames.from_red) > 0.25 * $(json both.json packets.lost)"
equal "$(json both.json packets.late)" 0 "copies of what was there"
correlates "$NOISE" both.wav 0.95
