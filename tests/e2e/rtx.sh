# What is lost is asked for and sent again: live, through the same loss as without; by a session
# description; and only where somebody asks.
. "$(dirname "$0")/../support/lib.sh"

stream() {
    name=$1
    asks=$2
    shift 2
    receive "$name" 127.0.0.1:0 $asks --output "$name.wav" --delay "$PATIENT_MS" \
        --stats "$name.json" --events "$name.events"
    send "$name" "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --loss 10 --delay 5 --seed 5 \
        --stats "$name.send.json" "$@"
    received "$name"
}

# The sender writes the description, and goes on while its receiver opens it. What it has read ahead
# does not crowd out what it has sent.
described() {
    free_port
    start_send described "$DATA/speech.flac" "127.0.0.1:$port" --loop --duration 8 --buffer 1500 \
        --rtx --loss 10 --delay 5 --seed 5 --sdp described.sdp --stats described.send.json
    until_true test -s described.sdp || fail "no description"
    receive described described.sdp --output described.wav --delay "$PATIENT_MS" --stats described.json
    sent described
    received described
}

at_once <<'END'
stream both --rtx --rtx
stream neither ""
stream nobody_asks "" --rtx
stream nobody_answers --rtx
described
END

equal "$(json both.json packets.lost)" "$(json neither.json packets.lost)" "packets lost"
equal "$(frames both.wav)" "$(frames neither.wav)" "frames recorded"
lost=$(json both.json packets.lost)
holds "$lost > 10"
holds "$(json both.json frames.from_rtx) > 0.8 * $lost"
holds "$(json both.json concealed_ms) < 0.3 * $(json neither.json concealed_ms)"
equal "$(grep -c '"from":"rtx"' both.events)" "$(json both.json frames.from_rtx)" "events"
holds "$(json both.send.json retransmission.sent) >= $(json both.json retransmission.answered)"
holds "$(json both.send.json retransmission.asked) == $(json both.send.json retransmission.sent) + \
    $(json both.send.json retransmission.refused)"
said both.send "packets again" 1

for name in neither nobody_asks nobody_answers; do
    equal "$(json $name.json frames.from_rtx)" 0 "$name: frames sent again"
    equal "$(json $name.send.json retransmission.sent)" 0 "$name: sent again"
done
equal "$(json nobody_asks.json retransmission.nacks)" 0 "requests that nobody wanted"
# Who is not answered gives up.
holds "$(json nobody_answers.json retransmission.asked) <= 45"

grep -q '^a=rtpmap:98 rtx/48000/2' described.sdp || fail "no rtx in the session description"
grep -q '^a=rtcp-fb:96 nack' described.sdp || fail "no nack in the session description"
holds "$(json described.json frames.from_rtx) > 0.7 * $(json described.json packets.lost)"

# In virtual time requests are lost as well.
"$BIN/voxgram-lab" replay "$DATA/speech.flac" --loss 20 --delay 2 --rtx --fec --playout-delay 40 \
    --out lab.wav --stats lab.json 2>lab.err || fail "replay ended with $?"
holds "$(json lab.json frames.from_rtx) > 0.9 * $(json lab.json packets.lost)"
holds "$(json lab.json sent.repeated) > $(json lab.json frames.from_rtx)"
