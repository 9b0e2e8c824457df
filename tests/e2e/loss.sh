# A lossy, jittery network that a seed repeats: what the statistics and events say of it.
. "$(dirname "$0")/../support/lib.sh"

NETWORK="--loss 5 --burst 3 --jitter 30 --seed 7"

# stream NAME: through that network; a delay that no jitter of it overtakes makes the outcome exact.
stream() {
    receive "$1" 127.0.0.1:0 --output "$1.wav" --delay "$PATIENT_MS" --stats "$1.json" \
        --events "$1.events"
    # shellcheck disable=SC2086
    send "$1" "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --stats "$1.send.json" $NETWORK
    received "$1"
}

at_once <<'END'
stream a
stream b
stream b2
END

# The seed decides each packet's fate.
for name in packets.received packets.lost frames.concealed concealed_ms; do
    equal "$(json b.json $name)" "$(json a.json $name)" "$name with the same seed"
    equal "$(json b2.json $name)" "$(json a.json $name)" "$name with the same seed"
done
same a.wav b.wav

# Every name that the statistics promise is there.
for name in packets.received packets.lost packets.late packets.duplicate packets.reordered \
    packets.rejected frames.played frames.decoded frames.concealed frames.from_fec \
    frames.from_red frames.from_rtx frames.stretched concealed_ms jitter_ms clock_skew_ppm \
    rtt_ms glitches underruns sources.0.packets.lost sources.0.ssrc; do
    json a.json "$name" >/dev/null
done
for stage in network buffer total; do
    for q in p50 p95 p99 max; do
        json a.json "delay_ms.$stage.$q" >/dev/null
    done
    holds "$(json a.json delay_ms.$stage.p50) <= $(json a.json delay_ms.$stage.p95)"
    holds "$(json a.json delay_ms.$stage.p95) <= $(json a.json delay_ms.$stage.max)"
done
equal "$(json a.json final)" true "final"

# They agree with the sender's and with each other.
lost=$(json a.json packets.lost)
equal "$(json a.send.json packets.sent)" 300 "packets sent"
equal "$(json a.send.json packets.dropped_by_simulation)" "$lost" "packets lost"
equal "$(json a.json packets.received)" $((300 - lost)) "packets received"
holds "$lost > 5 && $lost < 30"
equal "$(json a.json packets.late)" 0 "late packets"
equal "$(json a.json frames.decoded)" $((300 - lost)) "frames decoded"
equal "$(json a.json frames.concealed)" "$lost" "frames concealed"
holds "$(json a.json concealed_ms) == 20 * $lost"
holds "$(sum a.json 'glitches.*.ms') == $(json a.json concealed_ms)"
holds "$(json a.json played_ms) + $(json a.json concealed_ms) == 6000"
equal "$(frames a.wav)" 288000 "frames recorded"

# Sender and receiver are one machine here: the delay is absolute. PATIENT_MS over the fastest packet
# (whose jitter is -30 ms or somewhat more), 20 ms of packet, the codec's 6.5 ms; and how late this
# machine sent.
late_ms=$(awk "BEGIN { print $(json a.send.json pacing_us.max) / 1000 }")
equal "$(json a.json delay_reference)" capture "delay_reference"
total_ms=$(json a.json delay_ms.total.p50)
holds "$total_ms > $PATIENT_MS - 10 && $total_ms < $PATIENT_MS + 100 + $late_ms"
holds "$(json a.json delay_ms.network.max) <= 60 + 20 + $late_ms"
holds "$(json a.json jitter_ms) > 1 && $(json a.json jitter_ms) < 40 + $late_ms"

# Every line of the events is JSON; each glitch has its cause.
"$TOOLS/jsonget" --lines a.events event >events || fail "an event is not JSON"
equal "$(wc -l <events)" "$(wc -l <a.events)" "events with a kind"
equal "$(grep -c glitch events)" "$("$TOOLS/jsonget" --lines a.events cause | wc -l)" \
    "glitches with a cause"
equal "$(sum a.json 'glitches.*.count')" "$(grep -c glitch events)" "glitches in events"
equal "$(sum a.events ms | cut -d . -f 1)" "$(json a.json concealed_ms | cut -d . -f 1)" \
    "ms of the glitches in the events"
equal "$(head -n 1 events) $(tail -n 1 events)" "source_started source_ended" "first and last event"
said a "$lost lost"
