#!/usr/bin/env bash
# What a public header costs its reader: the preprocessed lines that it adds over <persona/core/tensor.hpp>.
#
#   lines.sh --check  BUDGET COMPILER RESPONSE INCLUDE    fails where a header is over its budget, or has none
#   lines.sh --update BUDGET COMPILER RESPONSE INCLUDE    writes the budget anew: what there is, a tenth and 500 more
#   lines.sh --time   BUDGET COMPILER RESPONSE INCLUDE    prints lines and seconds of -fsyntax-only, decides nothing
#
# Lines are the same at every run of one compiler; seconds are not, and are therefore never judged. The budget names its
# compiler: with another one --check reports and is skipped (77), since other standard libraries have other lengths.
# RESPONSE is the file of flags that the build writes (tests/compile.rsp in the build folder).
set -euo pipefail
mode=$1 budget=$2 compiler=$3 response=$4 include=$5

this_compiler="$("$compiler" --version | head -n 1 | grep -oiE 'clang|gcc|g\+\+|c\+\+' | head -n 1 | sed -E 's/^(gcc|c\+\+)$/g++/') \
$("$compiler" -dumpversion | cut -d . -f 1)"

lines() {  # of the headers named, included in this order
  printf '#include <%s>\n' "$@" | "$compiler" "-I$include" "@$response" -E -P -x c++ - | wc -l
}
added() {
  local both
  both=$(lines persona/core/tensor.hpp "$1") || { echo "$1 does not preprocess" >&2; return 1; }
  echo "$1 $((both - base))"
}
seconds() {
  local TIMEFORMAT=%U
  echo "$1 $({ time printf '#include <%s>\n' "$1" | "$compiler" "-I$include" "@$response" -fsyntax-only -x c++ - 2>/dev/null; } 2>&1)"
}
export -f lines added seconds
export compiler response include

base=$(lines persona/core/tensor.hpp)
export base
mapfile -t headers < <(cd "$include" && find persona -name '*.hpp' -not -path '*/cuda/*' -not -path '*/libtorch/*' \
  -not -path '*/distributed/*' | sort)
declare -A found limit
while read -r header count; do found[$header]=$count; done \
  < <(printf '%s\n' "${headers[@]}" | xargs -P 2 -n 1 bash -o pipefail -c 'added "$0"')
[ ${#found[@]} -eq ${#headers[@]} ] || { echo "some headers do not preprocess"; exit 1; }

case $mode in
--update)
  {
    echo '{'
    echo "  \"compiler\": \"$this_compiler\","
    for header in "${headers[@]}"; do
      echo "  \"$header\": $(((found[$header] * 11 / 10 + 599) / 100 * 100)),"
    done | sed '$ s/,$//'
    echo '}'
  } >"$budget"
  echo "wrote $budget: ${#headers[@]} headers over a base of $base lines"
  ;;
--check)
  while IFS='": ,' read -r _ header count _; do
    [ -n "${count:-}" ] && limit[$header]=$count
  done < <(sed -nE 's/^ *"([^"]+)" *: *([0-9]+).*/"\1 \2/p' "$budget")
  failed=0
  for header in "${headers[@]}"; do
    if [ -z "${limit[$header]:-}" ]; then
      echo "$header adds ${found[$header]} lines and has no budget: give it one in bench/compile/budget.json"; failed=1
    elif [ "${found[$header]}" -gt "${limit[$header]}" ]; then
      echo "$header adds ${found[$header]} lines; its budget is ${limit[$header]}"; failed=1
    fi
  done
  echo "${#headers[@]} headers over a base of $base lines; persona.hpp adds ${found[persona/persona.hpp]:-nothing yet}"
  if ! grep -qF "\"compiler\": \"$this_compiler\"" "$budget"; then
    echo "skipped: the budget is another compiler's, this is $this_compiler"
    exit 77
  fi
  exit $failed
  ;;
--time)
  declare -A spent
  while read -r header time; do spent[$header]=$time; done \
    < <(printf '%s\n' "${headers[@]}" | xargs -n 1 bash -c 'seconds "$0"')
  for header in "${headers[@]}"; do printf '%8d lines %7s s  %s\n' "${found[$header]}" "${spent[$header]}" "$header"; done
  ;;
*) echo "say --check, --update or --time"; exit 2 ;;
esac
