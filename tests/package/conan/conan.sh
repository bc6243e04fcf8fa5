#!/usr/bin/env bash
# Makes persona's Conan package without a network and consumes it: conan.sh WAY SOURCE WORK COMPILER TORCH_VERSION PREFIXES
# WAY: platform     what the package requires is taken from this system (platform_requires)
#      recipes      what it requires are packages, made here of this system's files in the shape of ConanCenter's
#      refused      nothing is built: an older C++ is refused with a sentence, options take requirements away
# Exit code 77 where there is no Conan 2.
set -euo pipefail
way=$1 source=$2 work=$3 compiler=$4 torch=$5 prefixes=$6
here=$(cd "$(dirname "$0")" && pwd)
conan=$(command -v conan || echo "$source/build/venv/bin/conan")
"$conan" --version 2>/dev/null | grep 'version 2' >/dev/null || { echo "skipped: no Conan 2 here"; exit 77; }
export CONAN_HOME=$work/home

rm -rf "$work" && mkdir -p "$work/source"
cp -r "$source"/{include,cmake,LICENSE,conanfile.py,test_package} "$work/source"
version=$(awk '/define PERSONA_VERSION_/ {printf "%s%s", dot, $3; dot = "."}' "$source/include/persona/version.hpp")
family=gcc
"$compiler" --version | grep -qi clang && family=clang
required=(libtorch/"$torch" range-v3/0.12.0 nlohmann_json/3.11.2 libpng/1.6.39 libjpeg/9e utf8proc/2.8.0)

profile() {  # of this machine
  printf '[settings]\nos=Linux\narch=%s\nbuild_type=Debug\n' "$(uname -m | sed 's/aarch64/armv8/')"
  printf 'compiler=%s\ncompiler.version=%s\n' "$family" "$("$compiler" -dumpversion | cut -d. -f1)"
  printf 'compiler.libcxx=libstdc++11\ncompiler.cppstd=20\n'
  printf '[conf]\ntools.build:compiler_executables={"cpp": "%s"}\n' "$compiler"
  printf 'tools.cmake.cmaketoolchain:generator=Ninja\ntools.cmake.cmaketoolchain:extra_variables={"CMAKE_CXX_FLAGS_DEBUG": "-O0"}\n'
}
expect() {  # expect SENTENCE: what the last command said has it
  tr -s ' \n' ' ' <"$work/said" | grep -F -- "$1" >/dev/null || { cat "$work/said"; echo "conan.sh: nobody said '$1'"; exit 1; }
}

case $way in
  platform)
    {
      profile
      printf '[platform_requires]\n'
      printf '%s\n' "${required[@]}"
      printf '[buildenv]\n'
      for prefix in ${prefixes//;/ }; do printf 'CMAKE_PREFIX_PATH=+(path)%s\n' "$prefix"; done
    } >"$work/profile"
    "$conan" create "$work/source" -pr:a "$work/profile" --no-remote 2>&1 | tee "$work/said"
    ;;
  recipes)
    profile >"$work/profile"
    for prefix in ${prefixes//;/ } /usr/local /usr; do
      if [ -e "$prefix/share/cmake/Torch" ]; then break; fi
    done
    echo "user.persona:torch=$prefix" >>"$work/profile"
    for one in "${required[@]}"; do
      "$conan" create "$here/system.py" --name "${one%/*}" --version "${one#*/}" -pr:a "$work/profile" --no-remote >"$work/said" 2>&1 ||
        { cat "$work/said"; exit 1; }
    done
    "$conan" create "$work/source" -pr:a "$work/profile" --no-remote 2>&1 | tee "$work/said"
    expect "Conan: Target declared 'libtorch::libtorch'"
    ;;
  refused)
    { profile; printf '[platform_requires]\n'; printf '%s\n' "${required[@]}"; } >"$work/profile"
    if "$conan" create "$work/source" -pr:a "$work/profile" --no-remote -tf= -s compiler.cppstd=17 >"$work/said" 2>&1; then
      echo "conan.sh: C++17 is not refused" && exit 1
    fi
    expect "persona/$version: Invalid: Current cppstd (17) is lower than the required C++ standard (20)"
    "$conan" graph info "$work/source" -pr:a "$work/profile" --no-remote -o '&:images=False' -o '&:stable_diffusion=False' \
      --format=json >"$work/graph.json" 2>"$work/said"
    python3 - "$work/graph.json" <<'PY'
import json, sys
required = {d["ref"].split("/")[0] for d in json.load(open(sys.argv[1]))["graph"]["nodes"]["0"]["dependencies"].values()}
assert required == {"libtorch", "range-v3"}, f"without images and stable_diffusion it requires {sorted(required)}"
PY
    exit
    ;;
  *) echo "conan.sh: no such way: $way" && exit 2 ;;
esac

expect "persona/$version (test package): Running test()"
expect "persona $version: 1 token"
package=$("$conan" cache path "$("$conan" list "persona/$version:*" --format=compact 2>/dev/null | grep -o 'persona/[^ ]*:[0-9a-f]*' | tail -n 1)")
for needed in licenses/LICENSE include/persona/persona.hpp lib/cmake/persona-conan.cmake; do
  [ -e "$package/$needed" ] || { echo "conan.sh: the package has no $needed"; exit 1; }
done
if grep -rlF -e "$source" -e "$work" "$package/include" "$package/lib"; then
  echo "conan.sh: these files name a path of this machine" && exit 1
fi
