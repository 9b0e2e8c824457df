# What becomes of connections: nobody there, in use, gone and back, strangers, silence, permissions.
. "$(dirname "$0")/../support/lib.sh"

clip=$DATA/speech-mono.flac

is_waiting() {
    grep -qs 'listening on' "$1.send.err"
}

# Nobody there: said at once, tried again, given up when the time is over.
refused() {
    "$BIN/voxgram-send" tone:400 tcp://127.0.0.1:9 --connect-timeout 0.6 2>refused.err
    equal $? 1 "status of a sender that nobody answers"
    said refused "tcp://127.0.0.1:9"
    said refused "refused"
    said refused "nobody answered" 1
    "$BIN/voxgram-recv" tcp://127.0.0.1:9 --connect --connect-timeout 0.6 --output null 2>called.err
    equal $? 1 "status of a receiver that nobody answers"
    said called "refused"
    said called "nobody answered" 1
    "$BIN/voxgram-send" tone:400 unix-stream:nowhere.sock --connect-timeout 0.3 2>nowhere.err
    equal $? 1 "status of a sender to no socket"
    said nowhere "nowhere.sock"
}

# Over datagrams nobody need be there: told once, and whoever starts later hears the rest.
later() {
    start_send later tone:400 unix:later.sock --duration 3
    until_true grep -qs 'later.sock' later.send.err || fail "a missing receiver is not told"
    receive later unix:later.sock --output null --stats later.json
    received later
    sent later
    holds "$(json later.json packets.received) > 0"
}

# One address, two programs.
in_use() {
    listen first tcp://127.0.0.1:0 --output null
    "$BIN/voxgram-recv" "tcp://127.0.0.1:$port" --output null 2>second.err
    equal $? 1 "status of the second on a port"
    said second "cannot listen on tcp://127.0.0.1:$port: another program uses"
    listen path unix:busy.sock --output null
    "$BIN/voxgram-recv" unix:busy.sock --output null 2>second_path.err
    equal $? 1 "status of the second on a path"
    said second_path "busy.sock"
    echo text >file.txt
    "$BIN/voxgram-recv" unix:file.txt --output null 2>file.err
    equal $? 1 "status on a file that is no socket"
    said file "no socket has that name"
    equal "$(cat file.txt)" text "a file that is no socket"
    "$BIN/voxgram-recv" unix:no/such/folder/x --output null 2>folder.err
    equal $? 1 "status in a folder that is not there"
    said folder "no/such/folder"
}

# A socket that a killed program left is taken over.
stale() {
    listen dead unix:stale.sock --output null
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    [ -S stale.sock ] || fail "there is no stale socket to begin with"
    receive alive unix:stale.sock --output null --stats alive.json
    send alive tone:400 unix:stale.sock --duration 0.3
    received alive
    holds "$(json alive.json packets.received) > 0"
}

# The receiver goes and comes back: the sender finds it again.
comes_back() {
    listen gone tcp://127.0.0.1:0 --output null
    place=$port
    start_send back tone:400 "tcp://127.0.0.1:$place" --duration 6 --stats back.send.json
    until_true grep -qs 'plays' gone.err || fail "nothing is heard"
    kill -KILL "$pid_gone"
    wait "$pid_gone" 2>/dev/null
    until_true grep -qs 'refused' back.send.err || fail "that it is gone is not told"
    receive again "tcp://127.0.0.1:$place" --output null --stats again.json
    received again
    sent back
    holds "$(json again.json packets.received) > 0"
    equal "$(json back.send.json transport.connected)" 2 "connections of the sender"
    holds "$(json back.send.json transport.unsent) > 0"
    said back.send "went nowhere: nobody was connected"
}

# The kernel holds ten datagrams for a Unix socket (max_dgram_qlen), 200 ms of audio: the sender holds
# what comes after them.
paused() {
    receive paused unix:paused.sock --output null --delay "$PATIENT_MS" --stats paused.json
    start_send paused tone:400 unix:paused.sock --duration 3 --stats paused.send.json
    until_true grep -qs 'plays' paused.err || fail "nothing is heard"
    kill -STOP "$pid_paused"
    sleep 0.6
    kill -CONT "$pid_paused"
    received paused
    sent paused
    equal "$(json paused.json packets.received)" "$(json paused.send.json packets.sent)" \
        "packets that a paused receiver got"
    equal "$(json paused.send.json transport.queue_full)" 0 "packets dropped"
}

# What it never takes is not passed over in silence.
never_taken() {
    listen never unix:never.sock --output null
    kill -STOP "$pid_never"
    send never tone:400 unix:never.sock --duration 0.5
    said never.send "had not been taken when it ended"
    kill -KILL "$pid_never"
}

# Somebody who speaks something else disturbs nobody.
stranger() {
    receive host tcp://127.0.0.1:0 --output host.wav --delay "$PATIENT_MS" --stats host.json
    head -c 100000 /dev/urandom | socat -u - "TCP:127.0.0.1:$port" 2>/dev/null
    printf 'GET / HTTP/1.1\r\n\r\n' | socat -t 0.2 - "TCP:127.0.0.1:$port" >/dev/null 2>&1
    send host "$clip" "tcp://127.0.0.1:$port" --stats host.send.json
    received host
    equal "$(json host.json packets.received)" "$(json host.send.json packets.sent)" \
        "packets beside a stranger"
    equal "$(json host.json packets.lost)" 0 "packets lost beside a stranger"
}

# Ctrl-C while nobody is there ends it in order.
interrupted() {
    start_send waiting tone:400 unix-stream:wait.sock --listen --stats waiting.json
    until_true is_waiting waiting || fail "the sender does not listen"
    kill -INT "$pid"
    wait "$pid"
    equal $? 0 "status of a sender that was interrupted"
    equal "$(json waiting.json packets.sent)" 0 "packets sent to nobody"
    [ ! -e wait.sock ] || fail "wait.sock was left behind"
}

# Small frames without end, as fast as they are taken; sets $pid_flood.
flood() {
    { printf '\000' && yes Axyz | tr 'A\n' '\003\000'; } | socat -u - "TCP:127.0.0.1:$1" 2>/dev/null &
    pid_flood=$!
    running="$running $pid_flood"
}

has_ended() {
    ! kill -0 "$1" 2>/dev/null
}

# Who sends faster than we read stops neither the audio nor Ctrl-C.
flooded() {
    start_send deluge tone:400 tcp://127.0.0.1:0 --listen --stats deluge.send.json
    until_true is_waiting deluge || fail "the sender does not listen"
    flood "$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' deluge.send.err)"
    "$BIN/voxgram-recv" "tcp://127.0.0.1:$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' \
        deluge.send.err)" --connect --output null --duration 1.5 --stats deluge.json 2>deluge.err ||
        fail "a receiver beside a flood: $?"
    has_ended "$pid_flood" && fail "the flood has ended too soon"
    holds "$(json deluge.json packets.received) > 0"
    kill -INT "$pid"
    until_true has_ended "$pid" || fail "a flood keeps the sender from its end"
    sent deluge
    listen drowned tcp://127.0.0.1:0 --output null
    flood "$port"
    until_true grep -qs 'connected' drowned.err || fail "the flood does not come"
    kill -INT "$pid_drowned"
    until_true has_ended "$pid_drowned" || fail "a flood keeps the receiver from its end"
    received drowned
}

# The rest is kept for one that does not read it, which is told; a second Ctrl-C does not wait.
stalled() {
    start_send stalled tone:400 tcp://127.0.0.1:0 --listen --duration 1.5 --profile music \
        --channels 2 --bitrate 510
    until_true is_waiting stalled || fail "the sender does not listen"
    port=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' stalled.send.err)
    socat -u UDP-RECV:0,bind=127.0.0.1 "TCP:127.0.0.1:$port,rcvbuf=4096" 2>/dev/null &
    running="$running $!"
    until_true grep -qs 'not taken yet' stalled.send.err || fail "that it waits is not told"
    kill -INT "$pid_stalled_send"
    sent stalled
}

# Who ends its own half of the connection at once still hears all, and is missed when it has gone.
half_closed() {
    start_send half "$clip" tcp://127.0.0.1:0 --listen --stats half.send.json
    until_true is_waiting half || fail "the sender does not listen"
    from=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' half.send.err)
    receive half tcp://127.0.0.1:0 --output null --delay "$PATIENT_MS" --stats half.json
    socat -t 60 - "TCP:127.0.0.1:$from" </dev/null | socat -u - "TCP:127.0.0.1:$port"
    sent half
    received half
    equal "$(json half.json packets.received)" "$(json half.send.json packets.sent)" \
        "packets heard by one that only listens"
    equal "$(json half.send.json transport.connected)" 1 "connections"
    start_send left tone:400 tcp://127.0.0.1:0 --listen --stats left.json
    until_true is_waiting left || fail "the sender does not listen"
    from=$(sed -n 's/^.*listening on .*:\([0-9]*\)$/\1/p' left.send.err)
    socat -t 60 - "TCP:127.0.0.1:$from" </dev/null 2>/dev/null | head -c 500 >/dev/null
    until_true grep -qs 'has ended the connection' left.send.err || fail "it is not missed"
    kill -INT "$pid"
    sent left
    equal "$(json left.json transport.broken)" 0 "broken connections"
}

need socat
at_once <<'END'
refused
later
in_use
stale
comes_back
stranger
flooded
stalled
half_closed
paused
never_taken
interrupted
END
