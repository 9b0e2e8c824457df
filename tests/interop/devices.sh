# Listing of sound devices, and what is said of one that is not there.
. "$(dirname "$0")/peers.sh"
. "$(dirname "$0")/sound.sh"

jack_start || skip "no JACK"

# One of JACK, the default, with as many ports as the server has.
"$BIN/voxgram-send" --list-devices >microphones 2>microphones.err || fail "list ended with $?"
"$BIN/voxgram-recv" --list-devices >speakers 2>speakers.err || fail "list ended with $?"
grep -q '^\* JACK:system .*2.* 48000 Hz' microphones || fail "no microphone: $(cat microphones)"
grep -q '^\* JACK:system .*2.* 48000 Hz' speakers || fail "no speaker: $(cat speakers)"

# refused PROGRAM ARGUMENT...: ends with 1 and one sentence that names the device and what to do.
refused() {
    program=$1
    shift
    timeout 60 "$BIN/$program" "$@" >refused.out 2>refused.err </dev/null
    equal $? 1 "status of $program $*"
    equal "$(grep -vc 'listening on' refused.err)" 1 "lines that it says"
    grep -q 'nonesuch' refused.err || fail "the device is not named"
    grep -q -e '--list-devices' -e 'system' refused.err || fail "no way out is told"
}

refused voxgram-send mic:nonesuch 127.0.0.1:9
refused voxgram-recv 127.0.0.1:0 --output speaker:nonesuch
