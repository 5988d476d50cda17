#!/usr/bin/env bash
# From a recording to a microcontroller: simulates a cell, fits its parameters to its spikes, builds the fitted file for a
# Cortex-M4 and runs it in QEMU. It must find the parameters, and the digest must be the host's.
#
#   ./fit.sh                  runs the foveola of target/debug, which it builds if there is none
#   FOVEOLA=PATH ./fit.sh     runs this one
set -euo pipefail
cd "$(dirname "$0")"

../scripts/qemu-run.sh --install
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
foveola=$(realpath -m "${FOVEOLA:-../target/debug/foveola}")
[ -x "$foveola" ] || (cd .. && cargo build --locked --quiet -p foveola-cli)

cell=$PWD/fit.toml
"$foveola" simulate "$cell" --frames 6000 --size 8x8 --stimulus-out "$folder/noise.npy" --spikes poisson --seed 1 --out "$folder/counts.npy"
"$foveola" fit "$cell" --stimulus "$folder/noise.npy" --target "$folder/counts.npy" --target-kind counts \
    --set blur.weight.gaussian.sigma=0.7px --set fast.tau=3ms --set slow.tau=40ms --free blur.sigma,fast.tau,slow.tau,rate.scale,rate.bias \
    --warm-up "50 frames" --out "$folder/fitted.toml"

# The numbers with which the cell was simulated, as `model weights` prints them.
near() { # PARAMETER EXPECTED
    local found
    found=$("$foveola" model weights "$folder/fitted.toml" | awk -v name="$1" '$1 == name { print $2 }')
    awk -v found="$found" -v expected="$2" 'BEGIN { exit !(found > 0.95 * expected && found < 1.05 * expected) }' || {
        echo "fit.sh FAILED: $1 is $found; expected $2 within 5 %" >&2
        exit 1
    }
    echo "$1 is $found, of $2"
}
near fast.tau 0.006
near slow.tau 0.02
near rate.scale 0.4

MODEL=$folder/fitted.toml BINNING=1 cargo build --locked --quiet --release -p foveola-model --target thumbv7em-none-eabihf
printed=$(QEMU_MACHINE=m4 ../scripts/qemu-run.sh "${CARGO_TARGET_DIR:-target}/thumbv7em-none-eabihf/release/model")
board=$(awk '/^digest of all bits/ { print $5 }' <<<"$printed")
recording=$PWD/qemu/src/bin/retina.raw
host=$(cd "$folder" && "$foveola" run "$recording" --model fitted.toml --reproducible --digest --no-pictures --chunk 1 |
    awk '$1 == "digest" { print $2 }')
if [ -z "$board" ] || [ "$board" != "$host" ]; then
    echo "fit.sh FAILED: digest $board on the board, $host on the host" >&2
    exit 1
fi
echo "the fitted cell on m4: $board, as the host"
