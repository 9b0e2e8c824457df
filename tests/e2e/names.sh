# Names: who calls looks them up again, and calls all their addresses. In a network and with a file of
# hosts of the test's own.
. "$(dirname "$0")/../support/lib.sh"
need ip unshare mount

if [ "${1:-}" != inside ]; then
    unshare -Urnm true 2>/dev/null || skip "this user may not make namespaces"
    unshare -Urnm sh "$SCRIPT" inside
    exit
fi
ip link set lo up
touch hosts
mount --bind hosts /etc/hosts || skip "hosts cannot be named here"

# hosts ADDRESS...: what studio.test means from now on.
hosts() {
    for address in "$@"; do
        echo "$address studio.test"
    done >hosts.new
    cat hosts.new >hosts
}

# ends_heard SENDER RECEIVER
ends_heard() {
    until_true grep -qs 'plays' "$2.err" || fail "$2 hears nothing"
    eval "kill -INT \$pid_${1}_send"
    sent "$1"
    received "$2"
}

# The first address does not answer, the second does; then the host moves to a third.
hosts 127.0.0.2 127.0.0.3
listen here tcp://127.0.0.3:0 --output null
place=$port
start_send moves tone:400 "tcp://studio.test:$place" --stats moves.json
until_true grep -qs 'plays' here.err || fail "the second address is not called"
said moves.send "refused" 0
hosts 127.0.0.4
kill -KILL "$pid_here"
wait "$pid_here" 2>/dev/null
receive there "tcp://127.0.0.4:$place" --output null --stats there.json
ends_heard moves there
holds "$(json there.json packets.received) > 0"
said moves.send "connected to tcp://127.0.0.4:$place" 1
equal "$(json moves.json transport.connected)" 2 "connections"

# No name server: said once, and called where it was.
start_send kept tone:400 "tcp://studio.test:$place" --stats kept.json
listen first "tcp://127.0.0.4:$place" --output null
until_true grep -qs 'plays' first.err || fail "nothing is heard"
hosts
kill -KILL "$pid_first"
wait "$pid_first" 2>/dev/null
until_true grep -qs 'studio.test' kept.send.err || fail "that its name is gone is not told"
receive second "tcp://127.0.0.4:$place" --output null --stats second.json
ends_heard kept second
holds "$(json second.json packets.received) > 0"
