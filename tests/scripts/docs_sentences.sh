#!/usr/bin/env bash
# Every sentence that a compile error of persona says stands on the page that it sends its reader to, up to what it asks
# for, and every component of the library on the page of its concept: docs_sentences.sh ROOT
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
components=0
while read -r role name; do
  components=$((components + 1))
  if ! grep -qF "\`$name\`" "docs/concepts/$role.md"; then
    echo "docs/concepts/$role.md does not name $name"
    missing=$((missing + 1))
  fi
done < <(find include -name '*.hpp' ! -name 'archetype.hpp' -print0 | sort -z | xargs -0 awk '
  /^(struct|class) [A-Za-z]+/ { name = $2 }
  /^  using plays = Plays<Role::/ { sub(/.*Role::/, ""); sub(/>.*/, ""); print $0, name }')
[ "$count" -gt 0 ] && [ "$components" -gt 0 ] || { echo "no sentence or no component found"; exit 1; }
echo "$count sentences and $components components, $missing not on their page"
exit $((missing > 0))
