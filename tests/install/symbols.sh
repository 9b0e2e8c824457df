# The shared library exports exactly what the headers mark VOX_API; the static one defines no global
# name without our prefix.
#   symbols.sh BUILD_DIR SOURCE_DIR
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

nm -D --defined-only "$1/libvoxgram.so" | awk '{print $3}' | sort >"$dir/exported"
cat "$2/receiver/receiver.h" "$2/sender/sender.h" "$2/common/base/err.h" | tr '\n' ' ' |
    grep -o 'VOX_API [^;]*;' | grep -o 'vox_[a-z0-9_]* *(' | tr -d ' (' | sort >"$dir/marked"
test -s "$dir/marked"
diff "$dir/marked" "$dir/exported" || { echo "exported (>) is not what is marked (<)"; exit 1; }

nm --defined-only --extern-only "$1/libvoxgram.a" 2>/dev/null | awk 'NF == 3 {print $3}' |
    grep -v '^vox_' >"$dir/foreign" || true
test ! -s "$dir/foreign" || { cat "$dir/foreign"; echo "names without our prefix"; exit 1; }
