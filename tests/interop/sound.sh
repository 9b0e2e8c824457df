# For tests that run our two programs on a JACK server of their own; after peers.sh.
. "$(dirname "$0")/../support/jack.sh"
need jackd jack_lsp
[ -x "$TOOLS/jack_probe" ] || skip "the JACK library was not there when this was built"
trap 'jack_stop; clean_up' EXIT

says() {
    grep -qF -- "$2" "$1.err"
}

count_says() {
    cat us.err us.send.err | grep -cF -- "$1"
}

all_are_back() {
    [ "$(count_says 'is back')" -ge "$(count_says 'is gone')" ]
}

# start_both RECEIVER-OPTIONS SENDER-OPTIONS: `us` and `us.send`, one after the other. When clients
# come at the same moment on a busy machine, JACK 1.9.21 now and then forgets to wake one of them,
# for ever ("was not finished, state = Triggered").
start_both() {
    # shellcheck disable=SC2086
    listen us 127.0.0.1:0 --output speaker --stats us.json $1
    receiver=$pid
    until_true says us "playing on" || fail "the receiver does not play"
    # shellcheck disable=SC2086
    start_send us mic "127.0.0.1:$port" --stats us.send.json $2
    sender=$pid
    until_true says us "source" || fail "nothing arrives"
}

stop_both() {
    kill -INT "$sender"
    sent us
    kill -INT "$receiver"
    received us
}

# probe NAME SECONDS WARM_UP: noise from voxgram-send's port to voxgram-recv's; NAME.json tells how it
# fared. A client that JACK has forgotten takes its device for lost and opens it again, or it is the
# probe itself: then the probe is repeated.
probe() {
    for attempt in 1 2 3; do
        gone=$(count_says 'is gone')
        "$TOOLS/jack_probe" voxgram-send:in_0 voxgram-recv:out_0 "$2" "$3" >"$1.json" 2>"$1.err"
        status=$?
        [ $status = 0 ] || [ $status = 3 ] || fail "jack_probe ended with $status"
        [ $status = 0 ] && [ "$(count_says 'is gone')" -eq "$gone" ] && return 0
        until_true all_are_back || fail "a sound card does not come back"
    done
    fail "JACK lost a client of ours three times"
}
