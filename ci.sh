#!/usr/bin/env bash
# Everything that must hold before a change is accepted. On Debian and Ubuntu (as root or with
# sudo) it installs what it needs; elsewhere it says what is missing.
# shellcheck disable=SC2329 # the steps are called by their names
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null # nothing below may wait for an answer

usage() {
    cat <<'END'
usage: ./ci.sh [STEP...]      all steps, in this order, unless some are named

  fmt        formatting
  clippy     lints, each warning an error
  doc        documentation builds and has no broken link
  no_std     foveola-core alone for Cortex-M0 (no float unit, no compare-and-swap) and Cortex-M4F
  firmware   programs in firmware/ under QEMU, as Cortex-M4, M7 and M55, print what their .out file
             says and cost what instructions.tsv says; tests of pipeline, sensor and application here
  proofs     of the firmware's images: no panic path, no deeper stack, no heap, no larger than their
             budget; and that each of these checks finds a planted fault
  boards     the programs for real boards build, and take no more flash and RAM than their budget
  tree       what foveola-core depends on
  fuzz       every decoder, recordings and filters of events, five seconds each of what libFuzzer makes up
  test       unit, integration and documentation tests, with overflow checks
  gpu        models on a GPU, on Vulkan in software, with the layers that check how it is used

Only when named:
  peers      instructions of CMSIS-DSP and of plain C beside ours, which must agree with them

Every step runs even if an earlier one failed. The last line sums up the tests; the exit code is 0
only if all steps passed.
END
}
all=(fmt clippy doc no_std firmware proofs boards tree fuzz test gpu)
on_request=(peers)

thumb_targets=(thumbv6m-none-eabi thumbv7em-none-eabihf)
firmware_targets=(thumbv7em-none-eabihf thumbv8m.main-none-eabihf)

step_fmt() {
    cargo fmt --all --check
    (cd firmware && cargo fmt --check) # --all would take the host's crates again
    (cd firmware/boards && cargo fmt --check)
    (cd fuzz && cargo fmt --check)
}

step_clippy() {
    cargo clippy --workspace --all-targets -- -D warnings
    # Alone, without the GPU and with it: the workspace's tests ask for it, which would hide a use of it.
    cargo clippy -p foveola --all-targets -- -D warnings
    cargo clippy -p foveola --all-targets --features gpu -- -D warnings
    # The bare-metal compiler may come without clippy; the lints do not depend on the target.
    (cd firmware && cargo clippy --workspace --target host-tuple -- -D warnings)
    (cd firmware && cargo clippy -p foveola-qemu --all-features --bins --target host-tuple -- -D warnings)
}

step_doc() {
    export RUSTDOCFLAGS="-D warnings"
    cargo doc --workspace --no-deps --features foveola/gpu
    (cd firmware && cargo doc --workspace --no-deps --target host-tuple)
}

step_no_std() {
    use_thumb "${thumb_targets[@]}"
    # Alone: next to the host crate, features of its dependencies would hide a use of std.
    for target in "${thumb_targets[@]}"; do
        for features in --no-default-features --all-features; do
            echo "foveola-core $features for $target"
            cargo build -p foveola-core --target "$target" "$features" --target-dir "${CARGO_TARGET_DIR:-target}/thumb"
        done
    done
}

step_firmware() {
    use_thumb "${firmware_targets[@]}"
    need_qemu
    cd firmware
    local package packages=()
    for package in pipeline sensor app faults golden; do packages+=(-p "foveola-$package"); done
    cargo test "${packages[@]}" --target host-tuple 2>&1 | tee "$work/firmware.log"
    local failed=0 expected program machine target
    for target in "${firmware_targets[@]}"; do
        cargo build --release --target "$target"
    done
    for expected in qemu/src/bin/*.out; do
        program=$(basename "$expected" .out)
        for machine in m4 m7 m55; do
            target=thumbv7em-none-eabihf
            [ $machine != m55 ] || target=thumbv8m.main-none-eabihf
            echo "$program on $machine"
            # pipefail: the program's own exit code counts as well as its output. Measurements have a
            # table and a tolerance of their own.
            if QEMU_MACHINE=$machine cargo run --quiet --release --target "$target" --bin "$program" |
                sed '/^measured:/d' |
                diff -u --label "$expected" --label "printed on $machine" "$expected" -; then
                echo "    as in $expected"
            else
                echo "    FAILED: exit code not 0, or other output than $expected" >&2
                failed=1
            fi
        done
    done
    ./measure.sh check || failed=1
    ./damage.sh || failed=1
    return "$failed"
}

step_proofs() {
    use_thumb "${firmware_targets[@]}"
    need_qemu
    need llvm-objdump llvm
    need python3
    firmware/proofs.sh
}

step_boards() {
    use_thumb "${firmware_targets[@]}"
    cd firmware/boards
    ./build.sh
    # Elsewhere these do not compile, so their lints need a bare-metal compiler that comes with clippy.
    if cargo clippy --version >/dev/null 2>&1; then
        cargo clippy --quiet --release -p foveola-stm32h743 --target "${firmware_targets[0]}" -- -D warnings
        cargo clippy --quiet --release -p foveola-rp2350 --target "${firmware_targets[1]}" -- -D warnings
    else
        echo "this compiler has no clippy: the boards were not linted"
    fi
    # The report is a check: one that must fail, on the same programs.
    awk 'NR > 1 { $3 = 1 } { print }' budgets.tsv > "$work/budgets"
    if ./build.sh report "$work/budgets"; then
        echo "FAILED: a budget of 1 kB of flash was kept" >&2
        return 1
    fi
    echo "as it should: 1 kB of flash is too little"
}

step_tree() {
    cargo tree -p foveola-core -e normal
}

step_fuzz() {
    need c++ g++
    (cd fuzz && cargo clippy --quiet -- -D warnings)
    # Building takes longer than five seconds of each: less optimised, it is half of that.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 fuzz/run.sh 5
}

step_test() {
    # The dev profile: optimised, with debug assertions and overflow checks. The step `gpu` runs the device's tests.
    FOVEOLA_GPU=none cargo test --workspace --no-fail-fast 2>&1 | tee "$work/test.log"
}

step_gpu() {
    need_file '/usr/share/vulkan/icd.d/lvp_icd*.json' mesa-vulkan-drivers # which brings libvulkan1
    need_file /usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json vulkan-validationlayers
    export FOVEOLA_REQUIRE_GPU=1 FOVEOLA_GPU=llvmpipe NODEVICE_SELECT=1
    export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
    # Of the whole workspace, so that nothing is built otherwise than for the step `test`.
    cargo test --workspace --test gpu 2>&1 | tee "$work/gpu.log"
    cargo test --workspace --lib device 2>&1 | tee -a "$work/gpu.log"
    cargo test --workspace --doc device 2>&1 | tee -a "$work/gpu.log"
    # The layers write what they find among the rest.
    if grep -E 'VUID-|UNASSIGNED-|Validation Error' "$work/gpu.log"; then
        echo "FAILED: the layers that check found this" >&2
        return 1
    fi
    # Layers that were not there would have found nothing.
    VK_LOADER_DEBUG=layer cargo test --workspace --test gpu streams::found > "$work/loader" 2>&1
    grep 'Insert instance layer "VK_LAYER_KHRONOS_validation"' "$work/loader" || { cat "$work/loader"; return 1; }
}

step_peers() {
    need_qemu
    need arm-none-eabi-gcc gcc-arm-none-eabi
    # Newlib has no command; where there is none, gcc prints the bare name.
    [ -e "$(arm-none-eabi-gcc -print-file-name=libc.a)" ] || need newlib libnewlib-arm-none-eabi
    firmware/peers/run.sh
}

# use_thumb TARGET...: in this step, cargo can build for these bare-metal targets.
use_thumb() {
    local exports
    exports=$(scripts/ensure-thumb-target.sh "$@")
    eval "$exports"
}

need_qemu() { need qemu-system-arm; }

# need COMMAND [PACKAGE]: installs it on Debian and Ubuntu, else says what is missing.
need() { command -v "$1" >/dev/null || get "$1" "${2:-$1}"; }

# need_file FILE PACKAGE: the same for a package that brings no command; FILE may be a pattern.
need_file() { compgen -G "$1" >/dev/null || get "$1" "$2"; }

# get WHAT PACKAGE: installs it, or says that WHAT is missing.
get() {
    local as_root=()
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
        echo "$1 is missing: install it (Debian, Ubuntu: $2), then run this again" >&2
        return 1
    fi
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    as_root+=(env DEBIAN_FRONTEND=noninteractive)
    "${as_root[@]}" apt-get update -q || echo "the package lists could not be refreshed" >&2
    "${as_root[@]}" apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$2"
}

# Sums up cargo's `test result:` lines. A test program that does not build or dies prints none, so
# a failed step counts as one failure at least.
summary() { # STATUS LOG
    awk -v status="$1" '
        /^test result:/ {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) passed += $(i - 1)
                if ($i ~ /^failed/) failed += $(i - 1)
                if ($i ~ /^ignored/) skipped += $(i - 1)
            }
        }
        END {
            if (status != 0 && failed == 0) failed = 1
            printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        }' "$2"
}

steps=()
for argument in "$@"; do
    case " ${all[*]} ${on_request[*]} " in
        *" $argument "*) steps+=("$argument") ;;
        *)
            case $argument in -h | --help) usage; exit 0 ;; esac
            echo "ci.sh: no step '$argument'" >&2
            usage >&2
            exit 2
            ;;
    esac
done
[ ${#steps[@]} -gt 0 ] || steps=("${all[@]}")

command -v cargo >/dev/null || { echo "ci.sh: Rust is missing: install rustup, then run this again" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
test_status=
table=
for step in "${steps[@]}"; do
    printf '\n=== %s\n' "$step"
    SECONDS=0
    # A subshell, so that a step's exports end with it. Not in an `if`, where -e would be ignored.
    set +e
    (set -e; "step_$step")
    result=$?
    set -e
    case $step in test | gpu) test_status=$((${test_status:-0} | result)) ;; esac
    verdict=ok
    [ $result -eq 0 ] || { verdict=FAILED; status=1; }
    table+=$(printf '%-10s %6d s   %s' "$step" $SECONDS "$verdict")$'\n'
done

printf '\n%s' "$table"
if [ -n "$test_status" ]; then
    printf '\n'
    cat "$work"/*.log > "$work/all"
    summary "$test_status" "$work/all"
fi
exit $status
