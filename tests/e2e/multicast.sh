# Multicast groups, IPv4 and IPv6, and broadcast, in a network of the test's own.
. "$(dirname "$0")/../support/lib.sh"
need ip unshare

# There, interfaces can be given what it takes, and no other program hears or disturbs it.
if [ "${1:-}" != inside ]; then
    unshare -Urn true 2>/dev/null || skip "this user may not make network namespaces"
    unshare -Urn sh "$SCRIPT" inside
    exit
fi
ip link set lo up multicast on
ip route add 224.0.0.0/4 dev lo
ip link add veth-a type veth peer name veth-b || skip "no virtual Ethernet here"
ip address add 10.9.8.1/24 brd 10.9.8.255 dev veth-a
ip -6 address add fd00::1/64 dev veth-a nodad 2>/dev/null
ip link set veth-a up
ip link set veth-b up

# hears NAME COUNT DESTINATION ARGUMENT...: that many receivers of a group hear one sender.
hears() {
    name=$1 count=$2 to=$3
    shift 3
    for i in $(seq "$count"); do
        receive "$name$i" "$to" --output null --stats "$name$i.json" "$@"
    done
    send "$name" tone:400 "$to" --duration 0.3 "$@"
    for i in $(seq "$count"); do
        received "$name$i"
        equal "$(json "$name$i.json" packets.received)" 15 "packets of $to"
    done
}

hears v4 2 239.1.2.3:5010 --interface lo
hears index 1 239.1.2.4:5010 --interface 1
hears scheme 1 udp://239.1.2.5:5010 --interface lo
# Linux delivers no IPv6 groups on the loopback interface: over the Ethernet.
if grep -qs veth-a /proc/net/if_inet6; then
    hears v6 2 '[ff15::1234]:5010' --interface veth-a
else
    echo "no IPv6 here: left out"
fi

# A group's description as LISTEN.
send describe tone:400 239.1.2.6:5010 --duration 0.02 --interface lo --sdp group.sdp --ttl 3
grep -q '^c=IN IP4 239.1.2.6/3' group.sdp || fail "no connection line for the group"
receive described group.sdp --interface lo --output null --stats described.json
send described tone:400 239.1.2.6:5010 --duration 0.3 --interface lo
received described
equal "$(json described.json packets.received)" 15 "packets of a described group"

# One group is not disturbed by another on the same port.
receive apart 239.1.2.7:5010 --interface lo --output null --stats apart.json
send other tone:400 239.1.2.8:5010 --duration 0.3 --interface lo
send apart tone:400 239.1.2.7:5010 --duration 0.3 --interface lo
received apart
equal "$(json apart.json packets.received)" 15 "packets of one group of two"

# Broadcast.
receive broad :5012 --output null --stats broad.json
send broad tone:400 10.9.8.255:5012 --duration 0.3
received broad
equal "$(json broad.json packets.received)" 15 "packets by broadcast"
