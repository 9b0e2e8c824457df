# The capture of a call: every packet of it, as Wireshark reads it, while the call lasts and after.
. "$(dirname "$0")/../support/lib.sh"
need tshark

# fields FILE FILTER FIELD...: of the packets, a line each.
fields() {
    capture=$1 filter=$2
    shift 2
    # shellcheck disable=SC2046
    tshark -n -r "$capture" -d "udp.port==$port,rtp" -o udp.check_checksum:TRUE \
        -o ip.check_checksum:TRUE -Y "$filter" -T fields $(printf -- '-e %s ' "$@") 2>"$capture.log"
}

count() {
    fields "$1" "$2" frame.number | wc -l
}

# whole NAME ADDRESS TO_FILTER: all numbers are there, once and in order, and as many as are told.
whole() {
    receive "$1" "$2" --output null --pcap "$1.pcap" --stats "$1.json"
    send "$1" "$DATA/speech-mono.flac" "${2%:*}:$port"
    received "$1"
    packets=$(json "$1.json" packets.received)
    holds "$packets >= 140"
    said "$1" "capture $1.pcap: $(count "$1.pcap" frame) packets" 1
    equal "$(count "$1.pcap" "rtp && !rtcp && udp.dstport == $port && $3")" "$packets" "packets of $1"
    holds "$(count "$1.pcap" rtcp) >= 2"
    fields "$1.pcap" "rtp && !rtcp" rtp.seq | awk 'NR > 1 && ($1 - seq + 65536) % 65536 != 1 { exit 1 }
        { seq = $1 }' || fail "the numbers jump"
    equal "$(count "$1.pcap" '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0')" \
        0 "packets of $1 that Wireshark finds fault with"
    # The first came when it was sent, by this machine's clock, and the others one after the other.
    fields "$1.pcap" "rtp && !rtcp" frame.time_epoch | awk -v now="$(date +%s)" '
        NR == 1 && ($1 < now - 300 || $1 > now + 1) || $1 < last { exit 1 } { last = $1 }' ||
        fail "the times of $1 are wrong"
}

# live NAME SIGNAL STATUS: it can be read while the call lasts, and holds whole packets however that
# ends.
live() {
    listen "$1" 127.0.0.1:0 --output null --pcap "$1.pcap"
    start_send "$1" tone:400 "127.0.0.1:$port" --frame 10
    until_true has_packets "$1.pcap" || fail "nothing is written while the call lasts"
    eval "kill -$2 \$pid_$1; kill -INT \$pid_${1}_send"
    finished "$1" "$3"
    packets=$(count "$1.pcap" rtp)
    grep -q 'cut short' "$1.pcap.log" && fail "ends within a packet"
    holds "$packets >= 10"
}

has_packets() {
    [ "$(count "$1" rtp)" -ge 10 ]
}

# What cannot be: said before anything is heard.
refused() {
    for options in "--pcap -" "--pcap a --stats a" "--pcap a --events a" "--pcap a --trace-out a" \
        "--pcap a.wav --output a.wav"; do
        # shellcheck disable=SC2086
        "$BIN/voxgram-recv" 127.0.0.1:0 --output null $options 2>refused.err
        equal $? 2 "status with $options"
    done
    "$BIN/voxgram-recv" 127.0.0.1:0 --output null --pcap no/such 2>refused.err
    equal $? 1 "status without a folder"
    said refused "no/such" 1
}

# A full disk ends the capture, not the call.
full() {
    receive full 127.0.0.1:0 --output full.wav --pcap /dev/full
    send full "$DATA/speech-mono.flac" "127.0.0.1:$port"
    finished full 1
    said full "cannot write the capture /dev/full" 1
    holds "$(frames full.wav) > 48000 * 2.8"
}

at_once <<'END'
whole v4 127.0.0.1:0 ip.src==127.0.0.1
whole any :0 ip.dst==0.0.0.0
whole v6 [::1]:0 ipv6.dst==::1
whole tcp tcp://127.0.0.1:0 ip.src==127.0.0.1
live stopped INT 0
live killed KILL 137
refused
full
END
