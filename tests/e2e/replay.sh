# The lab's replay: the same bytes each time, the same samples as one process, true counts.
. "$(dirname "$0")/../support/lib.sh"

replay() { # NAME ARGUMENTS...: through the lab
    name=$1
    shift
    "$BIN/voxgram-lab" replay "$@" --out "$name.wav" --stats "$name.json" --events "$name.events" \
        2>"$name.err" || fail "replay $name ended with $?"
}

bad="--loss 8 --burst 3 --delay 40 --jitter 30 --reorder 2 --duplicate 2"

# Twice the same: recording, statistics, events.
# shellcheck disable=SC2086
replay one "$DATA/speech.flac" $bad --fec --seed 4
# shellcheck disable=SC2086
replay two "$DATA/speech.flac" $bad --fec --seed 4
for kind in wav events; do
    cmp "one.$kind" "two.$kind" || fail "two runs differ"
done
sed 's/two\.wav/one.wav/' two.json | cmp - one.json || fail "two runs differ"
# shellcheck disable=SC2086
replay other "$DATA/speech.flac" $bad --fec --seed 5
cmp -s one.wav other.wav && fail "another seed changes nothing"

# What was lost is missed, and what was missed is accounted for.
holds "$(json one.json sent.packets) == 924"
lost=$(json one.json sent.lost) # of the last ones before the goodbye nobody knows
holds "$lost - $(json one.json packets.lost) >= 0 && $lost - $(json one.json packets.lost) < 8"
holds "$(json one.json frames.from_fec) > 0"
# FEC may have stood in for one that came after all, too late.
extra=$(($(json one.json frames.from_fec) - $(json one.json sent.recovered)))
holds "$extra >= 0 && $extra < 4"
# each rounded to a microsecond
holds "($(sum one.json 'glitches.*.ms') - $(json one.json concealed_ms)) ^ 2 < 0.01 ^ 2"
holds "$(json one.json delay_ms.total.p50) > 80"
holds "$(json one.json e_model.mos) < 4.3"
grep -q '"event":"recovered"' one.events || fail "no event says what FEC recovered"

# Without a network: bit for bit what one process decodes, and nothing to complain of.
for channels in mono stereo; do
    for ms in 2.5 20 60; do
        replay clean "$DATA/speech-$channels.flac" --profile music --frame $ms --playout-delay 60 --quality
        "$TOOLS/reference" "$DATA/speech-$channels.flac" clean-reference.wav music $ms >/dev/null ||
            fail "no reference"
        same clean.wav clean-reference.wav
        holds "$(json clean.json quality.dropouts) + $(json clean.json quality.clicks) == 0"
        holds "$(json clean.json quality.log_spectral_distance_db) == 0"
    done
done

# Sound cards: clocks that differ, a stall, which costs what it lasts and no more.
replay cards "$DATA/speech.flac" --mic-block 10 --mic-skew 90 --speaker-block 2.7 --speaker-skew -60 \
    --speaker-stall 6:80
holds "$(json cards.json underruns) == 1"
holds "$(json cards.json underrun_ms) > 75 && $(json cards.json underrun_ms) <= 80"
holds "$(json cards.json packets.lost) == 0"

# Several senders into one receiver.
replay three "$DATA/speech-mono.flac" "$DATA/speech-stereo.flac" "$DATA/speech.flac"
equal "$(json three.json sources.#)" 3 "sources"
equal "$(json three.json channels)" 1 "channels of the source that plays most"

# A recorded network; one that is shorter than the sound begins again, and it is said so.
replay traced "$DATA/speech.flac" --trace "$DATA/wifi.trace"
holds "$(json traced.json packets.received) - $(json traced.json packets.duplicate) + $(json traced.json packets.lost) == 924"
printf '0 0 10\n1 20 35\n2 40 lost\n' >short.trace
replay short "$DATA/speech-mono.flac" --trace short.trace --playout-delay 40
said short "begins again"
holds "$(json short.json packets.lost) > 40"

# Another's judgement.
cat >judge <<'END'
#!/bin/sh
[ -s "$1" ] && [ -s "$2" ] && echo "MOS of $(basename "$0"): 4.25"
END
chmod +x judge
replay scored "$DATA/speech-mono.flac" --score-with ./judge
equal "$(json scored.json score)" 4.25 "score"

# What cannot be.
refused() { # STATUS TEXT ARGUMENTS...
    status=$1 text=$2
    shift 2
    "$BIN/voxgram-lab" "$@" >refused.out 2>refused.err
    equal $? "$status" "exit status of $*"
    said refused "$text"
}
printf '0 0 10\n1 20 nan\n' >nan.trace
printf '0 0 10\n2 40 50\n1 20 30\n' >back.trace
: >empty.trace
refused 1 "none.wav" replay none.wav
refused 1 "printed no number" replay "$DATA/speech-mono.flac" --score-with true
refused 1 "ended with status" replay "$DATA/speech-mono.flac" --score-with false
refused 1 "line 2" replay "$DATA/speech-mono.flac" --trace nan.trace
refused 1 "line 3" replay "$DATA/speech-mono.flac" --trace back.trace
refused 1 "empty.trace" replay "$DATA/speech-mono.flac" --trace empty.trace
refused 1 "none.trace" replay "$DATA/speech-mono.flac" --trace none.trace
refused 2 "--mic-stall" replay "$DATA/speech-mono.flac" --mic-block 10 --mic-stall 4
refused 2 "--speaker-block" replay "$DATA/speech-mono.flac" --speaker-skew 50
refused 2 ".wav or .flac" replay "$DATA/speech-mono.flac" --out heard.mp3
refused 2 "--duration" replay "$DATA/speech-mono.flac" --loop
refused 2 "--frame" replay "$DATA/speech-mono.flac" --frame 15
refused 1 "/nowhere/" replay "$DATA/speech-mono.flac" --out /nowhere/a.wav
refused 1 "line 2" playout nan.trace
refused 1 "too short" playout short.trace
refused 2 "TRACE" playout

# The score of a playout: as JSON, and from its log by anybody.
"$BIN/voxgram-lab" playout --json --log wifi.csv "$DATA/wifi.trace" >score.json || fail "no score"
sed -e '1d;$d' score.json >score.object
awk -F, '/^#/ { split($1, v, "="); total[v[1]] = v[2]; next }
    { send[NR] = $2; recv[NR] = $3; play[NR] = $4; n = NR
      if ($3 != "lost" && (fastest == "" || $3 - $2 < fastest)) fastest = $3 - $2 }
    END {
        for (i = 1; i <= n; i++) {
            if (send[i] < send[1] + 10000 || send[i] > send[n] - 2000) continue
            sent++
            lost += recv[i] == "lost"
            if (play[i] != "unplayed") { played++; sum += play[i] - send[i] - fastest }
        }
        extra = 100 * total["#concealed_ms"] / total["#output_ms"] - 100 * lost / sent
        print sum / played + 190 * extra
    }' wifi.csv >j
holds "($(cat j) - $(json score.object j)) ^ 2 < 0.01"
holds "$(json score.object bound_ms) < $(json score.object mean_ms)"
