#!/bin/sh
# Draws the pictures of docs/recovery.md: draw.sh [BIN [OUT [TABLE]]]
# BIN holds voxgram-lab (build/release/bin), OUT gets the SVGs (the folder of this script). The sweep
# of dial.json takes some minutes; its table is kept if TABLE.csv is named, and not made again if it
# is there. All in virtual time: the same pictures each time.
# shellcheck source-path=SCRIPTDIR source=../pictures.sh
. "$(dirname "$0")/../pictures.sh"
table=${3:-$work/dial.csv}
"$bin/voxgram-lab" sweep "$here/dial.json" --out "$table"

# Mean over the seeds of each cell: encoder|network|delay in ms|kbit/s|% made up|dB of distance.
awk '
    {
        parts = split($0, part, "\"") # what stands in quotes keeps its commas as semicolons
        line = ""
        for (i = 1; i <= parts; i++) {
            if (i % 2 == 0)
                gsub(/,/, ";", part[i])
            line = line part[i]
        }
        split(line, field, ",")
    }
    NR == 1 { for (i in field) at[field[i]] = i; next }
    {
        cell = field[at["encoder"]] "|" field[at["network"]] "|" field[at["receiver.delay_ms"]]
        count[cell]++
        kbps[cell] += field[at["wire_kbps"]]
        made_up[cell] += field[at["e_model.concealed_pct"]]
        distance[cell] += field[at["quality.log_spectral_distance_db"]]
    }
    END {
        for (cell in count)
            printf "%s|%.1f|%.2f|%.2f\n", cell, kbps[cell] / count[cell],
                made_up[cell] / count[cell], distance[cell] / count[cell]
    }' "$table" | sort -t '|' -k 1,2 -k 3n >"$work/means"

# ---- pictures ----

# against_delay ENCODER NETWORK: ms, % made up, dB; what is made up never is drawn where it is little.
against_delay() {
    awk -F '|' -v encoder="$1" -v network="$2" \
        '$1 == encoder && $2 == network { print $3, $5 < 0.02 ? 0.02 : $5, $6 }' "$work/means"
}

# lines NETWORK: of all means, for a plot.
lines() {
    network=$1
    while IFS='|' read -r encoder style title; do
        file=$work/$(printf '%s' "$encoder.$network" | tr -c 'A-Za-z0-9.' _)
        against_delay "$encoder" "$network" >"$file"
        printf "'%s' with linespoints %s title '%s', " "$file" "$style" "$title"
    done <<END
plain|lw 1.6 pt 7 ps 0.3 lc rgb '#8a9099'|concealment: 49
FEC|lw 1.6 pt 7 ps 0.3 lc rgb '$warm'|FEC: 49
FEC; copy 2|lw 2 pt 7 ps 0.4 lc rgb '#56a8dc'|FEC, a copy 2 later: 83
12 kbit/s; copies 1 3 5|lw 2 dt (6,4) pt 7 ps 0.4 lc rgb '$blue'|12 kbit/s, copies 1, 3, 5: 69
FEC; copies 2 4|lw 2 pt 7 ps 0.4 lc rgb '$late'|FEC, copies 2 and 4: 116
adapt 120|lw 2.6 pt 7 ps 0.5 lc rgb '$ink'|--adapt: at most 120
FEC; RTX|lw 2 pt 7 ps 0.4 lc rgb '$green'|FEC, retransmission: 54..69
END
}

# Two networks above each other, what the lines are beside them.
picture delay 620 <<GNUPLOT
set logscale y; set yrange [0.02:40]; set ytics ('none' 0.02, '0.1 %%' 0.1, '1 %%' 1, '10 %%' 10)
set xrange [15:142]; set xtics 20,20 format '%g ms'
set rmargin 32
set multiplot
set origin 0, 0.52; set size 1, 0.48
set label 1 'sound made up; 20 % of the packets lost, each by chance'
set key at graph 1.03, graph 0.98 left top title 'means: kbit/s on the wire' left
plot $(lines '20 %') NaN notitle
unset key
set origin 0, 0; set size 1, 0.52
set xlabel 'delay of the playout over the fastest packet' tc rgb '$muted'
set label 1 'the same; 20 % lost in bursts of 3 on average'
plot $(lines '20 %; bursts of 3') NaN notitle
unset multiplot
GNUPLOT

# against_bits NETWORK < LIST: kbit/s, dB, where the label stands, and the label, of each means at
# the delay it needs. LIST: encoder|delay in ms|label|how far above the point.
against_bits() {
    while IFS='|' read -r encoder delay label above; do
        awk -F '|' -v encoder="$encoder" -v network="$1" -v delay="$delay" -v label="$label" \
            -v above="$above" '
            $1 == encoder && $2 == network && $3 == delay {
                print $4, $6, $6 * above, "\"" label "\""
            }' "$work/means"
    done
}

against_bits '20 %' >"$work/fixed.single" <<'END'
plain|20|concealment, 20 ms|1
FEC|20|FEC, 20 ms|1
FEC; copy 1|40|FEC, a copy 1, 2 or 3 later, 40 to 80 ms|1
FEC; copy 2|60||1
FEC; copy 3|80||1
FEC; copies 2 4|100|FEC, copies 2, 4, 100 ms|0.85
FEC; copies 3 6|140|FEC, copies 3, 6, 140 ms|1.15
FEC; RTX|40|FEC, retransmission, 40 ms|1
END
against_bits '20 %' >"$work/narrow.single" <<'END'
12 kbit/s; copies 1 3|60|12 kbit/s, copies 1, 3, 60 ms|0.7
12 kbit/s; copies 1 3 5|100|12 kbit/s, copies 1, 3, 5, 100 ms|1
END
against_bits '20 %; bursts of 3' >"$work/fixed.bursts" <<'END'
plain|20|concealment, 20 ms|1
FEC|20|FEC, 20 ms|1
FEC; copy 1|40|FEC, copy 1, 40 ms|1
FEC; copy 2|60|FEC, copy 2, 60 ms|1
FEC; copy 3|80|FEC, copy 3, 80 ms|1
FEC; copies 2 4|100|FEC, copies 2, 4, 100 ms|0.85
FEC; copies 3 6|140|FEC, copies 3, 6, 140 ms|1
FEC; RTX|40|FEC, retransmission, 40 ms|1.25
END
against_bits '20 %; bursts of 3' >"$work/narrow.bursts" <<'END'
12 kbit/s; copies 1 3|60|12 kbit/s, copies 1, 3, 60 ms|1.1
12 kbit/s; copies 1 3 5|100|12 kbit/s, copies 1, 3, 5, 100 ms|0.9
END
for most in 60 80 120; do
    echo "adapt $most|100||1" | against_bits '20 %' >>"$work/chosen.single"
    echo "adapt $most|100||1" | against_bits '20 %; bursts of 3' >>"$work/chosen.bursts"
done

# points KIND: one panel.
points() {
    cat <<GNUPLOT
plot '$work/fixed.$1' using 1:2 with points pt 7 ps 0.7 lc rgb '$blue' title 'speech at 32 kbit/s', \
    '' using 1:3:4 with labels left offset character 0.8, 0.1 tc rgb '$ink' notitle, \
    '$work/narrow.$1' using 1:2 with points pt 6 ps 0.8 lw 2 lc rgb '$blue' \
        title 'at 12 kbit/s: duller where nothing is lost', \
    '' using 1:3:4 with labels left offset character 0.8, 0.1 tc rgb '$ink' notitle, \
    '$work/chosen.$1' using 1:2 with linespoints lw 2 pt 7 ps 0.6 lc rgb '$late' \
        title '--adapt, 100 ms, at most 60, 80, 120 kbit/s'
GNUPLOT
}

picture bits 720 <<GNUPLOT
set logscale y; set yrange [0.012:4]; set ytics ('0.03 dB' 0.03, '0.1' 0.1, '0.3' 0.3, '1' 1, '3' 3)
set xrange [44:150]; set xtics 50,10,140 format '%g'
set multiplot
set origin 0, 0.51; set size 1, 0.49
set label 1 'distance of the spectra; 20 % of the packets lost, each by chance'
set key top right
$(points single)
set origin 0, 0; set size 1, 0.51
unset key
set xlabel 'kbit/s on the wire, headers included' tc rgb '$muted'
set label 1 'the same; 20 % lost in bursts of 3 on average'
$(points bursts)
unset multiplot
GNUPLOT

# From the table in docs/recovery.md: number, class with delay and bits, its four figures, the
# least of them.
awk -F ' *[|] *' '
    /^#/ { inside = /PESQ/ }
    inside && NF > 8 && $4 ~ /^[0-9]/ {
        gsub(/`/, "", $2)
        sub(/, round trip.*/, "", $2)
        sub(/120 at most/, "≤ 120", $4)
        sub(/100 ms at most/, "≤ 100 ms", $3)
        sub(/[.][.]/, "–", $4)
        print ++n, "\"" $2 "  " $3 "  " $4 "\"", $5, $6, $7, $8, $7 < $8 ? $7 : $8
    }' "$root/docs/recovery.md" >"$work/pesq"

picture pesq 480 <<GNUPLOT
unset label 1
set lmargin 42; set tmargin 4.4; unset grid; set grid xtics lt 1 lw 1 lc rgb '$grid'
set border 0
set yrange [$(wc -l <"$work/pesq").6:0.4]; set xrange [1.2:4.5]
set xtics 1.5,0.5
set ytics scale 0
set xlabel 'PESQ-WB; more is better, 4.43 without loss' tc rgb '$muted'
set label 2 'class, delay, kbit/s' at graph 0, graph 1 offset character -1, 1.2 right tc rgb '$muted'
set key at screen 0.99, screen 0.985 right top horizontal maxcols 4 samplen 0.6 width -2
plot '$work/pesq' using 7:1:(\$3-\$7):(0):ytic(2) with vectors nohead lw 2 lc rgb '$grid' notitle, \
    '' using 3:1 with points pt 7 ps 0.7 lc rgb '$ink' title '10 % lost', \
    '' using 4:1 with points pt 7 ps 0.7 lc rgb '$blue' title '20 %', \
    '' using 5:1 with points pt 7 ps 0.7 lc rgb '#7fbfe6' title '30 %', \
    '' using 6:1 with points pt 13 ps 0.9 lc rgb '$late' title '20 % in bursts of 3'
GNUPLOT
