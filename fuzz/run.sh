#!/usr/bin/env bash
# Runs every fuzz target, or those named, for SECONDS each, with stable Rust: the instrumentation that libFuzzer needs is
# asked of LLVM by name. usage: ./run.sh SECONDS [TARGET...]
#
# Each begins with a small recording of its format and with what earlier runs found worth keeping (corpus/). What it fails on
# stays in artifacts/TARGET. A C++ compiler builds libFuzzer.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: ./run.sh SECONDS [TARGET...]}
shift
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

llvm=()
for option in level=4 inline-8bit-counters pc-table trace-compares; do llvm+=("-Cllvm-args=-sanitizer-coverage-$option"); done
# A target is named, or build scripts would be instrumented, too.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module ${llvm[*]}" \
    cargo build --quiet --release --target host-tuple --bins
folder=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
folder=$folder/$(rustc -vV | sed -n 's/^host: //p')/release

# Small recordings to begin with: those that foveola writes, and seeds/ for the others.
foveola() { cargo run --quiet --manifest-path ../Cargo.toml -p foveola -- "$@" >/dev/null; }
foveola record "$work/scene.raw" --geometry 24x16 --duration 30ms
seed() { # TARGET
    local format
    cp seeds/"$1".* "corpus/$1/" 2>/dev/null || true
    case $1 in
        evt2 | evt21 | evt3 | dat | es | nmnist | csv | npy)
            foveola convert "$work/scene.raw" "corpus/$1/scene" --to-format "$1"
            ;;
        recording)
            for format in evt3 dat es csv npy; do
                foveola convert "$work/scene.raw" "corpus/$1/scene.$format" --to-format "$format"
            done
            cp seeds/* "corpus/$1/"
            ;;
    esac
}

failed=0
for target in "${targets[@]}"; do
    mkdir -p "artifacts/$target" "corpus/$target"
    seed "$target"
    # Many times the memory that a recording takes to read: what would reserve by an untrusted length does not pass.
    log=$("$folder/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=64 -max_len=20000 \
        -artifact_prefix="artifacts/$target/" "corpus/$target" 2>&1) && verdict=ok || { verdict=FAILED; failed=1; }
    printf '%-10s %-6s %s\n' "$target" $verdict "$(grep -E '^Done|SUMMARY' <<<"$log" | tail -1)"
    [ $verdict = ok ] || tail -30 <<<"$log"
done
exit $failed
