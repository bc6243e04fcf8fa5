#!/usr/bin/env bash
# Makes persona's Conan package without a network and consumes it: conan.sh SOURCE WORK COMPILER TORCH_VERSION PREFIXES
# What the package requires is taken from this system. Exit code 77 where there is no Conan 2.
set -euo pipefail
source=$1 work=$2 compiler=$3 torch=$4 prefixes=$5
conan=$(command -v conan || echo "$source/build/venv/bin/conan")
"$conan" --version 2>/dev/null | grep -q 'version 2' || { echo "skipped: no Conan 2 here"; exit 77; }

rm -rf "$work" && mkdir -p "$work/source"
cp -r "$source"/{include,cmake,LICENSE,conanfile.py,test_package} "$work/source"
family=gcc
"$compiler" --version | grep -qi clang && family=clang
{
  printf '[settings]\nos=Linux\narch=%s\nbuild_type=Release\n' "$(uname -m | sed 's/aarch64/armv8/')"
  printf 'compiler=%s\ncompiler.version=%s\n' "$family" "$("$compiler" -dumpversion | cut -d. -f1)"
  printf 'compiler.libcxx=libstdc++11\ncompiler.cppstd=20\n'
  printf '[conf]\ntools.build:compiler_executables={"cpp": "%s"}\n' "$compiler"
  printf '[platform_requires]\nlibtorch/%s\nrange-v3/0.12.0\nnlohmann_json/3.11.2\n' "$torch"
  printf 'libpng/1.6.39\nlibjpeg/9e\nutf8proc/2.8.0\n[buildenv]\n'
  for prefix in ${prefixes//;/ }; do printf 'CMAKE_PREFIX_PATH=+(path)%s\n' "$prefix"; done
} >"$work/profile"
CONAN_HOME=$work/home "$conan" create "$work/source" -pr:a "$work/profile" --no-remote
