#!/usr/bin/env bash
# What the predictions of `foveola model show` are fitted to, measured in QEMU: instructions of each layer of model/layers, and
# flash, RAM and instructions of the programs of model/programs.
#
#   ./layers.sh                                     writes model/layers/measured.tsv and model/programs/measured.tsv
#   FIT=print cargo test -p foveola --lib --features files boards -- --nocapture
#                                                   then prints the costs of host/src/model/boards/cost.rs that fit it
#
# A Cortex-M4 and a Cortex-M7 run the same program, and the same instructions.
set -euo pipefail
cd "$(dirname "$0")"

../scripts/qemu-run.sh --install
export QEMU_TIMEOUT=${QEMU_TIMEOUT:-600}
release=$(rustc --version | cut -d' ' -f2)
build() { MODEL=$(realpath "$1") cargo build --locked --quiet --release -p foveola-model "${@:2}"; }
image=${CARGO_TARGET_DIR:-target}/thumbv7em-none-eabihf/release

{
    printf 'file\tnode\tinstructions\t(%s)\n' "$release"
    for name in fit-1 fit-2 fit-3 fit-4 fit-5 other; do
        build "model/layers/$name.toml" --features layers --bin layers
        ../scripts/qemu-run.sh "$image/layers" | awk -v name="$name" 'NF == 2 { print name "\t" $1 "\t" $2 }'
    done
} >model/layers/measured.tsv

{
    printf 'program\tflash\tram\tinstructions\t(%s)\n' "$release"
    for file in model/programs/*.toml; do
        BINNING=2 build "$file" --bin model
        printf '%s\t%s\n' "$(basename "$file" .toml)" "$(model/measure.sh "$(realpath "$image/model")" "$(../scripts/qemu-run.sh "$image/model")")"
    done
} >model/programs/measured.tsv
