#!/usr/bin/env bash
# Installs what building persona needs and this machine lacks, without a question; quick where nothing is missing.
#
#   bash cmake/setup.sh                  packages by apt; LibTorch by pip into build/venv, unless one is there already
#   bash cmake/setup.sh --tests          also Conan, whose package is then tested, and Doxygen and pandoc for the site
#   bash cmake/setup.sh --collect DIR    gathers the small libraries, not LibTorch, for a machine without a network:
#                                        take DIR along and give it to CMake there as CMAKE_PREFIX_PATH
#
# A LibTorch of your own is used where Torch_DIR or CMAKE_PREFIX_PATH, or the torch that python3 imports, gives one. What was
# found is written to build/persona-prefix.cmake, which persona's CMakeLists.txt reads, and to build/env.sh for the shell.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.13.0
torch_cpu_index=https://download.pytorch.org/whl/cpu  # PyTorch's own, asked after the indexes that pip is set up with

say() { echo "setup: $*"; }
die() { say "$*" >&2; exit 1; }
at_least() { [ "$(printf '%s\n%s\n' "$1" "${2:-0}" | sort -V | head -n 1)" = "$1" ]; }

# ---- compiler, tools and small libraries ------------------------------------------------------------------------------------

compiler() { command -v "${CXX:-g++}" || command -v c++ || true; }

# The packages that are missing, one a line: tools by their commands, libraries by whether the compiler finds their header.
missing_packages() {
  local cxx; cxx=$(compiler)
  [ -n "$cxx" ] || echo g++
  command -v cmake >/dev/null || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  local -A header=(
    [librange-v3-dev]=range/v3/view/interface.hpp [nlohmann-json3-dev]=nlohmann/json.hpp [libutf8proc-dev]=utf8proc.h
    [libpng-dev]=png.h [libjpeg-dev]=jpeglib.h [libcli11-dev]=CLI/CLI.hpp [libbenchmark-dev]=benchmark/benchmark.h
    [libcairo2-dev]=cairo/cairo.h [libtomlplusplus-dev]=toml++/toml.h)
  if [ -z "$cxx" ]; then
    printf '%s\n' catch2 "${!header[@]}"
    return
  fi
  local prefixes=() prefix package
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  {
    printf '#if !__has_include(<catch2/catch.hpp>) && !__has_include(<catch2/catch_all.hpp>)\nMISSING catch2\n#endif\n'
    for package in "${!header[@]}"; do
      printf '#if !__has_include(<%s>)\nMISSING %s\n#endif\n' "${header[$package]}" "$package"
    done
  } | "$cxx" -E -P -x c++ $(for prefix in "${prefixes[@]}"; do printf ' -isystem %s/include' "$prefix"; done) - |
    sed -n 's/^MISSING //p'
}

apt_install() {
  command -v apt-get >/dev/null || die "missing, and there is no apt here; install by your own package manager: $*"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing, and installing needs root: apt-get install $*"
    as_root=(sudo)
    say "using sudo for apt-get"
  fi
  say "installing by apt: $*"
  if [ -z "${apt_is_fresh:-}" ]; then
    "${as_root[@]}" apt-get update -qq >build/apt.log 2>&1 || say "apt-get update failed; trying with the lists that are here"
    apt_is_fresh=yes
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>build/apt.log 2>&1 ||
    { tail -n 5 build/apt.log >&2; die "apt-get install failed; build/apt.log has all of it"; }
}

# ---- LibTorch -----------------------------------------------------------------------------------------------------------------

# A LibTorch that is new enough lies under the prefix: Debian's own is of 2022.
has_torch() {
  local folder=$1/share/cmake/Torch version
  [ -e "$folder/TorchConfig.cmake" ] || folder=$1/Torch  # torch.utils.cmake_prefix_path
  [ -e "$folder/TorchConfig.cmake" ] || return 1
  version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$folder/TorchConfigVersion.cmake" 2>/dev/null)
  [ -z "$version" ] || [ "$(printf '%s\n' 2.11 "$version" | sort -V | head -n 1)" = 2.11 ] ||
    { say "LibTorch $version in $1 is older than 2.11"; return 1; }
}

# The prefix of a torch package of this Python that C++ can be built against here, without importing it (seconds).
torch_of_python() {
  "$1" - "$torch_version" <<'PY' 2>/dev/null || true
import importlib.util, os, shutil, sys
spec = importlib.util.find_spec("torch")
if spec and spec.submodule_search_locations:
    folder, facts = spec.submodule_search_locations[0], {}
    exec(open(os.path.join(folder, "version.py")).read(), facts)
    version = tuple(int(part) for part in facts["__version__"].split("+")[0].split(".")[:2])
    # A CUDA build's CMake files stop where there is no CUDA toolkit.
    usable = facts.get("cuda") is None or shutil.which("nvcc") or os.path.isdir("/usr/local/cuda")
    if version >= (2, 11) and usable:
        print(folder)
PY
}

find_torch() {  # sets torch_prefix; empty: CMake finds it by itself
  torch_prefix=
  if [ -n "${Torch_DIR:-}" ]; then say "LibTorch: Torch_DIR gives it ($Torch_DIR)"; return; fi
  local prefix prefixes=()
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}" /usr/local /usr; do
    if [ -n "$prefix" ] && has_torch "$prefix"; then torch_prefix=$prefix && say "LibTorch: found in $prefix"; return; fi
  done
  local python
  for python in python3 build/venv/bin/python; do
    command -v "$python" >/dev/null || continue
    torch_prefix=$(torch_of_python "$python")
    if [ -n "$torch_prefix" ] && has_torch "$torch_prefix"; then say "LibTorch: that of $python"; return; fi
  done
  return 1
}

make_venv() {
  [ -x build/venv/bin/python ] && build/venv/bin/python -m pip --version >/dev/null 2>&1 && return
  python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv ca-certificates
  say "making a Python environment in build/venv"
  python3 -m venv build/venv
}

install_torch() {
  make_venv
  local package=torch==$torch_version+cpu pip=(build/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps)
  say "installing LibTorch by pip: $package into build/venv (about 0.9 GB)"
  # Without its Python needs: C++ wants the headers and the libraries alone.
  "${pip[@]}" "$package" 2>build/pip.log ||
    "${pip[@]}" --index-url "$torch_cpu_index" "$package" 2>>build/pip.log ||
    { tail -n 5 build/pip.log >&2; die "no index has $package; set Torch_DIR to a LibTorch of your own"; }
  torch_prefix=$(torch_of_python build/venv/bin/python)
  [ -n "$torch_prefix" ] || die "LibTorch was installed, but build/venv does not give it"
}

# ---- for a machine without a network -------------------------------------------------------------------------------------------

collect() {
  local to=$1 path
  mkdir -p "$to/include" "$to/lib/cmake" "$to/share/cmake"
  to=$(cd "$to" && pwd)
  say "gathering headers and static libraries into $to"
  local multiarch; multiarch=$(uname -m)-linux-gnu
  ( cd /usr/include
    for path in range concepts meta std catch2 nlohmann CLI toml++ utf8proc.h png.h pngconf.h pnglibconf.h libpng16 zlib.h \
      zconf.h jpeglib.h jmorecfg.h jerror.h "$multiarch/jconfig.h" "$multiarch/zconf.h"; do
      if [ -e "$path" ]; then cp -rL "$path" "$to/include/"; fi
    done )
  for path in libutf8proc.a libpng.a libpng16.a libz.a libjpeg.a; do
    cp -L "/usr/lib/$multiarch/$path" "$to/lib/"
  done
  for path in /usr/lib/libCatch2*.a "/usr/lib/$multiarch/"libCatch2*.a; do
    if [ -e "$path" ]; then cp -L "$path" "$to/lib/"; fi
  done
  for path in "/usr/lib/$multiarch/cmake/tomlplusplus" /usr/share/cmake/tomlplusplus /usr/lib/cmake/tomlplusplus; do
    if [ -e "$path" ]; then cp -rL "$path" "$to/lib/cmake/"; fi
  done
  for path in /usr/lib/cmake/range-v3 /usr/lib/cmake/Catch2; do cp -rL "$path" "$to/lib/cmake/"; done
  for path in /usr/share/cmake/nlohmann_json /usr/share/cmake/CLI11; do cp -rL "$path" "$to/share/cmake/"; done
  say "done: $(du -sh "$to" | cut -f 1); there, configure with -DCMAKE_PREFIX_PATH=<that folder>"
}

# ---- main ----------------------------------------------------------------------------------------------------------------------

mkdir -p build
mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  apt_install "${packages[@]}"
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} -eq 0 ] || die "still missing after the installation: ${packages[*]}"
else
  say "compiler, tools and small libraries are here"
fi

# Older systems (Ubuntu 22.04) have the right packages in the wrong versions.
if ! at_least 12 "$("$(compiler)" -dumpversion)" && "$(compiler)" --version | grep -qi 'free software'; then
  apt_install g++-12
  CXX=g++-12
fi
if ! at_least 3.24 "$(cmake --version | sed -n '1s/[^0-9]*//p')"; then
  make_venv
  say "installing cmake by pip into build/venv: this system's is older than 3.24"
  build/venv/bin/python -m pip install --quiet --disable-pip-version-check 'cmake>=3.24,<4' 2>build/pip.log ||
    { tail -n 5 build/pip.log >&2; die "pip did not install cmake; install CMake 3.24 or newer yourself"; }
  cmake_path=$PWD/build/venv/bin
fi

if [ "${1:-}" = --collect ]; then
  [ -n "${2:-}" ] || die "--collect needs a folder"
  collect "$2"
  exit
fi

find_torch || install_torch

if [ "${1:-}" = --tests ] && ! command -v conan >/dev/null && [ ! -x build/venv/bin/conan ]; then
  make_venv
  say "installing Conan by pip into build/venv"
  build/venv/bin/python -m pip install --quiet --disable-pip-version-check 'conan>=2.3,<3' 2>build/pip.log ||
    say "pip did not install Conan: the test of its package will be skipped"
fi
if [ "${1:-}" = --tests ]; then
  mapfile -t packages < <(for tool in doxygen pandoc; do command -v "$tool" >/dev/null || echo "$tool"; done)
  [ ${#packages[@]} -eq 0 ] || (apt_install "${packages[@]}") ||
    say "not installed: ${packages[*]}; the tests of the documentation's site will be skipped"
fi
{
  echo "# Written by cmake/setup.sh."
  [ -z "${Torch_DIR:-}" ] || echo "set(Torch_DIR \"$Torch_DIR\" CACHE PATH \"\")"
  [ -z "$torch_prefix" ] || echo "list(APPEND CMAKE_PREFIX_PATH \"$torch_prefix\")"
} >build/persona-prefix.cmake
{
  echo "# Written by cmake/setup.sh; for projects that use persona, too: they are to find the same LibTorch and compiler."
  [ -z "${Torch_DIR:-}" ] || echo "export Torch_DIR=\"$Torch_DIR\""
  [ -z "$torch_prefix" ] || echo "export CMAKE_PREFIX_PATH=\"$torch_prefix\${CMAKE_PREFIX_PATH:+:\$CMAKE_PREFIX_PATH}\""
  echo 'export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"'
  [ -z "${cmake_path:-}" ] || echo "export PATH=\"$cmake_path:\$PATH\""
  [ -z "${CXX:-}" ] || echo "export CXX=\"$CXX\""
} >build/env.sh
say "ready"
