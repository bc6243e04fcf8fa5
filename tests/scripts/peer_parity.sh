#!/usr/bin/env bash
# Makes the parity references anew with the Python libraries and another seed, then compares: peer_parity.sh PROGRAM DIR MAKER...
# Skipped (77) where the Python of PERSONA_PYTHON, or python3, has no diffusers, transformers and peft.
set -euo pipefail
program=$1 data=$2; shift 2
python=${PERSONA_PYTHON:-python3}
"$python" -c 'import diffusers, transformers, peft' 2>/dev/null || { echo "skipped: $python has no diffusers, transformers and peft"; exit 77; }

rm -rf "$data"; mkdir -p "$data"
make() { "$python" "$@" --seed "${PERSONA_PEER_SEED:-20240607}"; }
make "$(dirname "$1")/make_reference.py" --out "$data"  # first: others read the models that it makes
for maker in "$@"; do
  [ "$(basename "$maker")" = make_reference.py ] || make "$maker" --out "$data"
done
PERSONA_PARITY_DATA=$data OMP_NUM_THREADS=1 "$program" '~[cuda]~[.]'
