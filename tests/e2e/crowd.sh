# A sender with 200 receivers over TCP, 20 of which never read: those are let go, and the other 180
# hear every packet. It counts; how soon is no question here.
. "$(dirname "$0")/../support/lib.sh"
# Each end of 200 connections is a file descriptor.
[ "$(ulimit -n)" -ge 512 ] || ulimit -n 512 || skip "not enough file descriptors"

is_waiting() {
    grep -qs 'listening on' server.send.err
}

start_send server tone:400 tcp://127.0.0.1:0 --listen --profile music --channels 2 --bitrate 510 \
    --frame 20 --duration 8 --stats server.json
until_true is_waiting || fail "the sender does not listen"
port=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' server.send.err)
"$TOOLS/crowd" 127.0.0.1 "$port" 180 20 >crowd.json 2>crowd.err || fail "the crowd: $?"
sent server
equal "$(json crowd.json whole)" 180 "receivers that heard all from when they came to the goodbye"
equal "$(json crowd.json missing)" 0 "packets missing in the middle"
equal "$(json server.json transport.connected)" 200 "connections"
equal "$(json server.json transport.too_slow)" 20 "receivers let go"
holds "$(json crowd.json least) > 100"
# A few are told, not each.
holds "$(grep -c . server.send.err) < 150"
