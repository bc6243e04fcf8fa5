#!/usr/bin/env bash
# Runs what a page of the documentation has its reader type, in a folder and a home of its own: page.sh PAGE WORK
# Every command is shown with the seconds since the first; the first one that fails ends it.
# On a bare machine with git: apt-get update; apt-get install -y git; bash tests/scripts/page.sh docs/how-to/first_own_method.md WORK
set -euo pipefail
page=$1 work=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$work"
echo "PS4='+ \${SECONDS} s: '" >"$work/page.sh"
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$page" | sed "s|ADDRESS|$root|" >>"$work/page.sh"
[ "$(wc -l <"$work/page.sh")" -gt 1 ] || { echo "page.sh: $page has no command"; exit 1; }
cd "$work"
started=$SECONDS
HOME=$work bash -euxo pipefail page.sh
echo "page.sh: $page holds, in $((SECONDS - started)) s"
