#!/usr/bin/env bash
# Runs every fuzz target, or those named, with stable Rust: the instrumentation that libFuzzer needs is asked of LLVM by name.
#
#   ./run.sh check [TARGET...]     as many runs of each as runs.tsv says, from a fixed seed and seeds/: the same every time
#   ./run.sh SECONDS [TARGET...]   for so long each, from a new seed and from what earlier runs found worth keeping (corpus/)
#   ./run.sh lint                  clippy
#
# seeds/ has a small recording of each format. What a target fails on stays in artifacts/TARGET, and the command that repeats
# it is printed. A C++ compiler builds libFuzzer. As many targets run at a time as there are processors.
set -euo pipefail
cd "$(dirname "$0")"

usage() { echo "usage: $0 lint|check|SECONDS [TARGET...]" >&2; exit 2; }
how=${1-}
[[ $how =~ ^(lint|check|[1-9][0-9]*)$ ]] || usage
shift
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
for target in "${targets[@]}"; do
    [ -e "fuzz_targets/$target.rs" ] || { echo "$0: no target '$target'" >&2; usage; }
done
llvm=()
for option in level=4 inline-8bit-counters pc-table trace-compares; do llvm+=("-Cllvm-args=-sanitizer-coverage-$option"); done
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module ${llvm[*]}"
# A target is named, or build scripts would be instrumented, too.
build=(--locked --quiet --release --target host-tuple --bins)
if [ "$how" = lint ]; then exec cargo clippy "${build[@]}" -- -D warnings; fi # of the same build: libFuzzer is compiled once
cargo build "${build[@]}"
folder=$(cargo metadata --locked --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
folder=$folder/$(rustc -vV | sed -n 's/^host: //p')/release

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Many times the memory that a recording takes to read: what would reserve by an untrusted length does not pass.
limits="-timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=64 -max_len=20000"

# fuzz TARGET: its log and its verdict lie in $work.
# shellcheck disable=SC2329 # xargs calls it
fuzz() {
    local target=$1 corpus=corpus/$1 runs many=() log=$work/$1.log
    if [ "$how" = check ]; then
        corpus=$work/$target
        runs=$(awk -v target="$target" '$1 == target { print $2 }' runs.tsv)
        [ -n "$runs" ] || { echo "$target has no line in runs.tsv" >"$log"; return; }
        many=(-seed=1 "-runs=$runs")
    else
        many=(-max_total_time="$how")
    fi
    mkdir -p "artifacts/$target" "$corpus"
    # The format of a recording is found out: it may be any.
    if [ "$target" = recording ]; then cp seeds/* "$corpus/"; else cp seeds/"$target".* "$corpus/" 2>/dev/null || true; fi
    # shellcheck disable=SC2086 # a list of options
    if "$folder/$target" "${many[@]}" $limits -artifact_prefix="artifacts/$target/" "$corpus" >"$log" 2>&1; then
        touch "$work/$target.ok"
    fi
}
export -f fuzz
export how work folder limits
printf '%s\n' "${targets[@]}" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' bash -c 'fuzz {}'

failed=0
for target in "${targets[@]}"; do
    if [ -e "$work/$target.ok" ]; then
        printf '%-10s ok      %s\n' "$target" "$(sed -n 's/^Done \([0-9]* runs\).*/\1/p' "$work/$target.log")"
    else
        failed=1
        printf '%-10s FAILED\n' "$target"
        tail -n 30 "$work/$target.log"
        sed -n "s|.*Test unit written to \(.*\)|repeat: (cd fuzz \&\& $folder/$target $limits \1)|p" "$work/$target.log"
    fi
done
exit $failed
