# What the tests in shell share: starting our programs, waiting for them, looking at what they left.
# POSIX. Source it first:
#
#     . "$(dirname "$0")/../support/lib.sh"
#
#     receive a 127.0.0.1:0 --output a.wav --stats a.json     # in the background; sets $port
#     send a "$DATA/speech-mono.flac" "127.0.0.1:$port"
#     received a
#     holds "$(json a.json packets.lost)" == 0
#
# Expects BIN (our programs), TOOLS (tests/support, built) and DATA (tests/data) in the environment.
# The working folder is a new one, gone at the end. Each program is called by a name of the test's;
# NAME.err and NAME.out hold what it said, and all of them are shown when something fails.
#
# A test asserts what came out, never how soon; where it must wait, it polls, for a minute at least.

set -u

# For --delay: outlasts what a busy machine may hold a sender up. 430 ms were seen, where ten programs
# with sanitizers wanted two cores. With that, what is heard does not depend on how busy it is.
PATIENT_MS=1500

[ -n "${BIN:-}" ] && [ -n "${TOOLS:-}" ] && [ -n "${DATA:-}" ] || {
    echo "run this by ctest, or set BIN, TOOLS and DATA" >&2
    exit 2
}
SCRIPT=$(cd "$(dirname "$0")" && pwd)/${0##*/} # to run itself again, in a network of its own
WORK=$(mktemp -d "${TMPDIR:-/tmp}/voxgram-e2e-XXXXXX") || exit 2
cd "$WORK" || exit 2
running=

stop_running() {
    for pid in $running; do
        kill -KILL "$pid" 2>/dev/null
    done
}

clean_up() {
    stop_running
    cd / && rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# fail MESSAGE...: ends the test, or the subshell of it, with all that was said.
fail() {
    echo "FAILED: $*"
    for log in "$WORK"/*.err; do
        [ -s "$log" ] && echo "--- ${log##*/}" && tail -n 40 "$log"
    done
    exit 1
}

skip() {
    echo "skipped: $*"
    exit 77
}

need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

# holds EXPRESSION: arithmetic and comparison of awk.
holds() {
    awk "BEGIN { exit !($*) }" </dev/null || fail "does not hold: $*"
}

# equal ACTUAL EXPECTED WHAT
equal() {
    [ "$1" = "$2" ] || fail "$3: expected '$2', got '$1'"
}

# said NAME TEXT [COUNT]: a program's stderr has this text, in COUNT lines if that is given.
said() {
    lines=$(grep -cF -- "$2" "$1.err")
    [ "$lines" -gt 0 ] || [ "${3:-}" = 0 ] || fail "$1 did not say: $2"
    [ -z "${3:-}" ] || equal "$lines" "$3" "lines of $1 that say: $2"
}

json() {
    "$TOOLS/jsonget" "$1" "$2" || fail "no $2 in $1"
}

# sum FILE PATH: of all values that the path leads to, none giving 0.
sum() {
    "$TOOLS/jsonget" --lines "$1" "$2" | awk '{ s += $1 } END { printf "%.15g\n", s }'
}

# until_true COMMAND...: polls for a minute.
until_true() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || return 1
        sleep 0.05
    done
}

is_bound() {
    grep -qs ":$(printf '%04X' "$1") [0-9A-F:]* 07" /proc/net/udp /proc/net/udp6
}

# A block of 32 ports, below those that the system gives out, that no other test has while this one
# or a program of its lives: file descriptor 8 keeps the lock.
lock_ports() {
    for block in $(seq 0 99); do
        next_port=$((20000 + ($$ + block) % 100 * 32))
        exec 8>"/tmp/voxgram-ports-$(id -u)-$next_port.lock"
        flock -n 8 && return
    done
    fail "all ports for tests are in use"
}

# free_port: sets $port to a UDP port that nobody uses, nor the one above: an even one, as RTP likes
# it. Unlike one that has just been given back to the system it stays free until this test binds it.
free_port() {
    [ -n "${next_port:-}" ] || lock_ports
    while is_bound "$next_port" || is_bound $((next_port + 1)); do
        next_port=$((next_port + 2))
    done
    port=$next_port
    next_port=$((next_port + 2))
}

is_listening() {
    grep -qs 'listening on' "$1.err" || ! kill -0 "$2" 2>/dev/null
}

# listen NAME ARGUMENT...: starts a receiver, sets $pid and the $port that it listens on (none of a
# Unix socket). Whatever happens, it ends after three minutes.
listen() {
    who=$1
    shift
    "$BIN/voxgram-recv" --duration 180 "$@" >"$who.out" 2>"$who.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_$who=$pid"
    until_true is_listening "$who" "$pid" || fail "$who does not listen"
    port=$(sed -n '1s/^.*listening on .*:\([0-9]*\)$/\1/p' "$who.err")
    [ -n "$port" ] || grep -q 'listening on unix' "$who.err" || fail "$who does not listen"
}

# receive NAME ARGUMENT...: the same, of one that leaves as soon as its sources have.
receive() {
    listen "$@" --idle-exit 0.1
}

# finished NAME STATUS: waits for a program in the background to end with this status.
finished() {
    eval "wait \$pid_$1"
    equal $? "$2" "status of $1"
}

received() {
    finished "$1" 0
}

# start_send NAME ARGUMENT...: starts a sender in the background, sets $pid.
start_send() {
    who=$1
    shift
    "$BIN/voxgram-send" "$@" >"$who.send.out" 2>"$who.send.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_${who}_send=$pid"
}

sent() {
    eval "wait \$pid_${1}_send"
    equal $? 0 "status of $1's sender"
}

# send NAME ARGUMENT...: a sender that is to succeed; its stdin is the caller's.
send() {
    who=$1
    shift
    "$BIN/voxgram-send" "$@" >"$who.send.out" 2>"$who.send.err" || fail "$who: sender ended with $?"
}

# same A B: recordings equal in format and in every sample.
same() {
    difference=$("$TOOLS/wavtool" same "$1" "$2") || fail "$1 and $2: $difference"
}

# frames FILE: samples per channel.
frames() {
    "$TOOLS/wavtool" info "$1" | cut -d ' ' -f 3
}

# correlates A B LEAST [MAX_MS]: after alignment; sets $lag_ms.
correlates() {
    # shellcheck disable=SC2046
    set -- "$1" "$2" "$3" $("$TOOLS/wavtool" align "$1" "$2" "${4:-500}")
    [ $# -eq 5 ] || fail "$1 and $2 cannot be correlated"
    lag_ms=$4
    holds "$5 > $3"
}

# at_once: runs each line of stdin as a command in a subshell, all at the same time: streams mostly
# wait. Fails if one of them does.
at_once() {
    subshells=
    while read -r line; do
        # shellcheck disable=SC2086
        (running=; trap stop_running EXIT; eval "$line") </dev/null &
        subshells="$subshells $!"
    done
    failed=0
    for subshell in $subshells; do
        wait "$subshell" || failed=1
    done
    [ "$failed" = 0 ] || exit 1
}
