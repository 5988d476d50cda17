#!/usr/bin/env bash
# A board whose flash is damaged must refuse to start: one weight of the program `faults` becomes NaN in a copy of its image, and
# the copy has to say so and end with exit code 1.
#
#   ./damage.sh        on m4, m7 and m55; the programs are built before
set -euo pipefail
cd "$(dirname "$0")"

copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
for machine in m4 m7 m55; do
    target=thumbv7em-none-eabihf
    [ $machine != m55 ] || target=thumbv8m.main-none-eabihf
    cp "${CARGO_TARGET_DIR:-target}/$target/release/faults" "$copy"
    # The second weight of the centre, foveola_faults::model::CENTRE[1], and where it lies in the file.
    address=$(readelf -sW "$copy" | awk '$8 ~ /5model6CENTRE17h/ { print "0x" $2 }')
    [ -n "$address" ] || { echo "damage.sh: the image has no weights" >&2; exit 1; }
    place=
    while read -r offset virtual size; do
        ((address < virtual || address + 4 >= virtual + size)) || place=$((offset + address - virtual + 4))
    done < <(readelf -lW "$copy" | awk '$1 == "LOAD" { print $2, $3, $5 }')
    printf '\x00\x00\xc0\x7f' | dd of="$copy" bs=1 seek="$place" conv=notrunc status=none

    status=0
    said=$(QEMU_MACHINE=$machine ../scripts/qemu-run.sh "$copy") || status=$?
    if [ $status -eq 1 ] && [[ $said == "the model's tables are damaged: "* ]]; then
        echo "$machine refused to start: $said" | head -n 1
    else
        echo "FAILED: $machine started with a damaged weight, exit code $status: $said" >&2
        exit 1
    fi
done
