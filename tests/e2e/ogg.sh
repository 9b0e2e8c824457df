# A recording in Ogg Opus holds the packets as they came; gaps become right granule positions.
. "$(dirname "$0")/../support/lib.sh"
need opusinfo opusdec ffmpeg

# stream NAME FILE ARGUMENT...
stream() {
    name=$1
    file=$2
    shift 2
    receive "$name" 127.0.0.1:0 --output "$file" --delay "$PATIENT_MS" --stats "$name.json"
    send "$name" "$DATA/speech.flac" "127.0.0.1:$port" --duration 5 --seed 4 "$@"
    received "$name"
}

# is_sound FILE: players of others are content.
is_sound() {
    opusinfo "$1" >"$1.info.out" 2>&1 || fail "opusinfo does not read $1"
    grep -iE '^(warning|error)|invalid' "$1.info.out" && fail "opusinfo complains about $1"
    ffmpeg -v warning -xerror -y -i "$1" -c:a pcm_s16le "$1.wav" 2>ffmpeg.err </dev/null ||
        fail "ffmpeg does not decode $1"
    [ ! -s ffmpeg.err ] || fail "ffmpeg complains about $1"
}

at_once <<'END'
stream whole whole.opus
stream whole_wav whole.wav
stream lossy lossy.opus --loss 10 --burst 3
stream dtx dtx.ogg --dtx
stream short short.opus --profile lowdelay --frame 2.5 --loss 10
END

# Without loss: the same audio as the WAV, but for the 312 frames that players skip. (FFmpeg has a
# decoder of its own, whose samples differ in the last bits.)
is_sound whole.opus
opusdec --quiet --no-dither --rate 48000 whole.opus decoded.wav 2>/dev/null
sox whole.wav expected.wav trim 312s
same decoded.wav expected.wav

# With loss: as long as what was sent.
for name in lossy dtx short; do
    file=$name.opus
    [ -f "$file" ] || file=$name.ogg
    is_sound "$file"
    equal "$(frames "$file.wav")" $((240000 - 312)) "frames of $file"
done
holds "$(json lossy.json packets.lost) > 10"
correlates lossy.opus.wav expected.wav 0.6
holds "$lag_ms > -1 && $lag_ms < 1"
correlates dtx.ogg.wav expected.wav 0.9
holds "$lag_ms > -1 && $lag_ms < 1"
holds "$(json lossy.json recorded_ms) == 5000"
