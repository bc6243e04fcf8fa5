# What the wrong steps stumble over, in the folder $1; $2 is the program, $3 the embedded model, $4 a photo of a cat.
set -euo pipefail
work=$1 persona=$2 model=$3 cat=$4
rm -rf "$work" && mkdir -p "$work"/{empty,corrupt,webp,captioned}
printf 'learning_rte = 0.1\n' >"$work/misspelt.toml"
printf 'method = []\n' >"$work/empty_list.toml"
printf 'lr = 0.1\nthis is no line\n' >"$work/broken.toml"
printf '\200\002}q\000.' >"$work/model.ckpt"
head -c 300 "$cat" >"$work/corrupt/corrupt.png"
printf 'RIFF\044\000\000\000WEBPVP8 ' >"$work/webp/photo.webp"
cp "$cat" "$work/captioned/cat.png" && printf 'my cat\n' >"$work/captioned/cat.txt"
# An embedding 1024 wide, one row: header and zeros.
header='{"<other>":{"dtype":"F32","shape":[1,1024],"data_offsets":[0,4096]}}'
while [ $((${#header} % 8)) -ne 0 ]; do header="$header "; done
{ printf "\\$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0"; printf %s "$header"; head -c 4096 /dev/zero; } >"$work/sd2.safetensors"
header='{"<other>":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]}}'
while [ $((${#header} % 8)) -ne 0 ]; do header="$header "; done
{ printf "\\$(printf %03o ${#header})\\0\\0\\0\\0\\0\\0\\0"; printf %s "$header"; head -c 16 /dev/zero; } >"$work/whole.safetensors"
printf '{"seed": 1, "seed": 2}\n' >"$work/twice.json"
cp -r "$model" "$work/cut" && head -n 20 "$model/tokenizer/merges.txt" >"$work/cut/tokenizer/merges.txt"
"$persona" personalize --model "$model" --photos "$cat" --class-word cat --method batex --steps 2 --batch 1 \
  --num-inference-steps 2 --validation-prompts 'a {}' --out "$work/run" >/dev/null 2>&1
"$persona" convert "$work/run/learned.safetensors" --to diffusers --out "$work/run" >/dev/null
cp -r "$work/run" "$work/gone" && rm -r "$work/gone/checkpoint"
cp -r "$work/run" "$work/lost" && rm "$work/lost/run.toml"
