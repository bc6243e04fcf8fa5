#!/usr/bin/env bash
# Trains Toyland's model, stage by stage: bash examples/toyland/train.sh PROGRAMS OUT [SCALE]
#   PROGRAMS  folder of the built toyland_* programs (build/tests/examples/toyland)
#   OUT       folder for checkpoints; a stage that was broken off goes on from its weights there, with its minutes and
#             its rate begun anew
#   SCALE     of every stage's minutes (1: about five hours on two cores)
# DEVICE=cuda trains there; then a SCALE of 0.1 sees as many pictures.
set -euo pipefail
programs=$(realpath "$1") out=$2 scale=${3:-1} device=${DEVICE:-cpu}
mkdir -p "$out" && cd "$out"
export OMP_NUM_THREADS=1  # the programs bring threads of their own
minutes() { awk "BEGIN { print $1 * $scale }"; }
stage() {  # NAME FILE PROGRAM ARGUMENTS: skipped where FILE.done says that it was finished
  [ -e "$2.done" ] || { echo "== $1"; "$programs/$3" --out "$2" --device "$device" "${@:4}"; touch "$2.done"; }
}

"$programs/toyland_world" --tokenizer tokenizer --names names.txt --photos photos >world.txt
stage "autoencoder" vae.safetensors toyland_vae --minutes "$(minutes 50)"
stage "text and picture pair" text.safetensors toyland_pair --tokenizer tokenizer --minutes "$(minutes 14)"
stage "UNet and text encoder" unet.safetensors toyland_unet --vae vae.safetensors --text text.safetensors \
  --latents latents.safetensors --tokenizer tokenizer --images 57344 --minutes "$(minutes 200)" --low 4 --gamma 15 --face 3
cp -n vae.safetensors vae_decoder.safetensors
stage "decoder" vae_decoder.safetensors toyland_vae --decoder 1 --lr 5e-4 --minutes "$(minutes 8)"
mkdir -p metrics
stage "probe" probe.checkpoint toyland_probe --export metrics/probe.safetensors --minutes "$(minutes 10)"
stage "recogniser" face.checkpoint toyland_face --export metrics/face.safetensors --minutes "$(minutes 10)"
stage "picture tower to the text encoder" pair.checkpoint toyland_pair --tokenizer tokenizer --from text.safetensors \
  --text_from unet.safetensors --export pair_export.safetensors --minutes "$(minutes 8)"
"$programs/toyland_export" --unet unet.safetensors --vae vae_decoder.safetensors --out model --ratio 70 \
  --pair pair_export.safetensors --pair_out metrics/pair.safetensors
"$programs/toyland_sample" --model model --probe metrics/probe.safetensors --face metrics/face.safetensors --out samples.png
