#!/usr/bin/env bash
# Precompiles what every compile-fail case includes, so that a case costs a fraction of a second: COMPILER RESPONSE FOLDER
set -euo pipefail
compiler=$1 response=$2 folder=$3
mkdir -p "$folder"
printf '#include <persona/%s>\n' archetype.hpp explain.hpp recipe.hpp >"$folder/cases.hpp"
case $("$compiler" --version) in
*clang*) "$compiler" "@$response" -x c++-header "$folder/cases.hpp" -o "$folder/cases.hpp.pch" ;;
*) "$compiler" "@$response" -x c++-header "$folder/cases.hpp" -o "$folder/cases.hpp.gch" ;;
esac
