# A JACK server of the test's own, without hardware; real-time rights are not needed. Source it:
#
#     . "$(dirname "$0")/../support/jack.sh"
#     jack_start 48000 128 || exit 77      # 77: skipped, there is no jackd
#     trap jack_stop EXIT
#
# POSIX shell. Sets JACK_DEFAULT_SERVER, by which every JACK program started afterwards finds it, and
# jack_pid. Uses file descriptor 9.
#
# The registry of JACK2 (/dev/shm/jack-shm-registry) has room for eight names. One that was killed
# keeps its place until a server of the same name starts. So names come from a small set, each
# guarded by a lock, instead of being new every time; tests/support/jack.h takes part in this.

jack_lock_name() {
    for jack_number in 0 1 2 3 4 5; do
        exec 9>"/tmp/voxgram-jack-$(id -u)-$jack_number.lock"
        if flock -n 9; then
            return 0
        fi
    done
    exec 9>&-
    echo "every test server of JACK is in use" >&2
    return 1
}

# jack_start [RATE [PERIOD]]: waits until the server answers, at most a minute for each of three.
jack_start() {
    if ! command -v jackd >/dev/null || ! command -v jack_lsp >/dev/null; then
        echo "jackd is missing: apt install jackd2" >&2
        return 1
    fi
    [ -n "${jack_number:-}" ] || jack_lock_name || return 1
    JACK_DEFAULT_SERVER="voxtest$jack_number"
    JACK_NO_AUDIO_RESERVATION=1 # asks no session bus for sound cards
    export JACK_DEFAULT_SERVER JACK_NO_AUDIO_RESERVATION
    # Real time where we may, since a busy machine otherwise stops the clock of the dummy card.
    jack_scheduling=--no-realtime
    chrt -f 10 true 2>/dev/null && jack_scheduling=--realtime
    for jack_attempt in 1 2 3; do
        # It ends with this shell, even if that is killed.
        setpriv --pdeathsig TERM jackd -n "$JACK_DEFAULT_SERVER" "$jack_scheduling" \
            -d dummy -r "${1:-48000}" -p "${2:-128}" >/dev/null 2>&1 8>&- 9>&- &
        jack_pid=$!
        jack_answers && return 0
        jack_stop
    done
    echo "jackd does not answer; run it by hand: jackd --no-realtime -d dummy" >&2
    return 1
}

# jack_answers: before it ends and before a minute is over. A server that is stuck keeps jack_lsp.
jack_answers() {
    jack_tries=0
    until timeout -s KILL 10 jack_lsp >/dev/null 2>&1; do
        jack_tries=$((jack_tries + 1))
        [ "$jack_tries" -lt 600 ] && kill -0 "$jack_pid" 2>/dev/null || return 1
        sleep 0.1
    done
}

# jack_wait_port NAME: waits at most a minute until a port of this name is there.
jack_wait_port() {
    jack_tries=0
    until timeout -s KILL 10 jack_lsp 2>/dev/null | grep -qxF "$1"; do
        jack_tries=$((jack_tries + 1))
        [ "$jack_tries" -lt 600 ] || return 1
        sleep 0.1
    done
}

# jack_stop: ends the server that jack_start started, if it runs; in ten seconds one way or another.
jack_stop() {
    [ -n "${jack_pid:-}" ] || return 0
    kill "$jack_pid" 2>/dev/null
    jack_tries=0
    while kill -0 "$jack_pid" 2>/dev/null; do
        jack_tries=$((jack_tries + 1))
        [ "$jack_tries" -ne 100 ] || kill -KILL "$jack_pid" 2>/dev/null
        sleep 0.1
    done
    wait "$jack_pid" 2>/dev/null
    jack_pid=
}
