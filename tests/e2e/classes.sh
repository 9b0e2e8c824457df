# What each class of docs/recovery.md buys stays bought: the shipped clip through loss by chance and
# in bursts, two seeds each, in virtual time. In a row of the table below, of one network:
#
#     loss | made up, %, at most | distance, dB, at most | frames from copies, FEC, retransmission, %
#          of the packets lost, at least
#
# and "none KBPS": what is on the wire, at most, where nothing is lost.
# The same build gives the same figures; what is left to them is for other compilers and versions of
# the codec. Where nothing is lost nothing is made up, and every sample is that of the clean decode.
# SHOW=1 in the environment prints what was found instead.
. "$(dirname "$0")/../support/lib.sh"

# means TABLE: network, kbit/s, % made up, dB of distance, % of the lost from each carrier.
means() {
    awk '
        {
            gsub(/"[^"]*"/, "quoted")
            split($0, field, ",")
        }
        NR == 1 { for (i in field) at[field[i]] = i; next }
        {
            n = field[at["network"]]
            count[n]++
            kbps[n] += field[at["wire_kbps"]]
            made_up[n] += field[at["e_model.concealed_pct"]]
            distance[n] += field[at["quality.log_spectral_distance_db"]]
            lost[n] += field[at["packets.lost"]]
            red[n] += field[at["frames.from_red"]]
            fec[n] += field[at["frames.from_fec"]]
            rtx[n] += field[at["frames.from_rtx"]]
        }
        END {
            for (n in count) {
                per = lost[n] > 0 ? 100 / lost[n] : 0
                print n, kbps[n] / count[n], made_up[n] / count[n], distance[n] / count[n],
                    red[n] * per, fec[n] * per, rtx[n] * per
            }
        }' "$1"
}

# class NAME DELAY KBPS ENCODER < ROWS: DELAY is of the receiver, KBPS what is on the wire at most,
# ENCODER as in a scenario.
class() {
    name=$1
    unheard="== 0"
    [ "$2" = '"auto"' ] && unheard="< 0.03" # a delay that is learned stretches
    cat >"$name.json" <<END
{
  "files": ["$DATA/speech.flac"],
  "encoders": [{$4}],
  "networks": [
    {"name": "none", "delay_ms": 2},
    {"name": "10", "loss_pct": 10, "delay_ms": 2},
    {"name": "20", "loss_pct": 20, "delay_ms": 2},
    {"name": "30", "loss_pct": 30, "delay_ms": 2},
    {"name": "bursts", "loss_pct": 20, "burst_packets": 3, "delay_ms": 2}
  ],
  "receivers": [{"delay_ms": $2, "max_delay_ms": 100}],
  "seeds": [1, 2],
  "quality": true
}
END
    "$BIN/voxgram-lab" sweep "$name.json" --out "$name.csv" --quiet 2>"$name.err" ||
        fail "$name: sweep ended with $?"
    means "$name.csv" >"$name.means"
    cat >"$name.rows"
    if [ -n "${SHOW:-}" ]; then # what the rows are made of
        sed "s/^/$name /" "$name.means"
        return
    fi
    equal "$(wc -l <"$name.means")" 5 "$name: networks"
    while read -r network kbps made_up distance red fec rtx; do
        holds "$kbps" "< $3"
        if [ "$network" = none ]; then
            holds "$made_up" "== 0"
            holds "$distance" "$unheard"
            most=$(sed -n 's/^none  *//p' "$name.rows")
            holds "$kbps" "< ${most:-$3}"
            continue
        fi
        # shellcheck disable=SC2046
        set -- "$1" "$2" "$3" "$4" $(sed -n "s/^ *$network  *//p" "$name.rows")
        equal $# 9 "$name: rows of $network"
        holds "$made_up" "<= $5"
        holds "$distance" "<= $6"
        holds "$red" ">= $7"
        holds "$fec" ">= $8"
        holds "$rtx" ">= $9"
    done <"$name.means"
}

# ---- classes ----

class concealment 20 51 '' <<'END'
10      10.7  1.51   0   0   0
20      22.4  2.76   0   0   0
30      33.4  4.11   0   0   0
bursts  24.1  3.19   0   0   0
END
class fec 20 51 '"fec": true' <<'END'
10       2.4  0.82   0  69   0
20       6.7  1.65   0  61   0
30      13.0  2.55   0  53   0
bursts  17.6  2.41   0  22   0
END
class narrow 60 58 '"bitrate_kbps": 12, "red_at": "1,3"' <<'END'
10       0.3  0.08  88   0   0
20       1.1  0.20  84   0   0
30       2.8  0.41  81   0   0
bursts   7.9  1.05  59   0   0
END
class patient 100 71 '"bitrate_kbps": 12, "red_at": "1,3,5"' <<'END'
10       0.1  0.04  89   0   0
20       0.3  0.06  88   0   0
30       1.0  0.18  86   0   0
bursts   3.5  0.53  76   0   0
END
class copy 40 86 '"fec": true, "red_at": "1"' <<'END'
10       0.3  0.16  80   4   0
20       1.3  0.42  70  10   0
30       4.1  0.87  61  14   0
bursts  12.3  1.71  26  14   0
END
class spread 60 86 '"fec": true, "red_at": "2"' <<'END'
10       0.3  0.09  84   0   0
20       0.8  0.42  70  13   0
30       2.2  0.76  62  17   0
bursts   8.4  1.23  44  10   0
END
class spread_for_bursts 80 86 '"fec": true, "red_at": "3"' <<'END'
10       0.2  0.15  81   4   0
20       0.9  0.45  68  14   0
30       1.8  0.76  63  18   0
bursts   5.5  0.90  56  10   0
END
class two 100 120 '"fec": true, "red_at": "2,4"' <<'END'
10       0.1  0.04  88   0   0
20       0.3  0.10  85   0   0
30       0.5  0.31  80   5   0
bursts   3.4  0.62  69   4   0
END
class two_for_bursts 140 120 '"fec": true, "red_at": "3,6"' <<'END'
10       0.1  0.04  88   0   0
20       0.3  0.14  84   0   0
30       0.5  0.27  82   2   0
bursts   1.4  0.35  78   2   0
END
class nack 40 69 '"fec": true, "rtx": true' <<'END'
none   53
10       0.2  0.04   0   0  87
20       0.3  0.05   0   0  87
30       0.9  0.21   0   0  83
bursts  13.9  1.93   0   8  25
END
# What the controller chooses may be another thing with another codec; its budget is a promise.
class adapt 100 120 '"adapt": true, "max_bitrate_kbps": 120' <<'END'
none   54
10       0.4  0.10  85   0   0
20       0.8  0.16  85   0   0
30       1.3  0.37  80   0   0
bursts   5.0  0.80  68   0   0
END
class adapt_learned '"auto"' 120 '"adapt": true, "max_bitrate_kbps": 120' <<'END'
none   54
10       0.6  0.16  85   0   0
20       1.3  0.26  84   0   0
30       1.6  0.45  80   0   0
bursts   6.3  0.95  65   0   0
END
