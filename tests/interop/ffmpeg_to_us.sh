# FFmpeg sends: by its rtp muxer, payload type 97, RTCP on the port above. Once with a goodbye, once
# as it does by default, without, where the user ends the recording.
. "$(dirname "$0")/peers.sh"
need ffmpeg

# stream NAME [OPTION...]
stream() {
    name=$1
    shift
    ffmpeg -v error -re -i "$NOISE" -c:a libopus -b:a 96k -f rtp -payload_type 97 \
        -cname "ffmpeg-$name@test" "$@" "rtp://127.0.0.1:$port" </dev/null >/dev/null \
        2>"$name.ffmpeg.err" || fail "ffmpeg ended with $?"
}

bye() {
    receive bye 127.0.0.1:0 --output bye.wav --delay "$PATIENT_MS" --stats bye.json
    stream bye -rtpflags send_bye
    received bye
}

default() {
    listen default 127.0.0.1:0 --output default.wav --delay "$PATIENT_MS" --stats default.json \
        --idle-exit never
    stream default
    until_true has_seconds default.wav 5 || fail "not all is played"
    kill -INT "$pid"
    received default
}

at_once <<'END'
bye
default
END

for name in bye default; do
    correlates "$NOISE" $name.wav 0.95
    equal "$(json $name.json packets.lost)" 0 "lost packets"
    equal "$(json $name.json frames.concealed)" 0 "concealed frames"
    equal "$(json $name.json sources.0.payload_type)" 97 "payload type"
    holds "$(json $name.json played_ms) >= 5000 && $(json $name.json played_ms) <= 5040"
done
holds "$(seconds bye.wav) >= 5 && $(seconds bye.wav) <= 5.04"
said bye "has said goodbye"
# FFmpeg's first report comes in front of the first audio, the second after five seconds.
equal "$(json bye.json sources.0.cname)" "ffmpeg-bye@test" "name in its SDES"
# What is missing in the end is made up for half a second, until silence is reached.
holds "$(seconds default.wav) >= 5 && $(seconds default.wav) <= 5.6"
