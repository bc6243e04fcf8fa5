#!/usr/bin/env bash
# A browser opens the report of a run: its words are read, and a picture is taken. report.sh PROGRAM SOURCE WORK; 77 without one.
set -euo pipefail
persona=$1 toyland=$2/examples/toyland work=$3
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[ -n "$browser" ] || { echo 'skipped: no Chromium here'; exit 77; }
rm -rf "$work" && mkdir -p "$work"
"$persona" personalize --model "$toyland/model" --photos "$toyland/photos/ada.png" --class-word person --names "$toyland/names.txt" \
  --steps 12 --batch 1 --validation-steps 6 --num-inference-steps 4 --validation-prompts 'a {}' 'a {} <in> the snow' \
  --out "$work/run" >/dev/null 2>&1
page=$work/run/index.html
! grep -qiE 'src="(https?:)?//|href="https?:|url\(http' "$page" || { echo 'FAILED: the page asks the network'; exit 1; }
open=("$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --virtual-time-budget=5000)
"${open[@]}" --dump-dom "file://$page" >"$work/dom.html" 2>"$work/browser.log" || { cat "$work/browser.log"; exit 1; }
for words in 'cross_initialization: &lt;one&gt;' '12 of 12 steps' 'ada.png: face of &lt;one&gt; person' 'after step 0' 'after step 6' \
  'after step 12' 'Denoising loss' 'Term: L2Reg' 'Norm of the rows' 'Cosine of the rows to their start' 'names = 691 lines' \
  'persona personalize --model' '2 x 128' 'The settings' 'lr_scheduler'; do
  grep -qF "$words" "$work/dom.html" || { echo "FAILED: the page lacks: $words"; exit 1; }
done
[ "$(grep -o '<img' "$work/dom.html" | wc -l)" = 4 ] || { echo 'FAILED: not four pictures'; exit 1; }
[ "$(grep -o '<svg' "$work/dom.html" | wc -l)" = 4 ] || { echo 'FAILED: not four charts'; exit 1; }
"${open[@]}" --window-size=1000,2400 --screenshot="$work/report.png" "file://$page" >/dev/null 2>&1
# A blank page of this size packs to a few kilobytes.
bytes=$(wc -c <"$work/report.png")
[ "$bytes" -gt 60000 ] || { echo "FAILED: the picture has $bytes bytes: is the page blank?"; exit 1; }
echo "the report reads as it should; its picture: $work/report.png"
