# Somebody stands still for longer than a source is waited for: the receiver, stopped, over a stream;
# and the network, cut, under datagrams and under a stream. It is live again afterwards, of one and
# the same source, and what was lost is told. In a network of the test's own, to cut it.
. "$(dirname "$0")/../support/lib.sh"
need ip unshare

if [ "${1:-}" != inside ]; then
    unshare -Urn true 2>/dev/null || skip "this user may not make network namespaces"
    unshare -Urn sh "$SCRIPT" inside
    exit
fi
ip link set lo up

STILL_S=7
AROUND_S=4 # before it, and after it

# begins NAME ADDRESS: a receiver there, and a sender to it.
begins() {
    listen "$1" "$2" --output null --stats "$1.json" --events "$1.ev" --idle-exit 30
    to=127.0.0.1:$port
    [ "$2" = "${2#tcp}" ] || to=tcp://$to
    start_send "$1" tone:400 "$to" --frame 20 --duration $((AROUND_S + STILL_S + AROUND_S))
    until_true grep -q plays "$1.err" || fail "$1: nothing plays"
}

# is_live NAME: it has heard one source, to its end, and not seconds late.
is_live() {
    sent "$1"
    eval "kill -INT \$pid_$1"
    received "$1"
    equal "$(json "$1.json" sources.#)" 1 "sources of $1"
    holds "$(json "$1.json" current_delay_ms) < 1000"
    equal "$("$TOOLS/jsonget" --lines "$1.ev" event | grep -c sequence_jump)" 0 "jumps of $1"
    said "$1" "of audio from 1 source "
}

begins stopped tcp://127.0.0.1:0
sleep $AROUND_S
eval "kill -STOP \$pid_stopped"
sleep $STILL_S
eval "kill -CONT \$pid_stopped"
is_live stopped
equal "$(json stopped.json packets.lost)" 0 "lost while it was stopped"
grep -q "came too late\|left out" stopped.err || fail "the summary does not tell of it"
equal "$("$TOOLS/jsonget" --lines stopped.ev event | grep -c source_started)" 1 "beginnings"

# On one machine a call is answered at once; all the same first things first.
grep -n "" stopped.send.err | grep -q "^2:.*connected to" || fail "it sends before it is connected"

cut_off() { # SECONDS
    sleep $AROUND_S
    ip link set lo down
    sleep "$1"
    ip link set lo up
}

begins datagrams 127.0.0.1:0
cut_off $STILL_S
is_live datagrams
# 7 s of 20 ms; nothing that left is missing in the account.
holds "$(json datagrams.json packets.lost) > 300 && $(json datagrams.json packets.lost) < 400"
holds "$(json datagrams.json packets.lost) + $(json datagrams.json packets.received) >= 740"

# TCP tries again after 0.2 s, and after twice as long each time: after 6.2 s in all, if it cannot
# before, and the next time too late for one who gives a connection up after 10.
begins stream tcp://127.0.0.1:0
cut_off 4
is_live stream
equal "$(json stream.json packets.lost)" 0 "lost of the stream"
