# Addresses as people write them, at both ends.
. "$(dirname "$0")/../support/lib.sh"

# reaches NAME LISTEN DESTINATION: %P stands for the port.
reaches() {
    case $2 in
    *.sdp) listen "$1" "$2" --output null --idle-exit 0.1 --stats "$1.json" ;;
    *) receive "$1" "$2" --output null --stats "$1.json" ;;
    esac
    send "$1" tone:400 "$(echo "$3" | sed "s/%P/$port/")" --duration 0.3
    received "$1"
    equal "$(json "$1.json" packets.received)" 15 "packets from $3 to $2"
}

has_ipv6() {
    listen probe '[::1]:0' --output null --duration 0.01 2>/dev/null && received probe
}

at_once <<'END'
reaches v4 127.0.0.1:0 127.0.0.1:%P
reaches scheme udp://127.0.0.1:0 udp://127.0.0.1:%P
reaches name localhost:0 localhost:%P
reaches any :0 127.0.0.1:%P
reaches bare 127.0.0.2:0 127.0.0.2:%P
END
if (has_ipv6 >/dev/null); then
    at_once <<'END'
reaches v6 [::1]:0 [::1]:%P
reaches any6 [::]:0 [::1]:%P
reaches any4 [::]:0 127.0.0.1:%P
reaches scheme6 udp://[::1]:0 udp://[::1]:%P
END
else
    echo "no IPv6 here: left out"
fi

# The port has a default, and services have names. Both are well-known ports, which may be taken, but
# not by another run of this test: each has an address of its own.
host=127.$((64 + $$ / 62500 % 64)).$(($$ / 250 % 250)).$((1 + $$ % 250))
if "$BIN/voxgram-recv" "$host" --output null --duration 0.01 2>/dev/null; then
    listen default "$host" --output null --idle-exit 0.1 --stats default.json
    equal "$port" 5004 "default port"
    send default tone:400 "$host" --duration 0.3
    received default
    equal "$(json default.json packets.received)" 15 "packets to the default port"
else
    echo "port 5004 is taken: left out"
fi
if "$BIN/voxgram-recv" "$host:sip" --output null --duration 0.01 2>/dev/null; then
    listen service "$host:sip" --output null --idle-exit 0.1 --stats service.json
    equal "$port" 5060 "port of sip"
    send service tone:400 "$host:sip" --duration 0.3
    received service
    equal "$(json service.json packets.received)" 15 "packets to a service"
else
    echo "there is no service sip, or its port is taken: left out"
fi

# The sender's description as LISTEN: its port, payload type and all.
free_port
send describe tone:400 "127.0.0.1:$port" --duration 0.02 --sdp session.sdp
grep -q "^m=audio $port RTP/AVP 96" session.sdp || fail "no media line for port $port"
grep -q '^a=rtpmap:96 opus/48000/2' session.sdp || fail "no rtpmap"
reaches described session.sdp "127.0.0.1:$port"
