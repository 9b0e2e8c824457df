# Ctrl-C and SIGTERM, to either side: files are valid, the summary is printed, the status is 0. Even
# SIGKILL leaves a valid file.
. "$(dirname "$0")/../support/lib.sh"
need soxi opusinfo ffprobe

# interrupted NAME SIGNAL FILE: the receiver is told to end in the middle of a stream.
interrupted() {
    listen "$1" 127.0.0.1:0 --output "$3" --stats "$1.json" --delay 50
    start_send "$1" "$DATA/speech.flac" "127.0.0.1:$port" --loop
    until_true grep -q plays "$1.err" || fail "nothing plays"
    until_true is_longer "$3" 4000 || fail "$3 does not grow"
    eval "kill -$2 \$pid_$1"
    received "$1"
    said "$1" "Heard" 1
    said "$1" "recorded" 1
    equal "$(json "$1.json" final)" true "final of $1"
    valid "$3" "$(json "$1.json" recorded_ms)"
    eval "kill -$2 \$pid_${1}_send"
    sent "$1"
    said "$1.send" "Sent" 1
}

is_longer() {
    [ -f "$1" ] && [ "$(wc -c <"$1")" -gt "$2" ]
}

# valid FILE MS: readable without complaint, as long as was said.
valid() {
    case $1 in
    *.opus) opusinfo "$1" >"$1.info" 2>&1 || fail "opusinfo does not read $1"
        grep -iE '^(warning|error)|invalid' "$1.info" && fail "opusinfo complains about $1" ;;
    *) soxi "$1" >/dev/null 2>"$1.soxi" || fail "soxi does not read $1"
        [ ! -s "$1.soxi" ] || fail "soxi complains about $1: $(cat "$1.soxi")" ;;
    esac
    case $1 in
    *.opus) holds "$(frames "$1") / 48 >= $2 - 7 && $(frames "$1") / 48 <= $2" ;;
    *) holds "$(frames "$1") / 48 == $2" ;;
    esac
}

# sender_interrupted NAME SIGNAL: the sender is told to end; it says goodbye, so the receiver ends.
sender_interrupted() {
    receive "$1" 127.0.0.1:0 --output "$1.wav" --delay 50 --stats "$1.json"
    start_send "$1" tone:500 "127.0.0.1:$port" --stats "$1.send.json"
    until_true grep -q plays "$1.err" || fail "nothing plays"
    kill -"$2" "$pid"
    sent "$1"
    received "$1"
    said "$1" "has said goodbye" 1
    said "$1.send" "Sent" 1
    equal "$(json "$1.json" packets.received)" "$(json "$1.send.json" packets.sent)" "packets"
    valid "$1.wav" "$(json "$1.json" recorded_ms)"
}

has_a_second() {
    [ "$(frames "$1" 2>/dev/null || echo 0)" -ge 48000 ]
}

# killed NAME FILE: in the middle of a stream, with no time to tidy up.
killed() {
    listen "$1" 127.0.0.1:0 --output "$2" --delay "$PATIENT_MS"
    start_send "$1" "$DATA/speech.flac" "127.0.0.1:$port" --loop --stats "$1.send.json"
    until_true has_a_second "$2" || fail "$2 does not grow"
    eval "kill -KILL \$pid_$1"
    finished "$1" 137
    eval "kill -INT \$pid_${1}_send"
    sent "$1"
    ffprobe -v error -show_streams "$2" >/dev/null 2>"$1.probe" || fail "ffprobe does not read $2"
    [ ! -s "$1.probe" ] || fail "ffprobe complains about $2: $(cat "$1.probe")"
    holds "$(frames "$2") >= 48000 && $(frames "$2") <= 960 * $(json "$1.send.json" packets.sent)"
}

at_once <<'END'
interrupted int_wav INT int.wav
interrupted int_flac TERM int.flac
interrupted int_opus HUP int.opus
sender_interrupted send_int INT
sender_interrupted send_term TERM
END
at_once <<'END'
killed kill_wav kill.wav
killed kill_flac kill.flac
killed kill_opus kill.opus
END
