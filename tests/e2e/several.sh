# Several senders at once: mixed into one recording, or a file each.
. "$(dirname "$0")/../support/lib.sh"

# three_tones NAME: three senders, which begin together and end together.
three_tones() {
    for hz in 400 1000 2500; do
        start_send "$1_$hz" "tone:$hz" "127.0.0.1:$port" --duration 2 --profile music
    done
    for hz in 400 1000 2500; do
        sent "$1_$hz"
    done
    received "$1"
}

mixed() {
    receive mixed 127.0.0.1:0 --output mixed.wav --delay 100 --stats mixed.json
    three_tones mixed
    # The others' clocks are pulled to the first one's, so a tone keeps its phase in short pieces only.
    for start in 0.3 1 1.6; do
        sox mixed.wav piece.wav trim $start 0.1
        for hz in 400 1000 2500; do
            db=$("$TOOLS/wavtool" tone piece.wav $hz)
            holds "$db > -13 && $db < -11"
        done
    done
    equal "$(json mixed.json sources.#)" 3 "sources"
    equal "$(json mixed.json packets.received)" 300 "packets"
    sox mixed.wav middle.wav trim 0.2 1.6
    equal "$("$TOOLS/wavtool" clicks middle.wav)" 0 "clicks in the mix"
}

# separate EXTENSION
separate() {
    receive "$1" 127.0.0.1:0 --output "one.$1" --separate --delay 100 --stats "$1.json"
    three_tones "$1"
    equal "$(find . -name "one-*.$1" | wc -l)" 3 "files of --separate"
    found=0
    for file in one-*."$1"; do
        holds "$(frames "$file") >= 96000 - 312 && $(frames "$file") <= 96000"
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
    receive two 127.0.0.1:0 --output two.opus --delay 100
    start_send two_a tone:400 "127.0.0.1:$port" --duration 1
    start_send two_b tone:700 "127.0.0.1:$port" --duration 1
    sent two_a
    sent two_b
    received two
    said two "add --separate" 1
}

# More than --max-streams: refused and counted, without disturbing those that play.
too_many() {
    receive many 127.0.0.1:0 --output many.wav --delay 100 --stats many.json --max-streams 1
    start_send first tone:400 "127.0.0.1:$port" --duration 2
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

at_once <<'END'
mixed
separate wav
separate opus
one_of_two
too_many
END
