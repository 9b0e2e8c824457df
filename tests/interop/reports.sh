# Reports of GStreamer's rtpbin, here inside rtpsrc, come back to our sender, and say the truth.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0

free_port
gst_log gst
peer gst gst-launch-1.0 -q -e \
    rtpsrc "uri=rtp://127.0.0.1:$port?encoding-name=OPUS&payload=96&clock-rate=48000&media=audio" \
    latency=1500 ! rtpopusdepay ! opusdec ! audioconvert ! wavenc ! filesink buffer-mode=unbuffered location=gst.wav
bound "$port" gst
bound $((port + 1)) gst
send us "$NOISE" "127.0.0.1:$port" --profile music --no-rtcp-mux --loss 10 --seed 3 --loop \
    --duration 6 --stats us.json
heard=$(awk "BEGIN { print 6 - 0.02 * $(json us.json packets.dropped_by_simulation) }")
until_true has_seconds gst.wav "$heard - 0.1" # what it still holds it writes when it ends
interrupt gst

# Theirs at ours.
holds "$(json us.json receiver.reports) >= 1"
equal "$(json us.json rtcp.rejected)" 0 "rejected RTCP"
holds "$(json us.json receiver.lost) >= 1 && $(json us.json receiver.lost) < 60"
# As a busy machine has them, too.
holds "$(json us.json rtt_ms) >= 0 && $(json us.json rtt_ms) < 2000"
holds "$(json us.json receiver.jitter_ms) >= 0 && $(json us.json receiver.jitter_ms) < 500"

# Ours at theirs.
gst_said gst "got SR packet"
gst_said gst "got SDES packet"
gst_said gst "got BYE packet"
grep -qE 'invalid|bad RTCP|dropping' gst.rtp && fail "GStreamer dislikes a packet of ours"
# It plays what came and nothing for what did not.
holds "$(seconds gst.wav) > $heard - 0.1 && $(seconds gst.wav) < $heard + 0.1"
