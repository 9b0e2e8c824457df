# The microphone goes away and comes back with another rate: the stream goes on, and the receiver
# takes the hole for what it is, a gap at the sender.
. "$(dirname "$0")/peers.sh"
. "$(dirname "$0")/sound.sh"

jack_start 48000 256 || skip "no JACK"
listen us 127.0.0.1:0 --output us.wav --stats us.json --delay "$PATIENT_MS"
start_send us mic "127.0.0.1:$port" --stats us.send.json --profile music --frame 60
sender=$pid
until_true says us "source" || fail "nothing arrives"

sleep 1
jack_stop
until_true says us.send "microphone is gone" || fail "the sender does not notice"
jack_start 44100 256 || fail "jackd does not start again"
until_true says us.send "now runs at 44100 Hz, mono" || fail "the microphone does not come back"
sleep 1

kill -INT "$sender"
sent us
received us # when all is played
equal "$(json us.json sources.#)" 1 "sources"
equal "$(json us.json packets.lost)" 0 "lost packets"
equal "$(json us.json packets.late)" 0 "late packets"
holds "$(json us.send.json capture.gaps) >= 1 && $(json us.send.json capture.gap_ms) > 900"
equal "$(json us.json 'glitches.*.cause' | sort -u)" sender_gap "causes of glitches"
# All that is missing but what filled up the frame that had begun, or with what had begun.
holds "$(sum us.json 'glitches.*.ms') > $(json us.send.json capture.gap_ms) - 70"
holds "$(sum us.json 'glitches.*.ms') < $(json us.send.json capture.gap_ms) + 70"
