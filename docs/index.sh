#!/usr/bin/env bash
# Writes docs/README.md, the index, from each page's title and first sentence: bash docs/index.sh
# bash docs/index.sh --check fails where the index is not what would be written.
set -euo pipefail
export LC_ALL=C  # one order of files everywhere
cd "$(dirname "$0")"

# One line a page. A first paragraph may begin with the paper (its title in *italics*): the sentence comes after it.
entry() {
  awk -v page="$1" '
    /^# / && title == "" { title = substr($0, 3); next }
    title == "" || ended { next }
    /^$/ { if (text != "") ended = 1; next }
    paper && !/\.$/ { next }
    paper { paper = 0; next }
    text == "" && /: \*/ { if (!/\.$/) paper = 1; next }
    { text = text (text == "" ? "" : " ") $0 }
    END {
      while (match(text, /\[[^]]*\]\([^)]*\)/)) {  # of a link stays its text
        link = substr(text, RSTART + 1, RLENGTH - 1); sub(/\].*/, "", link)
        text = substr(text, 1, RSTART - 1) link substr(text, RSTART + RLENGTH)
      }
      gsub(/\*\*/, "", text)
      if (match(text, /\. /)) text = substr(text, 1, RSTART)
      sub(/:$/, ".", text)
      if (title == "" || text == "") { print page ": a page begins with a title and a sentence" > "/dev/stderr"; exit 1 }
      print "- [" title "](" page "). " text
    }' "$1"
}

section() {  # section TITLE SENTENCE PAGE...
  printf '\n## %s\n\n%s\n\n' "$1" "$2"
  shift 2
  local page
  for page in "$@"; do entry "$page"; done
}

index() {
  echo '<!-- Written by docs/index.sh from the first lines of the pages; change those. -->'
  printf '# persona: the documentation\n\n'
  echo 'New here: the [README](../README.md), then the tutorial. `bash docs/build.sh OUT` makes these pages and the reference of every'
  echo 'header into a static site, `OUT/index.html`.'
  section Tutorial 'Three short pages, in order.' tutorial/*.md
  section How-to 'One task a page.' how-to/install.md $(ls how-to/*.md | grep -v /install.md)
  section Concepts 'What a type must answer to take a place in a model or in a sum: one page each.' concepts/*.md
  section Methods 'The published methods as sums: equation, example, defaults, and where paper, code and this library differ.' methods/*.md
  section 'Behind it' 'The embedded model, and why things are as they are.' toyland.md design/*.md
}

written=$(mktemp)
trap 'rm -f "$written"' EXIT
index >"$written"
if [ "${1:-}" != --check ]; then
  cat "$written" >README.md
elif ! diff -u README.md "$written"; then
  echo "docs/README.md is not up to date: bash docs/index.sh writes it"
  exit 1
fi
