#!/usr/bin/env bash
# Run a firmware ELF in QEMU, as cargo's runner: semihosting prints to stdout, and the exit code is
# the firmware's own (0 passed, 1 failed, 124 hung).
#
#   scripts/qemu-run.sh ELF
#   scripts/qemu-run.sh --install    brings defmt-print, and runs nothing
#
# What a program prints with defmt is decoded by defmt-print, which is installed into firmware/target the first time.
#
# QEMU_MACHINE: m4 (default), m7, or m55 (the default and only machine of a thumbv8m ELF)
# QEMU_TIMEOUT: seconds, 60 unless set
# QEMU_EXTRA: further arguments for QEMU
#
# Always with `-icount shift=6`: each instruction takes 64 ns of the emulated time, so that a timer
# counts instructions, and the same run prints the same numbers.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 ELF|--install" >&2; exit 2; }

tools=$(dirname "$0")/../firmware/target/tools
PATH=$PATH:$tools/bin
install_decoder() {
    command -v defmt-print >/dev/null && return
    echo "qemu-run: installing defmt-print, which decodes what the programs print, into firmware/target/tools: a minute, once" >&2
    local quiet=(--quiet)
    [ ! -t 2 ] || quiet=() # a minute without a sign of life looks like a fault
    # Not optimised, as it decodes a few kB; and without what is set for the firmware.
    env -u RUSTFLAGS -u CARGO_BUILD_BUILD_DIR CARGO_PROFILE_DEV_DEBUG=false \
        cargo install ${quiet[@]+"${quiet[@]}"} --debug --locked --root "$tools" --target-dir "$tools/build" defmt-print@^1 >&2
    rm -rf "$tools/build"
}
[ "$1" != --install ] || { install_decoder; exit; }

default="m4"
case $1 in *thumbv8m*) default="m55" ;; esac
case ${QEMU_MACHINE:-$default} in
    m4)  machine=(-M mps2-an386 -cpu cortex-m4) ;;
    m7)  machine=(-M mps2-an500 -cpu cortex-m7) ;;
    m55) machine=(-M mps3-an547 -cpu cortex-m55) ;;
    *) echo "qemu-run: QEMU_MACHINE is m4, m7 or m55, not '$QEMU_MACHINE'" >&2; exit 2 ;;
esac
read -ra extra <<<"${QEMU_EXTRA:-}"

command -v qemu-system-arm >/dev/null || {
    echo "qemu-run: qemu-system-arm is missing (Debian, Ubuntu: apt-get install qemu-system-arm)" >&2
    exit 2
}

limit=()
if command -v timeout >/dev/null; then limit=(timeout --kill-after=5 "${QEMU_TIMEOUT:-60}"); fi

# A row is a name, a number and a remark between tabs.
rows() { awk -F '\t' 'NF > 1 { $0 = sprintf("%-18s%8s%s", $1, $2, NF > 2 ? "  " $3 : "") } 1'; }
decode() { rows; }
if grep -aq _defmt_version_ "$1"; then
    install_decoder
    decode() { defmt-print -e "$1" --log-format '{s}' | rows; }
fi

# The odd expansions: bash before 4.4 takes an empty array for an unset variable.
set +e
${limit[@]+"${limit[@]}"} qemu-system-arm "${machine[@]}" ${extra[@]+"${extra[@]}"} \
    -icount shift=6 -display none -monitor none -serial none -semihosting-config enable=on,target=native \
    -kernel "$1" </dev/null | decode "$1"
statuses=("${PIPESTATUS[@]}")
[ "${statuses[0]}" -ne 124 ] || echo "qemu-run: stopped after ${QEMU_TIMEOUT:-60} s" >&2
# The firmware's own, unless what it printed got lost.
[ "${statuses[0]}" -ne 0 ] || exit "${statuses[1]}"
exit "${statuses[0]}"
