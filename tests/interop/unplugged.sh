# The sound system goes away under a running stream and comes back: both programs say so, stay, and
# carry on by themselves.
. "$(dirname "$0")/peers.sh"
. "$(dirname "$0")/sound.sh"

jack_start 48000 256 || skip "no JACK"
start_both "--delay auto" "--profile music"

probe before 3 1.5
holds "$(json before.json correlation.p50) > 0.8"
jack_stop
until_true says us "sound card is gone" || fail "the receiver does not notice"
until_true says us.send "microphone is gone" || fail "the sender does not notice"
sleep 1
jack_start 48000 256 || fail "jackd does not start again"
until_true all_are_back || fail "a sound card does not come back"
probe after 3 1.5
holds "$(json after.json correlation.p50) > 0.8"

stop_both
# The same stream, with a hole that is accounted for.
equal "$(json us.json sources.#)" 1 "sources"
equal "$(json us.json packets.lost)" 0 "lost packets"
holds "$(json us.send.json capture.gaps) >= 1 && $(json us.send.json capture.gap_ms) > 900"
