#!/usr/bin/env bash
# The table of docs/events.md: writes one recording in many formats, lets packages of Python and crates read them beside
# foveola, and makes the table. usage: events.sh [ARGUMENTS of the binary `events`]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(benches/peers/venv.sh benches/peers/requirements-events.txt)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release -p foveola-cli
foveola=${CARGO_TARGET_DIR:-target}/release/foveola
scene=$work/scene_evt2.raw # expelliarmus insists on this ending
"$foveola" record "$scene" --geometry 640x480 --duration 440ms
"$foveola" convert "$scene" "$work/scene_evt3.raw" --to-format evt3
for format in dat es csv npy; do "$foveola" convert "$scene" "$work/scene.$format" --to-format "$format"; done
"$foveola" convert "$scene" "$work/scene.nmnist" --to-format nmnist --filter region:0,0,240,240 # all that fits
"$python" benches/peers/aedat4.py "$work/scene.npy" "$work/scene.aedat4" 640 480 || echo "no AEDAT 4" >&2
digests() {
    local file separator='{'
    for file in "$work"/scene*; do
        printf '%s"%s":' "$separator" "$(basename "$file")"
        "$foveola" info --digest --json "$file"
        separator=,
    done
    echo '}'
}
digests >"$work/digests.json"
"$python" benches/peers/events.py "$work" >"$work/peers.json"
cargo run --release -p foveola-benches --features peers --bin events -- --files "$work" --peers "$work/peers.json" "$@"
