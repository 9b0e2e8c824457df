# What should have gone to standard output, and could not, is no success, and is said in one line.
. "$(dirname "$0")/../support/lib.sh"
[ -c /dev/full ] || skip "there is no /dev/full"

row=0
# fails TEXT PROGRAM ARGUMENT...: says this in one line, of those that are no news of the stream.
fails() {
    text=$1 program=$2
    shift 2
    row=$((row + 1))
    timeout 60 "$BIN/voxgram-$program" "$@" >/dev/full 2>"row$row.err" </dev/null
    equal $? 1 "status of voxgram-$program $*"
    said "row$row" "$text" 1
    said "row$row" "No space left on device" 1
}

for program in send recv lab; do
    fails "cannot write to standard output" $program --help
    fails "cannot write to standard output" $program --version
done
for command in replay playout sweep link versus; do
    fails "cannot write to standard output" lab $command --help
done
fails "standard output" send tone:400 127.0.0.1:9 --duration 1.2 --stats -
fails "standard output" recv 127.0.0.1:0 --output null --duration 1.2 --stats -
fails "standard output" recv 127.0.0.1:0 --output null --duration 0.3 --stats - --events -
fails "cannot write" lab replay "$DATA/speech-mono.flac" --out out.wav --stats -

# Nothing was to be written, so nothing is wrong with having nowhere to write.
"$BIN/voxgram-send" tone:400 127.0.0.1:9 --duration 0.1 --quiet >/dev/full ||
    fail "a sender that writes nothing: $?"
"$BIN/voxgram-send" tone:400 127.0.0.1:9 --duration 0.1 --quiet <&- >&- 2>&- ||
    fail "a sender without standard descriptors: $?"
"$BIN/voxgram-recv" 127.0.0.1:0 --output null --duration 0.1 --quiet <&- >&- 2>&- ||
    fail "a receiver without standard descriptors: $?"
"$BIN/voxgram-send" --help >&- 2>none.err
equal $? 1 "status of --help to nowhere"
said none "cannot write to standard output" 1
"$BIN/voxgram-send" --nonsense >/dev/full 2>nonsense.err
equal $? 2 "status of wrong use"
said nonsense "standard output" 0
