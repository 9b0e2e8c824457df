#!/bin/sh
# Draws the pictures of docs/playout.md: draw.sh [BIN [OUT]]
# BIN holds voxgram-lab (build/release/bin), OUT gets the SVGs (the folder of this script). The
# networks are made here or lie in tests/data, all in virtual time: the same pictures each time.
# shellcheck source-path=SCRIPTDIR source=../pictures.sh
. "$(dirname "$0")/../pictures.sh"

# ---- networks ----

# trace SECONDS 'AWK': 20 ms packets; the program sets `extra`, the ms that the packet of second t
# is held up, over a transit of 20 ms with a little jitter. What is held up is not overtaken.
trace() {
    awk -v count="$(($1 * 50))" '
        function random() { state = (state * 16807) % 2147483647; return state / 2147483647 }
        function packet(t) { '"$2"' }
        BEGIN {
            state = 1
            print "# interval_ms 20"
            for (i = 0; i < count; i++) {
                extra = 0
                packet(i / 50)
                arrival = 1000 + i * 20 + 20 + 3 * random() + extra
                if (arrival < last) arrival = last + 0.1
                last = arrival
                printf "%d %.3f %.3f\n", i, 1000 + i * 20, arrival
            }
        }'
}

# Usual stalls of 60 ms, from which the delay is learned; then, or not, one of 100 ms. (By its file's
# name the lab chooses when sound is pulled: all have the same.)
mkdir "$work/usual" "$work/stall" "$work/ramp"
usual='if (int(t * 50) % 400 == 7) extra = 60'
trace 56 "$usual" >"$work/usual/network"
trace 56 "$usual
          if (t >= 46 && t < 46.1) extra = (46.1 - t) * 1000" >"$work/stall/network"
# A longer route for 15 s; then a queue that fills in 3 s, stays full for 4 s and drains in 3 s.
trace 60 'if (t >= 15 && t < 30) extra = 60
          if (t >= 40 && t < 43) extra = (t - 40) * 60
          if (t >= 43 && t < 47) extra = 180
          if (t >= 47 && t < 50) extra = (50 - t) * 60' >"$work/ramp/network"

# play NAME NETWORK [OPTION...]: what was played when.
play() {
    name=$1
    network=$2
    shift 2
    "$bin/voxgram-lab" playout "$work/$network/network" --quiet --log "$work/$network/$name" "$@" \
        >"$work/$network/$name.txt"
}

# delays LOG FROM TO: second of sending, ms from there to arrival and to playout over the fastest
# transit; NaN where it was not played.
delays() {
    awk -F, -v from="$2" -v to="$3" '
        /^[0-9]/ {
            send[n] = $2
            recv[n] = $3
            played[n++] = $4
            if (base == "" || $3 - $2 < base) base = $3 - $2
        }
        END {
            for (i = 0; i < n; i++) {
                t = send[i] / 1000 - 1
                if (t >= from && t < to)
                    print t, recv[i] - send[i] - base,
                        played[i] == "unplayed" ? "NaN" : played[i] - send[i] - base
            }
        }' "$work/$1"
}

# What a player made up because of the long stall, in ms.
made_up() {
    cat "$work/usual/$1" "$work/stall/$1" |
        awk -F= '/^#concealed_ms/ { made = $2 - made } END { printf "%.0f", made }'
}

# ---- pictures ----

draw_stall() {
    for network in usual stall; do
        play ours "$network"
        play music "$network" --profile music
        play fixed "$network" --delay 60
    done
    for player in ours music fixed; do
        delays stall/$player 45.7 48.7 >"$work/$player"
    done
    awk '$3 == "NaN" { print $1, $2 }' "$work/fixed" >"$work/unplayed"
    picture stall 400 <<GNUPLOT
set label 1 'delay over the fastest packet (ms)'
set xrange [45.7:48.7]; set yrange [0:190]
set ytics 0,20,120
set xtics 46,0.5 format '%g s'
set xlabel 'when it was sent' tc rgb '$muted'
plot '$work/ours' using 1:3 with lines lw 2.4 lc rgb '$ink' \
        title 'played, slowed in the stall (voice): $(made_up ours) ms made up', \
    '$work/music' using 1:3 with lines lw 1.6 lc rgb '$green' \
        title 'played, never stretched (music): $(made_up music) ms made up', \
    '$work/fixed' using 1:3 with lines lw 1.6 dt (6,4) lc rgb '$muted' \
        title 'played after fixed 60 ms: $(made_up fixed) ms made up', \
    '$work/ours' using 1:2 with points pt 7 ps 0.35 lc rgb '$blue' title 'packets arrive', \
    '$work/unplayed' using 1:2 with points pt 2 ps 0.7 lw 1.6 lc rgb '$late' \
        title 'too late for the fixed delay'
GNUPLOT
}

draw_ramp() {
    play ours ramp
    delays ramp/ours 5 58 | awk 'NR % 6 == 1' >"$work/ramp.delays"
    picture ramp 340 <<GNUPLOT
set label 1 'delay over the fastest packet (ms)'
set xrange [5:58]; set yrange [0:290]
set ytics 0,50,200
set xtics 5 format '%g s'
set xlabel 'when it was sent' tc rgb '$muted'
set key top left
set label 'longer route' at 22.5, 35 center tc rgb '$blue'
set label 'queue fills and drains' at 45, 232 center tc rgb '$blue'
plot '$work/ramp.delays' using 1:2 with filledcurves above y=0 fc rgb '$blue' \
        fs transparent solid 0.25 noborder notitle, \
    '' using 1:2 with lines lw 1.2 lc rgb '$blue' title 'packets arrive', \
    '' using 1:3 with lines lw 2 lc rgb '$ink' title 'packets are played'
GNUPLOT
}

# choices PREFERENCE: the curve at the end of a minute: delay, ms made up of each minute, whether it
# is the chosen one.
choices() {
    "$bin/voxgram-lab" replay "$root/tests/data/speech.flac" --quiet --loop --duration 60 \
        --trace "$root/tests/data/wifi.trace" --prefer "$1" --stats "$work/stats.json"
    tr -d ' \n' <"$work/stats.json" | sed 's/.*"delay_curve":\[\([^]]*\)\].*/\1/' | tr '}' '\n' |
        sed -n 's/.*"delay_ms":\([^,]*\),"late_pct":\([^,]*\),"chosen":\(.*\)/\1 \2 \3/p' |
        awk '{ made_up = $2 * 600; print $1, made_up < 3 ? 3 : made_up, $3 }'
}

draw_curve() {
    choices balanced >"$work/curve"
    for preference in latency balanced smooth; do
        choices $preference | awk -v name=$preference '$3 == "true" { print $1, $2, name }'
    done | awk '
        { at = $1 " " $2; names[at] = names[at] (names[at] == "" ? "" : ", ") $3 }
        END { for (at in names) print at, "\"" names[at] "\"" }' | sort -n >"$work/knob"
    picture curve 340 <<GNUPLOT
set label 1 'made up in each minute'
set logscale y; set yrange [2:9000]
set ytics ('none' 3, '10 ms' 10, '0.1 s' 100, '1 s' 1000)
set xrange [0:105]; set xtics 10 format '%g ms'
set xlabel 'delay over the fastest packet' tc rgb '$muted'
plot '$work/curve' using 1:2 with linespoints lw 1.8 pt 7 ps 0.3 lc rgb '$late' \
        title 'what each delay would have cost on this network', \
    '$work/knob' using 1:2 with points pt 7 ps 0.9 lc rgb '$ink' \
        title 'chosen, by what is preferred', \
    '' using 1:2:3 with labels left offset character 0.7, 0.7 tc rgb '$ink' notitle
GNUPLOT
}

# From the table in docs/playout.md.
draw_score() {
    awk -F '|' '/^\| [0-9][0-9]-/ { gsub(/ /, ""); print ++n, $2, $6, $9 }' "$root/docs/playout.md" \
        >"$work/score"
    picture score 470 <<GNUPLOT
unset label 1
set lmargin 27; set tmargin 1; unset grid; set grid xtics lt 1 lw 1 lc rgb '$grid'
set border 2 lc rgb '$muted'
set yrange [$(wc -l <"$work/score").6:0.4]; set xrange [0:460]
set xtics 100 format '%g ms'
set ytics scale 0
set xlabel 'J: mean delay + 190 ms for each per cent made up; less is better' tc rgb '$muted'
set key bottom right
set style fill solid noborder
plot '$work/score' using (0):(\$1-0.18):(0):4:(\$1-0.34):(\$1-0.02) with boxxyerror \
        lc rgb '#b9bcc2' title 'NetEQ', \
    '' using (0):(\$1+0.18):(0):3:(\$1+0.02):(\$1+0.34):ytic(2) with boxxyerror \
        lc rgb '$blue' title 'Voxgram'
GNUPLOT
}

draw_stall
draw_ramp
draw_curve
draw_score
