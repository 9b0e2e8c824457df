# RTP in frames of RFC 4571 with GStreamer at the other end: who sends and who listens in all four
# ways, over TCP and, by socat, over Unix sockets of both kinds; and Wireshark's view of it. RTCP
# goes over the same connection and disturbs nobody.
. "$(dirname "$0")/peers.sh"
need gst-launch-1.0 tshark socat

STREAM_CAPS="application/x-rtp-stream,media=audio,clock-rate=48000,encoding-name=OPUS,payload=96"
PAY="wavparse ! audioconvert ! opusenc bitrate=96000 ! rtpopuspay pt=96"
PLAY="rtpjitterbuffer latency=$PATIENT_MS ! rtpopusdepay ! opusdec plc=true ! audioconvert ! wavenc ! filesink buffer-mode=unbuffered"

listens_or_gone() {
    grep -qs ":$(printf '%04X' "$1") [0-9A-F:]* 0A" /proc/net/tcp /proc/net/tcp6 ||
        ! kill -0 "$2" 2>/dev/null
}

# listening PORT NAME: waits until the peer takes connections there.
listening() {
    eval "until_true listens_or_gone $1 \$pid_$2" && eval "kill -0 \$pid_$2 2>/dev/null" ||
        fail "$2 does not listen on port $1"
}

# connect NAME ARGUMENT...: a receiver of ours that calls, in the background.
connect() {
    who=$1
    shift
    "$BIN/voxgram-recv" --connect --duration 180 "$@" >"$who.out" 2>"$who.err" </dev/null &
    pid=$!
    running="$running $pid"
    eval "pid_$who=$pid"
}

# serve NAME ADDRESS OPTION...: a sender of ours that waits, in the background; sets $port.
serve() {
    name=$1
    start_send "$@" --listen --profile music --stats "$1.send.json"
    eval "until_true is_listening $name.send $pid" || fail "the sender of $name does not listen"
    port=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' "$name.send.err")
}

# ended NAME SECONDS: ours has heard so much, and the other is gone; nobody says goodbye.
ended() {
    until_true has_seconds "$1.wav" "$2" || fail "$1 has not heard all"
    eval "kill -INT \$pid_$1"
    received "$1"
    equal "$(json "$1.json" packets.lost)" 0 "lost packets of $1"
    equal "$(json "$1.json" frames.concealed)" 0 "concealed frames of $1"
    # A peer that never reads leaves in order, having been sent nothing; else its last packets go.
    equal "$(json "$1.json" transport.broken)" 0 "broken connections of $1"
}

# heard NAME: all of the noise, from the peer that has recorded what we sent.
heard() {
    correlates "$NOISE" "$1.wav" 0.95
    holds "$(seconds "$1.wav") > 4.9 && $(seconds "$1.wav") < 5.1"
    equal "$(json "$1.send.json" transport.broken)" 0 "broken connections of $1"
}

# ---- they send ----

they_call() {
    listen they_call tcp://127.0.0.1:0 --output they_call.wav --delay "$PATIENT_MS" \
        --stats they_call.json --idle-exit never
    peer gst_calls gst-launch-1.0 -q filesrc "location=$NOISE" ! $PAY ! rtpstreampay ! \
        tcpclientsink host=127.0.0.1 "port=$port" sync=true
    finished gst_calls 0
    ended they_call 5
    correlates "$NOISE" they_call.wav 0.95
}

# What it sends before anybody has come is nobody's.
they_serve() {
    free_port
    peer gst_serves gst-launch-1.0 -q filesrc "location=$NOISE" ! $PAY ! rtpstreampay ! \
        tcpserversink host=127.0.0.1 "port=$port" sync=true
    listening "$port" gst_serves
    connect they_serve "tcp://127.0.0.1:$port" --output they_serve.wav --delay "$PATIENT_MS" \
        --stats they_serve.json --idle-exit never
    finished gst_serves 0
    ended they_serve 2
    correlates they_serve.wav "$NOISE" 0.95 10000
}

they_pipe() {
    listen they_pipe unix-stream:they.sock --output they_pipe.wav --delay "$PATIENT_MS" \
        --stats they_pipe.json --idle-exit never
    peer pipe_in sh -c "gst-launch-1.0 -q filesrc location=$NOISE ! $PAY ! rtpstreampay ! \
        fdsink sync=true | socat -u - UNIX-CONNECT:they.sock"
    finished pipe_in 0
    ended they_pipe 5
    correlates "$NOISE" they_pipe.wav 0.95
}

# A datagram for a datagram: socat passes on what comes to a port.
they_relay() {
    listen they_relay unix:theirs.sock --output they_relay.wav --delay "$PATIENT_MS" \
        --stats they_relay.json --idle-exit never
    free_port
    peer relay_in socat -u "UDP-RECV:$port,bind=127.0.0.1" UNIX-SENDTO:theirs.sock
    bound "$port" relay_in
    peer gst_relay gst-launch-1.0 -q filesrc "location=$NOISE" ! $PAY ! \
        udpsink host=127.0.0.1 "port=$port"
    finished gst_relay 0
    ended they_relay 5
    correlates "$NOISE" they_relay.wav 0.95
}

# ---- we send ----

we_call() {
    free_port
    peer we_call gst-launch-1.0 -q -e tcpserversrc host=127.0.0.1 "port=$port" ! "$STREAM_CAPS" ! \
        rtpstreamdepay ! $PLAY location=we_call.wav
    listening "$port" we_call
    send we_call "$NOISE" "tcp://127.0.0.1:$port" --profile music --stats we_call.send.json
    finished we_call 0
    heard we_call
}

we_serve() {
    serve we_serve "$NOISE" tcp://127.0.0.1:0
    peer we_serve gst-launch-1.0 -q -e tcpclientsrc host=127.0.0.1 "port=$port" ! "$STREAM_CAPS" ! \
        rtpstreamdepay ! $PLAY location=we_serve.wav
    finished we_serve 0
    sent we_serve
    heard we_serve
}

we_pipe() {
    serve we_pipe "$NOISE" unix-stream:we.sock
    peer we_pipe sh -c "socat -u UNIX-CONNECT:we.sock - | gst-launch-1.0 -q -e fdsrc ! \
        '$STREAM_CAPS' ! rtpstreamdepay ! $PLAY location=we_pipe.wav"
    finished we_pipe 0
    sent we_pipe
    heard we_pipe
}

# And on from a path to a port.
we_relay() {
    free_port
    peer relay socat -u UNIX-RECV:relay.sock "UDP-SENDTO:127.0.0.1:$port"
    peer we_relay gst-launch-1.0 -q -e udpsrc "port=$port" "caps=$GST_OPUS_CAPS" ! $PLAY \
        location=we_relay.wav
    bound "$port" we_relay
    until_true test -S relay.sock || fail "socat does not listen"
    send we_relay "$NOISE" unix:relay.sock --profile music --stats we_relay.send.json
    until_true has_seconds we_relay.wav 4.9 || fail "not all came through"
    interrupt we_relay
    heard we_relay
}

at_once <<'END'
they_call
they_serve
they_pipe
they_relay
we_call
we_serve
we_pipe
we_relay
END

# ---- Wireshark ----

free_port
peer tshark tshark -n -l -i lo -f "tcp port $port" -w stream.pcap
captures() {
    kill -0 "$pid" 2>/dev/null || skip "no right to capture: $(tail -n 1 tshark.err)"
    socat -u /dev/null "TCP:127.0.0.1:$port" 2>/dev/null
    bytes=$(wc -c 2>/dev/null <stream.pcap) && [ "$bytes" -gt 300 ]
}
until_true captures || fail "tshark does not capture"
receive us "tcp://127.0.0.1:$port" --output null --stats us.json
send us "$NOISE" "tcp://127.0.0.1:$port" --duration 3 --stats us.send.json
received us
# The goodbye is the last that is captured.
view() {
    tshark -n -r stream.pcap -d "tcp.port==$port,rtp" -d rtp.pt==96,opus "$@" 2>/dev/null
}
has_goodbye() {
    view -Y 'rtcp.pt == 203' | grep -q .
}
until_true has_goodbye || fail "the goodbye was not captured"
interrupt tshark

# count FIELD VALUE: how often; several packets may come in one segment.
count() {
    view -T fields -e "$1" | tr ',' '\n' | grep -cx -- "$2"
}
sent_packets=$(json us.send.json packets.sent)
equal "$(count rtp.p_type 96)" "$sent_packets" "RTP packets"
equal "$(view -T fields -e rtp.ssrc | tr ',' '\n' | grep . | sort -u | wc -l)" 1 "SSRCs"
holds "$(count rtcp.pt 200) >= 2" # SR
holds "$(count rtcp.pt 201) >= 1" # RR, on the way back
holds "$(count rtcp.pt 203) >= 1"
equal "$(view -Y '_ws.malformed || _ws.expert.severity == error' | wc -l)" 0 "malformed packets"
