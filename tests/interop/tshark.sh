# Wireshark's view of a stream: RTP with Opus, our header extension, RTCP, and the priority mark on
# every datagram; nothing malformed.
. "$(dirname "$0")/peers.sh"
need tshark socat

free_port
probe_port=$port
free_port
peer tshark tshark -n -l -i lo -f "udp port $port or udp port $probe_port" -w stream.pcap

# It captures when it has captured something.
captures() {
    kill -0 "$pid" 2>/dev/null || skip "no right to capture: $(tail -n 1 tshark.err)"
    echo probe | socat -u - "UDP-SENDTO:127.0.0.1:$probe_port"
    [ "$(wc -c 2>/dev/null <stream.pcap)" -gt 300 ]
}
until_true captures || fail "tshark does not capture"
has_goodbye() {
    tshark -n -r stream.pcap -d "udp.port==$port,rtp" -Y "rtcp.pt == 203 && udp.dstport == $port" \
        2>/dev/null | grep -q .
}

receive us "127.0.0.1:$port" --output null
send us "$NOISE" "127.0.0.1:$port" --profile voice --fec --duration 4 --stats us.send.json
received us
until_true has_goodbye || fail "the goodbye was not captured"
interrupt tshark

# fields FILTER FIELD...: of the packets, a line each.
fields() {
    filter=$1
    shift
    # shellcheck disable=SC2046
    tshark -n -r stream.pcap -d "udp.port==$port,rtp" -d rtp.pt==96,opus -Y "$filter" -T fields \
        $(printf -- '-e %s ' "$@") 2>/dev/null
}

count() {
    fields "$1" frame.number | wc -l
}

sent_packets=$(json us.send.json packets.sent)
equal "$(count "rtp && !rtcp")" "$sent_packets" "RTP packets"
equal "$(count opus)" "$sent_packets" "packets dissected as Opus"
equal "$(fields 'rtp && !rtcp' rtp.version rtp.p_type rtp.padding rtp.cc | sort -u | tr '\t' ' ')" "2 96 0 0" \
    "version, payload type, padding, CSRC count"
equal "$(fields 'rtp && !rtcp' rtp.ssrc | sort -u | wc -l)" 1 "SSRCs"
equal "$(count 'rtp.marker == 1 && !rtcp')" 1 "marked packets"
equal "$(count '_ws.malformed || _ws.expert.severity == error')" 0 "malformed packets"

# Sequence numbers and timestamps go up as they should.
fields 'rtp && !rtcp' rtp.seq rtp.timestamp | awk 'NR > 1 {
    if (($1 - seq + 65536) % 65536 != 1 || ($2 - ts + 4294967296) % 4294967296 != 960) exit 1
} { seq = $1; ts = $2 }' || fail "sequence numbers or timestamps jump"

# abs-capture-time: RFC 8285, one-byte form, id 1, eight bytes; in the first ten packets and then
# twice a second.
stamped=$(count 'rtp.ext.profile == 0xbede && rtp.ext.rfc5285.id == 1 && rtp.ext.rfc5285.len == 8')
holds "$stamped >= 10 + 6 && $stamped < $sent_packets / 2"
equal "$(count 'rtp.ext == 1 && !rtcp')" "$stamped" "packets with an extension"

# RTCP, theirs and ours, each well formed.
holds "$(count 'rtcp.pt == 200') >= 3" # SR
holds "$(count 'rtcp.pt == 201') >= 2" # RR
equal "$(count 'rtcp')" "$(count 'rtcp.pt == 202')" "compounds with SDES"
holds "$(count "rtcp.pt == 203 && udp.dstport == $port") >= 1"
equal "$(count 'rtcp.length_check == 0')" 0 "RTCP with a wrong length"

# Extended reports: the receiver's time and what it lost behind each RR, the answer behind an SR.
equal "$(count 'rtcp.pt == 207 && rtcp.pt == 201 && rtcp.xr.bt == 1 && rtcp.xr.bt == 4')" \
    "$(count 'rtcp.pt == 201')" "RR with a loss report and a reference time"
holds "$(count 'rtcp.pt == 207 && rtcp.pt == 200 && rtcp.xr.bt == 5') >= 1"
equal "$(count 'rtcp.pt == 207 && _ws.expert')" 0 "XR that Wireshark remarks on"
# Of each loss report the run ends with the highest number that the RR names.
fields 'rtcp.xr.bt == 1' rtcp.ssrc.high_seq rtcp.xr.endseq | awk '{ if (($1 + 1) % 65536 != $2) exit 1; n++ }
    END { exit n < 2 }' || fail "a loss report ends elsewhere than the RR"
# 1/65536 s in which the sender kept the question.
fields 'rtcp.xr.bt == 5' rtcp.xr.dlrr | awk '$1 > 65536 * 1.5 { exit 1 }' || fail "answered late"

# All that we sent is marked for expedited forwarding.
equal "$(fields "udp.dstport == $port" ip.dsfield.dscp | sort -u)" 46 "DSCP"
