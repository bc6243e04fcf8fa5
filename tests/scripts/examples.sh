#!/usr/bin/env bash
# The example programs with photos and settings that are not theirs: examples.sh PROGRAMS SOURCE FOLDER
# A photo of any size is learned; what cannot be is said in a sentence, never by an abort.
set -euo pipefail
programs=$1 source=$2 work=$3
rm -rf "$work" && mkdir -p "$work"
die() { echo "$*" >&2; exit 1; }
# refused SENTENCE PROGRAM ARGUMENTS...: exits with 1 and says so
refused() {
  local sentence=$1 status=0; shift
  "$programs/$1" "${@:2}" >"$work/log" 2>&1 || status=$?
  [ "$status" = 1 ] && grep -q -- "$sentence" "$work/log" || die "$* ended with $status: $(cat "$work/log")"
}
cp "$source/docs/pictures/faces.png" "$work/wide.png"  # 688 x 660
echo 'not of Toyland' >"$work/wide.json"
echo '{"id": 1}' >"$work/index.json"
"$programs/batex" --steps 1 --photo "$work/wide.png" --out "$work/wide" >"$work/log" 2>&1 || die "$(cat "$work/log")"
[ -s "$work/wide/index.html" ] && [ -s "$work/wide/1-1.png" ] || die "no page: $(ls "$work/wide")"
things=$source/examples/toyland/photos/things
refused 'finds no face in it' celeb_basis --photo "$things/thing_03.png" --class pot --out "$work/pot"
refused 'is more than one word' batex --class 'zebra fish' --out "$work/fish"
refused 'is not there' batex --photo "$work/none.png" --out "$work/none"
refused "$work/log" batex --out "$work/log/under_a_file"
refused "is no option with a value here" toyland/toyland_render --what
"$programs/toyland/toyland_render" --help | grep -q -- '--what (any)' || die 'no help'
