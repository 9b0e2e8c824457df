# What the system drops because we do not read is told apart from what the network loses.
. "$(dirname "$0")/../support/lib.sh"

listen busy 127.0.0.1:0 --output null --delay "$PATIENT_MS" --stats busy.json --idle-exit 4
kill -STOP "$pid"
# More than the buffer of the kernel has room for, however large the system lets it be.
"$TOOLS/rtpblast" 127.0.0.1 "$port" packets=25 pt=0 garbage=1000 seed=7 bye=0
kill -CONT "$pid"
"$BIN/voxgram-send" "$DATA/speech-mono.flac" "127.0.0.1:$port" --quiet
received busy
dropped=$(json busy.json transport.kernel_dropped)
holds "$dropped > 1000"
said busy "the system dropped" 1
said busy "  dropped    $dropped packets that had come" 1

listen calm 127.0.0.1:0 --output null --stats calm.json --idle-exit 0.1
"$BIN/voxgram-send" "$DATA/speech-mono.flac" "127.0.0.1:$port" --quiet
received calm
equal "$(json calm.json transport.kernel_dropped)" 0 "packets that the kernel dropped"
said calm "dropped" 0
