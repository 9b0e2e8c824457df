# A disk that fills up while recording: what was received before is kept, and the end is orderly.
. "$(dirname "$0")/../support/lib.sh"
need unshare soxi ffprobe

# Small file systems of its own, if that may be.
if [ "${1:-}" != inside ]; then
    unshare -Urm true 2>/dev/null || skip "this user may not make mount namespaces"
    unshare -Urm sh "$SCRIPT" inside
    exit
fi

# What is mounted cannot be removed.
leave() {
    for folder in wav flac opus events; do
        umount -l "$folder" 2>/dev/null
    done
    clean_up
}
trap leave EXIT

# fills NAME FILE KIB LEAST_MS SOURCE...: LEAST_MS of it fit onto the disk.
fills() {
    key=$1 file=$1/$2 least_ms=$4
    mkdir "$key"
    mount -t tmpfs -o "size=$3k" none "$key" || skip "no file system to fill"
    shift 4
    receive "$key" 127.0.0.1:0 --output "$file" --delay 50 --stats "$key.json"
    start_send "$key" "$@" "127.0.0.1:$port"
    finished "$key" 1
    said "$key" "cannot go on writing '$file'" 1
    said "$key" "Heard" 1
    kept_ms=$(json "$key.json" recorded_ms)
    holds "$kept_ms >= $least_ms"
    skip=0
    case $file in
    *.opus) ffprobe -v error "$file" || fail "ffprobe does not read $file"
        skip=312 ;; # of its beginning, which players leave out
    *) soxi "$file" >/dev/null || fail "soxi does not read $file" ;;
    esac
    difference=$(awk "BEGIN { print $(frames "$file") + $skip - $kept_ms * 48 }")
    # FLAC: blocks of the quarter second that did not fit as a whole may be there, too
    holds "$difference > -1 && $difference < 12001"
    eval "kill -TERM \$pid_${key}_send"
    sent "$key"
}

# A limit of the shell's on the size of files, which comes as a signal.
limited() {
    mkdir limit
    (
        ulimit -f 200 # blocks of 512 bytes
        exec "$BIN/voxgram-recv" 127.0.0.1:0 --output limit/limit.wav --duration 180 --delay 50 \
            2>limit.err
    ) &
    pid_limit=$!
    until_true is_listening limit "$pid_limit" || fail "no receiver"
    port=$(sed -n '1s/^.*:\([0-9]*\)$/\1/p' limit.err)
    start_send limit tone:400 "127.0.0.1:$port"
    finished limit 1
    said limit "cannot go on writing" 1
    holds "$(frames limit/limit.wav) >= 36000"
    eval "kill -TERM \$pid_limit_send"
    sent limit
}

# The statistics and events have no room: said, and the recording goes on.
no_room_for_events() {
    mkdir events
    mount -t tmpfs -o size=4k none events
    receive events 127.0.0.1:0 --output events.wav --delay 100 --events events/log
    send events "$DATA/speech.flac" "127.0.0.1:$port" --duration 3 --frame 5 --loss 30
    finished events 1
    said events "cannot write events/log" 1
    holds "$(frames events.wav) > 48000 * 2.8"
}

at_once <<'END'
fills wav disk.wav 128 500 tone:400
fills flac disk.flac 64 500 "$DATA/speech.flac" --loop
fills opus disk.opus 32 300 tone:400 --bitrate 256
limited
no_room_for_events
END
