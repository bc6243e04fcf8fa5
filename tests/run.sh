#!/usr/bin/env bash
# Sets up, builds everything and runs every test: bash tests/run.sh [arguments for ctest, for example -L parity]
set -euo pipefail
cd "$(dirname "$0")/.."
bash cmake/setup.sh --tests
. build/env.sh
started=$SECONDS

# -O1 without symbols: the programs spend their time in LibTorch, and a clone's first build its time in the compiler.
cmake -S . -B build/tests -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DPERSONA_BUILD_BENCH=ON
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
cmake --build build/tests --parallel "$jobs" -- -k 0
built=$SECONDS

status=0
ctest --test-dir build/tests --output-on-failure --no-tests=error --parallel "$jobs" --output-junit junit.xml "$@" || status=$?

total=$(grep -m 1 -A 9 '<testsuite' build/tests/junit.xml | tr '\n\t' '  ')
value() { sed -E "s/.* $1=\"([0-9]+)\".*/\1/" <<<"$total"; }
echo "built in $((built - started)) s, tested in $((SECONDS - built)) s:" \
  "$(value tests) tests, $(($(value tests) - $(value failures) - $(value skipped) - $(value disabled))) passed," \
  "$(value failures) failed, $(value skipped) skipped"
exit $status
