# Several senders at once: mixed into one recording, or a file each.
. "$(dirname "$0")/../support/lib.sh"

# three_tones NAME: three senders, all of which are there from second 3 to second 5, unless the last
# begins three seconds after the first.
three_tones() {
    for hz in 400 1000 2500; do
        start_send "$1_$hz" "tone:$hz" "127.0.0.1:$port" --duration 5 --profile music
    done
    for hz in 400 1000 2500; do
        sent "$1_$hz"
    done
    received "$1"
}

mixed() {
    receive mixed 127.0.0.1:0 --output mixed.wav --delay "$PATIENT_MS" --stats mixed.json
    three_tones mixed
    # The others' clocks are pulled to the first one's, so a tone keeps its phase in short pieces only.
    for start in 3.1 3.8 4.4; do
        sox mixed.wav piece.wav trim $start 0.1
        for hz in 400 1000 2500; do
            db=$("$TOOLS/wavtool" tone piece.wav $hz)
            holds "$db > -13 && $db < -11"
        done
    done
    equal "$(json mixed.json sources.#)" 3 "sources"
    equal "$(json mixed.json packets.received)" 750 "packets"
    sox mixed.wav middle.wav trim 3.1 1.8
    equal "$("$TOOLS/wavtool" clicks middle.wav)" 0 "clicks in the mix"
}

# separate EXTENSION
separate() {
    receive "$1" 127.0.0.1:0 --output "one.$1" --separate --delay "$PATIENT_MS" --stats "$1.json"
    three_tones "$1"
    equal "$(find . -name "one-*.$1" | wc -l)" 3 "files of --separate"
    found=0
    for file in one-*."$1"; do
        holds "$(frames "$file") >= 240000 - 312 && $(frames "$file") <= 240000"
        for hz in 400 1000 2500; do
            db=$("$TOOLS/wavtool" tone "$file" $hz)
            found=$(awk "BEGIN { print $found + ($db > -13) }")
            holds "$db > -13 || $db < -50"
        done
    done
    equal "$found" 3 "tones, one in each file"
    "$TOOLS/jsonget" "$1.json" 'sources.*.ssrc' | while read -r ssrc; do
        [ -f "$(printf 'one-%08x.%s' "$ssrc" "$1")" ] || fail "no file is named after SSRC $ssrc"
    done || exit 1
}

# An Ogg stream holds one source; that others are left out is said.
one_of_two() {
    receive two 127.0.0.1:0 --output two.opus --delay "$PATIENT_MS"
    start_send two_a tone:400 "127.0.0.1:$port" --duration 4
    start_send two_b tone:700 "127.0.0.1:$port" --duration 1
    sent two_a
    sent two_b
    received two
    said two "add --separate" 1
}

# More than --max-streams: refused and counted, without disturbing those that play.
too_many() {
    receive many 127.0.0.1:0 --output many.wav --delay "$PATIENT_MS" --stats many.json --max-streams 1
    start_send first tone:400 "127.0.0.1:$port" --duration 6
    until_true grep -q plays many.err || fail "nothing plays"
    start_send second tone:1000 "127.0.0.1:$port" --duration 1
    sent first
    sent second
    received many
    holds "$(json many.json rejected.too_many_sources) > 0"
    equal "$(json many.json frames.concealed)" 0 "concealed frames"
    holds "$("$TOOLS/wavtool" tone many.wav 400) > -13"
    holds "$("$TOOLS/wavtool" tone many.wav 1000) < -50"
}

# Each with another protection and losses of its own: what repaired is told of whom it repaired.
protected() {
    receive protected 127.0.0.1:0 --output protected.wav --rtx --delay "$PATIENT_MS" \
        --stats protected.json
    start_send plain "$DATA/speech.flac" "127.0.0.1:$port" --duration 5 --loss 8 --seed 1
    start_send coarse "$DATA/speech.flac" "127.0.0.1:$port" --duration 5 --loss 9 --seed 2 --fec
    start_send copied "$DATA/speech.flac" "127.0.0.1:$port" --duration 5 --loss 10 --seed 3 \
        --red-at 1,3
    start_send again "$DATA/speech.flac" "127.0.0.1:$port" --duration 5 --loss 11 --seed 4 --rtx \
        --stats again.json
    for who in plain coarse copied again; do
        sent $who
    done
    received protected
    "$TOOLS/jsonget" --lines protected.json 'sources.*.frames.from_fec' >fec
    "$TOOLS/jsonget" --lines protected.json 'sources.*.frames.from_red' >red
    "$TOOLS/jsonget" --lines protected.json 'sources.*.frames.from_rtx' >rtx
    "$TOOLS/jsonget" --lines protected.json 'sources.*.concealed_ms' >concealed
    paste fec red rtx concealed >protected.sources
    # One source each has but this; the plain one has none and is concealed most.
    equal "$(awk '$1 > 3 && $2 == 0 && $3 == 0' protected.sources | wc -l)" 1 "repaired by FEC"
    equal "$(awk '$1 == 0 && $2 > 3 && $3 == 0' protected.sources | wc -l)" 1 "repaired by copies"
    equal "$(awk '$1 == 0 && $2 == 0 && $3 > 3' protected.sources | wc -l)" 1 "sent again"
    equal "$(awk '$1 + $2 + $3 == 0 && $4 > 60' protected.sources | wc -l)" 1 "not repaired"
    # Those too may be dropped on their way.
    holds "$(json again.json retransmission.sent) >= $(json protected.json retransmission.answered)"
}

at_once <<'END'
mixed
protected
separate wav
separate opus
one_of_two
too_many
END
