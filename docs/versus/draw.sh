#!/bin/sh
# Draws stair.svg: when each packet of a stream came over the kernel's TCP, and over UDP, on a network
# that loses.  docs/versus/draw.sh [BIN [OUT]]. Real time and a real kernel: each run differs a little.
. "$(dirname "$0")/../pictures.sh"

# over NAME DESTINATION LISTEN [OPTION...]: seconds of sending, ms of delay (negative: lost) as NAME.dat
over() {
    name=$1 to=$2 listen=$3
    shift 3
    "$bin/voxgram-lab" link --quiet --delay 50 --loss 5 --seed 3 --wait 60 --until both -- \
        "$bin/voxgram-send" "$root/tests/data/speech.flac" "$to" --duration 6 --bitrate 64 "$@" -- \
        "$bin/voxgram-recv" "$listen" --clock-synced --output null --idle-exit 1 --trace-out "$work/$name.trace" \
        2>"$work/$name.log" || { cat "$work/$name.log" >&2; exit 1; }
    awk '!/^#/ { print $2 / 1000, $3 == "lost" ? -1 : $3 - $2 }' "$work/$name.trace" >"$work/$name.dat"
}
over tcp tcp://10.77.0.2 tcp://:5004 --tcp-congestion cubic
over udp 10.77.0.2 0.0.0.0:5004

top=$(awk '$2 > top { top = $2 } END { print int(top / 50 + 1) * 50 }' "$work/tcp.dat")
picture stair 420 <<GNUPLOT
set multiplot layout 2,1
set xrange [0:6]
set yrange [0:$top]
set ytics 100
set tmargin 2.4
set label 1 'TCP, ms from sending to arrival: one packet is lost, and all behind it wait for its repeat'
plot '$work/tcp.dat' using 1:2 with points pt 7 ps 0.35 lc rgb '$late' notitle
set label 1 'UDP, on the same network: what is lost is lost (crosses), and nothing waits'
set xlabel 'seconds' textcolor rgb '$muted' offset 0,0.5
plot '$work/udp.dat' using 1:(\$2 < 0 ? 1/0 : \$2) with points pt 7 ps 0.35 lc rgb '$blue' notitle, \
     '$work/udp.dat' using 1:(\$2 < 0 ? $top * 0.92 : 1/0) with points pt 2 ps 0.7 lc rgb '$warm' notitle
unset multiplot
GNUPLOT
