# How `voxgram-lab link` ends: statuses, signals, crashes; wrong use; nothing is left running.
. "$(dirname "$0")/../support/lib.sh"
. "${SCRIPT%/*}/link_lib.sh"
need pgrep
can_link

# Each link has sleepers of its own, recognized by how long they sleep, as has each run of this test.
id=$((10000 + $$))

# The link itself, whose arguments hold that number, included.
none_left() {
    ! pgrep -f "[ ]$1( |\$)" >/dev/null
}

both_alive() {
    [ "$(pgrep -cf "^sleep $1\$")" -ge "$2" ]
}

# start_link NAME SLEEP COUNT ARGUMENT...: in the background, where a shell ignores SIGINT for it;
# waits for so many sleepers.
start_link() {
    who=$1 naps=$2 count=$3
    shift 3
    env --default-signal=INT "$BIN/voxgram-lab" link --grace 0.3 "$@" >"$who.out" 2>"$who.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_$who=$pid"
    until_true both_alive "$naps" "$count" || fail "$who does not start"
}

# The work is the guard's only child.
worker_of() {
    pgrep -P "$1" | head -n 1
}

# ended NAME SIGNAL SLEEP STATUS [OPTION...]: the signal goes to the program alone.
ended() {
    name=$1 signal=$2 naps=$3 status=$4
    shift 4
    start_link "$name" "$naps" 2 "$@" -- sleep "$naps" -- sleep "$naps"
    kill "-$signal" "$pid"
    finished "$name" "$status"
    none_left "$naps" || fail "$name: a command was left behind"
}

# Orphans, a session of its own, one that does not hear: all gone.
stubborn() { # NAME SIGNAL SLEEP STATUS
    cat >"$1.sh" <<END
trap '' INT TERM HUP
setsid sh -c "sleep $3 & sleep $3 & exit" &
sleep $3
sleep $3
END
    start_link "$1" "$3" 3 -- sh "$1.sh" -- sleep "$3"
    kill "-$2" "$pid"
    finished "$1" "$4"
    until_true none_left "$3" || fail "$1: a process was left behind"
}

# The work is killed; the guard tidies up.
work_killed() { # SLEEP
    start_link work "$1" 3 -- sh -c "setsid sleep $1 & sleep $1; true" -- sleep "$1"
    kill -KILL "$(worker_of "$pid")"
    finished work 125
    said work "the link was killed"
    none_left "$1" || fail "a process was left behind by the guard"
}

# A command crashes: told, the other one stopped, the status is the crash's.
crashed() { # NAME SIDE SLEEP
    crash='kill -SEGV $$; sleep 60'
    case $2 in
    a) set -- "$1" "$3" sh -c "$crash" -- sh -c "sleep $3" ;;
    b) set -- "$1" "$3" sh -c "sleep $3" -- sh -c "$crash" ;;
    esac
    name=$1 naps=$2
    shift 2
    "$BIN/voxgram-lab" link --grace 0.1 -- "$@" >"$name.out" 2>"$name.err" </dev/null
    equal $? 139 "status after a crash"
    said "$name" "was ended by signal 11"
    none_left "$naps" || fail "$name: the other command was left behind"
}

# A daemon that a command leaves goes with the run.
daemon() { # SLEEP
    "$BIN/voxgram-lab" link --grace 0.1 -- sh -c "setsid sleep $1 & true" -- true \
        >daemon.out 2>daemon.err </dev/null
    equal $? 0 "status with a daemon"
    none_left "$1" || fail "a daemon was left behind"
}

# says STATUS TEXT ARGUMENT...: with that status, and one line that says this.
row=0
says() {
    status=$1 text=$2
    shift 2
    row=$((row + 1))
    timeout 60 "$BIN/voxgram-lab" "$@" >"row$row.out" 2>"row$row.err" </dev/null
    equal $? "$status" "status of voxgram-lab $*"
    equal "$(wc -l <"row$row.err")" 1 "lines of voxgram-lab $*"
    said "row$row" "$text"
    grep -q '^voxgram-lab: ' "row$row.err" || fail "voxgram-lab $* does not give its name"
}

# status STATUS ARGUMENT...
status() {
    wanted=$1
    shift
    timeout 60 "$BIN/voxgram-lab" link -q --grace 0.1 "$@" >status.out 2>status.err </dev/null
    equal $? "$wanted" "status of link $*"
    [ ! -s status.err ] || fail "link -q $* is not quiet"
}

wrong_use() {
    says 2 "COMMAND is missing"
    says 2 '"nosuch"' nosuch
    says 2 "COMMAND-A is missing" link
    says 2 "COMMAND-B is missing" link -- true
    says 2 "COMMAND-B is missing" link -- true --
    says 2 "COMMAND-A is missing" link -- -- true
    says 2 "--nosuch" link --nosuch -- true -- true
    says 2 "--loss 100 has no bursts" link --loss 100 --burst 2 -- true -- true
    says 2 '"c"' link --until c -- true -- true
    says 127 'command A, "no-such-program"' link -- no-such-program -- true
    says 127 'command B, "./no/such"' link -- true -- ./no/such
    : >no-program
    says 126 'command B, "./no-program"' link -- true -- ./no-program
    says 125 "missing.trace" link --trace missing.trace -- true -- true
    says 125 "no/x.json" link --stats no/x.json -- true -- true
    "$BIN/voxgram-lab" --help | grep -q '^  link ' || fail "--help"
    "$BIN/voxgram-lab" link --help | grep -q -- --one-way || fail "link --help"
    "$BIN/voxgram-lab" --version | grep -q '^voxgram-lab [0-9]' || fail "--version"
}

statuses() {
    status 0 -- true -- true
    status 3 -- sh -c 'exit 3' -- true
    status 4 -- true -- sh -c 'exit 4'
    status 5 --until both -- sh -c 'sleep 0.2; exit 5' -- true
    status 0 --until b -- sleep 60 -- true
    status 0 --until either -- sleep 60 -- true
    status 0 -- true -- sleep 60
    # A script without a first line that names its shell, as the shell itself would run it.
    echo 'exit 6' >script
    chmod +x script
    status 6 -- ./script -- true
}

# Without root: who he is, rights over this network, none over files. Where root runs the tests.
as_user() {
    [ "$(id -u)" = 0 ] || return 0
    cp "$BIN/voxgram-lab" . && chmod 755 "$WORK" voxgram-lab
    user="setpriv --reuid 65534 --regid 65534 --clear-groups"
    $user unshare -rn true 2>/dev/null || { echo "users may not make namespaces: left out"; return 0; }
    $user ./voxgram-lab link --grace 0 -- sh -c \
        'id -u; ping -q -c 1 $VOX_PEER >&2 && ping -q -c 1 $VOX_PEER6 >&2 && echo reached' -- sleep 60 \
        >user.out 2>user.err
    equal $? 0 "status of link for a user"
    equal "$(tr '\n' ' ' <user.out)" "65534 reached " "what a user sees"
    chmod 600 user.out
    $user ./voxgram-lab link -q -- cat user.out -- true 2>cat.err
    equal $? 1 "status of reading what is not his"
}

# Hundredths of a second, in which a process computed.
ticks_of() {
    awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# The table in which it looks for B's socket may be long.
waits_at_rest() {
    start_link rest "$1" 1 --wait 60 -- true -- sleep "$1"
    sleep 2
    ticks=$(ticks_of "$(worker_of "$pid")")
    kill -TERM "$pid"
    finished rest 143
    holds "$ticks < 50"
}

# A command sees vox0 and nothing else of ours, and may take it away; the link goes on, and sleeps.
device_gone() {
    command -v ip >/dev/null || { echo "no ip: left out"; return 0; }
    "$BIN/voxgram-lab" link --grace 0 --stats gone.json -- \
        sh -c 'ip -o link; ip link del vox0 && sleep 3' -- sleep 60 >gone.out 2>gone.err </dev/null &
    pid=$!
    running="$running $pid"
    until_true [ -s gone.out ] || fail "no devices listed"
    sleep 2
    ticks=$(ticks_of "$(worker_of "$pid")")
    wait "$pid"
    equal $? 0 "status without vox0"
    equal "$(grep -c ': vox0' gone.out)" 1 "devices named vox0"
    equal "$(grep -c ': vox' gone.out)" 1 "devices of ours"
    holds "$ticks < 50"
}

# What the system lacks, in one line with what to do.
refused() {
    "$TOOLS/without" packet true || { echo "no filters of system calls: left out"; return 0; }
    for lacking in packet veth; do
        "$TOOLS/without" $lacking "$BIN/voxgram-lab" link -- true -- true 2>$lacking.err
        equal $? 125 "status without $lacking"
        equal "$(wc -l <$lacking.err)" 1 "lines without $lacking"
    done
    said packet "no packet sockets here; load them (modprobe af_packet)"
    said veth "no virtual Ethernet; load the driver (modprobe veth)"
    unshare -rm true 2>/dev/null || { echo "no user namespaces: left out"; return 0; }
    unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && "$0" link -- true -- true' \
        "$BIN/voxgram-lab" 2>none.err
    equal $? 125 "status without namespaces"
    said none "no more namespaces"
}

at_once <<END
ended by_int INT $id.01 130
ended by_term TERM $id.02 143
ended by_hup HUP $id.03 129
stubborn by_patience TERM $id.04 143
stubborn by_kill KILL $id.05 137
work_killed $id.06
crashed crash_a a $id.07
crashed crash_b b $id.08
daemon $id.09
wrong_use
statuses
as_user
device_gone
waits_at_rest $id.10
refused
END
