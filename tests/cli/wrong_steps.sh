#!/usr/bin/env bash
# Every wrong step of wrong_steps.txt is answered with its exit code and its words: wrong_steps.sh PROGRAM SOURCE WORK
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) persona=$1 source=$2 work=$3
toyland=$source/examples/toyland
bash "$here/files.sh" "$work" "$persona" "$toyland/model" "$toyland/photos/things/thing_00.png"
failures=0 count=0 title='' expected='' answer=''
fail() { echo "FAILED: $title"; echo "  $1"; echo "  the answer: $answer"; failures=$((failures + 1)); }
while IFS= read -r line; do
  case $line in
    ': '*) title=${line#: } ;;
    '$ persona'*)
      line=${line#\$ persona}
      line=${line/ RUN/ personalize --model MODEL --steps 1 --num-inference-steps 1 --out WORK\/new}
      line=${line//MODEL/$toyland/model} line=${line//NAMES/$toyland/names.txt} line=${line//PHOTO/$toyland/photos/ada.png}
      line=${line//CAT/$toyland/photos/things/thing_00.png} line=${line//WORK/$work}
      code=0
      answer=$(eval "$(printf %q "$persona") $line" 2>&1 </dev/null) || code=$?
      count=$((count + 1)) ;;
    '= '*) [ "$code" = "${line#= }" ] || fail "exit code $code, expected ${line#= }" ;;
    '> '*) case $answer in *"${line#> }"*) ;; *) fail "the answer lacks: ${line#> }" ;; esac ;;
  esac
done <"$here/wrong_steps.txt"
[ ! -e "$work/new" ] || { title='nothing is written by what fails at once'; answer=$(ls "$work/new"); [ -z "$answer" ] || fail "$work/new holds files"; }
[ "$count" -ge 25 ] || { title='the list'; fail "has $count steps, at least 25 are wanted"; }
echo "$count wrong steps, $failures failures"
[ "$failures" = 0 ]
