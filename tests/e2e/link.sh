# `voxgram-lab link`: programs of others and our own see the delay, the loss and the rate that were
# asked for, and the link's own figures agree with theirs.
. "$(dirname "$0")/../support/lib.sh"
. "${SCRIPT%/*}/link_lib.sh"
need ping socat iperf3 cmp
can_link

# over NAME COMMAND...: in the background of a link; its output in NAME.out, the figures in NAME.json.
over() {
    who=$1
    shift
    "$BIN/voxgram-lab" link --grace 0.2 --stats "$who.json" "$@" >"$who.out" 2>"$who.err" </dev/null
    equal $? 0 "status of link $who"
}

# 10 echoes each way; later than wanted is possible on a busy machine, earlier is not. For the last
# echoes ping waits twice as long as the longest took: a long way gives it patience.
ping_delay() { # NAME ADDRESS
    over "$1" --delay 200 -- ping -q -c 10 -i 0.1 "$2" -- sleep 60
    grep -q '10 received' "$1.out" || fail "$1: $(cat "$1.out")"
    rtt=$(sed -n 's,^rtt .* = \([0-9./]*\) ms.*$,\1,p' "$1.out")
    least_ms=$(echo "$rtt" | cut -d / -f 1)
    holds "$least_ms >= 400 && $least_ms < 600"
    equal "$(json "$1.json" a_to_b.packets)" 10 "packets there"
    equal "$(json "$1.json" b_to_a.delivered)" 10 "packets back"
    equal "$(json "$1.json" b.stopped)" true "that B was stopped"
}

ping_loss() { # NAME SEED
    "$BIN/voxgram-lab" link --loss 20 --delay 200 --seed "$2" --grace 0.2 --stats "$1.json" -- \
        ping -q -c 100 -i 0.01 10.77.0.2 -- sleep 60 >"$1.out" 2>"$1.err" </dev/null
    there=$(json "$1.json" a_to_b.lost) back=$(json "$1.json" b_to_a.lost)
    equal "$(json "$1.json" a_to_b.packets)" 100 "packets there"
    equal "$(json "$1.json" b_to_a.packets)" $((100 - there)) "packets back"
    grep -q " $((100 - there - back)) received" "$1.out" ||
        fail "$1: $there and $back lost, but ping: $(cat "$1.out")"
    holds "$there > 4 && $there < 40 && $back > 2 && $back < 36"
}

one_way() {
    over one_way --delay 30 --loss 100 --one-way --until b -- \
        sh -c 'echo x | socat -u - UDP-SENDTO:$VOX_PEER:7000' -- \
        sh -c 'echo x | socat -u - UDP-SENDTO:$VOX_PEER:7001; sleep 1'
    equal "$(json one_way.json a_to_b.lost)" "$(json one_way.json a_to_b.packets)" "lost of A's"
    equal "$(json one_way.json b_to_a.lost)" 0 "lost of B's"
    holds "$(json one_way.json b_to_a.delivered) >= 1"
}

# A file of 250 kB through 2 Mbit/s takes a second, and arrives.
tcp_rate() {
    head -c 250000 /dev/urandom >file
    over tcp --wait 60 --rate-limit 2000 --delay 10 --until both -- \
        socat -u FILE:file TCP:10.77.0.2:7000 -- socat -u TCP-LISTEN:7000 CREATE:file.copy
    cmp file file.copy || fail "the file has changed on the way"
    holds "$(json tcp.json lasted_s) >= 1"
    holds "$(json tcp.json a_to_b.bytes) >= 250000"
}

# The kernel's TCP finds the rate of the link; a flood of UDP loses what does not fit.
iperf() {
    over iperf --wait 60 --rate-limit 4000 --delay 5 -- iperf3 -J -t 2 -c 10.77.0.2 -- \
        sh -c 'iperf3 -s -1 >server.out'
    rate=$(json iperf.out end.sum_received.bits_per_second)
    holds "$rate > 1e6 && $rate < 4e6"
    over flood --wait 60 --rate-limit 1000 --one-way -- \
        iperf3 -J -u -b 4M -l 1000 -t 2 -c 10.77.0.2 -- sh -c 'iperf3 -s -1 >server2.out'
    holds "$(json flood.json a_to_b.queue_dropped) > 100"
    holds "$(json flood.out end.sum.lost_percent) > 30"
}

# Our own: what the receiver misses is what the link lost, which lost RTCP, too.
voice() {
    over voice --wait 60 --loss 10 --burst 2 --delay 25 --seed 4 --until both -- \
        "$BIN/voxgram-send" "$DATA/speech.flac" 10.77.0.2 --duration 4 --stats send.json -- \
        "$BIN/voxgram-recv" --output null --idle-exit 0.5 --stats recv.json
    lost=$(json recv.json packets.lost)
    rtcp=$(($(json voice.json a_to_b.packets) - 200))
    equal "$(json send.json packets.sent)" 200 "packets sent"
    holds "$lost >= 4 && $lost <= $(json voice.json a_to_b.lost)"
    holds "$lost >= $(json voice.json a_to_b.lost) - $rtcp - 8"
    holds "$(json send.json rtt_ms) >= 50 && $(json send.json rtt_ms) < 500"
}

multicast() {
    over multicast --wait 60 --until both -- \
        "$BIN/voxgram-send" tone:400 239.1.2.3:5010 --duration 0.3 -- \
        "$BIN/voxgram-recv" 239.1.2.3:5010 --output null --idle-exit 0.2 --stats group.json
    equal "$(json group.json packets.received)" 15 "packets of a group"
}

# A recorded network; its delays on top of none.
recorded() {
    printf '%d %d %d\n' 0 0 40 1 20 60 >net.trace
    over recorded --trace net.trace -- ping -q -c 5 -i 0.05 10.77.0.2 -- sleep 60
    holds "$(sed -n 's,^rtt .* = \([0-9.]*\)/.*$,\1,p' recorded.out) >= 80"
}

at_once <<'END'
ping_delay v4 10.77.0.2
ping_delay v6 fd77::2
ping_loss loss 7
ping_loss again 7
one_way
tcp_rate
iperf
voice
multicast
recorded
END
equal "$(json again.json a_to_b.lost)" "$(json loss.json a_to_b.lost)" "lost with the same seed"
equal "$(json again.json b_to_a.lost)" "$(json loss.json b_to_a.lost)" "lost with the same seed"
