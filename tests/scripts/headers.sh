#!/usr/bin/env bash
# Compiles every public header alone, as a program that includes nothing else: headers.sh COMPILER RESPONSE INCLUDE
# Two at a time; a header that fails is named with the compiler's own words. With a fourth word, "together", one program
# includes them all, after the whole of LibTorch: what a header lacks shows with any one compiler, what a compiler refuses or
# what LibTorch hides shows here.
set -euo pipefail
compiler=$1 response=$2 include=$3 how=${4:-alone}

collect_less_garbage=  # g++ alone: memory for time, a fifth of it
"$compiler" --version | grep -qi clang || collect_less_garbage='--param ggc-min-expand=200 --param ggc-min-heapsize=1000000'

compiles() {
  "$compiler" "-I$include" "@$response" -Wall -Wextra -Wpedantic -Werror -fsyntax-only $collect_less_garbage "$@" -x c++ - 2>&1
}
check() {
  local header=${1#"$include/"} said first=()
  ! grep -qxF "$header" "$work/includers" || first=(-include "$work/first.hpp")
  said=$(printf '#include <%s>\n' "$header" | compiles "${first[@]}") && return 0
  printf '%s\n%s\n\n' "--- $header does not compile alone" "$said"
  return 1
}
export -f check compiles
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export compiler response include collect_less_garbage work

mapfile -t headers < <(find "$include/persona" -name '*.hpp' -not -path '*/cuda/*' -not -path '*/distributed/*' | sort)
if [ "$how" = together ]; then
  printf '#include <%s>\n' torch/torch.h "${headers[@]#"$include/"}" | compiles || { echo "the headers do not compile with $compiler"; exit 1; }
  echo "${#headers[@]} headers compile together with $compiler"
  exit
fi

# Most of a header's time is LibTorch's. Whoever includes core/tensor.hpp, itself or through others of ours, finds the same names
# where that comes first, precompiled.
first=persona/core/tensor.hpp
grep -o '^#include <persona/[^>]*' "${headers[@]}" | sed "s|^$include/||; s|:#include <| |" |
  awk -v first="$first" '{ from[NR] = $1; to[NR] = $2 } END {
    reaches[first] = 1
    do { more = 0; for (i = 1; i <= NR; ++i) if (reaches[to[i]] && !reaches[from[i]]) more = reaches[from[i]] = 1 } while (more)
    for (header in reaches) print header }' >"$work/includers"
printf '#include <%s>\n' "$first" >"$work/first.hpp"
"$compiler" "-I$include" "@$response" -Wall -Wextra -Wpedantic -Werror $collect_less_garbage -x c++-header "$work/first.hpp" \
  -o "$work/first.hpp.gch" || { echo "$first does not compile with $compiler"; exit 1; }
printf '%s\n' "${headers[@]}" | xargs -P 2 -n 1 bash -c 'check "$0"' ||
  { echo "some of ${#headers[@]} headers do not compile alone with $compiler"; exit 1; }
echo "${#headers[@]} headers compile alone with $compiler"
