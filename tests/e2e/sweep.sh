# A sweep is killed at any moment, goes on, is shared out to shards and merged: always the same
# table. What is wrong is refused with place and reason.
. "$(dirname "$0")/../support/lib.sh"

LAB=$BIN/voxgram-lab
mkdir tables scenario
ln -s "$DATA/speech-mono.flac" scenario/talk.flac
ln -s "$DATA/wifi.trace" scenario/wifi.trace
cat >scenario/matrix.json <<'END'
{
  "name": "matrix",
  "files": [
    {"file": "talk.flac", "duration_s": 1},
    {"name": "talk, \"again\"", "file": "talk.flac", "duration_s": 1.5, "loop": true}
  ],
  "encoders": [{"name": "plain"}, {"name": "fec", "fec": true}, {"profile": "lowdelay"}],
  "networks": [
    {"name": "clean"},
    {"name": "bursts", "loss_pct": 10, "burst_packets": 3, "delay_ms": 20, "jitter_ms": 30},
    {"name": "wifi", "trace": "wifi.trace", "reorder_pct": 5, "duplicate_pct": 2}
  ],
  "receivers": [{"name": "auto"}, {"name": "fixed", "delay_ms": 60},
                {"name": "card", "speaker_block_ms": 5, "speaker_skew_ppm": 40}],
  "seeds": {"from": 1, "count": 4}
}
END
ROWS=216

# lab NAME ARGUMENT...: a sweep that is to succeed.
lab() {
    who=$1
    shift
    "$LAB" sweep "$@" >"$who.out" 2>"$who.err" </dev/null || fail "$who: sweep ended with $?"
}

# refused NAME STATUS TEXT ARGUMENT...
refused() {
    who=$1
    status=$2
    text=$3
    shift 3
    "$LAB" sweep "$@" >"$who.out" 2>"$who.err" </dev/null
    equal $? "$status" "status of $who"
    said "$who" "$text"
}

# numbers SEED COUNT FROM TO: whole numbers, always the same ones.
numbers() {
    awk -v seed="$1" -v n="$2" -v from="$3" -v to="$4" \
        'BEGIN { srand(seed); while (n-- > 0) print from + int(rand() * (to - from + 1)) }' </dev/null
}

# killed NAME MS ARGUMENT...: a sweep that gets SIGKILL after so many milliseconds, if it still runs.
killed() {
    who=$1
    ms=$2
    shift 2
    "$LAB" sweep "$@" >"$who.out" 2>"$who.err" </dev/null &
    pid=$!
    running="$running $pid"
    sleep "$(awk -v ms="$ms" 'BEGIN { print ms / 1000 }' </dev/null)"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# column FILE ROW NAME: a field, of those that are not quoted.
column() {
    awk -F , -v row="$2" -v name="$3" '
        { gsub(/"[^"]*"/, "quoted") }
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        $1 == row { print $at }' "$1"
}

one_run() {
    lab check scenario/matrix.json --check
    grep -q "$ROWS rows, 6 recordings" check.out || fail "check: $(cat check.out)"
    lab one scenario/matrix.json --out tables/one.csv --jobs 1
    said one "$ROWS rows are in tables/one.csv"
    equal "$(wc -l <tables/one.csv)" $((ROWS + 1)) "lines of the table"
    awk -F , 'NR > 1 && $1 != NR - 2 { exit 1 }' tables/one.csv || fail "rows are out of order"
    lab two scenario/matrix.json --out tables/two.csv --jobs 2 --quiet
    [ -s two.err ] && fail "--quiet said something"
    cmp tables/one.csv tables/two.csv || fail "two jobs make another table"
    lab again scenario/matrix.json --out tables/two.csv
    said again "all $ROWS rows are in tables/two.csv already"
}

# The example of the documentation is a scenario.
documented() {
    # shellcheck disable=SC2016
    sed -n '/^```json$/,/^```$/p' "$DATA/../../docs/lab.md" | sed '/^```/d' >scenario/example.json
    ln -s talk.flac scenario/talk.wav
    lab example scenario/example.json --check
    grep -q " 1800 rows, 4 recordings" example.out || fail "example: $(cat example.out)"
}

# A row is what replay finds with the same settings.
one_row() {
    "$LAB" replay scenario/talk.flac --duration 1 --fec --loss 10 --burst 3 --delay 20 --jitter 30 \
        --seed 3 --playout-delay 60 --stats row.json --quiet 2>row.err || fail "replay"
    row=$((36 + 12 + 4 + 2)) # fec, bursts, fixed, seed 3
    for name in packets.received packets.lost frames.concealed frames.from_fec concealed_ms \
        delay_ms.total.p95 e_model.r_factor; do
        holds "($(json row.json $name) - $(column tables/one.csv $row $name)) ^ 2" '< 1e-6'
    done
    holds "$(column tables/one.csv $row frames.from_fec)" '> 0'
}

# So is a row of a sender that listens to its receiver, which no recording can stand for: wherever
# the sound is taken from, since the length of a path must not decide on when reports are due.
live_rows() {
    mkdir elsewhere
    ln -s "$DATA/speech-mono.flac" elsewhere/talk.flac
    cat >scenario/live.json <<'END'
{
  "files": [{"file": "../elsewhere/talk.flac", "duration_s": 8, "loop": true}],
  "encoders": [{"fec": true, "rtx": true}, {"adapt": true, "max_bitrate_kbps": 100},
               {"red_at": "1,3", "bitrate_kbps": 12}],
  "networks": [{"loss_pct": 20, "burst_packets": 2, "delay_ms": 10}],
  "receivers": [{"delay_ms": 80, "max_delay_ms": 80}, {"max_delay_ms": 60}],
  "seeds": [3],
  "quality": true
}
END
    lab live scenario/live.json --out tables/live.csv
    row=0
    for sending in "--fec --rtx" "--adapt --max-bitrate 100" "--red-at 1,3 --bitrate 12"; do
        for waiting in "--playout-delay 80 --max-delay 80" "--max-delay 60"; do
            # shellcheck disable=SC2086
            "$LAB" replay scenario/talk.flac --duration 8 --loop $sending --loss 20 --burst 2 \
                --delay 10 --seed 3 $waiting --quality --stats live.json --quiet || fail "replay"
            for name in packets.lost frames.from_rtx frames.from_red frames.from_fec concealed_ms \
                delay_ms.total.mean quality.log_spectral_distance_db quality.segmental_snr_db; do
                holds "($(json live.json $name) - $(column tables/live.csv $row $name)) ^ 2" '< 1e-5'
            done
            wire=$(json live.json sent.wire_kbps)
            holds "($wire - $(column tables/live.csv $row wire_kbps)) ^ 2" '< 0.1'
            row=$((row + 1))
        done
    done
    holds "$(column tables/live.csv 0 frames.from_rtx)" '> 20'
    holds "$(column tables/live.csv 2 frames.from_red)" '> 20'
    holds "$(column tables/live.csv 4 frames.from_red)" '> 20'
}

killed_and_resumed() {
    kills=0
    : >tables/kill.csv
    for ms in $(numbers 7 60 20 200); do
        killed kill "$ms" scenario/matrix.json --out tables/kill.csv --jobs 2
        if [ "$(wc -l <tables/kill.csv)" -gt $ROWS ]; then
            : >tables/kill.csv # it was done in time
        else
            kills=$((kills + 1))
        fi
        [ $kills -lt 8 ] || break
    done
    equal $kills 8 "kills in the midst of it"
    lab resumed scenario/matrix.json --out tables/kill.csv --jobs 1
    cmp tables/one.csv tables/kill.csv || fail "a sweep that was killed makes another table"
}

# As killed, but the end of the last line is gone, too.
torn() {
    head -c 20000 tables/one.csv >tables/torn.csv
    lab torn scenario/matrix.json --out tables/torn.csv
    said torn "the last line of tables/torn.csv was cut off"
    cmp tables/one.csv tables/torn.csv || fail "a torn table is not mended"
}

sharded_and_merged() {
    for shard in 1 2 3 4; do
        for ms in $(numbers $shard 2 30 150); do
            killed "shard$shard" "$ms" scenario/matrix.json --out tables/s$shard.csv \
                --shard $shard/4 --jobs 2
        done
        lab "shard$shard" scenario/matrix.json --out tables/s$shard.csv --shard $shard/4
    done
    refused part 1 "54 rows are missing, the first is 1;" scenario/matrix.json --merge \
        --out tables/part.csv tables/s1.csv tables/s4.csv tables/s3.csv
    lab merged scenario/matrix.json --merge --out tables/merged.csv tables/s3.csv tables/s1.csv \
        tables/s4.csv tables/s2.csv
    cmp tables/one.csv tables/merged.csv || fail "shards make another table"
    lab twice scenario/matrix.json --merge --restart --out tables/merged.csv tables/s1.csv \
        tables/one.csv
    said twice "54 rows were there twice"
    cmp tables/one.csv tables/merged.csv || fail "rows that are there twice make another table"
}

interrupted() {
    for attempt in 1 2 3 4 5 6 7 8; do
        "$LAB" sweep scenario/matrix.json --restart --out tables/int.csv --jobs 1 2>int.err </dev/null &
        pid=$!
        running="$running $pid"
        until_true test -s tables/int.csv || fail "no table"
        kill -TERM "$pid"
        wait "$pid"
        status=$?
        [ $status = 0 ] || break # else it was done before the signal came
    done
    equal $status 1 "status of a sweep that was interrupted"
    said int "the same command goes on"
    lab went_on scenario/matrix.json --out tables/int.csv
    cmp tables/one.csv tables/int.csv || fail "an interrupted sweep makes another table"
}

reported() {
    env PATH=/nowhere "$LAB" sweep scenario/matrix.json --out tables/one.csv --report r.html \
        >/dev/null 2>plots.err </dev/null
    equal $? 1 "status without gnuplot"
    said plots 'gnuplot, which is not installed'
    command -v gnuplot >/dev/null || return
    lab report scenario/matrix.json --out tables/one.csv --report report.html
    grep -q "<b>$ROWS of $ROWS rows</b>" report.html || fail "the report does not count"
    equal "$(grep -c '^<h2>' report.html)" 4 "headings: best, and three networks"
    equal "$(grep -o '<svg' report.html | wc -l)" 6 "figures: two for each network"
    for name in plain fec encoder-3 auto fixed card bursts wifi.trace; do
        grep -qF "$name" report.html || fail "no $name in the report"
    done
    lab report2 scenario/matrix.json --merge --restart --out tables/merged.csv tables/one.csv \
        --report report2.html
    cmp report.html report2.html || fail "the same rows make another report"
}

mistakes() {
    sed 's/"loss_pct": 10/"loss_pct": 11/' scenario/matrix.json >scenario/other.json
    refused foreign 1 "tables/one.csv: line 14 is of another scenario" scenario/other.json \
        --out tables/one.csv
    refused exists 1 "is there already" scenario/matrix.json --merge --out tables/one.csv tables/s1.csv
    sed 's/"loss_pct": 10/"loss_pct": 110/' scenario/matrix.json >scenario/range.json
    refused range 1 'scenario/range.json: networks[1].loss_pct: 110 is not a number from 0 to 100' \
        scenario/range.json --check
    sed 's/"loss_pct": 10/"loss_pct": NaN/' scenario/matrix.json >scenario/nan.json
    refused nan 1 'scenario/nan.json: line 10, column' scenario/nan.json --check
    echo '{"files": ["nowhere.wav"]}' >scenario/nofile.json
    refused nofile 1 'files[0]: ' scenario/nofile.json --check
    said nofile 'scenario/nowhere.wav'
    echo '{"files": ["matrix.json"]}' >scenario/notsound.json
    refused notsound 1 'files[0]: ' scenario/notsound.json --check
    printf '0 0 5\n1 x 25\n' >scenario/bad.trace
    echo '{"files": ["talk.flac"], "networks": [{}, {"trace": "bad.trace"}]}' >scenario/trace.json
    refused trace 1 'networks[1]: ' scenario/trace.json --check
    said trace 'scenario/bad.trace: line 2:'
    printf "0 0 5\n1 20 25\n" >scenario/short.trace
    echo '{"files": ["talk.flac"], "networks": [{"trace": "short.trace"}]}' >scenario/loop.json
    lab loop scenario/loop.json --check
    said loop "short.trace lasts 0.0 s and begins again"
    refused nothing 1 'cannot read the scenario nothing.json' nothing.json --check
    refused noout 2 '--out FILE is missing' scenario/matrix.json
    refused shard 2 'like 2/4' scenario/matrix.json --out x.csv --shard 5/4
    refused extra 2 'tables are for --merge' scenario/matrix.json --out x.csv tables/one.csv
    refused folder 1 'nowhere/x.csv' scenario/matrix.json --out nowhere/x.csv
    refused device 1 'is no plain file' scenario/matrix.json --out /dev/null
}

one_run
documented
one_row
live_rows
killed_and_resumed
torn
sharded_and_merged
interrupted
reported
mistakes
