# Protection that was asked for and is not given: the sender says so, once, with what to do. What is
# given, the receiver finds in the packets, and says what it cost.
. "$(dirname "$0")/../support/lib.sh"

# lab NAME ARGUMENT...: in virtual time.
lab() {
    name=$1
    shift
    "$BIN/voxgram-lab" replay "$@" --out "$name.wav" --stats "$name.json" 2>"$name.err" ||
        fail "$name: replay ended with $?"
}

warned() {
    said "$1" "$2" 1
    equal "$(grep -c '^voxgram-[a-z]*: warning' "$1.err")" 1 "warnings of $1"
}

need sox
sox -R -n -r 48000 -c 2 -b 16 noise.wav synth 6 whitenoise norm -6
# A word, and silence.
sox "$DATA/speech.flac" -r 48000 -c 1 -b 16 some.wav trim 0 0.2 pad 0 20

# Nobody at the other end sends reports, or asks.
silent() {
    free_port
    send silent "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --adapt
}

deaf() {
    receive deaf 127.0.0.1:0 --output deaf.wav --delay "$PATIENT_MS" --stats deaf.json
    send deaf "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --rtx --loss 20 --seed 5
    received deaf
}

# Everything at once: both ends agree on what it took.
lavish() {
    receive lavish 127.0.0.1:0 --output lavish.wav --delay "$PATIENT_MS" --stats lavish.json --rtx
    send lavish "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --rtx --fec --red 1 \
        --loss 10 --seed 5 --stats lavish.send.json
    received lavish
}

at_once <<'END'
silent
deaf
lavish
lab large noise.wav --profile music --bitrate 510 --frame 20 --red 1
lab fits noise.wav --profile music --bitrate 96 --frame 20 --red-at 1,3
lab pauses some.wav --dtx --red-at 8,16
END

said silent.send "--adapt: no receiver reports what it loses" 1
warned deaf.send "asks for none again; start it with --rtx"
warned large "--red: "
said large "of the copies are left out: packets of 12" 1
warned pauses "what would be copied was silence and not sent"
for name in lavish.send fits; do
    said $name "warning" 0
done

equal "$(json deaf.json frames.from_rtx)" 0 "repeated to a receiver that does not ask"
holds "$(json deaf.json redundancy.kbps) == 0"
equal "$(json lavish.json red_packets)" "$(awk "BEGIN { print $(json lavish.send.json packets.with_copies) \
    - $(json lavish.send.json packets.dropped_by_simulation) }")" "packets with copies"
holds "$(json lavish.json lbrr_packets) > 100"
holds "$(json lavish.json redundancy.pct) > 0.8 * $(json lavish.send.json redundancy.pct)"
holds "$(json lavish.json redundancy.kbps) > 0.7 * $(json lavish.send.json redundancy.kbps)"
holds "$(json lavish.json sources.0.redundancy.kbps) == $(json lavish.json redundancy.kbps)"
holds "$(json lavish.json wire_kbps) > 2 * $(json lavish.json redundancy.kbps)"
said lavish "  carried    in-band FEC in" 1
said deaf "  carried " 0
