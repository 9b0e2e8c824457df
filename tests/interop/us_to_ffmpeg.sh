# FFmpeg receives: from the description that --sdp writes. It comes in late, as players do.
. "$(dirname "$0")/peers.sh"
need ffmpeg

# stream NAME SECONDS OPTION...
stream() {
    name=$1
    seconds=$2
    shift 2
    free_port
    start_send "$name" "$NOISE" "127.0.0.1:$port" --loop --sdp "$name.sdp" "$@"
    until_true test -s "$name.sdp" || fail "no $name.sdp"
    ffmpeg -v warning -buffer_size 4000000 -protocol_whitelist file,rtp,udp -i "$name.sdp" -t "$seconds" "$name.wav" \
        </dev/null >/dev/null 2>"$name.ffmpeg.err" || fail "ffmpeg ended with $?"
    kill -INT "$pid"
    sent "$name"
    part_of_noise "$name.wav" "$seconds"
    grep -qiE 'missed|error|invalid|non-monoton' "$name.ffmpeg.err" && fail "ffmpeg complains"
    return 0
}

at_once <<'END'
stream mono 3 --profile music
stream stereo 3 --profile lowdelay --channels 2 --no-rtcp-mux
END
equal "$("$TOOLS/wavtool" info stereo.wav | cut -d ' ' -f 1,2)" "48000 2" "rate and channels"
