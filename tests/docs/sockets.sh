# docs/sockets.md: each file and symbol that it points at is there, each program of docs/examples is
# told of, and each command of its ```console blocks does what stands there.
#
# In those blocks "A$" and "C$" are terminals whose programs go on while others run, until they end by
# themselves or by "A^C"; "B$" and "$" wait for theirs. Lines between are what came out, of whichever program: each
# must come, with any numbers; "..." at an end or alone stands for anything. SHOW=1 prints what came.
. "$(dirname "$0")/lib.sh"
doc=docs/sockets.md
script=$ROOT/tests/docs/sockets.sh

# ---- what it points at ----

# "SYMBOL PATH" of each [`symbol`](../path).
references() {
    grep -o '\[`[^]`]*`\]([^)]*)' "$doc" | sed 's/^\[`\([^`]*\)`\](\([^)]*\))$/\1 \2/'
}

reference_faults() {
    references | while read -r symbol path; do
        file=docs/${path%%#*}
        [ -f "$file" ] || { echo "$doc: $symbol: no file $path"; continue; }
        case $symbol in
        */* | *.c | *.h) ;; # called by its name: being there is enough
        *) grep -qwF -- "${symbol%()}" "$file" || echo "$doc: no $symbol in $path" ;;
        esac
    done
}

example_faults() {
    for source in docs/examples/*.c; do
        grep -qF "(${source#docs/})" "$doc" || echo "$doc: says nothing of $source"
    done
}

# ---- what it runs ----

# Each block into a file of its own: 01, 02 ..
cut_blocks() {
    awk -v to="$1" '
        /^```console$/   { block = sprintf("%s/%02d", to, ++n); next }
        /^```/           { block = "" }
        block && /\\$/   { sub(/\\$/, ""); held = held $0; next }
        block            { sub(/^ +/, "", $0); print held $0 >block; held = "" }' "$doc"
}

# As it is compared: numbers are N, spaces single.
plain() {
    sed -E 's/[0-9]+([.][0-9]+)?/N/g; s/  */ /g; s/^ //; s/ $//'
}

# run_block FILE: in the current folder; prints what differs.
run_block() {
    block=$1 log=${1##*/}.log count=0 pids= ran=
    : >"$log"
    : >told
    while IFS= read -r line; do
        case $line in
        'A$ '* | 'C$ '*)
            before=$(said)
            count=$((count + 1))
            timeout 60 sh -c "exec ${line#?? }" >"$log.$count" 2>&1 </dev/null &
            pids="$pids $!"
            await "$before" $! || echo "$doc: nobody says that it is ready: ${line#?? }"
            ;;
        'A^C')
            have_come "$block" "$log"
            kill -TERM $pids 2>/dev/null # INT does not reach what a script starts in the background
            ;;
        '$ '* | 'B$ '*)
            [ -z "$ran" ] || settle "$block" "$log"
            ran=yes
            timeout 60 sh -c "${line#*$ }" >>"$log" 2>&1 </dev/null
            status=$?
            [ $status -lt 124 ] || echo "$doc: status $status of ${line#*$ }"
            ;;
        esac
        printf '%s\n' "$line" >>told
    done <"$block"
    for pid in $pids; do
        wait "$pid" 2>/dev/null
    done
    cat "$log".[0-9] >>"$log" 2>/dev/null
    [ -z "${SHOW:-}" ] || { echo "=== $block"; grep '^[ABC]*[$^]' "$block"; cat "$log"; } >&2
    compare "$block" "$log"
}

# Bytes that the programs in the background have written.
said() {
    cat "$log".[0-9] 2>/dev/null | wc -c
}

# await BEFORE PID: a program is ready when it, or one that it talks to, has said something.
await() {
    tries=0
    until [ "$(said)" -gt "$1" ]; do
        tries=$((tries + 1))
        kill -0 "$2" 2>/dev/null && [ $tries -lt 1200 ] || return 1
        sleep 0.05
    done
}

# What the block tells has come; or it will not.
have_come() {
    tries=0
    until cat "$2" "$2".[0-9] >all 2>/dev/null; [ -z "$(compare "$1" all)" ] || [ $tries -ge 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}

# settle BLOCK LOG: as for somebody who reads before he types the next command: what stands above it has
# come, and who ends by himself has done so.
settle() {
    have_come told "$2"
    grep -q '^A^C' "$1" && return
    tries=0
    while some_run && [ $tries -lt 40 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}

some_run() {
    for one in $pids; do
        grep -qs '^State:.[^Z]' "/proc/$one/status" && return
    done
    return 1
}

# compare BLOCK OUTPUT
compare() {
    plain <"$2" >came
    grep -v '^[ABC]*[$^]' "$1" | plain | grep -vx '\.\.\.' | while IFS= read -r line; do
        case $line in
        *...) awk -v start="${line%...}" 'index($0, start) == 1 { found = 1 } END { exit !found }' came ;;
        *) grep -qxF -- "$line" came ;;
        esac && continue
        echo "$doc: this does not come any more: $line"
        sed 's/^/    /' "$2"
    done
}

# Those of the lab make networks of their own; the others all run in one, where every port is free.
run_blocks() { # FILE...
    for file in "$@"; do
        run_block "$file"
    done
}

if [ "${1:-}" = inside ]; then
    cd "$2" || exit 2
    shift 2
    ip link set lo up multicast on
    ip link add eth0 type veth peer name other0 && ip address add 192.168.7.2/24 dev eth0 &&
        ip link set eth0 up && ip link set other0 up && ip route add default via 192.168.7.1
    run_blocks "$@"
    exit
fi

faults=$({
    references | at_least 20 "references"
    reference_faults
    example_faults
})
[ -z "$faults" ] || { echo "$faults"; exit 1; }

. tests/e2e/link_lib.sh
need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}
need ip unshare
unshare -Urn true 2>/dev/null || skip "this user may not make network namespaces"
: "${EXAMPLES:?the folder of the programs built from docs/examples}"
PATH=$BIN:$EXAMPLES:$PATH
export PATH ROOT
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/blocks" "$scratch/here/out"
ln -s "$ROOT/tests" "$ROOT/docs" "$scratch/here"
cut_blocks "$scratch/blocks"
cd "$scratch/here" || exit 2
faults=$({
    find "$scratch/blocks" -type f | at_least 10 "console blocks"
    # shellcheck disable=SC2046
    unshare -Urn sh "$script" inside "$PWD" $(grep -L 'voxgram-lab' "$scratch"/blocks/*)
    if (can_link >/dev/null); then
        # shellcheck disable=SC2046
        run_blocks $(grep -l 'voxgram-lab' "$scratch"/blocks/*)
    fi
})
[ -z "$faults" ] || { echo "$faults"; exit 1; }
(can_link) || exit 77
