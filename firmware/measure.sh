#!/usr/bin/env bash
# What `retina` costs on every emulated machine: instructions of a frame and of an event, bytes of
# stack. Instructions, never cycles: QEMU has no timing model.
#
#   ./measure.sh > instructions.tsv     regenerates the table
#   ./measure.sh check                  compares with it: 2 % more fails, 2 % less asks to regenerate
#
# The numbers are the same on every host; they depend on the compiler, whose release the table tells.
set -euo pipefail
cd "$(dirname "$0")"

table() {
    printf 'machine\twhat\tnumber\t(%s)\n' "$(rustc --version | cut -d' ' -f2)"
    local machine target
    for machine in m4 m7 m55; do
        target=thumbv7em-none-eabihf
        [ $machine != m55 ] || target=thumbv8m.main-none-eabihf
        QEMU_MACHINE=$machine cargo run --quiet --release --target $target --bin retina |
            awk -v machine=$machine '$1 == "measured:" { printf "%s\t%s\t%d\n", machine, $2, $3 }'
    done
}

case ${1:-} in
    '') table ;;
    check)
        table | awk -F '\t' '
            NR == FNR { committed[$1 "\t" $2] = $3; lines++; next }
            FNR == 1 { next }
            {
                seen++
                before = committed[$1 "\t" $2]
                printf "%-4s %-6s %9d, committed %9d\n", $1, $2, $3, before
                if ($3 > 1.02 * before) { print "    FAILED: grew by more than 2 %"; bad = 1 }
                if ($3 < 0.98 * before) print "    shrank by more than 2 %: please ./measure.sh > instructions.tsv"
            }
            END { if (seen != lines - 1) { print "FAILED: " seen + 0 " of " lines - 1 " numbers"; bad = 1 } exit bad }
        ' instructions.tsv - ;;
    *) echo "usage: $0 [check]" >&2; exit 2 ;;
esac
