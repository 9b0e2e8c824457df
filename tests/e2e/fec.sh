# In-band FEC is sent, found in the packets, and repairs.
. "$(dirname "$0")/../support/lib.sh"

# stream NAME ARGUMENT...: real speech through the same loss.
stream() {
    name=$1
    shift
    receive "$name" 127.0.0.1:0 --output "$name.wav" --delay "$PATIENT_MS" --stats "$name.json"
    send "$name" "$DATA/speech.flac" "127.0.0.1:$port" --duration 6 --loss 8 --seed 5 \
        --stats "$name.send.json" "$@"
    received "$name"
}

at_once <<'END'
stream with --fec
stream without
stream lowdelay --profile lowdelay --fec
stream meagre --bitrate 16 --fec
stream music --profile music --fec
END

equal "$(json with.json packets.lost)" "$(json without.json packets.lost)" "packets lost"
holds "$(json with.send.json packets.with_fec) > 0"
holds "$(json with.json lbrr_packets) > 0"
holds "$(json with.json frames.from_fec) > 0"
holds "$(json with.json concealed_ms) < $(json without.json concealed_ms)"
equal "$(json with.json frames.from_fec)" "$(awk "BEGIN {
    print $(json without.json frames.concealed) - $(json with.json frames.concealed) }")" \
    "frames from FEC instead of concealment"
equal "$(json without.json frames.from_fec)" 0 "frames from FEC without it"
equal "$(frames with.wav)" "$(frames without.wav)" "frames recorded"

# Whatever the profile, speech has it.
holds "$(json music.send.json packets.with_fec) > 0"

# Where the codec cannot, the sender says so, and what it takes.
equal "$(json lowdelay.send.json packets.with_fec)" 0 "packets of lowdelay with FEC"
said lowdelay.send "the codec puts in-band FEC into no packet" 1
said lowdelay.send "choose --profile voice" 1
equal "$(json meagre.send.json packets.with_fec)" 0 "packets with FEC at 16 kbit/s"
said meagre.send "the codec puts in-band FEC into no packet so far" 1
said meagre.send "--bitrate 18 or more" 1
said with.send "the codec puts" 0
