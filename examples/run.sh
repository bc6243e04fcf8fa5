#!/usr/bin/env bash
# Sets up, builds the examples and runs the first of them: a face learned from one photo, drawn in new scenes.
set -euo pipefail
cd "$(dirname "$0")/.."
bash cmake/setup.sh
. build/env.sh
cmake -S . -B build/examples -G Ninja -DCMAKE_BUILD_TYPE=Release -DPERSONA_BUILD_TESTS=OFF
cmake --build build/examples --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target examples
build/examples/examples/quickstart --out out/quickstart "$@"
