#!/usr/bin/env bash
# Runs a Python test against the built programs: peer.sh SCRIPT FOLDER_OF_THE_TEST_PROGRAMS
# Skipped (77) where the Python of PERSONA_PYTHON, or python3, has no diffusers, transformers and peft.
set -euo pipefail
python=${PERSONA_PYTHON:-python3}
"$python" -c 'import diffusers, transformers, peft' 2>/dev/null || { echo "skipped: $python has no diffusers, transformers and peft"; exit 77; }
exec env OMP_NUM_THREADS=1 "$python" "$1" --programs "$2"
