# For the tests of `voxgram-lab link`.

# Asked of the system and not of our program, which could be broken.
can_link() {
    need unshare setpriv
    [ -r /dev/net/tun ] && [ -w /dev/net/tun ] || skip "no /dev/net/tun for this user"
    unshare -rn true 2>/dev/null || unshare -n true 2>/dev/null ||
        skip "this user may not make network namespaces"
}
