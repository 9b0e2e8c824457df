#!/bin/sh
# The main job, shown: demo.sh BIN CLIP OUT
# Streams CLIP over loopback UDP in real time, through 5 % loss in bursts and 30 ms of jitter. The
# sender's line shows progress and level; what the receiver heard is told at the end.
set -eu
bin=$1
clip=$2
out=$3
mkdir -p "$out"

"$bin/voxgram-recv" 127.0.0.1:0 --output "$out/demo.wav" --stats "$out/demo.json" \
    --events "$out/demo-events.jsonl" --idle-exit 1 2>"$out/demo-recv.log" &
receiver=$!
trap 'kill -INT $receiver 2>/dev/null || true; wait $receiver 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

tries=0
until port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$out/demo-recv.log") &&
    [ -n "$port" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 $receiver 2>/dev/null; then
        echo "demo: the receiver did not start:" >&2
        cat "$out/demo-recv.log" >&2
        exit 1
    fi
    sleep 0.05
done

echo "Speech from voxgram-send to voxgram-recv, port $port, through a bad network:"
echo "5 % of the packets lost in bursts, 30 ms of jitter, in-band FEC on."
echo
"$bin/voxgram-send" "$clip" "127.0.0.1:$port" --profile voice --fec --loss 5 --burst 3 \
    --jitter 30 --seed 3
wait $receiver
echo
grep -v '^voxgram-recv:' "$out/demo-recv.log"
cat <<TEXT

What was heard:      $out/demo.wav
Figures (JSON):      $out/demo.json
Every glitch, dated: $out/demo-events.jsonl
TEXT
