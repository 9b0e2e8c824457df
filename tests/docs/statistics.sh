# Every name in the JSON of both programs has its entry in voxgram.7, and every entry there is a name
# that a program writes.
. "$(dirname "$0")/lib.sh"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# Keys, and the words that stand for causes, events, states and results; not the words for people.
written() {
    # "taken" and "repeat" are no rejections, so nobody writes them.
    grep -oh '"[a-z][a-z0-9_-]*"' sender/report.c receiver/report.c receiver/event_line.c \
            common/cli/peers.c | tr -d '"' |
        grep -vx -e s -e stereo -e mono -e taken -e repeat | sort -u
}

# ".It Va packets.received , packets.lost" stands for packets, received and lost.
described() {
    sed -n 's/^\.It \(Va\|Li\) //p' docs/man/voxgram.7 | tr ' ,.' '\n\n\n' | grep -x '[a-z][a-z0-9_]*' |
        sort -u
}

{
    written >"$scratch/written"
    described >"$scratch/described"
    at_least 60 "names in report.c" <"$scratch/written"
    comm -23 "$scratch/written" "$scratch/described" | sed 's/^/voxgram.7 does not describe: /'
    comm -13 "$scratch/written" "$scratch/described" | sed 's/^/no program writes: /'
} | report
