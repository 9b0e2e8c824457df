# Copies of earlier packets repair: live, through the same loss as without; in the session
# description; and what cannot be is refused.
. "$(dirname "$0")/../support/lib.sh"

# stream NAME ARGUMENT...: real speech through the same bursts of loss.
stream() {
    name=$1
    shift
    receive "$name" 127.0.0.1:0 --output "$name.wav" --delay "$PATIENT_MS" --stats "$name.json" \
        --events "$name.events"
    send "$name" "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --loss 20 --burst 3 --seed 5 \
        --stats "$name.send.json" "$@"
    received "$name"
}

at_once <<'END'
stream without
stream one --red 1 --red-spacing 3 --sdp one.sdp
stream two --red 2 --red-spacing 3 --fec
END

for name in one two; do
    equal "$(json $name.json packets.lost)" "$(json without.json packets.lost)" "packets lost"
    equal "$(frames $name.wav)" "$(frames without.wav)" "frames recorded"
    holds "$(json $name.json frames.from_red) > 20"
    equal "$(grep -c '"from":"red"' $name.events)" "$(json $name.json frames.from_red)" "events"
    holds "$(json $name.send.json packets.with_copies) > 290"
    holds "$(json $name.send.json redundancy.kbps) > 20"
done
holds "$(json two.json concealed_ms) < $(json one.json concealed_ms)"
holds "$(json one.json concealed_ms) < 0.6 * $(json without.json concealed_ms)"
equal "$(json without.json frames.from_red)" 0 "copies where none were sent"
holds "$(json without.send.json redundancy.kbps) == 0"
said one.send "Copies of earlier ones were in" 1
grep -q '^a=rtpmap:97 red/48000/2' one.sdp || fail "no red in the session description"

# In virtual time the same engine, and the trace of a call does not mind copies.
"$BIN/voxgram-lab" replay "$DATA/speech.flac" --loss 20 --burst 3 --red 2 --red-spacing 3 --fec \
    --playout-delay 140 --out lab.wav --stats lab.json --trace-out lab.trace 2>lab.err ||
    fail "replay ended with $?"
holds "$(json lab.json frames.from_red) > 60"
holds "$(grep -vc '^#' lab.trace) > 900"

# What RED cannot say.
"$BIN/voxgram-send" tone:400 127.0.0.1:9 --red 4 --red-spacing 5 2>far.err && fail "taken"
grep -q "RED can say 341 at most" far.err || fail "no reason given"
