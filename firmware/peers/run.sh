#!/usr/bin/env bash
# foveola's filters beside CMSIS-DSP and plain C: instructions in QEMU, on every machine named.
#
#   firmware/peers/run.sh [m4|m55|helium]...     all three unless some are named
#   firmware/peers/run.sh --write                all three, and their tables into ../README.md
#
# Fetches CMSIS-DSP from the Python package index (once), compiles it, peers.c (floats) and peers_q15.c (16-bit integers) with
# arm-none-eabi-gcc, links all with foveola and runs that. Needs qemu-system-arm, python3 with venv, and gcc with newlib's
# headers: gcc-arm-none-eabi and libnewlib-arm-none-eabi on Debian and Ubuntu.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.." # cargo's configuration lies there
built=${CARGO_TARGET_DIR:-$here/../target}/peers
mkdir -p "$built"
built=$(cd "$built" && pwd)

# What CMSIS-DSP's README recommends. In place of CMSIS-Core it takes cmsis_compiler.h of this folder.
flags=(-O3 -ffast-math -DARM_MATH_LOOPUNROLL -ffunction-sections -Wno-attributes)
functions=(BasicMathFunctions/arm_{add,scale}_{f32,q15} BasicMathFunctions/arm_clip_q15
    FilteringFunctions/arm_fir_{,init_}{f32,q15} FilteringFunctions/arm_fir_fast_q15
    FilteringFunctions/arm_conv_{partial_f32,q15,partial_q15,partial_fast_q15}
    FilteringFunctions/arm_biquad_cascade_df1_{,init_,fast_}q15
    MatrixFunctions/arm_mat_{mult,mult_fast,trans}_q15)

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
    for source in "$here/peers.c" "$here/peers_q15.c" "${functions[@]/#/$cmsis/Source/}"; do
        "${gcc[@]}" -I "$here" -I "$cmsis/Include" -I "$cmsis/PrivateInclude" -c "${source%.c}.c" -o "$out/$(basename "$source" .c).o"
    done
    # With newlib's memcpy and memset, which no other part of the program shall see: the Rust side has its own.
    "${gcc[@]}" -r -nostdlib "$out"/*.o -lc -o "$out/peers"
    arm-none-eabi-objcopy --wildcard --keep-global-symbol='peer_*' "$out/peers"
    arm-none-eabi-ar rcs "$out/libpeers.a" "$out/peers"
}

machines=(m4 m55 helium) write=
if [ "${1-}" = --write ]; then
    write=yes
elif [ $# -gt 0 ]; then
    machines=("$@")
fi
rm -f "$built"/*.printed
for machine in "${machines[@]}"; do
    # The processor's name for gcc, the target and the processor's name for rustc.
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
    for program in peers peers_q15; do
        [ $program = peers ] || printf '\n%s, 16-bit integers\n' "$title"
        FOVEOLA_PEERS=$built/$machine RUSTFLAGS="$linker $rust" cargo run --locked --quiet --release --target $target \
            --package foveola-peers --bin $program --target-dir "$built/cargo" | tee "$built/$program.$machine.printed"
    done
done

# Between the marks `<!-- PROGRAM -->` and `<!-- end of PROGRAM -->` of the README.
[ -n "$write" ] || exit 0
for program in peers peers_q15; do
    awk -f "$here/table.awk" "$built/$program".{m4,m55,helium}.printed >"$built/table"
    awk -v name="$program" -v table="$built/table" '
        $0 == "<!-- end of " name " -->" { within = 0 }
        !within { print }
        $0 == "<!-- " name " -->" { within = found = 1; while ((getline line < table) > 0) print line }
        END { exit !found }' README.md >"$built/README.md"
    cp "$built/README.md" README.md
done
