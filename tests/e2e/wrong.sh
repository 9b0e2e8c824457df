# Wrong use and bad files: one sentence that names the value and says what to do, and the status.
. "$(dirname "$0")/../support/lib.sh"

: >empty.wav
head -c 3000 "$BIN/voxgram-recv" >junk.wav
mkdir folder.wav folder.sdp
printf 'v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 96\n' >head.sdp
{ cat head.sdp && echo 'a=rtpmap:96 opus/44100/2'; } >clock.sdp
{ cat head.sdp && echo 'a=rtpmap:96 L16/48000/2'; } >codec.sdp
printf 'v=0\ns=-\nm=video 5004 RTP/AVP 96\na=rtpmap:96 VP8/90000\n' >video.sdp
echo 'not a trace' >junk.trace
: >empty.sdp
echo junk >junk.sdp
yes "s=-" | head -c 5000 >long.sdp

row=0
# says STATUS TEXT PROGRAM ARGUMENT...: ends at once with this status, and says this in one line.
says() {
    status=$1 text=$2 program=$3
    shift 3
    row=$((row + 1))
    timeout 60 "$BIN/voxgram-$program" "$@" >"row$row.out" 2>"row$row.err" </dev/null
    got=$?
    grep -v 'listening on' "row$row.err" >complaint
    if [ "$got" -ne "$status" ] || [ "$(wc -l <complaint)" -ne 1 ] ||
        ! grep -qF -- "$text" complaint || ! grep -q "^voxgram-$program: " complaint; then
        fail "voxgram-$program $*: expected status $status and one line with '$text', got $got and
$(cat complaint)"
    fi
    rm "row$row.err"
}

# Sources.
says 1 "'missing.wav': No such file" send missing.wav 127.0.0.1:9
says 1 "'empty.wav': it is empty" send empty.wav 127.0.0.1:9
says 1 "'junk.wav' as audio" send junk.wav 127.0.0.1:9
says 1 "'folder.wav': it is a folder" send folder.wav 127.0.0.1:9
says 1 "'no such one'" send 'mic:no such one' 127.0.0.1:9
says 1 "tone:30000" send tone:30000 127.0.0.1:9
says 2 "tone:x" send tone:x 127.0.0.1:9
says 2 "a tone needs its frequency" send tone: 127.0.0.1:9
says 2 "--loop is for files" send tone:400 127.0.0.1:9 --loop
says 2 "--rate is for raw PCM" send "$DATA/speech.flac" 127.0.0.1:9 --rate 8000
says 2 "SOURCE is missing" send
says 2 "DESTINATION is missing" send tone:400
says 2 '"more" is one argument too many' send tone:400 127.0.0.1:9 more

# Destinations and addresses to listen on.
says 1 '"nosuch.invalid"' send tone:400 nosuch.invalid
says 2 "99999" send tone:400 127.0.0.1:99999
says 1 '"nosuchservice"' send tone:400 127.0.0.1:nosuchservice
says 1 "port 0" send tone:400 127.0.0.1:0
says 2 "empty" send tone:400 tcp://
says 2 "unknown scheme" send tone:400 http://127.0.0.1:9
says 2 "the path is empty" send tone:400 unix:
says 2 "--listen is for" send tone:400 127.0.0.1:9 --listen
says 2 "--tcp-congestion is for" send tone:400 127.0.0.1:9 --tcp-congestion cubic
says 2 "--sdp describes" send tone:400 tcp://127.0.0.1:9 --sdp x.sdp
says 2 "second port" send tone:400 unix:sock --no-rtcp-mux
says 2 "[::1" send tone:400 '[::1'
says 1 "is an interface" send tone:400 '[fe80::1%nosuch]:9'
says 1 "may be on any link" recv '[fe80::1]:5004'
says 1 "tcp://[fe80::1]:9 may be on any link" send tone:400 'tcp://[fe80::1]:9'
says 1 '"nosuch0"' send tone:400 239.1.2.3 --interface nosuch0
says 1 '"nosuch.invalid"' recv nosuch.invalid --output null
says 1 "this machine has no such address" recv 192.0.2.1:0 --output null
says 2 "99999" recv :99999 --output null
says 2 "the path is empty" recv unix: --output null
says 2 "nobody to call" recv unix:/tmp/x --output null --connect
says 1 "add --connect to call" recv tcp://192.0.2.1:0 --output null
says 1 "it has: " send tone:400 tcp://127.0.0.1:9 --tcp-congestion nosuch
says 1 '"nosuch.invalid"' recv 239.1.2.3 --source nosuch.invalid --output null

# Options, of each kind.
says 2 "--frame 7" send tone:400 127.0.0.1:9 --frame 7
says 2 '"0"' send tone:400 127.0.0.1:9 --bitrate 0
says 2 "do not fit into one datagram" send tone:400 127.0.0.1:9 --bitrate 510 --frame 60
says 2 '"loud"' send tone:400 127.0.0.1:9 --profile loud
says 2 '"x"' send tone:400 127.0.0.1:9 --loss x
says 2 '"101"' send tone:400 127.0.0.1:9 --loss 101
says 2 '"nan"' send tone:400 127.0.0.1:9 --loss nan
says 2 '"-1"' send tone:400 127.0.0.1:9 --jitter=-1
says 2 "--loss needs a value" send tone:400 127.0.0.1:9 --loss
says 2 "--nosuch" send tone:400 127.0.0.1:9 --nosuch
says 2 '"11"' send tone:400 127.0.0.1:9 --complexity 11
says 2 '"3"' send tone:400 127.0.0.1:9 --channels 3
says 2 '"64"' send tone:400 127.0.0.1:9 --dscp 64
says 2 '"x"' recv :0 --output null --delay x
says 2 "--min-delay 50 is above" recv :0 --output null --min-delay 50 --max-delay 20
says 2 '"65"' recv :0 --output null --max-streams 65
says 2 "--separate writes a file" recv :0 --output null --separate
says 2 "both want stdout" recv :0 --output - --stats -
says 2 "both want stdout" recv :0 --output - --events -
says 2 "both want one.json" recv :0 --output null --stats one.json --events one.json
says 2 "--nosuch" recv :0 --nosuch

# Files to write, traces and descriptions to read.
says 2 "x.mp3" recv :0 --output x.mp3
says 1 "no/x.wav" recv :0 --output no/x.wav
says 1 "folder.wav" recv :0 --output folder.wav
says 1 "no/x.wav: No such file" recv :0 --output no/x.wav --separate
says 1 "choose a shorter one" recv :0 --output "$(printf %01100d 0).wav"
says 1 "no/x.json" recv :0 --output null --stats no/x.json
says 1 "no/x.jsonl" recv :0 --output null --events no/x.jsonl
says 1 "'no such one'" recv :0 --output 'speaker:no such one'
says 1 "missing.sdp: No such file" recv missing.sdp --output null
says 1 "folder.sdp: Is a directory" recv folder.sdp --output null
says 1 "empty.sdp describes no audio" recv empty.sdp --output null
says 1 "junk.sdp, line 1 makes no sense" recv junk.sdp --output null
says 1 "long.sdp has more than 4096 bytes" recv long.sdp --output null
says 1 "clock.sdp, line 7" recv clock.sdp --output null
says 1 "codec.sdp, line 7" recv codec.sdp --output null
says 1 "video.sdp describes no audio" recv video.sdp --output null
says 1 "missing.trace" send tone:400 127.0.0.1:9 --trace missing.trace
says 1 "junk.trace: line 1" send tone:400 127.0.0.1:9 --trace junk.trace
says 1 "no/x.sdp" send tone:400 127.0.0.1:9 --sdp no/x.sdp
says 1 "no/x.json" send tone:400 127.0.0.1:9 --stats no/x.json

# Too few file descriptors, down to none: said, and no abort.
for limit in 4 5 6 7 8; do
    for program in "recv 127.0.0.1:0 --output null" "send tone:400 127.0.0.1:9"; do
        # shellcheck disable=SC2086,SC3045
        (exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- && ulimit -n $limit &&
            exec "$BIN/voxgram-"$program --duration 1) 2>few.err </dev/null
        equal $? 1 "status with $limit files"
        grep -q "ulimit -n" few.err || fail "with $limit files nothing was said"
    done
done

# A port that is taken: whose, and what to do.
listen taker 127.0.0.1:0 --output null
says 1 "$port" recv "127.0.0.1:$port" --output null
kill -TERM "$pid"
received taker

# Help and version are no failure, and go to stdout.
for program in send recv; do
    "$BIN/voxgram-$program" --help >help.out 2>help.err || fail "--help of $program"
    [ -s help.out ] && [ ! -s help.err ] || fail "--help of $program goes elsewhere"
    [ "$(awk '{ if (length($0) > longest) longest = length($0) } END { print longest }' help.out)" \
        -le 80 ] || fail "--help of $program is wider than a terminal"
    "$BIN/voxgram-$program" --version | grep -q "^voxgram-$program [0-9]" || fail "--version"
done
