# Outputs that are no file, statistics line by line, and the ways to an end.
. "$(dirname "$0")/../support/lib.sh"

play() { # play NAME ARGUMENT...
    name=$1
    shift
    send "$name" "$DATA/speech-mono.flac" "127.0.0.1:$port" "$@"
}

# stdout: raw s16le, stereo unless told otherwise, the very samples of the WAV.
raw() {
    receive raw 127.0.0.1:0 --output - --delay "$PATIENT_MS"
    play raw
    received raw
    sox -t raw -r 48000 -e signed -b 16 -c 2 raw.out raw.wav
}
raw_mono() {
    receive raw_mono 127.0.0.1:0 --output - --delay "$PATIENT_MS" --channels 1
    play raw_mono
    received raw_mono
    sox -t raw -r 48000 -e signed -b 16 -c 1 raw_mono.out raw_mono.wav
}
wav() {
    receive wav 127.0.0.1:0 --output wav.wav --delay "$PATIENT_MS"
    play wav
    received wav
}
wav_stereo() {
    receive wav_stereo 127.0.0.1:0 --output stereo.wav --delay "$PATIENT_MS" --channels 2
    play wav_stereo
    received wav_stereo
}

# Somebody listens to stdout: while a sender is silent, silence comes at once, not with what follows.
has_silence() {
    [ "$(wc -c <live.out)" -gt $((3 * 192000)) ]
}
live() {
    receive live 127.0.0.1:0 --output - --delay 100
    start_send live tone:400 "127.0.0.1:$port"
    until_true grep -q plays live.err || fail "nothing plays"
    kill -KILL "$pid" # no goodbye: for five seconds it may come back
    until_true has_silence || fail "stdout stands still"
    received live
}

# null, with statistics as JSON lines on stdout: one a second, the last one final.
lines() {
    receive lines 127.0.0.1:0 --output null --stats -
    play lines --stats -
    received lines
    for file in lines.out lines.send.out; do
        "$TOOLS/jsonget" --lines $file final >finals || fail "$file has a line that is not JSON"
        holds "$(wc -l <finals) >= 2"
        equal "$(grep -c true finals)" 1 "final lines of $file"
        equal "$(tail -n 1 finals)" true "final of the last line of $file"
    done
    tail -n 1 lines.out >last
    equal "$(json last packets.received)" 147 "packets received"
    holds "$(wc -l <lines.out) <= $(json last elapsed_s) + 1"
    tail -n 1 lines.send.out >last
    equal "$(json last packets.sent)" 147 "packets sent"
}

# Quiet says errors only: not even where it listens.
quiet() {
    "$BIN/voxgram-recv" 127.0.0.1:0 --output null --quiet --duration 0.2 2>quiet.err
    equal "$?" 0 "status of a quiet receiver"
    equal "$(wc -c <quiet.err)" 0 "bytes that a quiet receiver says"
}

# --duration, of each.
duration() {
    receive duration 127.0.0.1:0 --output duration.wav --delay "$PATIENT_MS"
    play duration --duration 1
    received duration
    equal "$(frames duration.wav)" 48000 "frames of --duration 1 at the sender"
    # The sender is there before the receiver.
    free_port
    start_send during tone:400 "127.0.0.1:$port"
    until_true grep -q refused during.send.err || fail "the refusal was not said"
    listen during "127.0.0.1:$port" --output during.wav --duration 1.5
    received during
    holds "$(frames during.wav) > 0 && $(frames during.wav) < 72000"
    said during "Heard"
    eval "kill -INT \$pid_during_send"
    sent during
}

# Nobody ever sends: still a file, still a summary.
nobody() {
    listen nobody 127.0.0.1:0 --output nobody.wav --stats nobody.json --duration 0.3
    received nobody
    said nobody "Nothing was received"
    equal "$(frames nobody.wav)" 0 "frames from nobody"
    equal "$(json nobody.json packets.received)" 0 "packets from nobody"
}

# --idle-exit never: only a signal ends it.
never() {
    listen never 127.0.0.1:0 --output null --idle-exit never
    play never --duration 0.5
    until_true grep -q goodbye never.err || fail "no goodbye"
    listen other 127.0.0.1:0 --output null --duration 1.5 # idle time passes
    received other
    kill -0 "$pid_never" || fail "it ended"
    kill -INT "$pid_never"
    received never
}

at_once <<'END'
raw
raw_mono
live
wav
wav_stereo
lines
quiet
duration
nobody
never
END
same raw_mono.wav wav.wav
same raw.wav stereo.wav
