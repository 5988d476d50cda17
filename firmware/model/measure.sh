#!/usr/bin/env bash
# Flash without the recording, static variables, and instructions of a frame without events, of an image of `model` and what it
# printed.
#
#   model/measure.sh IMAGE PRINTED
set -euo pipefail
cd "$(dirname "$0")/.."

read -r flash ram _ < <(../scripts/sizes.py --image "$1")
frame=$(awk '/^measured: frame/ { print $3 }' <<<"$2")
printf '%d\t%d\t%d\n' $((flash - $(wc -c <qemu/src/bin/retina.raw))) "$ram" "$frame"
