# Without loss, what is received is what libopus decodes in one process, bit for bit.
. "$(dirname "$0")/../support/lib.sh"

# check CHANNELS PROFILE FRAME_MS [FORMAT]
check() {
    key=$1_$2_$(echo "$3" | tr . _)
    "$TOOLS/reference" "$DATA/speech-$1.flac" "$key-ref.wav" "$2" "$3" || fail "reference of $key"
    receive "$key" 127.0.0.1:0 --output "$key.${4:-wav}" --delay "$PATIENT_MS" \
        --stats "$key.json"
    send "$key" "$DATA/speech-$1.flac" "127.0.0.1:$port" --profile "$2" --frame "$3"
    received "$key"
    holds "$(json "$key.json" packets.lost) + $(json "$key.json" packets.late) == 0"
    same "$key.${4:-wav}" "$key-ref.wav"
    rm -f "$key"*
}

case ${1:-quick} in
quick)
    at_once <<'END'
check mono voice 20
check mono lowdelay 2.5
check stereo music 10
check stereo voice 60
END
    at_once <<'END'
check mono music 40 flac
check stereo lowdelay 5
END
    ;;
all)
    for profile in voice music lowdelay; do
        for channels in mono stereo; do
            for frame in 2.5 5 10 20 40 60; do
                echo "check $channels $profile $frame"
            done >list
            at_once <list
        done
    done
    ;;
esac
