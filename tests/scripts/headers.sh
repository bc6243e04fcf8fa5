#!/usr/bin/env bash
# Compiles every public header alone, as a program that includes nothing else: headers.sh COMPILER RESPONSE INCLUDE
# Two at a time; a header that fails is named with the compiler's own words.
set -euo pipefail
compiler=$1 response=$2 include=$3

collect_less_garbage=  # g++ alone: memory for time, a fifth of it
"$compiler" --version | grep -qi clang || collect_less_garbage='--param ggc-min-expand=200 --param ggc-min-heapsize=1000000'

check() {
  local header=${1#"$include/"} said
  said=$(printf '#include <%s>\n' "$header" |
    "$compiler" "-I$include" "@$response" -Wall -Wextra -Wpedantic -Werror -fsyntax-only $collect_less_garbage -x c++ - 2>&1) && return 0
  printf '%s\n%s\n\n' "--- $header does not compile alone" "$said"
  return 1
}
export -f check
export compiler response include collect_less_garbage

mapfile -t headers < <(find "$include/persona" -name '*.hpp' -not -path '*/cuda/*' -not -path '*/libtorch/*' \
  -not -path '*/distributed/*' | sort)
printf '%s\n' "${headers[@]}" | xargs -P 2 -n 1 bash -c 'check "$0"' ||
  { echo "some of ${#headers[@]} headers do not compile alone with $compiler"; exit 1; }
echo "${#headers[@]} headers compile alone with $compiler"
