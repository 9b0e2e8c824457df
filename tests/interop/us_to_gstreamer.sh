# GStreamer receives: a pipeline by hand, rtpbin, and two that read the description of --sdp. All of
# them hear the same sender's noise, which ends; they are told by us to stop.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0

DECODER="rtpopusdepay ! opusdec plc=true ! audioconvert ! wavenc ! filesink buffer-mode=unbuffered"

# stream NAME PORT OPTION...: the whole of the noise.
stream() {
    name=$1
    bound "$2" "$name"
    send "$name" "$NOISE" "127.0.0.1:$2" --profile music
    until_true has_seconds "$name.wav" 4.9 || fail "$name has not heard all"
    interrupt "$name"
    correlates "$NOISE" "$name.wav" 0.95
    holds "$(seconds "$name.wav") > 4.9 && $(seconds "$name.wav") < 5.1"
    holds "$lag_ms >= 0 && $lag_ms < 20"
}

pipeline() {
    peer pipeline gst-launch-1.0 -q -e udpsrc "port=$1" "caps=$GST_OPUS_CAPS" ! \
        rtpjitterbuffer "latency=$PATIENT_MS" ! $DECODER location=pipeline.wav
    stream pipeline "$1"
}

# RTP and RTCP come on one port; rtpbin tells them apart.
rtpbin() {
    gst_log rtpbin
    peer rtpbin gst-launch-1.0 -q -e rtpbin name=bin "latency=$PATIENT_MS" \
        udpsrc "port=$1" "caps=$GST_OPUS_CAPS" ! bin.recv_rtp_sink_0 \
        bin. ! $DECODER location=rtpbin.wav
    stream rtpbin "$1"
    gst_said rtpbin "got SR packet"
    gst_said rtpbin "got SDES packet"
    gst_said rtpbin "got BYE packet"
}

# described NAME PORT PIPELINE...: a receiver of the description, which the sender writes first.
described() {
    name=$1
    at=$2
    shift 2
    start_send "$name" "$NOISE" "127.0.0.1:$at" --loop --profile music --sdp "$name.sdp" \
        --stats "$name.send.json"
    sender=$pid
    until_true test -s "$name.sdp" || fail "no $name.sdp"
    peer "$name" gst-launch-1.0 -q -e "$@"
    bound "$at" "$name"
    until_true has_seconds "$name.wav" 2.5 || fail "$name has not heard enough"
    interrupt "$name"
    kill -INT "$sender"
    sent "$name"
    # The 200 ms that playbin chooses are short for a busy machine.
    if awk "BEGIN { exit !($(json "$name.send.json" pacing_us.max) > 100000) }"; then
        echo "$name: a busy machine; what was heard is not compared"
        return
    fi
    correlates "$name.wav" "$NOISE" 0.95 10000
    holds "$(seconds "$name.wav") > 2"
}

sdpdemux() {
    described sdpdemux "$1" filesrc location=sdpdemux.sdp ! sdpdemux "latency=$PATIENT_MS" ! \
        $DECODER location=sdpdemux.wav
}

playbin() {
    described playbin "$1" playbin "uri=sdp://$WORK/playbin.sdp" \
        "audio-sink=audioconvert ! wavenc ! filesink buffer-mode=unbuffered location=playbin.wav"
}

free_port; a=$port
free_port; b=$port
free_port; c=$port
free_port; d=$port
at_once <<END
pipeline $a
rtpbin $b
sdpdemux $c
playbin $d
END
