# Everything that can be sent: formats, rates and channels of files, raw PCM, signals; looped, cut
# off, and through a recorded network.
. "$(dirname "$0")/../support/lib.sh"
need sox ffmpeg

ORIGINAL=$DATA/speech-mono.flac

# through NAME SOURCE ARGUMENT...: sends it, stdin from NAME.in if there is one; leaves NAME.wav.
through() {
    key=$1
    shift
    receive "$key" 127.0.0.1:0 --output "$key.wav" --delay "$PATIENT_MS" --stats "$key.json"
    [ -e "$key.in" ] || : >"$key.in"
    send "$key" "$@" "127.0.0.1:$port" --profile music --stats "$key.send.json" <"$key.in"
    received "$key"
    equal "$(json "$key.json" packets.late)" 0 "late packets of $key"
}

# sounds NAME LEAST: like the original, in time with it but for the codec's 6.5 ms, as long as it.
sounds() {
    correlates "$ORIGINAL" "$1.wav" "$2" 100
    holds "$lag_ms > 6 && $lag_ms < 7"
    holds "$(frames "$1.wav") >= 140640 && $(frames "$1.wav") <= 140640 + 960 + ${3:-0}"
}

# of_format NAME FILE: made by others. Lossy ones have a beginning of their own, so a wider lag.
of_format() {
    key=$1
    case $1 in
    mp3 | opus | vorbis) ffmpeg -v error -y -i "$ORIGINAL" -b:a 128k "$2" </dev/null ;;
    *) sox "$ORIGINAL" "$2" ;;
    esac || fail "cannot make $2"
    through "$key" "$2"
    correlates "$ORIGINAL" "$key.wav" 0.95 100
    holds "$lag_ms > 0 && $lag_ms < 80"
    holds "$(frames "$key.wav") >= 138000 && $(frames "$key.wav") <= 148000"
}

# of_rate HZ LEAST [SOX-ARGUMENT...]: resampled to 48 kHz, of the same length and in time. What there
# was above half the rate is gone.
of_rate() {
    rate=$1 least=$2
    shift 2
    sox "$ORIGINAL" -r "$rate" "$@" "rate$rate.flac"
    through "r$rate" "rate$rate.flac"
    sounds "r$rate" "$least"
}

# 44.1 kHz against a resampler of others.
cd_rate() {
    sox "$ORIGINAL" -r 44100 rate44100.wav
    through cd rate44100.wav
    sounds cd 0.99
}

# More channels than Opus has here are mixed down; --channels does it, too.
channels() {
    sox -M "$ORIGINAL" "$ORIGINAL" "$ORIGINAL" "$ORIGINAL" four.wav
    through quad four.wav
    equal "$("$TOOLS/wavtool" info quad.wav | cut -d ' ' -f 2)" 2 "channels of a quad file"
    through down "$DATA/speech-stereo.flac" --channels 1
    equal "$("$TOOLS/wavtool" info down.wav | cut -d ' ' -f 2)" 1 "channels of --channels 1"
    correlates "$DATA/speech-stereo.flac" down.wav 0.95 100
    through up "$ORIGINAL" --channels 2
    equal "$("$TOOLS/wavtool" info up.wav | cut -d ' ' -f 2)" 2 "channels of --channels 2"
    sounds up 0.95
}

# Raw PCM on stdin, from a file, and from a pipe that gives it all at once.
raw() {
    sox "$ORIGINAL" -t raw -e signed -b 16 raw.in
    through raw -
    sounds raw 0.98
}
raw_stereo() {
    sox "$ORIGINAL" -r 32000 -c 2 -t raw -e signed -b 16 raw_stereo.in
    through raw_stereo - --rate 32000 --channels 2
    sounds raw_stereo 0.95
}
piped() {
    receive piped 127.0.0.1:0 --output piped.wav --delay "$PATIENT_MS"
    sox "$ORIGINAL" -t raw -e signed -b 16 - |
        "$BIN/voxgram-send" - "127.0.0.1:$port" --profile music 2>piped.send.err ||
        fail "the sender failed on a pipe"
    received piped
    sounds piped 0.98
}

# Signals.
tone() {
    through tone tone:1000 --duration 1
    equal "$(frames tone.wav)" 48000 "frames of the tone"
    sox tone.wav middle.wav trim 0.2 0.6
    db=$("$TOOLS/wavtool" tone middle.wav 1000)
    holds "$db > -12.5 && $db < -11.5"
    equal "$("$TOOLS/wavtool" clicks middle.wav)" 0 "clicks in the tone"
}
marker() {
    through marker marker --duration 2.5
    # Three marks, a second apart: the recording is most like itself a second later.
    sox marker.wav first.wav trim 0 0.5
    sox marker.wav second.wav trim 1 0.5
    correlates first.wav second.wav 0.99 100
    holds "$lag_ms > -0.1 && $lag_ms < 0.1"
}

# A file again and again, without a seam, until --duration.
looped() {
    sox -n -r 48000 -b 16 -c 1 second.flac synth 1 sine 500 gain -12
    through loop second.flac --loop --duration 2.5
    equal "$(frames loop.wav)" 120000 "frames of a loop"
    sox loop.wav seam.wav trim 0.8 1.5
    equal "$("$TOOLS/wavtool" clicks seam.wav)" 0 "clicks at the seams"
}

# Recorded networks: the Wi-Fi of the tests' data, and one of which each packet's fate is known.
wifi() {
    through wifi "$ORIGINAL" --trace "$DATA/wifi.trace"
    equal "$(json wifi.json packets.lost)" 0 "packets lost" # its first loss is after 9 s
    holds "$(json wifi.json delay_ms.network.p95) > 1"
}
trace() {
    awk 'BEGIN {
        print "# interval_ms 20"
        for (i = 0; i < 200; i++) {
            t = 1000 + 20 * i
            print i, t, i == 40 || i == 41 || i == 90 ? "lost" : t + 5 + 10 * (i == 70)
            if (i == 60)
                print i, t, t + 8
        }
    }' >made.trace
    through trace "$ORIGINAL" --trace made.trace
    equal "$(json trace.json packets.lost)" 3 "packets lost"
    equal "$(json trace.json packets.duplicate)" 1 "packets twice"
    equal "$(sum trace.json 'glitches.*.ms')" 60 "ms of glitches"
    late_ms=$(awk "BEGIN { print $(json trace.send.json pacing_us.max) / 1000 }")
    longest_ms=$(json trace.json delay_ms.network.max)
    holds "$longest_ms > 9 && $longest_ms < 30 + $late_ms"
}

at_once <<'END'
of_format wav file.wav
of_format aiff file.aiff
of_format mp3 file.mp3
of_format vorbis file.ogg
of_format opus file.opus
cd_rate
of_rate 8000 0.9
of_rate 16000 0.98
END
at_once <<'END'
of_rate 96000 0.99
of_rate 192000 0.99 -b 24
raw
raw_stereo
piped
tone
marker
END
at_once <<'END'
channels
looped
wifi
trace
END
