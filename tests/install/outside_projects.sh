#!/usr/bin/env bash
# Installs the build to a fresh prefix; builds and runs two outside projects against it. Everything that it writes is in
# WORK, which it empties first. Fails when the installed compiler needs anything of the build or of its Python packages.
set -euo pipefail
cmake=$1 build=$2 source=$3 work=$4 generator=$5 make_program=$6 cc=$7 cxx=$8

rm -rf "$work"
prefix=$work/prefix

# outside_project SOURCE PREFIX_PATH: configures and builds it in WORK, as a stranger to tconv's tree would.
outside_project() {
  local binary
  binary=$work/$(basename "$1")
  "$cmake" -S "$1" -B "$binary" -G "$generator" -DCMAKE_MAKE_PROGRAM="$make_program" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$2"
  "$cmake" --build "$binary"
}

"$cmake" --install "$build" --prefix "$work/staged" >/dev/null
mv "$work/staged" "$prefix" # nothing in it may depend on where it was put first

"$prefix/bin/tconvc" --version
library=$(ldd "$prefix/bin/tconvc" | awk '$1 ~ /^libHalide/ { print $3 }')
if [[ $(realpath "$library") != $(realpath "$prefix")/* ]]; then
  echo "the installed tconvc takes libHalide from '$library', not from its prefix" >&2
  exit 1
fi

outside_project "$source/examples/consumer" "$prefix"
"$work/consumer/from_c"
"$work/consumer/from_cpp"

data=$source/data/text_detector
targets=(--target x86-64-linux-avx2-fma-f16c --target x86-64-linux-sse41)
[[ $(uname -m) == x86_64 ]] || targets=(--target arm-64-linux)
"$prefix/bin/tconvc" compile "$data/up1.json" "${targets[@]}" -o "$work/up1" --kernel "$data/up1_kernel.npy" \
  --bias "$data/up1_bias.npy" --batchnorm "$data/up1_batchnorm.npy" --epsilon 1e-5 --activation relu
rm -rf "$prefix" # what was emitted stands alone
outside_project "$source/tests/install/emitted" "$work/up1"
"$work/emitted/emitted" "$data/features.npy" "$data/expected_up1.npy"
