# The programs of docs/examples do what docs/sockets.md says of them, over loopback, on ports that the
# system chooses, and say what is wrong when something is.
. "$(dirname "$0")/../support/lib.sh"
: "${EXAMPLES:?the folder of the programs built from docs/examples}"

# start NAME PROGRAM ARGUMENT...: one that waits for others; its output in NAME.out and NAME.err. Sets
# $pid, and the $port that it says it has.
start() {
    who=$1 program=$2
    shift 2
    # Without timeout(1): at the end that would be killed, and what it had started live on.
    "$EXAMPLES/$program" "$@" >"$who.out" 2>"$who.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_$who=$pid"
    until_true is_ready "$who" "$pid" || fail "$who is not ready"
    port=$(sed -n '1s/^.*[: ]\([0-9]*\)$/\1/p' "$who.out")
}

is_ready() {
    grep -qs '^listening on\|^receiving \|^joined' "$1.out" || ! kill -0 "$2" 2>/dev/null
}

# run NAME STATUS PROGRAM ARGUMENT...: one that ends, with that status. Standard input is the caller's.
run() {
    who=$1 wanted=$2 program=$3
    shift 3
    timeout 300 "$EXAMPLES/$program" "$@" >"$who.out" 2>"$who.err"
    equal $? "$wanted" "status of $who"
}

# stop NAME [SIGNAL]: ends it, and waits for that.
stop() {
    eval "stopped=\$pid_$1"
    kill -"${2:-TERM}" "$stopped"
    wait "$stopped"
}

# told NAME TEXT [COUNT]: a program's standard output has this text, soon, in so many lines.
told() {
    until_true has_lines "$@" || fail "$1 did not print: $2, but: $(cat "$1.out")"
}

has_lines() {
    [ "$(grep -cF -- "$2" "$1.out")" -ge "${3:-1}" ]
}

# ---- each by the command in its first lines ----

builds_alone() {
    command -v cc >/dev/null || return 0
    cp -r "$ROOT/docs/examples" alone && cd alone || exit 2
    for source in *.c; do
        line=$(sed -n 's/^ \*  *\(cc -std=c11 .*\)$/\1/p' "$source")
        [ -n "$line" ] || fail "$source does not tell how to build it"
        (eval "$line") 2>"$WORK/build.err" || fail "$source: $line"
        [ ! -s "$WORK/build.err" ] || fail "$source: the compiler warns"
        [ -x "${source%.c}" ] || fail "$source: $line makes no ${source%.c}"
        "./${source%.c}" </dev/null >/dev/null 2>&1
        status=$?
        [ "$source" = byte_order.c ] || equal $status 2 "status of ${source%.c} without arguments"
    done
}

# ---- TCP ----

tcp_echo() {
    start tcp tcp_echo_server 0 127.0.0.1
    run hello 0 tcp_echo_client 127.0.0.1 "$port" "good morning"
    equal "$(cat hello.out)" "good morning" "what came back"
    told tcp "has ended: 12 bytes"
    run name 0 tcp_echo_client localhost "$port" again
    equal "$(cat name.out)" again "what came back by a name"
    head -c 100000 /dev/urandom >sent
    run file 0 tcp_echo_client 127.0.0.1 "$port" - <sent
    cmp sent file.out || fail "a file changed on the way"
}

# Somebody who has come and says nothing keeps a server that serves one after the other from the next.
tcp_timeout() {
    start busy tcp_echo_server 0 127.0.0.1
    mkfifo silent
    timeout 300 "$EXAMPLES/tcp_echo_client" 127.0.0.1 "$port" - <silent >/dev/null 2>&1 &
    running="$running $!"
    exec 7>silent
    told busy "has come"
    run waiting 1 tcp_echo_client 127.0.0.1 "$port" hello 0.3
    said waiting "it does not answer in time"
    exec 7>&-
    told busy "has come" 2 # it had waited in the kernel, and is served though it has gone
}

tcp_refused() {
    free_port # by nobody, and the system gives it to nobody
    run refused 1 tcp_echo_client 127.0.0.1 "$port" hello
    said refused "cannot connect to 127.0.0.1 (127.0.0.1) port $port: Connection refused; nobody listens"
}

# The name server, if there is one, may take its time: a label of 64 bytes asks nobody.
tcp_no_name() {
    name=$(printf 'a%.0s' $(seq 64)).invalid
    run name_client 1 tcp_echo_client "$name" 7000 hello
    said name_client "cannot look up $name port 7000: "
    said name_client "check the spelling"
    run name_sender 1 udp_send "$name" 7000 hello
    said name_sender "cannot look up"
    run service 1 tcp_echo_client 127.0.0.1 no-such-service hello
    said service "cannot look up 127.0.0.1 port no-such-service"
}

in_use() { # NAME PROGRAM TEXT
    start "$1" "$2" 0
    run "$1_second" 1 "$2" "$port"
    said "$1_second" "$3 $port: "
    said "$1_second" "choose another"
}

not_here() {
    run elsewhere 1 tcp_echo_server 0 192.0.2.1
    said elsewhere "this machine has no such address"
}

# As root everything is permitted: then as somebody else.
below_1024() {
    [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null)" = 1024 ] || return 0
    as=
    if [ "$(id -u)" = 0 ]; then
        command -v setpriv >/dev/null || return 0
        chmod 711 "$WORK"
        mkdir -m 755 bin
        cp "$EXAMPLES/tcp_echo_server" "$EXAMPLES/udp_receive" bin
        EXAMPLES=$WORK/bin
        as="setpriv --reuid=65534 --regid=65534 --clear-groups"
        $as "$EXAMPLES/udp_receive" 2>/dev/null # no arguments: 2, if it can be run at all
        [ $? -eq 2 ] || return 0
    fi
    for program in tcp_echo_server udp_receive; do
        $as "$EXAMPLES/$program" 7 >low.out 2>low.err
        equal $? 1 "status of $program on port 7"
        said low "port 7: Permission denied; ports below 1024 are for root"
    done
}

# ---- datagrams ----

udp() {
    start udp udp_receive 0
    run datagram 0 udp_send 127.0.0.1 "$port" "good morning"
    grep -q '^try [1-5]: acknowledged after [0-9]* ms' datagram.out || fail "not acknowledged"
    told udp ": good morning"
    grep -q '^127.0.0.1:[0-9]*: [0-9]* bytes: good morning$' udp.out || fail "who sent it?"
    run quiet 0 udp_receive 0 0 0.1
    grep -q '^nothing for 0.1 s: done$' quiet.out || fail "it does not say that it ends"
}

udp_again() {
    start deaf udp_receive 0 2
    run again 0 udp_send 127.0.0.1 "$port" hello
    said again "try 1: no answer within 200 ms"
    said again "try 2: no answer within 400 ms"
    grep -q '^try [345]: acknowledged' again.out || fail "it was never acknowledged"
    equal "$(grep -c 'thrown away' deaf.out)" 2 "datagrams thrown away"
}

udp_silence() {
    start silent_one udp_receive 0 100
    run silence 1 udp_send 127.0.0.1 "$port" hello
    said silence "try 5: no answer within 3200 ms"
    said silence "gave up: nobody listens there"
}

unix_datagrams() {
    start unix unix_datagram receive "$WORK/x.sock" 2
    run one 0 unix_datagram send "$WORK/x.sock" "good morning"
    run second 1 unix_datagram receive "$WORK/x.sock"
    said second "another receiver has it"
    run two 0 unix_datagram send "$WORK/x.sock" "bye"
    wait "$pid_unix" || fail "the receiver ended with $?"
    equal "$(tail -n 2 unix.out)" "12 bytes: good morning
3 bytes: bye" "what came"
    [ ! -e x.sock ] || fail "the path is left over"
}

unix_errors() {
    run absent 1 unix_datagram send "$WORK/none.sock" x
    said absent "there is no such file; start the receiver first"
    start killed unix_datagram receive "$WORK/old.sock"
    stop killed
    [ -S old.sock ] || fail "a killed receiver leaves its path"
    run dead 1 unix_datagram send "$WORK/old.sock" x
    said dead "whoever made this socket has ended"
    start heir unix_datagram receive "$WORK/old.sock"
    run alive 0 unix_datagram send "$WORK/old.sock" x
    wait "$pid_heir" || fail "a path that is left over is not taken over"
    run long 1 unix_datagram send "/$(printf 'x%.0s' $(seq 200))" x
    said long "is too long: a socket's path has at most 107 bytes"
}

# ---- many at once ----

# Three who talk, one who only sends, without ever reading: that one is let go, the others hear all.
many() { # PROGRAM
    start "$1" "$1" 0
    server=$port
    mkfifo "$1.held"
    timeout 300 "$EXAMPLES/tcp_echo_client" 127.0.0.1 "$server" - <"$1.held" >"$1.a.out" 2>"$1.a.err" &
    early=$!
    exec 7>"$1.held"
    told "$1" "has come"
    head -c 200000000 /dev/zero | timeout 300 "$EXAMPLES/tcp_echo_client" 127.0.0.1 "$server" - \
        >/dev/null 2>"$1.stalled.err"
    said "$1.stalled" "the server is lost: "
    grep -q 'reset by peer\|Broken pipe' "$1.stalled.err" || fail "the one that stalls is not let go"
    told "$1" "too slow, its queue is full"
    run "$1.b" 0 tcp_echo_client 127.0.0.1 "$server" "good morning"
    equal "$(cat "$1.b.out")" "good morning" "what came back while another one waits"
    echo "still here" >&7
    exec 7>&-
    wait "$early" || fail "the first client ended with $?"
    equal "$(cat "$1.a.out")" "still here" "what came back to the first"
    equal "$(grep -c '^[1-9][0-9]* let go: it has ended' "$1.out")" 2 "clients that ended in order"
}

libuv_ends() {
    start ends libuv_echo 0
    mkfifo ends.held
    timeout 300 "$EXAMPLES/tcp_echo_client" 127.0.0.1 "$port" - <ends.held >/dev/null 2>&1 &
    exec 7>ends.held
    told ends "has come"
    stop ends INT || fail "libuv_echo ended with $?"
    grep -q 'let go: the server ends' ends.out || fail "a client was forgotten"
    exec 7>&-
}

bytes() {
    run bytes 0 byte_order
    grep -q '^htons(5004), as the network has it 13 8c$' bytes.out || fail "htons: $(cat bytes.out)"
    grep -q '9 characters, 11 bytes' bytes.out || fail "characters: $(cat bytes.out)"
}

# ---- in a network of the test's own: groups, broadcast, ways that lead nowhere ----

one_to_many() {
    run no_group 1 multicast send 127.0.0.1 7000 x
    said no_group "127.0.0.1 is no group"
    run no_interface 1 multicast join 239.1.2.3 7000 nonesuch0
    said no_interface 'no interface is called "nonesuch0"'
    run no_way 1 multicast send 239.1.2.3 7000 x
    said no_way "no interface is known for groups"
    start member multicast join 239.1.2.3 7000 lo
    start other multicast join 239.1.2.3 7000 lo
    run group 0 multicast send 239.1.2.3 7000 "good morning" lo 1
    told member ": good morning"
    told other ": good morning"

    start hears udp_receive 7001
    run forbidden 1 broadcast 10.9.8.255 7001 "9 hello"
    said forbidden "cannot send to 10.9.8.255: Permission denied; that is a broadcast address"
    run permitted 0 broadcast 10.9.8.255 7001 "9 hello" permit
    told hears ": hello"
}

ways() {
    run nowhere 1 tcp_echo_client 203.0.113.1 7000 hello
    said nowhere "Network is unreachable; no way leads there"
    run lost 1 tcp_echo_client 10.9.8.2 7000 hello 0.3
    said lost "Connection timed out; no answer came"
}

if [ "${1:-}" = inside ]; then
    ip link set lo up multicast on
    ip link add veth-a type veth peer name veth-b || skip "no virtual Ethernet here"
    ip address add 10.9.8.1/24 brd 10.9.8.255 dev veth-a
    ip link set veth-a up
    ip link set veth-b up
    # Somebody who is there, and never answers.
    ip neighbour add 10.9.8.2 lladdr 02:00:00:00:00:02 dev veth-a
    one_to_many
    ways
    exit
fi

at_once <<'END'
builds_alone
tcp_echo
tcp_timeout
tcp_refused
tcp_no_name
in_use first tcp_echo_server "cannot listen on port"
in_use first_udp udp_receive "cannot receive on port"
in_use first_poll poll_server "cannot listen on port"
in_use first_uv libuv_echo "cannot listen on port"
not_here
below_1024
udp
udp_again
udp_silence
unix_datagrams
unix_errors
many poll_server
many libuv_echo
libuv_ends
bytes
END

if unshare -Urn true 2>/dev/null && command -v ip >/dev/null; then
    unshare -Urn sh "$SCRIPT" inside
    status=$?
    [ $status -eq 0 ] || [ $status -eq 77 ] || exit 1
else
    echo "this user may not make network namespaces: groups, broadcast and ways are left out"
fi
