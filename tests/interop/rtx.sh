# Retransmission (RFC 4585 and 4588): GStreamer's rtprtxsend answers what we ask for, and we answer
# its jitter buffer. Their sessions are put together by hand: rtpbin has no place for these elements
# in a pipeline of one line.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0 ss
gst-inspect-1.0 rtprtxsend >/dev/null 2>&1 || skip "this GStreamer has no rtprtxsend"

TYPES="payload-type-map=application/x-rtp-pt-map,96=(uint)98"

# Originals and repetitions are dropped alike. Our requests go to where the reports came from: of two
# sockets on that port the kernel gives them to the one with the nearer address.
theirs() {
    listen theirs 127.0.0.1:0 --output theirs.wav --rtx --delay "$PATIENT_MS" --stats theirs.json
    at=$port
    free_port
    gst_log gst_theirs
    peer gst_theirs gst-launch-1.0 -q rtpsession name=session rtp-profile=avpf \
        filesrc "location=$NOISE" ! wavparse ! audioconvert ! opusenc bitrate=96000 ! \
        rtpopuspay pt=96 ! rtprtxsend "$TYPES" ! session.send_rtp_sink \
        session.send_rtp_src ! identity drop-probability=0.1 ! udpsink host=127.0.0.1 "port=$at" \
        udpsrc address=127.0.0.1 "port=$port" reuse=true ! session.recv_rtcp_sink \
        session.send_rtcp_src ! udpsink host=127.0.0.1 "port=$((at + 1))" \
        bind-address=0.0.0.0 "bind-port=$port" sync=false async=false
    # The end of its stream counts, with a goodbye or without. Whether it ends by itself is its own
    # matter: now and then it waits for ever for the session's second sink.
    until_true grep -qs 'has said goodbye\|has gone silent' theirs.err || fail "theirs has not ended"
    until_true has_seconds theirs.wav 4.5 || fail "theirs: too little was recorded"
    kill -INT "$pid_theirs"
    received theirs
}

# ours_is_bound: sets $from to the port that our sender sends from.
ours_is_bound() {
    from=$(ss -Huanp | awk -v pid="pid=$pid_ours_send," 'index($0, pid) { n = split($4, a, ":"); print a[n]; exit }')
    [ -n "$from" ]
}

# Two repetitions are lost as well. GStreamer may ask every 600 ms only, as the rules for the bandwidth
# of RTCP have it, leaves out of its recording what it has not got by `latency`, and all behind that
# is displaced: so it gets time for a third request.
ours() {
    free_port
    start_send ours "$NOISE" "127.0.0.1:$port" --profile music --rtx \
        --loss 10 --seed 3 --stats ours.json
    until_true ours_is_bound || fail "our sender has no port"
    gst_log ours
    peer ours gst-launch-1.0 -q -e rtpsession name=session rtp-profile=avpf \
        udpsrc "port=$port" "caps=$GST_OPUS_CAPS" ! session.recv_rtp_sink \
        session.recv_rtp_src ! rtprtxreceive "$TYPES" ! rtpssrcdemux ! \
        rtpjitterbuffer do-retransmission=true "latency=$((2 * PATIENT_MS))" ! rtpopusdepay ! \
        opusdec plc=true ! audioconvert ! wavenc ! \
        filesink buffer-mode=unbuffered location=ours.wav \
        session.send_rtcp_src ! udpsink host=127.0.0.1 "port=$from" sync=false async=false
    sent ours
    until_true has_seconds ours.wav 3 || fail "GStreamer has not heard enough"
    interrupt ours
}

at_once <<'END'
theirs
ours
END

lost=$(json theirs.json packets.lost)
holds "$lost > 5"
holds "$(json theirs.json retransmission.answered) > 0.6 * $lost"
holds "$(json theirs.json frames.from_rtx) > 0.6 * $lost"
equal "$(json theirs.json sources.0.payload_type)" 96 "payload type of the only source"
gst_said gst_theirs "NACK #"
correlates "$NOISE" theirs.wav 0.95

holds "$(json ours.json retransmission.asked) > 3"
holds "$(json ours.json retransmission.sent) > 3"
equal "$(json ours.json rtcp.rejected)" 0 "rejected RTCP"
holds "$(json ours.json packets.dropped_by_simulation) > 10"
correlates ours.wav "$NOISE" 0.95 10000
