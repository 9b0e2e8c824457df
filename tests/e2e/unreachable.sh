# What the network may answer: no route, no host, silence, a port that is not ours to have. In a
# network of the test's own, where nothing is there but what the test makes.
. "$(dirname "$0")/../support/lib.sh"
need ip unshare

if [ "${1:-}" != inside ]; then
    unshare -Urn true 2>/dev/null || skip "this user may not make network namespaces"
    unshare -Urn sh "$SCRIPT" inside
    exit
fi
ip link set lo up

# fails NAME TEXT ARGUMENT...: a sender that cannot begin says why, with the address.
fails() {
    name=$1 text=$2
    shift 2
    "$BIN/voxgram-send" tone:400 "$@" --connect-timeout 0.6 2>"$name.err"
    equal $? 1 "status of $name"
    said "$name" "$text"
}

# goes_on NAME TEXT ARGUMENT...: datagrams that go nowhere are told once, and the stream goes on.
goes_on() {
    name=$1 text=$2
    shift 2
    "$BIN/voxgram-send" tone:400 "$@" --duration 0.3 --stats "$name.json" 2>"$name.err" ||
        fail "$name: the sender has ended"
    said "$name" "$text"
    equal "$(json "$name.json" packets.sent)" 15 "packets of $name"
    holds "$(json "$name.json" packets.failed) >= 15"
}

at_once <<'END'
fails no_route "cannot be reached (Network is unreachable)" tcp://192.0.2.1
goes_on no_route_udp "no route" 192.0.2.1
goes_on no_group_route "no route" 239.1.2.3
END

ip link add veth-a type veth peer name veth-b || skip "no virtual Ethernet here"
ip address add 10.9.8.1/24 brd 10.9.8.255 dev veth-a
ip link set veth-a up
ip link set veth-b up

# An address of this network that nobody has: the kernel asks for it three times, a second each.
absent() {
    "$BIN/voxgram-send" tone:400 tcp://10.9.8.77 --connect-timeout 20 2>absent.err &
    pid_absent=$!
    until_true grep -qs 'cannot be reached' absent.err || fail "an absent host is not told"
    kill -INT $pid_absent
    wait $pid_absent
    equal $? 0 "status of a sender that was interrupted"
}

# A host that takes what comes and says nothing.
silent() {
    "$BIN/voxgram-send" tone:400 tcp://10.9.8.66 --connect-timeout 1.2 2>silent.err
    equal $? 1 "status of a sender to a silent host"
    said silent "nobody answered at tcp://10.9.8.66:5004 in 1.2 s" 1
}
ip neighbour add 10.9.8.66 lladdr 02:00:00:00:00:66 dev veth-a

# The receiver's machine is gone, without a word: noticed, told, and called again.
vanished() {
    receive vanished tcp://10.9.8.1:0 --output null --idle-exit never
    start_send vanished tone:400 "tcp://10.9.8.1:$port" --stats vanished.json
    until_true grep -qs 'plays' vanished.err || fail "nothing is heard"
    kill -KILL "$pid_vanished"
    wait "$pid_vanished" 2>/dev/null
    until_true grep -qs 'refused' vanished.send.err || fail "that it is gone is not told"
    kill -INT "$pid_vanished_send"
    sent vanished
    equal "$(json vanished.json transport.connected)" 1 "connections"
}

at_once <<'END'
absent
silent
vanished
END
