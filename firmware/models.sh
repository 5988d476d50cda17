#!/usr/bin/env bash
# Every model file of ../models and of model/, and that of the guide, on every emulated machine: the program `model`, built from it,
# must print the digest of each output that the host computes, which a host test keeps in model/digests.tsv (tests/firmware.rs).
# Models that do not fit a machine are errors when they are built. Of the guide's file the program must print what its page shows.
# The retina in 16 bits also runs as code for the Cortex-M0+ and with Helium.
#
#   ./models.sh             all files: two minutes on an idle machine, half of it to link
#   ./models.sh NAME...     only these
#   MACHINES="m4 m55" ./models.sh
#   MEASURED=write ./models.sh
#
# On Cortex-M4 and M7, which run the same image, flash, RAM and the instructions of a frame must be those of model/measured.tsv
# within 2 %; a host test compares the table with what `foveola model show` predicts. The last command writes the table.
set -euo pipefail
cd "$(dirname "$0")"

../scripts/qemu-run.sh --install
export QEMU_TIMEOUT=${QEMU_TIMEOUT:-600}
machines=${MACHINES:-m4 m7 m55}
guide=../docs/guide/your-own-model
target_of() {
    case $1 in
        m55*) echo thumbv8m.main-none-eabihf ;;
        m0) echo thumbv6m-none-eabi ;;
        *) echo thumbv7em-none-eabihf ;;
    esac
}
# Code for the Cortex-M0+ runs on the machine of the M4, which executes all of Armv6-M: QEMU has no M0+ with enough memory.
emulated() { case $1 in m55*) echo m55 ;; m0) echo m4 ;; *) echo "$1" ;; esac; }
folder_of() { if [ "$1" = m55-helium ]; then echo target/m55-helium; else echo "${CARGO_TARGET_DIR:-target}"; fi; }
build() { # FILE BINNING MACHINE
    (
        if [ "$3" = m55-helium ]; then # as in measure.sh
            export RUSTFLAGS="-C link-arg=-Tlink.x -C target-cpu=cortex-m55 --cfg helium"
            export CARGO_TARGET_DIR=target/m55-helium CARGO_BUILD_BUILD_DIR=target
        fi
        MODEL=$(realpath "$1") BINNING=$2 cargo build --locked --quiet --release -p foveola-model --target "$(target_of "$3")"
    )
}
# What the page of the guide shows after the command that runs the program.
shown() { awk '/^```text/ { inside = ran; next } /^```/ { if (inside) exit; inside = 0 } /--bin model/ { ran = 1 } inside' "$guide.md"; }

near() { # FOUND COMMITTED
    awk -v found="$1" -v committed="$2" 'BEGIN {
        n = split(found, a, "\t"); split(committed, b, "\t")
        for (i = 1; i <= n; i++) if (a[i] > 1.02 * b[i] || a[i] < 0.98 * b[i]) exit 1
    }'
}

failed=0 table=''
for file in ../models/*.toml model/rates.toml model/retina_denoised.toml model/retina_q15.toml "$guide"/*.toml; do
    name=$(basename "$file" .toml)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    IFS=$'\t' read -r _ binning digest < <(grep -P "^$name\t" model/digests.tsv) || {
        echo "models.sh: $name is not in model/digests.tsv: DIGESTS=write cargo test -p foveola-tests --test firmware" >&2
        failed=1
        continue
    }
    built='' seconds=$SECONDS
    # Integers run on cores without a floating-point unit, too.
    further=''
    if [ -z "${MACHINES:-}" ] && grep -q '^sample = "q15"' "$file"; then further='m55-helium m0'; fi
    for machine in $machines $further; do
        image=$(folder_of "$machine")/$(target_of "$machine")/release/model
        if [ "$built" != "$image" ]; then
            build "$file" "$binning" "$machine" || { failed=1; break; }
            built=$image
        fi
        printed=$(QEMU_MACHINE=$(emulated "$machine") ../scripts/qemu-run.sh "$image") || {
            printf '%s on %s FAILED:\n%s\n' "$name" "$machine" "$printed" >&2
            failed=1
            continue
        }
        if [ "$file" = "$guide/cell.toml" ] && ! diff -u --label "$guide.md" --label "printed on $machine" <(shown) <(sed '/^measured:/d' <<<"$printed"); then
            echo "$name on $machine FAILED: other output than in the guide" >&2
            failed=1
        fi
        found=$(awk '/^digest of all bits/ { printf "%s%s", separator, $5; separator = " " }' <<<"$printed")
        measured=$(model/measure.sh "$(realpath "$image")" "$printed")
        committed=$(grep -P "^$name\t" model/measured.tsv | cut -f2-) || committed=''
        if [ "$machine" = m4 ]; then table+="$name"$'\t'"$measured"$'\n'; fi
        if [ "${MEASURED:-}" != write ] && [[ " m4 m7 " == *" $machine "* ]] && ! near "$measured" "$committed"; then
            echo "$name on $machine FAILED: flash, RAM, instructions $measured, committed $committed: MEASURED=write ./models.sh" >&2
            failed=1
        fi
        if [ "$found" = "$digest" ]; then
            ram=$(awk '/^frames and state/ { print $4 }' <<<"$printed")
            printf '%-20s %-10s %s, as the host; %s bytes of RAM, %d s\n' "$name" "$machine" "$digest" "$ram" $((SECONDS - seconds))
            if [ -n "$further" ]; then grep '^measured: \(frame\|mean\)' <<<"$printed"; fi
        else
            echo "$name on $machine FAILED: digest $found, expected that of the host, $digest" >&2
            failed=1
        fi
        seconds=$SECONDS
    done
done

# 21 frames of 64 x 64 pixels do not fit the Cortex-M55 machine.
if [ $# -eq 0 ] && [[ " $machines " == *" m55 "* ]]; then
    if error=$(build ../models/motion_energy.toml 1 m55 2>&1); then
        echo "FAILED: motion_energy at 64 x 64 pixels was built for a machine that it does not fit" >&2
        failed=1
    elif grep -E 'the model needs [0-9]+ bytes of RAM, but there are [0-9]+; layer "gratings", Conv3d takes the most' <<<"$error"; then
        echo "motion_energy at 64 x 64 pixels is refused on m55"
    else
        printf 'FAILED: motion_energy at 64 x 64 pixels was refused for another reason:\n%s\n' "$error" >&2
        failed=1
    fi
fi
if [ "${MEASURED:-}" = write ] && [ $# -eq 0 ]; then
    { printf 'model\tflash\tram\tinstructions\t(%s)\n' "$(rustc --version | cut -d' ' -f2)"; printf %s "$table"; } >model/measured.tsv
fi
exit "$failed"
