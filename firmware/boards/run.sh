#!/usr/bin/env bash
# cargo's runner: flashes a program for one of the boards, starts it, and shows its reports. Needs probe-rs and a probe.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 ELF" >&2; exit 2; }
case $1 in
    *thumbv7em*) chip=STM32H743ZITx ;;
    *thumbv8m*) chip=RP235x ;;
    *) echo "$0: no board for $1" >&2; exit 2 ;;
esac
command -v probe-rs >/dev/null || { echo "$0: probe-rs is missing: cargo install probe-rs-tools" >&2; exit 2; }
exec probe-rs run --chip "$chip" "$1"
