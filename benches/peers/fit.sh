#!/usr/bin/env bash
# The table of docs/fitting.md: foveola writes the data of the tasks, packages of Python fit them, too, and foveola makes the table.
# usage: fit.sh [ARGUMENTS of the binary `fit`]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(benches/peers/venv.sh benches/peers/requirements-fit.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release -p foveola-benches --bin fit
fit=${CARGO_TARGET_DIR:-target}/release/fit
"$fit" --data "$work" --repeats 1 --seeds 0 >/dev/null
"$python" benches/peers/fit.py "$work" --out "$work/peers.json"
"$fit" --peers "$work/peers.json" --out docs/fitting.md "$@"
