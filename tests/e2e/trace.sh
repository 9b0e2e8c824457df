# The trace of a call: complete at every end, a valid one after a crash, and of use in the lab.
. "$(dirname "$0")/../support/lib.sh"

has_packets() {
    grep -qsv '^#' "$1"
}

# replayable TRACE PACKETS: the lab reads it, and it has so many.
replayable() {
    "$BIN/voxgram-lab" replay --quiet --trace "$1" "$DATA/speech-mono.flac" || fail "$1 is no trace"
    holds "$(grep -vc '^#' "$1") >= $2"
}

# The documented command: what would 40 ms have done to it, and what 120?
whole() {
    receive whole 127.0.0.1:0 --output null --trace-out whole.trace
    send whole "$DATA/speech.flac" "127.0.0.1:$port" --duration 14 --delay 20 --jitter 60 --seed 2
    received whole
    said whole "trace whole.trace: 700 packets" 1
    "$BIN/voxgram-lab" playout --delay 40 --json whole.trace >whole.40 || fail "no score"
    "$BIN/voxgram-lab" playout --delay 120 --json whole.trace >whole.120 || fail "no score"
    holds "$(json whole.40 0.extra_concealment_pct) > 3 + $(json whole.120 0.extra_concealment_pct)"
    replayable whole.trace 700
    [ "$(echo whole.trace*)" = whole.trace ] || fail "other files are left: $(echo whole.trace*)"
}

stopped() {
    listen stopped 127.0.0.1:0 --output null --trace-out stopped.trace
    start_send stopped tone:400 "127.0.0.1:$port" --loss 5
    until_true has_packets stopped.trace || fail "nothing is written while the call lasts" # each second
    eval "kill -INT \$pid_stopped; kill -INT \$pid_stopped_send"
    finished stopped 0
    grep -q 'cut short' stopped.trace && fail "not set right"
    replayable stopped.trace 20
}

killed() {
    listen killed 127.0.0.1:0 --output null --trace-out killed.trace
    start_send killed tone:400 "127.0.0.1:$port" --frame 10
    until_true has_packets killed.trace || fail "nothing is written while the call lasts"
    eval "kill -KILL \$pid_killed; kill -INT \$pid_killed_send"
    finished killed 137
    grep -q 'cut short' killed.trace || fail "does not say that it is cut short"
    replayable killed.trace 1
}

# What cannot be: said before anything is heard.
refused() {
    for options in "--trace-out -" "--trace-out a --stats a" "--trace-out a --events a"; do
        # shellcheck disable=SC2086
        "$BIN/voxgram-recv" 127.0.0.1:0 --output null $options 2>refused.err
        equal $? 2 "status with $options"
    done
    "$BIN/voxgram-recv" 127.0.0.1:0 --output null --trace-out no/such 2>refused.err
    equal $? 1 "status without a folder"
    said refused "no/such" 1
}

# A full disk ends the trace, not the call.
full() {
    receive full 127.0.0.1:0 --output full.wav --trace-out /dev/full
    send full "$DATA/speech-mono.flac" "127.0.0.1:$port"
    finished full 1
    said full "cannot write the trace /dev/full" 1
    holds "$(frames full.wav) > 48000 * 2.8"
}

at_once <<'END'
whole
stopped
killed
refused
full
END
