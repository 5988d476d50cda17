#!/usr/bin/env bash
# Builds the boards' programs and prints what they take of flash and RAM; fails where that is more than `budgets.tsv` says.
#
#   ./build.sh                 builds all, then reports
#   ./build.sh report [FILE]   reports what was built, with the budgets of FILE
#
# With flip-link in PATH it is the linker, so that a stack that overflows faults instead of overwriting; the report checks that
# it did its work. In `budgets.tsv`: kB that flash and RAM may take, where RAM begins, how much there is. What RAM has left is the
# stack's.
set -euo pipefail
cd "$(dirname "$0")"

linker=()
if command -v flip-link >/dev/null; then
    linker=(--config "target.'cfg(all(target_arch = \"arm\", target_os = \"none\"))'.linker = 'flip-link'")
fi

boards() { tail -n +2 "${1:-budgets.tsv}"; }

build() {
    local board target
    while read -r board target _; do
        echo "building $board"
        cargo build --locked --quiet --release -p "foveola-$board" --target "$target" ${linker[@]+"${linker[@]}"} </dev/null || return 1
    done < <(boards)
}

report() {
    local board target flash ram from has bad=0
    # Name, type, address, size and flags of a line of readelf.
    local section='^ *\[ *[0-9]*\] *\(\.[^ ]*\) *\([A-Z_]*\) *\([0-9a-f]*\) *[0-9a-f]* *\([0-9a-f]*\) .. *\([A-Z]*\) .*'
    printf '%-10s %21s %21s %12s %12s\n' board 'flash kB (budget)' 'RAM kB (budget)' 'stack kB' 'DMA kB'
    while read -r board target flash ram from has; do
        local elf=${CARGO_TARGET_DIR:-target}/$target/release/$board start
        start=$(readelf -sW "$elf" | awk '$8 == "_stack_start" { print "0x" $2 }')
        readelf -SW "$elf" | sed -n "s/$section/\\1 \\2 0x\\3 0x\\4 \\5/p" |
            while read -r name type at size flags; do # numbers for awk
                echo "$name $type $((at)) $((size)) $flags"
            done |
            awk -v board="$board" -v flash="$flash" -v ram="$ram" -v from=$((from)) -v has="$has" -v start=$((start)) \
                -v flipped="${#linker[@]}" '
            $5 !~ /A/ { next }
            {
                inside = $3 >= from && $3 < from + has * 1024
                if ($2 == "PROGBITS") used += $4              # .data is in both: flash has its first values
                if (inside && $4 > 0) {
                    if (!first || $3 < first) first = $3
                    if ($3 + $4 > last) last = $3 + $4        # with what alignment leaves empty
                }
                if (!inside && $2 == "NOBITS") dma += $4
            }
            END {
                if (used == 0 || last == 0) { print "FAILED: " board " has no sections"; exit 1 }
                stack = flipped ? start - from : from + has * 1024 - last
                static = has * 1024 - stack
                printf "%-10s %13.1f (%4d) %14.1f (%4d) %13.1f %12.1f\n", board,
                    used / 1024, flash, static / 1024, ram, stack / 1024, dma / 1024
                if (used > flash * 1024) { printf "    FAILED: %d bytes of flash, budget %d\n", used, flash * 1024; bad = 1 }
                if (static > ram * 1024) { printf "    FAILED: %d bytes of RAM, budget %d\n", static, ram * 1024; bad = 1 }
                if (flipped && start > first) {
                    printf "    FAILED: flip-link did nothing: the stack begins at %#x, above %#x\n", start, first
                    bad = 1
                }
                exit bad
            }' || bad=1
    done < <(boards "$@")
    return "$bad"
}

case ${1:-} in
    '') build && report ;;
    report) shift && report "$@" ;;
    *) echo "usage: $0 [report [FILE]]" >&2; exit 2 ;;
esac
