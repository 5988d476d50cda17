#!/usr/bin/env bash
# What `retina` and `denoise` cost on every emulated machine: instructions of a frame and of an event,
# bytes of stack. On the Cortex-M4, `sweep` too: how far convolutions of many shapes are from a smooth law, at most, and the
# instructions of a node. `integers`: filters of 16-bit samples, also as code for the Cortex-M0+, which runs on the machine of the M4. Instructions, never cycles: QEMU has no timing model. Every machine must print the
# digest of the program's .out file, those with Helium too. There the golden cases run as well, which cost nothing here: its
# vectors make subnormal numbers zero, and must not find any.
#
#   ./measure.sh > instructions.tsv     regenerates the table
#   ./measure.sh check                  compares with it: 2 % more fails, 2 % less asks to regenerate;
#                                       Helium must take at most 0.6 of the same core without it
#
# The numbers are the same on every host; they depend on the compiler, whose release the table tells.
set -euo pipefail
cd "$(dirname "$0")"

../scripts/qemu-run.sh --install

# name, machine, target, flags
machines() {
    cat <<'END'
m0 m4 thumbv6m-none-eabi
m4 m4 thumbv7em-none-eabihf
m7 m7 thumbv7em-none-eabihf -C target-cpu=cortex-m7
m55 m55 thumbv8m.main-none-eabihf
m55-scalar m55 thumbv8m.main-none-eabihf -C target-cpu=cortex-m55 -C target-feature=-mve,-mve.fp
m55-helium m55 thumbv8m.main-none-eabihf -C target-cpu=cortex-m55 --cfg helium
END
}

table() {
    printf 'machine\twhat\tnumber\t(%s)\n' "$(rustc --version | cut -d' ' -f2)"
    local name machine target flags program programs digest out
    mkdir -p target
    machines | while read -r name machine target flags; do
        programs=(retina denoise)
        case $name in
            m0) programs=(integers) ;;
            m4) programs+=(sweep integers) ;;
            m55-helium) programs+=(golden integers) ;;
        esac
        for program in "${programs[@]}"; do
            digest=$(grep -E '^(digest of all|checksum|[0-9]+ of [0-9]+ golden)' "qemu/src/bin/$program.out")
            out=$(
                if [ -n "$flags" ]; then
                    # They replace those of .cargo/config.toml. The programs need a folder of their own; what is built
                    # for the host is shared.
                    export RUSTFLAGS="-C link-arg=-Tlink.x $flags" CARGO_TARGET_DIR=target/$name CARGO_BUILD_BUILD_DIR=target
                fi
                QEMU_MACHINE=$machine cargo run --locked --quiet --release --target "$target" --bin "$program" 2>"target/$name.log"
            ) || { echo "measure: $program fails on $name:" >&2; cat "target/$name.log" >&2; return 1; }
            grep -qxF "$digest" <<<"$out" || { echo "measure: other bits of $program on $name" >&2; return 1; }
            awk -v name="$name" '$1 == "measured:" { printf "%s\t%s\t%d\n", name, $2, $3 }' <<<"$out"
        done
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
                number[$1 "\t" $2] = $3
                before = committed[$1 "\t" $2]
                printf "%-10s %-13s %9d, committed %9d\n", $1, $2, $3, before
                if ($3 > 1.02 * before) { print "    FAILED: grew by more than 2 %"; bad = 1 }
                if ($3 < 0.98 * before) print "    shrank by more than 2 %: please ./measure.sh > instructions.tsv"
            }
            END {
                if (seen != lines - 1) { print "FAILED: " seen + 0 " of " lines - 1 " numbers"; bad = 1 }
                ratio = number["m55-scalar\tframe"] / (number["m55-helium\tframe"] + 1e-9)
                printf "Helium: %.2f times as fast as the same core without it\n", ratio
                if (ratio < 1.5) { print "    FAILED: less than 1.5 times"; bad = 1 }
                exit bad
            }
        ' instructions.tsv - ;;
    *) echo "usage: $0 [check]" >&2; exit 2 ;;
esac
