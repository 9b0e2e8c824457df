# What does not belong to a stream does not disturb it, and is counted.
. "$(dirname "$0")/../support/lib.sh"

# Random datagrams among the packets of one stream, and at another one's port.
garbage() {
    "$TOOLS/reference" "$DATA/speech-mono.flac" garbage-ref.wav voice 20
    listen garbage 127.0.0.1:0 --output garbage.wav --delay "$PATIENT_MS" --stats garbage.json \
        --idle-exit 4 # the stream may be over first
    "$TOOLS/rtpblast" 127.0.0.1 "$port" packets=100 pt=0 garbage=20 seed=7 bye=0 &
    blast=$!
    send garbage "$DATA/speech-mono.flac" "127.0.0.1:$port"
    wait "$blast"
    received garbage
    # Random bytes may pass for a first packet of a source, which is nothing before a second one.
    equal "$(json garbage.json packets.received)" 147 "packets received"
    holds "$(json garbage.json packets.rejected) > 1500"
    holds "$(json garbage.json rejected.foreign_payload_type) >= 100"
    holds "$(json garbage.json rejected.not_rtp) > 0"
    equal "$(json garbage.json sources.#)" 1 "sources"
    said garbage "from 1 source "
    same garbage.wav garbage-ref.wav
}

# Packets of another payload type from the same source, like comfort noise or telephone events.
foreign() {
    receive foreign 127.0.0.1:0 --output foreign.wav --delay "$PATIENT_MS" --stats foreign.json
    "$TOOLS/rtpblast" 127.0.0.1 "$port" packets=50 foreign=5
    received foreign
    equal "$(json foreign.json packets.received)" 50 "packets received"
    equal "$(json foreign.json rejected.foreign_payload_type)" 10 "foreign packets"
    equal "$(json foreign.json frames.concealed)" 0 "concealed frames"
    holds "$("$TOOLS/wavtool" tone foreign.wav 440) > -13"
}

# Timestamps that count 8000 Hz, as some senders do against RFC 7587: said once, and played on. Not
# with PATIENT_MS, in which that is known before anything plays.
wrong_clock() {
    receive clock 127.0.0.1:0 --output clock.wav --delay 250 --stats clock.json --events clock.ev
    "$TOOLS/rtpblast" 127.0.0.1 "$port" packets=250 clock=8000
    received clock
    said clock "counts its timestamps at 8000 Hz" 1
    equal "$(json clock.json packets.received)" 250 "packets received"
    equal "$("$TOOLS/jsonget" --lines clock.ev clock_hz)" 8000 "rate in the events"
    loudest_db=-200
    for start in 2.2 2.9 3.6 4.3; do # the first second tells it; a busy machine may spoil others
        sox clock.wav later.wav trim $start 0.5
        loudest_db=$(awk "BEGIN { db = $("$TOOLS/wavtool" tone later.wav 440)
            print (db > $loudest_db ? db : $loudest_db) }")
    done
    holds "$loudest_db > -13"
}

# jump NAME WHAT KEY=VALUE: sequence numbers or timestamps that jump in the middle.
jump() {
    receive "$1" 127.0.0.1:0 --output "$1.wav" --delay "$PATIENT_MS" --stats "$1.json" \
        --events "$1.ev"
    "$TOOLS/rtpblast" 127.0.0.1 "$port" packets=100 at=50 "$3"
    received "$1"
    said "$1" "restarted its $2" 1
    equal "$(json "$1.json" sources.#)" 1 "sources"
    # The first packet of new numbers may be a stray one: it waits for the second.
    holds "$(json "$1.json" packets.received) >= 99"
    holds "$(json "$1.json" played_ms) >= 1980"
    holds "$(frames "$1.wav") >= 48000 * 1.98 && $(frames "$1.wav") <= 48000 * 2.3"
    sox "$1.wav" "$1-end.wav" reverse trim 0.2 0.5
    holds "$("$TOOLS/wavtool" tone "$1-end.wav" 440) > -13"
}

# A sender that is started again has a new SSRC. The old one is not waited for.
restart() {
    listen restart 127.0.0.1:0 --output restart.wav --delay "$PATIENT_MS" --stats restart.json \
        --events restart.ev --idle-exit 1.5
    start_send crash tone:400 "127.0.0.1:$port" --duration 30
    until_true grep -q plays restart.err || fail "nothing plays"
    kill -KILL "$pid" # it says no goodbye
    send again tone:1000 "127.0.0.1:$port" --duration 1
    received restart
    equal "$(json restart.json sources.#)" 2 "sources"
    equal "$(json restart.json sources.1.packets.received)" 50 "packets of the second"
    equal "$(json restart.json sources.1.frames.concealed)" 0 "concealed of the second"
    sox restart.wav end.wav reverse trim 0.2 0.5
    holds "$("$TOOLS/wavtool" tone end.wav 1000) > -13"
    "$TOOLS/jsonget" --lines restart.ev event | grep -c source_started | grep -qx 2 ||
        fail "not two sources started"
}

# Nobody listens: said once, sending goes on, and a receiver that comes later hears it.
refused() {
    free_port
    to=127.0.0.1:$port
    start_send refused tone:400 "$to"
    until_true grep -q refused refused.send.err || fail "the refusal was not said"
    receive refused "$to" --output null --stats refused.json
    until_true grep -q plays refused.err || fail "nothing plays"
    kill -INT "$pid_refused_send"
    sent refused
    received refused
    said refused.send "refused: no program receives on that port" 1
    holds "$(json refused.json packets.received) > 0"
}

at_once <<'END'
garbage
foreign
wrong_clock
jump seq numbering seq_jump=20000
jump ts timestamps ts_jump=1000000000
jump ts_back timestamps ts_jump=-1000000000
restart
refused
END
