#!/usr/bin/env bash
# The table of docs/gpu.md, on a machine with a GPU: builds the benchmark, lets PyTorch run the same convolutions on the same card
# where there is a Python that has it, and prints the table. usage: gpu.sh [ARGUMENTS of the binary `gpu`, such as --write]
#
# FOVEOLA_GPU_BENCH: a binary that was built elsewhere, for a machine without Rust; FOVEOLA_GPU_PYTHON: the Python with PyTorch
# (python3); FOVEOLA_GPU_PEERS: what benches/peers/gpu.py printed before, which is taken instead.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bench=${FOVEOLA_GPU_BENCH:+$(realpath "$FOVEOLA_GPU_BENCH")}
cd "$here/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$bench" ]; then
    if ! command -v cargo >/dev/null; then
        echo "no cargo here: install Rust, or name a binary that was built elsewhere in FOVEOLA_GPU_BENCH" >&2
        exit 1
    fi
    cargo build --release -p foveola-benches --features gpu --bin gpu
    bench=${CARGO_TARGET_DIR:-target}/release/gpu
fi

peers=${FOVEOLA_GPU_PEERS:-$work/peers.json}
python=${FOVEOLA_GPU_PYTHON:-python3}
if [ ! -e "$peers" ]; then
    if ! command -v "$python" >/dev/null; then
        echo "no $python here: the table has no column for PyTorch" >&2
    elif ! "$python" "$here/peers/gpu.py" --out "$peers"; then
        echo "no numbers of PyTorch: pip install torch, for a card with CUDA" >&2
    fi
fi
arguments=()
[ ! -e "$peers" ] || arguments=(--peers "$peers")
"$bench" "${arguments[@]}" "$@"
