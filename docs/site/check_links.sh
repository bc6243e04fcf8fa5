#!/usr/bin/env bash
# Every link of a static site, to a file of it or a place in one, leads somewhere: check_links.sh SITE
set -euo pipefail
cd "$1"
files=$(mktemp)
trap 'rm -f "$files"' EXIT
find . -type f >"$files"
find . -name '*.html' -print0 | xargs -0 grep -oHE '(href|src|id|name)="[^"]*"' | awk -v files="$files" '
  function resolve(page, path,   parts, kept, n, i, k, joined) {
    sub(/[^\/]*$/, "", page)
    n = split(page path, parts, "/")
    for (i = 2; i <= n; ++i) {  # the first is the site itself, "."
      if (parts[i] == "..") { if (--k < 0) return "" } else if (parts[i] != ".") kept[++k] = parts[i]
    }
    joined = "."
    for (i = 1; i <= k; ++i) joined = joined "/" kept[i]
    return joined
  }
  BEGIN { while ((getline line < files) > 0) exists[line] = 1 }
  {
    colon = index($0, ":"); page = substr($0, 1, colon - 1); rest = substr($0, colon + 1)
    kind = substr(rest, 1, index(rest, "=") - 1)
    value = substr(rest, length(kind) + 3); sub(/"$/, "", value); gsub(/&amp;/, "\\&", value)
    if (kind == "id" || kind == "name") { place[page "#" value] = 1; next }
    if (value ~ /^[a-z]+:/) next
    from[++count] = page; to[count] = value
  }
  END {
    for (i = 1; i <= count; ++i) {
      hash = index(to[i], "#")
      file = hash ? substr(to[i], 1, hash - 1) : to[i]
      target = file == "" ? from[i] : resolve(from[i], file)
      if (!(target in exists)) { print from[i] " links to " to[i] ", which does not exist"; ++bad }
      else if (hash && !((target substr(to[i], hash)) in place)) { print from[i] " links to " to[i] ", a place that is not there"; ++bad }
    }
    if (!count) print "the site has no links"
    else if (bad) print bad " of the " count " links of the site lead nowhere"
    else print count " links of the site hold"
    exit bad || !count
  }'
