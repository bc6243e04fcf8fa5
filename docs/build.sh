#!/usr/bin/env bash
# Makes the static site: bash docs/build.sh OUT                the pages and the reference; OUT/index.html is where to begin
#                        bash docs/build.sh --reference OUT    the reference alone, from the headers' comments
# Needs doxygen and, for the pages, pandoc (cmake/setup.sh --tests installs both); exits with 77 where one is missing. A comment
# that Doxygen cannot read and a link that leads nowhere are errors.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=(doxygen pandoc)
if [ "${1:-}" = --reference ]; then tools=(doxygen) && shift; fi
[ -n "${1:-}" ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
for tool in "${tools[@]}"; do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool here; bash cmake/setup.sh --tests installs it"; exit 77; }
done
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$(sed -n 's/#define PERSONA_VERSION_[A-Z]* //p' include/persona/version.hpp | head -3 | paste -sd .)

rm -rf "$out/reference" && mkdir "$out/reference"
PERSONA_VERSION=$version PERSONA_REFERENCE=$out/reference doxygen docs/site/Doxyfile
# Nothing folds without a script: all is open. Some links of the summaries lead nowhere. What no page asks for goes.
(cd "$out/reference"
  sed -i -e 's:<tr\([^>]*\) style="display\:none;">:<tr\1>:' -e 's:<img src="closed.png" alt="-"/>&#160;::g' \
    -e '/<div class="summary">/,/<\/div>/d' ./*.html
  for asset in *.png *.svg *.js *.css; do
    if [ -e "$asset" ] && ! grep -qF "\"$asset\"" ./*.html; then rm "$asset"; fi
  done)
[ ${#tools[@]} -gt 1 ] || exit 0

# page FILE.md TO.html ROOT BASE: ROOT leads from the page to the site's root, BASE goes before its links
page() {
  mkdir -p "$out/$(dirname "$2")"
  pandoc --from gfm+tex_math_dollars --to html5 --mathml --wrap=none --lua-filter docs/site/links.lua --template docs/site/page.html \
    --metadata base="$4" --variable pagetitle="$(sed -n 's/^# //p' "$1" | head -1)" --variable root="$3" \
    --variable version="$version" "$1" --output "$out/$2"
}
mapfile -t pages < <(ls ./*.md | cut -c 3-; find docs -name '*.md' ! -path 'docs/site/*' | sort)
for file in "${pages[@]}"; do
  page "$file" "${file%.md}.html" "$(dirname "$file" | sed 's/^\.$//; s:[^/][^/]*:..:g; s:$:/:; s:^/$::')" ""
done
page docs/README.md index.html "" docs/
page docs/site/reference.md reference/index.html ../ ""
cp docs/site/style.css "$out/site.css"
for folder in pictures tables/charts; do mkdir -p "$out/docs/$folder" && cp "docs/$folder"/* "$out/docs/$folder/"; done

bash docs/site/check_links.sh "$out"
