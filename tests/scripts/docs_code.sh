#!/usr/bin/env bash
# Compiles every C++ block of the documentation: docs_code.sh COMPILER RESPONSE ROOT
set -euo pipefail
compiler=$1 response=$2 root=$3
mapfile -t pages < <(printf '%s\n' "$root/README.md"; find "$root/docs" -name '*.md' | sort)
program=$(mktemp --suffix=.cpp)
trap 'rm -f "$program"' EXIT
awk -v root="$root" -f "$root/tests/scripts/docs_code.awk" "${pages[@]}" >"$program"
"$compiler" "@$response" "-I$root/tests" -Wall -Wextra -Wno-unused-variable -Wno-unused-local-typedefs -Werror -fsyntax-only "$program"
