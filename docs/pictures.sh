# What the scripts share that draw the pictures of this folder. POSIX. Source it first:
#
#     . "$(dirname "$0")/../pictures.sh"
#     picture NAME HEIGHT <<GNUPLOT ... GNUPLOT
#
# Called as SCRIPT [BIN [OUT]]: BIN holds voxgram-lab (build/release/bin), OUT gets the SVGs (the
# folder of the script). Sets here, root, bin, out, and work, a folder that is gone at the end.
set -eu
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=${1:-$root/build/release/bin}
out=${2:-$here}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -x "$bin/voxgram-lab" ] || { echo "${0##*/}: no $bin/voxgram-lab; build first" >&2; exit 1; }
command -v gnuplot >/dev/null || { echo "${0##*/}: install gnuplot (gnuplot-nox)" >&2; exit 1; }

# shellcheck disable=SC2034 # some are for the scripts
ink='#1b1d21' muted='#5a606b' grid='#e4e2dc' blue='#0072b2' green='#008a62' late='#b0448a' warm='#c65a00'

# picture NAME HEIGHT < SCRIPT: as SVG that looks the same in every browser, on white, so that it can
# be read on a dark page as well.
picture() {
    {
        cat <<GNUPLOT
set terminal svg size 820,$2 dynamic noenhanced rounded font 'sans,13' background rgb 'white'
set output '$work/$1.svg'
set border 1 lc rgb '$muted'
set tics nomirror scale 0.4 textcolor rgb '$muted'
set grid ytics lt 1 lw 1 lc rgb '$grid'
set key reverse Left textcolor rgb '$ink' samplen 1.6 spacing 1.2
set lmargin 8; set rmargin 3; set tmargin 2.2
# What the vertical axis is, above it.
set label 1 at graph 0, graph 1 offset character -6, 1 left tc rgb '$muted'
GNUPLOT
        cat
    } >"$work/$1.gp"
    gnuplot -d "$work/$1.gp"
    sed -e 's/font-family="sans"/font-family="system-ui,Helvetica,Arial,sans-serif"/g' \
        -e '/^<desc>/d' -e 's/[[:space:]]*$//' "$work/$1.svg" | grep -v '^$' >"$out/$1.svg"
}
