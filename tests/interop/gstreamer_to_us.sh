# GStreamer sends: rtpopuspay straight into a udpsink, which is RTP alone; and by rtpsink, which is
# rtpbin with RTCP both ways on the ports above.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0

ENCODER="wavparse ! audioconvert ! opusenc bitrate=96000 ! rtpopuspay pt=96"

plain() {
    listen plain 127.0.0.1:0 --output plain.wav --delay "$PATIENT_MS" --stats plain.json \
        --idle-exit never
    peer gst_plain gst-launch-1.0 -q filesrc "location=$NOISE" ! $ENCODER ! \
        udpsink host=127.0.0.1 "port=$port"
    finished gst_plain 0
    until_true has_seconds plain.wav 5 || fail "not all is played"
    kill -INT "$pid_plain"
    received plain
}

# rtpsink wants an even port, and its own RTCP goes to the one above.
rtcp() {
    free_port
    receive rtcp "127.0.0.1:$port" --output rtcp.wav --delay "$PATIENT_MS" --stats rtcp.json
    gst_log gst_rtcp
    peer gst_rtcp gst-launch-1.0 -q filesrc "location=$NOISE" ! $ENCODER ! identity sync=true ! \
        rtpsink "uri=rtp://127.0.0.1:$port"
    received rtcp
    # It says goodbye at the end and then, now and then, waits for ever (GStreamer 1.22.0).
    kill -KILL "$pid_gst_rtcp" 2>/dev/null
    true
}

at_once <<'END'
plain
rtcp
END

for name in plain rtcp; do
    correlates "$NOISE" $name.wav 0.95
    equal "$(json $name.json packets.lost)" 0 "lost packets"
    equal "$(json $name.json frames.concealed)" 0 "concealed frames"
    holds "$(json $name.json played_ms) >= 5000 && $(json $name.json played_ms) <= 5040"
done
holds "$(seconds rtcp.wav) >= 5 && $(seconds rtcp.wav) <= 5.04"
holds "$(seconds plain.wav) >= 5 && $(seconds plain.wav) <= 5.6"

# RTCP: we understood its SDES and BYE, it our reports.
said rtcp "has said goodbye"
holds "length(\"$(json rtcp.json sources.0.cname)\") > 3"
gst_said gst_rtcp "got RR packet"
gst_said gst_rtcp "got SDES packet"
