#!/usr/bin/env bash
# foveola's filters beside CMSIS-DSP and plain C: instructions in QEMU, on every machine named.
#
#   firmware/peers/run.sh [m4|m55|helium]...     all three unless some are named
#
# Fetches CMSIS-DSP from the Python package index (once), compiles it and peers.c with arm-none-eabi-gcc, links both with
# foveola and runs that. Needs qemu-system-arm, python3 with venv, and gcc with newlib's headers: gcc-arm-none-eabi and
# libnewlib-arm-none-eabi on Debian and Ubuntu.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.." # cargo's configuration lies there
built=${CARGO_TARGET_DIR:-$here/../target}/peers
mkdir -p "$built"
built=$(cd "$built" && pwd)

# What CMSIS-DSP's README recommends. Its option __GNUC_PYTHON__ makes do without CMSIS-Core, of which these functions use
# nothing but names of attributes.
flags=(-O3 -ffast-math -DARM_MATH_LOOPUNROLL -D__GNUC_PYTHON__ -DARM_MATH_DSP -ffunction-sections -Wno-attributes)
functions=(BasicMathFunctions/arm_add_f32 BasicMathFunctions/arm_scale_f32
    FilteringFunctions/arm_fir_f32 FilteringFunctions/arm_fir_init_f32 FilteringFunctions/arm_conv_partial_f32)

for tool in arm-none-eabi-gcc arm-none-eabi-ar qemu-system-arm python3; do
    command -v $tool >/dev/null || { echo "peers: $tool is missing" >&2; exit 2; }
done

fetch() { # the folder with the sources
    local found
    found=$(find "$built" -maxdepth 1 -name 'cmsisdsp-*' -type d)
    if [ -z "$found" ]; then
        [ -x "$built/venv/bin/python" ] || python3 -m venv "$built/venv" >&2
        "$built/venv/bin/python" -m pip download --quiet --no-deps --dest "$built" --requirement "$here/requirements.txt" >&2
        tar -xf "$built"/cmsisdsp-*.tar.gz -C "$built"
        found=$(find "$built" -maxdepth 1 -name 'cmsisdsp-*' -type d)
    fi
    echo "$found"
}
cmsis=$(fetch)
exports=$("$here/../../scripts/ensure-thumb-target.sh" thumbv7em-none-eabihf thumbv8m.main-none-eabihf)
eval "$exports"

compile() { # FOLDER FLAG...: libpeers.a for a processor
    local out=$1 source
    shift
    local gcc=(arm-none-eabi-gcc "${flags[@]}" "$@")
    rm -rf "$out"
    mkdir -p "$out"
    for source in "$here/peers.c" "${functions[@]/#/$cmsis/Source/}"; do
        "${gcc[@]}" -I "$cmsis/Include" -I "$cmsis/PrivateInclude" -c "${source%.c}.c" -o "$out/$(basename "$source" .c).o"
    done
    # With newlib's memcpy and memset, which no other part of the program shall see: the Rust side has its own.
    "${gcc[@]}" -r -nostdlib "$out"/*.o -lc -o "$out/peers"
    arm-none-eabi-objcopy --wildcard --keep-global-symbol='peer_*' "$out/peers"
    arm-none-eabi-ar rcs "$out/libpeers.a" "$out/peers"
}

# The processor's name for gcc, the target and the processor's name for rustc.
[ $# -gt 0 ] || set -- m4 m55 helium
for machine in "$@"; do
    linker="-C link-arg=-Tlink.x"
    target=thumbv8m.main-none-eabihf
    case $machine in
        m4) cpu=(-mcpu=cortex-m4 -mfpu=fpv4-sp-d16) title="Cortex-M4" target=thumbv7em-none-eabihf rust="" ;;
        m55) cpu=(-mcpu=cortex-m55+nomve -mfpu=auto) title="Cortex-M55 without Helium" rust="" ;;
        helium) cpu=(-mcpu=cortex-m55 -mfpu=auto) title="Cortex-M55 with Helium" rust="-C target-cpu=cortex-m55 --cfg helium" ;;
        *) echo "peers: m4, m55 or helium, not '$machine'" >&2; exit 2 ;;
    esac
    compile "$built/$machine" "${cpu[@]}" -mthumb -mfloat-abi=hard
    printf '\n%s, %s, %s\n' "$title" "$(arm-none-eabi-gcc --version | head -n 1)" "$(rustc --version | cut -d' ' -f1-2)"
    FOVEOLA_PEERS=$built/$machine RUSTFLAGS="$linker $rust" \
        cargo run --locked --quiet --release --target $target --package foveola-peers --target-dir "$built/cargo"
done
