#!/usr/bin/env bash
# Sets up, builds an example and runs it: bash examples/run.sh [NAME] [OPTIONS]
# Without a name the quickstart: a face learned from one photo, drawn in new scenes.
set -euo pipefail
cd "$(dirname "$0")/.."
name=quickstart
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then name=$1 && shift; fi
[ -e "examples/$name.cpp" ] || { echo "no example '$name'; there are:" examples/*.cpp >&2; exit 2; }
target=$name
[ "$name" != persona ] || target=persona_cli
bash cmake/setup.sh
. build/env.sh
cmake -S . -B build/examples -G Ninja -DCMAKE_BUILD_TYPE=Release -DPERSONA_BUILD_TESTS=OFF
cmake --build build/examples --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target "$target"
"build/examples/examples/$name" "$@"
