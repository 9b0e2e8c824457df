# `voxgram-lab versus`: a short run over the kernel's TCP and UDP, its figures and its page; what is
# wrong is told; an interrupt leaves nothing behind. The same in virtual time, twice.
. "$(dirname "$0")/../support/lib.sh"
. "${SCRIPT%/*}/link_lib.sh"
need pgrep gnuplot sox
can_link
TMPDIR=$WORK/tmp
export TMPDIR
mkdir "$TMPDIR"

# Whatever it makes for itself is gone at the end.
nothing_left() {
    [ -z "$(ls "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
}

# arm FILE NAME FIELD
arm() {
    for i in 0 1 2 3 4 5 6; do
        [ "$("$TOOLS/jsonget" "$1" "arms.$i.name")" = "$2" ] && json "$1" "arms.$i.$3" && return
    done
    fail "no arm $2 in $1"
}

# NAME ARGUMENT...
versus() {
    who=$1
    shift
    "$BIN/voxgram-lab" versus "$@" --stats "$who.json" >"$who.out" 2>"$who.err" </dev/null
    equal $? 0 "status of $who"
    nothing_left
}

# In the page there is a picture of each, sound of each, and what was asked for.
page_has_its_parts() { # FILE ARMS
    for part in "When each frame could be played" "from near" "Who misses which budget" \
        "What it brings" "Listen" "What was assumed" "with a budget of 150&nbsp;ms" "64 kbit/s" "[46] s of it"; do
        grep -qi -- "$part" "$1" || fail "$1 has no \"$part\""
    done
    equal "$(grep -c 'data:audio/flac;base64,' "$1")" "$2" "players in $1"
    ! grep -q 'https\?://[a-z]*\.' "$1" || fail "$1 loads something"
    holds "$(grep -o '<svg ' "$1" | wc -l) >= 4"
}

names_are_complete() { # FILE ARM
    for field in delay_ms.p50 delay_ms.p95 delay_ms.p99 delay_ms.max late_pct.60 late_pct.100 \
        late_pct.200 late_pct.400 late_pct.150 lost_pct longest_silence_ms wire_kbytes_per_min \
        concealed_pct r_factor r_factor_at.100 range.r_factor.1; do
        [ -n "$(arm "$1" "$2" "$field")" ] || fail "$1: $2 has no $field"
    done
    holds "$(arm "$1" "$2" r_factor) >= 0 && $(arm "$1" "$2" r_factor) <= 93.3"
    holds "$(arm "$1" "$2" late_pct.400) >= $(arm "$1" "$2" lost_pct)"
    holds "$(arm "$1" "$2" late_pct.60) >= $(arm "$1" "$2" late_pct.200)"
}

# What the kernel's TCP brings is late at most, what UDP loses is lost; nothing here hangs on how
# busy the machine is.
kernel() {
    versus kernel --delay 30 --loss 8 --seed 5 --duration 4 --budget 150 --repeat 2 --verbose \
        --arms plain,concealment,fec,red,retransmission,tcp-cubic --report page.html --out heard
    equal "$(json kernel.json mode)" kernel mode
    equal "$(json kernel.json frames)" 200 "frames sent"
    equal "$(json kernel.json kernel.congestion_control.0)" cubic "congestion control"
    for name in plain concealment fec red retransmission tcp-cubic; do
        names_are_complete kernel.json "$name"
        equal "$(frames "heard/$name.wav")" 192000 "frames in $name.wav"
        # The receiver conceals what was reckoned to be missing; a frame may be late in part.
        off="$(arm kernel.json "$name" concealed_pct) - $(arm kernel.json "$name" late_pct.150)"
        holds "$off <= 1 && $off >= -1"
    done
    holds "$(arm kernel.json tcp-cubic lost_pct) == 0"
    holds "$(arm kernel.json tcp-cubic frames_by_way.packet) == 200"
    holds "$(arm kernel.json plain lost_pct) > 1 && $(arm kernel.json plain lost_pct) < 20"
    holds "$(arm kernel.json plain lost_pct) == $(arm kernel.json concealment lost_pct)"
    holds "$(arm kernel.json red lost_pct) < $(arm kernel.json plain lost_pct)"
    holds "$(arm kernel.json red frames_by_way.red) > 0"
    holds "$(arm kernel.json red wire_kbytes_per_min) > 1.5 * $(arm kernel.json plain wire_kbytes_per_min)"
    holds "$(arm kernel.json retransmission frames_by_way.rtx) > 0"
    holds "$(arm kernel.json plain r_factor) < $(arm kernel.json concealment r_factor)"
    holds "$(arm kernel.json plain delay_ms.p50) >= 30"
    for budget in 0 1 2 3 4; do
        json kernel.json "verdicts.$budget.text" | grep -q '^With a budget of' || fail "no verdict"
    done
    grep -q 'choose\|nothing is good' kernel.err || fail "no verdict was told"
    json kernel.json commands.0 | grep -q 'voxgram-lab link .*-- voxgram-send .*-- voxgram-recv' ||
        fail "no commands"
    page_has_its_parts page.html 6
    equal "$(grep -c 'of the first seed alone' page.html)" 2 "pictures that are of one seed"
}

virtual() {
    for run in one two; do
        versus $run --virtual --delay 40 --jitter 15 --loss 5 --burst 3 --duration 6 --budget 150 \
            --report $run.html --out $run.heard
    done
    equal "$(json one.json mode)" model mode
    "$BIN/voxgram-lab" versus --virtual --duration 1 --arms plain --stats - 2>three.err >three.json ||
        fail "statistics to standard output"
    equal "$(json three.json arms.0.name)" plain "the only arm"
    grep -q "6 s of sound meet few losses" one.err || fail "it does not say that 6 s are little"
    grep -q "model" one.err || fail "it does not say that it is a model"
    grep -q "TCP is a model" one.html || fail "the page does not say that it is a model"
    cmp one.json two.json || fail "statistics differ"
    cmp one.html two.html || fail "pages differ"
    for name in plain concealment fec red retransmission tcp-cubic; do
        names_are_complete one.json "$name"
        cmp "one.heard/$name.wav" "two.heard/$name.wav" || fail "$name sounds different"
    done
    holds "$(arm one.json tcp-cubic lost_pct) == 0"
    page_has_its_parts one.html 6
}

# A sound that is shorter than --duration begins again, in both modes; what is heard is all of it.
again() {
    sox -R -n -r 48000 -c 1 -b 16 short.wav synth 1.5 brownnoise highpass -1 100 norm -10
    versus again short.wav --delay 20 --duration 4 --arms plain,tcp-cubic --profile music \
        --out again.heard
    versus modelled short.wav --delay 20 --duration 4 --arms plain,tcp-cubic --profile music \
        --out modelled.heard --virtual --report modelled.html
    for run in again modelled; do
        equal "$(json $run.json frames)" 200 "frames sent in $run"
        for name in plain tcp-cubic; do
            equal "$(frames $run.heard/$name.wav)" 192000 "frames in $name.wav of $run"
        done
    done
    # In virtual time no pause of the machine makes a frame late.
    for name in plain tcp-cubic; do
        equal "$(arm modelled.json $name late_pct.60)" 0.0 "share late of $name"
        sox modelled.heard/$name.wav second.wav trim 1.5 1.5
        correlates short.wav second.wav 0.95
        holds "$lag_ms >= 0 && $lag_ms < 20"
    done
    equal "$(arm again.json tcp-cubic lost_pct)" 0.0 "share lost of TCP"
    json again.json commands.0 | grep -q -- 'short.wav .*--loop --duration 4 ' || fail "no --loop"
    grep -q 'again and again for 4 s' modelled.html || fail "the page does not say so"
    versus once short.wav --duration 1 --arms plain
    ! json once.json commands.0 | grep -q -- --loop || fail "--loop though the sound is long enough"
}

# player FILE N: the sound of a page's Nth player as N.flac
player() {
    grep -o 'audio/flac;base64,[^"]*' "$1" | sed -n "$2s/.*,//p" | base64 -d >"$2.flac"
}

# Of much sound the page has the same part of each way, and says which; --out has all. What would
# cover each other in the pictures is drawn once: 5000 frames, two ways, for wide and for narrow.
much() {
    sox -R -n -r 48000 -c 1 -b 16 short.wav synth 1.5 brownnoise highpass -1 100 norm -10
    versus long short.wav --virtual --duration 100 --arms plain,tcp-cubic --loss 1 --delay 20 \
        --report long.html --profile voice --bitrate 16 --out long.heard
    from=$(sed -n 's/.*Here are \([0-9.]*\)&nbsp;s to .*/\1/p' long.html)
    [ -n "$from" ] || fail "the page does not say which part it has"
    grep -q "of each way, around the worst stall of TCP: a page has room for 3 minutes" long.html ||
        fail "the page does not say which part it has, and why"
    for n in 1 2; do
        name=$(echo plain tcp-cubic | cut -d ' ' -f "$n")
        player long.html "$n"
        equal "$(frames "$n.flac")" $((90 * 48000)) "frames in the player of $name"
        equal "$(frames "long.heard/$name.wav")" $((100 * 48000)) "frames in $name.wav"
        sox "$n.flac" heard.wav trim 0 10
        sox "long.heard/$name.wav" meant.wav trim "$from" 10
        correlates meant.wav heard.wav 0.99
        holds "$lag_ms > -60 && $lag_ms < 60"
    done
    dots=$(grep -o '<use ' long.html | wc -l)
    holds "$dots > 1000 && $dots < 10000"
}

# wrong STATUS TEXT ARGUMENT...
wrong() {
    status=$1 text=$2
    shift 2
    "$BIN/voxgram-lab" versus "$@" >wrong.out 2>wrong.err </dev/null
    equal $? "$status" "status of versus $*"
    said wrong "$text"
    nothing_left
}

# Without root; where root runs the tests.
as_user() {
    [ "$(id -u)" = 0 ] || return 0
    user="setpriv --reuid 65534 --regid 65534 --clear-groups"
    $user unshare -rn true 2>/dev/null || { echo "users may not make namespaces: left out"; return 0; }
    mkdir -m 1777 user && chmod 755 "$WORK"
    cp "$BIN/voxgram-lab" "$BIN/voxgram-send" "$BIN/voxgram-recv" "$DATA/speech.flac" user
    chmod 755 user/voxgram-* && chmod 644 user/speech.flac
    (cd user && TMPDIR=$PWD $user ./voxgram-lab versus speech.flac --duration 1 \
        --arms plain,tcp-cubic --stats user.json) >user.out 2>user.err </dev/null
    equal $? 0 "status for a user"
    equal "$(json user/user.json mode)" kernel "mode for a user"
    equal "$(arm user/user.json tcp-cubic lost_pct)" 0.0 "share lost of TCP for a user"
}

# Ctrl-C. Each run of this test has a duration of its own, to be recognized by.
interrupted() {
    id=$((10000 + $$ % 10000))7 # no 0 at the end, which would not be printed
    env --default-signal=INT "$BIN/voxgram-lab" versus --duration "3599.5$id" \
        >int.out 2>int.err </dev/null &
    pid=$!
    running="$running $pid"
    until_true pgrep -f -- "voxgram-send .*--duration 3599.5$id" >/dev/null || fail "it does not start"
    kill -INT "$pid"
    wait "$pid"
    equal $? 130 "status after SIGINT"
    ! pgrep -f -- "3599.5$id" >/dev/null || fail "a process was left behind"
    nothing_left
}

# In virtual time no link is there to be told: the work itself ends.
interrupted_virtually() {
    env --default-signal=INT "$BIN/voxgram-lab" versus --virtual --duration 3600 --report int.html \
        >vint.out 2>vint.err </dev/null &
    pid=$!
    running="$running $pid"
    until_true pgrep -P "$pid" >/dev/null || fail "it does not start"
    kill -INT "$pid"
    wait "$pid"
    equal $? 130 "status after SIGINT in virtual time"
    [ ! -e int.html ] || fail "a page was written"
    nothing_left
}

kernel
as_user
interrupted
interrupted_virtually
wrong 2 'there is no "udp"' --arms udp
wrong 1 "cannot open nothing.wav" nothing.wav
wrong 1 "cannot open nothing.trace" --trace nothing.trace
wrong 1 "versus.sh" "$SCRIPT"
wrong 2 "budget" --budget 0
wrong 2 "burst" --loss 100 --burst 3
wrong 2 "lets nothing through" --loss 100
mkfifo pipe.wav
wrong 1 "pipe.wav is no file" pipe.wav
wrong 1 "pipe.wav is no file" --trace pipe.wav
wrong 2 "no model of bbr" --virtual --arms tcp-bbr
wrong 1 "cannot write to the folder" --out /proc/none/such
wrong 1 "cannot write the report to none/page.html" --report none/page.html
wrong 1 "cannot write the statistics to none/such.json" --stats none/such.json
virtual
again
much
