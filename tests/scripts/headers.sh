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
  "$compiler" "-I$include" "@$response" -Wall -Wextra -Wpedantic -Werror -fsyntax-only $collect_less_garbage -x c++ - 2>&1
}
check() {
  local header=${1#"$include/"} said
  said=$(printf '#include <%s>\n' "$header" | compiles) && return 0
  printf '%s\n%s\n\n' "--- $header does not compile alone" "$said"
  return 1
}
export -f check compiles
export compiler response include collect_less_garbage

mapfile -t headers < <(find "$include/persona" -name '*.hpp' -not -path '*/cuda/*' -not -path '*/distributed/*' | sort)
if [ "$how" = together ]; then
  printf '#include <%s>\n' torch/torch.h "${headers[@]#"$include/"}" | compiles || { echo "the headers do not compile with $compiler"; exit 1; }
  echo "${#headers[@]} headers compile together with $compiler"
  exit
fi
printf '%s\n' "${headers[@]}" | xargs -P 2 -n 1 bash -c 'check "$0"' ||
  { echo "some of ${#headers[@]} headers do not compile alone with $compiler"; exit 1; }
echo "${#headers[@]} headers compile alone with $compiler"
