# What is installed is enough to build on: by CMake and by pkg-config, shared and static, C and C++.
#   consumer.sh BUILD_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cmake --install "$1" --prefix "$dir/usr" >"$dir/install.log"
lib=$(dirname "$(find "$dir/usr" -name libvoxgram.a)")

cmake -S "$here/consumer" -B "$dir/cmake" -DCMAKE_PREFIX_PATH="$dir/usr" >"$dir/cmake.log" ||
    { cat "$dir/cmake.log"; exit 1; }
cmake --build "$dir/cmake" >"$dir/build.log" 2>&1 || { cat "$dir/build.log"; exit 1; }
LD_LIBRARY_PATH=$lib "$dir/cmake/shared"
"$dir/cmake/static"
LD_LIBRARY_PATH=$lib "$dir/cmake/cxx"

export PKG_CONFIG_PATH="$lib/pkgconfig"
cc=${CC:-cc}
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Werror "$here/consumer/consumer.c" -o "$dir/by-pc" \
    $(pkg-config --cflags --libs voxgram) -lm
LD_LIBRARY_PATH=$lib "$dir/by-pc"
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Werror "$here/consumer/consumer.c" -o "$dir/by-pc-static" \
    $(pkg-config --cflags voxgram) "$lib/libvoxgram.a" $(pkg-config --libs opus soxr samplerate) -lm
"$dir/by-pc-static"

for program in voxgram-send voxgram-recv; do
    "$dir/usr/bin/$program" --version
    test -s "$dir/usr/share/man/man1/$program.1"
done
