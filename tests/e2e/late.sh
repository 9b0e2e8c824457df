# A delay that is too short for the jitter: what comes too late is told from what is lost.
. "$(dirname "$0")/../support/lib.sh"

receive a 127.0.0.1:0 --output a.wav --delay 10 --stats a.json --events a.events
send a "$DATA/speech.flac" "127.0.0.1:$port" --duration 4 --loss 3 --jitter 30 --seed 3 \
    --stats send.json
received a

holds "$(json a.json packets.late) > 0"
equal "$(json a.json packets.lost)" "$(json send.json packets.dropped_by_simulation)" "packets lost"
holds "$(sum a.json 'glitches.*.ms') == $(json a.json concealed_ms)"
equal "$(json a.json sources.#)" 1 "sources" # the goodbye overtakes nothing
holds "$(json a.json played_ms) + $(json a.json concealed_ms) > 3900"
holds "$(json a.json played_ms) + $(json a.json concealed_ms) <= 4000"

# Each late one by how much.
grep '"cause":"late"' a.events >late.events || fail "no late glitch"
equal "$("$TOOLS/jsonget" --lines late.events late_by_ms | awk '$1 > 0' | wc -l)" \
    "$(wc -l <late.events)" "late glitches that say by how much"

# An adaptive delay learns it: fewer are late.
receive b 127.0.0.1:0 --output b.wav --stats b.json
send b "$DATA/speech.flac" "127.0.0.1:$port" --duration 4 --loss 3 --jitter 30 --seed 3
received b
holds "$(json b.json packets.late) < $(json a.json packets.late)"
holds "$(json b.json target_delay_ms) > 10"
