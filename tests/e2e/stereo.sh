# Two channels that the codec makes mono for want of bits: the sender says what really leaves.
. "$(dirname "$0")/../support/lib.sh"

stream() {
    name=$1
    shift
    receive "$name" 127.0.0.1:0 --output null --stats "$name.json"
    send "$name" "$DATA/speech-stereo.flac" "127.0.0.1:$port" --stats "$name.send.json" --duration 2 "$@"
    received "$name"
}

at_once <<'END'
stream meagre --frame 2.5
stream enough --frame 2.5 --bitrate 57
stream longer --frame 5
stream mono --channels 1
END

for name in enough longer; do
    equal "$(json $name.send.json packets.coded_stereo)" "$(json $name.send.json packets.sent)" \
        "stereo packets of $name"
    equal "$(json $name.json channels)" 2 "channels that $name's receiver sees"
    said $name.send ", stereo," 1
    said $name.send "makes mono" 0
done
for name in meagre mono; do
    equal "$(json $name.send.json packets.coded_stereo)" 0 "stereo packets of $name"
    equal "$(json $name.json channels)" 1 "channels that $name's receiver sees"
    said $name.send ", mono," 1
    said $name.send ", stereo," 0
done
said meagre.send "makes mono of the two channels" 1
said meagre.send "--bitrate 57 or longer frames" 1
said mono.send "makes mono" 0
