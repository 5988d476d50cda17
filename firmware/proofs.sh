#!/usr/bin/env bash
# What is proven of the images, and that each check finds the fault it looks for.
#
#   ./proofs.sh       needs the targets, QEMU and LLVM's tools: ../ci.sh proofs brings them
#
# README.md, "Proven", says what each of them means.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
ok() { echo "    ok: $*"; }
fail() { echo "    FAILED: $*"; failed=1; }

# build TARGET PROGRAM FEATURE
build() { cargo build --locked --quiet --release --target "$1" --bin "$2" --features "$3" 2>"$work/build.log"; }
# must_find WHAT PATTERN COMMAND...: the command fails, and says why.
must_find() {
    local what=$1 pattern=$2
    shift 2
    if "$@" >"$work/found" 2>&1; then fail "$what is not found"
    elif grep -Eq "$pattern" "$work/found" "$work/build.log"; then ok "$what is found"
    else fail "$what: another error"; cat "$work/found" "$work/build.log"
    fi
}
panics='your program contains at least one panicking branch'

v7=thumbv7em-none-eabihf
v8=thumbv8m.main-none-eabihf

echo "no panic path: the image links with panic-never"
for target in $v7 $v8; do
    if build "$target" proof log-free; then ok "proof for $target"
    else fail "proof for $target"; cat "$work/build.log"
    fi
done
if build $v7 proof all-filters; then ok "with all filters of core"
else fail "with all filters of core"; cat "$work/build.log"
fi
must_find "an index that may be out of range" "$panics" build $v7 proof planted-panic

echo "no deeper stack"
digest="digest of all bits $(awk -F '[\t ]' '$1 == "retina_denoised" { print $3 }' model/digests.tsv)"
budget=8192 # bytes of stack that the retina may need
build $v7 proof log-free # the one that was linked last may have been another
for machine in m4 m7 m55; do
    target=$v7
    [ $machine != m55 ] || target=$v8
    elf=target/$target/release/proof
    if QEMU_MACHINE=$machine ../scripts/qemu-run.sh "$elf" >"$work/run" && grep -qx "$digest" "$work/run"; then
        ok "the image computes what the host does, on $machine"
    else
        fail "the image computes something else than the host, on $machine"
        cat "$work/run"
    fi
    ../scripts/stack.py "$elf" --budget $budget --measured "$(sed -n 's/^stack //p' "$work/run")" || fail "the stack on $machine"
done
stack() { build $v7 planted "$1" && ../scripts/stack.py target/$v7/release/planted "${@:2}"; }
if stack log-free >"$work/found"; then ok "proven without a planted fault"
else fail "a program without a planted fault"; cat "$work/found"
fi
must_find "a stack that was deeper" "this program is wrong" stack log-free --measured 1000
must_find "a stack above the budget" "100 are the budget" stack log-free --budget 100
must_find recursion "NOT PROVEN: recursion: planted::descend" stack planted-recursion
must_find "a call through a pointer" "NOT PROVEN: .* a call through a pointer" stack planted-pointer
must_find "a stack above static variables" "an overflow would overwrite .(data|bss)" stack planted-region

echo "no allocation"
# Every name that an image has, those of inlined functions included.
heap() {
    if grep -aoE '__rust_(alloc|dealloc|realloc)\w*|__rg_alloc|__rdl_alloc|library/alloc/src' "$@"; then return 1; fi
}
for target in $v7 $v8; do cargo build --locked --quiet --release --target "$target"; done
# Of each machine's line: its target, its images.
mapfile -t images < <(awk -F '\t' 'NR > 1 {
    n = split($3, image, ",")
    for (i = 1; i <= n; i++) print "target/" $2 "/release/" image[i]
}' budget.tsv)
if heap "${images[@]}"; then ok "no image has a heap"
else fail "an image has a heap"
fi
build $v7 planted planted-heap || { cat "$work/build.log"; fail "the planted heap"; }
must_find "a heap" "__rust_alloc|__rg_alloc" heap target/$v7/release/planted

echo "no unsafe code but where a board is, no static mut"
sources() { # CORE PIPELINE ...: folders of crates
    # Not the lifetime in &'static mut.
    if grep -rnE "^([^/']|'[^s])*\bstatic mut\b" --include='*.rs' --exclude-dir=target "$@"; then return 1; fi
}
safe() {
    local crate
    for crate in "$@"; do
        grep -qx '#!\[forbid(unsafe_code)\]' "$crate/src/lib.rs" || { echo "unsafe code is not forbidden in $crate"; return 1; }
    done
}
mkdir -p "$work/crate/src"
echo 'static mut COUNT: u32 = 0;' >"$work/crate/src/lib.rs"
if sources ../core . && safe ../core pipeline sensor app faults golden build; then ok "all but qemu, peers, boards and foveola-dsp forbid unsafe code; no static mut"
else fail "unsafe code or static mut"
fi
must_find "a static mut" "static mut COUNT" sources "$work/crate"
must_find "a crate that allows unsafe code" "unsafe code is not forbidden" safe "$work/crate"

echo "no larger than the budget"
../scripts/sizes.py budget.tsv target || fail "the budget of budget.tsv"
awk -F '\t' -v OFS='\t' 'NR > 1 { $4 = 1000 } 1' budget.tsv >"$work/tight.tsv"
must_find "an image that is too large" "bytes of flash, but 1000 are the budget" ../scripts/sizes.py "$work/tight.tsv" target
for program in qemu/src/bin/*.rs; do
    program=$(basename "$program" .rs)
    [ "$program" = planted ] || grep -qw "$program" budget.tsv || fail "$program has no line in budget.tsv"
done
exit $failed
