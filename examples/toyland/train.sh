#!/usr/bin/env bash
# Trains Toyland's model, stage by stage: bash examples/toyland/train.sh PROGRAMS OUT [SCALE]
#   PROGRAMS  folder of the built toyland_* programs (build/tests/examples/toyland)
#   OUT       folder for checkpoints; a stage that was broken off goes on from its checkpoint there
#   SCALE     of every stage's minutes (1: about two hours and a half on two cores)
# DEVICE=cuda trains there; then a SCALE of 0.1 sees as many pictures.
set -euo pipefail
programs=$(realpath "$1") out=$2 scale=${3:-1} device=${DEVICE:-cpu}
mkdir -p "$out" && cd "$out"
export OMP_NUM_THREADS=1  # the programs bring threads of their own
minutes() { awk "BEGIN { print $1 * $scale }"; }
stage() {  # NAME FILE PROGRAM ARGUMENTS: skipped where FILE.done says that it was finished
  [ -e "$2.done" ] || { echo "== $1"; "$programs/$3" "${@:4}"; touch "$2.done"; }
}

"$programs/toyland_world" --tokenizer tokenizer --names names.txt --photos photos >world.txt
stage "autoencoder" vae.safetensors toyland_vae --out vae.safetensors --minutes "$(minutes 29)" --device "$device"
stage "probe" probe.checkpoint toyland_probe --out probe.checkpoint --export probe.safetensors --minutes "$(minutes 8)" --device "$device"
stage "text encoder" text.safetensors toyland_text --out text.safetensors --tokenizer tokenizer --minutes "$(minutes 9)" --device "$device"
stage "UNet and text encoder" unet.safetensors toyland_unet --out unet.safetensors --vae vae.safetensors --text text.safetensors \
  --latents latents.safetensors --tokenizer tokenizer --images 40960 --minutes "$(minutes 100)" --text_lr 2e-4 --low 5 --device "$device"
cp -n vae.safetensors vae_decoder.safetensors
stage "decoder" vae_decoder.safetensors toyland_vae --out vae_decoder.safetensors --decoder 1 --lr 5e-4 --minutes "$(minutes 8)" --device "$device"
"$programs/toyland_export" --unet unet.safetensors --vae vae_decoder.safetensors --out model
"$programs/toyland_sample" --model model --probe probe.safetensors --out samples.png
