# The page of a replay: all parts are on it, the same bytes each time, and nothing of the user's text
# is markup; without gnuplot it is said what to install, before anything is simulated.
. "$(dirname "$0")/../support/lib.sh"

replay() { # NAME FILE ARGUMENTS...
    name=$1
    shift
    "$BIN/voxgram-lab" replay "$@" --report "$name.html" 2>"$name.err"
}

# Without gnuplot.
mkdir empty
status=0
(PATH=$WORK/empty replay bare "$DATA/speech-mono.flac") || status=$?
equal "$status" 1 "exit status without gnuplot"
said bare gnuplot
[ ! -e bare.html ] || fail "a report without figures"

need gnuplot
cp "$DATA/speech.flac" '<b>talk & "more".flac'
bad="--loss 8 --burst 3 --delay 20 --jitter 30 --seed 4"
# shellcheck disable=SC2086
replay one '<b>talk & "more".flac' $bad --fec || fail "no report"
# shellcheck disable=SC2086
replay two '<b>talk & "more".flac' $bad --fec || fail "no report"
cmp one.html two.html || fail "two reports of one run differ"

has() { # COUNT TEXT: so often at least
    lines=$(grep -oF -- "$2" one.html | wc -l)
    [ "$lines" -ge "$1" ] || fail "$lines times in the report, not $1: $2"
}
has 1 '&lt;b&gt;talk &amp; '
has 6 '<svg'
has 4 '<audio'
has 1 'prefers-color-scheme'
has 1 'recovered'
has 1 'chosen: '
has 1 '</i>overdue: '
grep -qF '<b>talk' one.html && fail "the file's name is markup"
grep -qE '(src|href)="?(http|file|//)' one.html && fail "the report needs something from outside"
grep -qE '<script' one.html && fail "the report needs scripts"

# A clean run has one, too; where it cannot be written it is said, and nothing is left behind.
replay clean "$DATA/speech-mono.flac" || fail "no report of a clean run"
grep -q '</html>' clean.html || fail "the report of a clean run is not whole"
"$BIN/voxgram-lab" replay "$DATA/speech-mono.flac" --report /nowhere/r.html 2>nowhere.err
equal $? 1 "exit status where no report can be"
said nowhere /nowhere/r.html
