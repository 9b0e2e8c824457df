# For the tests of `voxgram-lab link`.

# Asked of the system and not of our program, which could be broken.
can_link() {
    need unshare setpriv
    unshare -rn true 2>/dev/null || unshare -n true 2>/dev/null ||
        skip "this user may not make network namespaces"
    [ -e /proc/net/packet ] || skip "no packet sockets here"
    command -v ip >/dev/null || return 0
    unshare -rn ip link add type veth 2>/dev/null || unshare -n ip link add type veth 2>/dev/null ||
        skip "no virtual Ethernet here"
}
