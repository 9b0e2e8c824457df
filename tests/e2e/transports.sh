# The same stream over every transport, in both roles where there are two: the same recording, the
# same statistics.
. "$(dirname "$0")/../support/lib.sh"

clip=$DATA/speech-mono.flac

check() { # NAME KIND
    received "$1"
    sent "$1"
    equal "$(json "$1.json" packets.received)" "$(json "$1.send.json" packets.sent)" "packets of $1"
    equal "$(json "$1.json" packets.lost)" 0 "packets of $1 that were lost"
    equal "$(json "$1.json" transport.kind)" "$2" "kind of transport at the receiver of $1"
    equal "$(json "$1.send.json" transport.kind)" "$2" "kind of transport at the sender of $1"
    holds "$(json "$1.send.json" receiver.reports) >= 1" # RTCP comes back the same way
    equal "$(json "$1.json" sources.0.state)" ended "end of $1"
}

# carries NAME KIND LISTEN DESTINATION: the receiver listens; %P stands for its port.
carries() {
    receive "$1" "$3" --output "$1.wav" --delay "$PATIENT_MS" --stats "$1.json"
    start_send "$1" "$clip" "$(echo "$4" | sed "s/%P/$port/")" --stats "$1.send.json"
    check "$1" "$2"
}

is_waiting() {
    grep -qs 'listening on' "$1.send.err"
}

# serves NAME KIND LISTEN CALL: the sender listens.
serves() {
    start_send "$1" "$clip" "$3" --listen --stats "$1.send.json"
    until_true is_waiting "$1" || fail "the sender of $1 does not listen"
    port=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' "$1.send.err")
    "$BIN/voxgram-recv" "$(echo "$4" | sed "s/%P/$port/")" --connect --output "$1.wav" \
        --delay "$PATIENT_MS" --stats "$1.json" --idle-exit 0.1 --duration 180 \
        >"$1.out" 2>"$1.err" </dev/null &
    eval "pid_$1=$!"
    running="$running $!"
    check "$1" "$2"
    equal "$(json "$1.json" transport.connected)" 1 "connections of $1"
    equal "$(json "$1.send.json" transport.connected)" 1 "connections of the sender of $1"
}

at_once <<'END'
carries udp udp 127.0.0.1:0 127.0.0.1:%P
carries tcp tcp tcp://127.0.0.1:0 tcp://127.0.0.1:%P
carries tcp_any tcp tcp://:0 tcp://localhost:%P
carries unix unix unix:here.sock unix:here.sock
carries abstract unix unix:@voxgram-$$ unix:@voxgram-$$
carries unix_stream unix-stream unix-stream:stream.sock unix-stream:stream.sock
serves tcp_server tcp tcp://127.0.0.1:0 tcp://127.0.0.1:%P
serves unix_server unix-stream unix-stream:server.sock unix-stream:server.sock
END
for other in tcp tcp_any unix abstract unix_stream tcp_server unix_server; do
    same udp.wav $other.wav
done
for left in here.sock stream.sock server.sock; do
    [ ! -e $left ] || fail "$left was left behind"
done

# The network options mean the same on each: what is dropped before it is sent is missing.
lossy() { # NAME LISTEN DESTINATION
    receive "$1" "$2" --output null --delay "$PATIENT_MS" --stats "$1.json"
    send "$1" "$clip" "$(echo "$3" | sed "s/%P/$port/")" --loss 20 --seed 5 --stats "$1.send.json"
    received "$1"
    json "$1.json" packets.lost >"$1.lost"
}
at_once <<'END'
lossy lossy_udp 127.0.0.1:0 127.0.0.1:%P
lossy lossy_tcp tcp://127.0.0.1:0 tcp://127.0.0.1:%P
lossy lossy_unix unix:lossy.sock unix:lossy.sock
END
holds "$(cat lossy_udp.lost) > 5"
equal "$(cat lossy_tcp.lost)" "$(cat lossy_udp.lost)" "packets lost over TCP"
equal "$(cat lossy_unix.lost)" "$(cat lossy_udp.lost)" "packets lost over a Unix socket"
