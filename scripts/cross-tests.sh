#!/usr/bin/env bash
# Build tests for another machine and run them under qemu-user: whether they pass there, not how fast.
#
#   scripts/cross-tests.sh aarch64          the vectors of a 64-bit Arm: NEON
#   scripts/cross-tests.sh s390x            numbers with their highest byte first, and lanes that are plain arrays
#   scripts/cross-tests.sh --all MACHINE    more of them, and all cases of random tests: hours
#
# It needs the compiler's target (scripts/ensure-thumb-target.sh), gcc and libc for the machine, and qemu-user;
# `./ci.sh cross` installs them.
set -euo pipefail
cd "$(dirname "$0")/.."

all=false
[ "${1-}" != --all ] || { all=true; shift; }
machine=${1-}
case $machine in
    aarch64 | s390x) ;;
    *) echo "usage: $0 [--all] aarch64|s390x" >&2; exit 2 ;;
esac
target=$machine-unknown-linux-gnu
variable=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$target")
export "${variable}_LINKER=$machine-linux-gnu-gcc" "${variable}_RUNNER=qemu-$machine -L /usr/$machine-linux-gnu"

# Half of the time to build, and less to run. Debug assertions and checks of overflow are the step `test`.
export CARGO_PROFILE_DEV_LTO=off CARGO_PROFILE_DEV_DEBUG=false
export CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=false CARGO_PROFILE_DEV_OVERFLOW_CHECKS=false
# Leaves out what the tests below do not need: tests/Cargo.toml.
export RUSTFLAGS="${RUSTFLAGS-} --cfg emulated"

skips=()
# leave_out REASON TEST...
leave_out() {
    local reason=$1
    shift
    printf 'left out, %s: %s\n' "$reason" "$*"
    local test
    for test in "$@"; do skips+=(--skip "$test"); done
}

# cargo_test ARGUMENT...
cargo_test() {
    cargo test --locked --no-fail-fast --target "$target" --target-dir "${CARGO_TARGET_DIR:-target}/cross" \
        "$@" -- ${skips[@]+"${skips[@]}"}
}

# firmware and golden have digests and outputs in the repository; bits and naive compare vectors of both precisions
# with code that has none.
packages=(-p foveola-tests)
programs=(--test firmware --test golden --test bits --test naive)
if $all; then
    packages+=(-p foveola-core -p foveola)
    programs+=(--lib --test laws --test numbers --test recursive --test foreign_files --test recordings)
else
    # Emulated code is 10 to 30 times slower.
    export FOVEOLA_SHARE=${FOVEOLA_SHARE-16}
    echo "random tests try one of $FOVEOLA_SHARE of their cases, as emulation is slow"
    echo "left out, as building them takes minutes more: the unit tests of foveola, and other programs of tests/"
    leave_out "as its recordings take minutes" model_files_have_the_digests
    case $machine in
        aarch64) echo "left out, as they run on s390x: the unit tests of foveola-core" ;;
        s390x)
            packages+=(-p foveola-core)
            programs+=(--lib)
            leave_out "as each takes a minute, and every form of it is tried by others" \
                adjoint::tests::graph exponentials::tests::errors_are_bounded conv::tests::channels_and_groups \
                conv::tests::strides_and_dilations conv::tests::parts_and_steps
            ;;
    esac
fi
cargo_test "${packages[@]}" "${programs[@]}"
