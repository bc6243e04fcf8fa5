#!/usr/bin/env bash
# Every sentence that a compile error of persona says stands on the page that it sends its reader to, up to what it asks
# for: docs_sentences.sh ROOT
set -euo pipefail
cd "$1"
missing=0 count=0
flat() { tr -s '[:space:]' ' ' <"$1" | tr -d '`'; }
while IFS= read -r sentence; do
  page=$(sed -E 's/.*\((docs\/[^)#]*)[^)]*\)$/\1/' <<<"$sentence")
  head=$(sed -E 's/^\[persona\] //; s/ \(docs\/[^)]*\)$//; s/(:? needs|: add|;) .*$//; s/play the [A-Za-z]+ role/play the ... role/' <<<"$sentence")
  count=$((count + 1))
  if ! grep -qF -- "$head" <(flat "$page"); then
    echo "$page does not say: $head"
    missing=$((missing + 1))
  fi
done < <(grep -rhoE '\[persona\] [^"]*\(docs/[^)]*\)' include | sort -u)
[ "$count" -gt 0 ] || { echo "no sentence found"; exit 1; }
echo "$count sentences, $missing not on their page"
exit $((missing > 0))
