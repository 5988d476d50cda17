#!/usr/bin/env bash
# Everything that must hold before a change is accepted. On Debian and Ubuntu (as root or with
# sudo) it installs what it needs; elsewhere it says what is missing.
# shellcheck disable=SC2329 # the steps are called by their names
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null # nothing below may wait for an answer

usage() {
    cat <<'END'
usage: ./ci.sh [STEP...]         all steps, in this order, unless some are named
       ./ci.sh soak [MINUTES]    random tests and fuzz targets from new seeds, for an hour unless told

  fmt        formatting; random tests have their seed from tests/seeds
  clippy     lints, each warning an error
  doc        documentation builds and has no broken link
  tree       what foveola-core depends on
  fuzz       every decoder, recordings and event filters: the runs of fuzz/runs.tsv by libFuzzer
  test       unit, integration and documentation tests, with overflow checks; the examples run
  package    foveola-dsp, foveola-core, foveola, foveola-pipeline and foveola-sensor can be packed for a registry; the last two
             build from what was packed, for this machine and for Cortex-M4F
  gpu        models on a GPU, on Vulkan in software, with the layers that check how it is used
  no_std     foveola-core alone for Cortex-M0 (no float unit, no compare-and-swap) and Cortex-M4F
  firmware   programs in firmware/ under QEMU, as Cortex-M4, M7 and M55, print what their .out file
             says and cost what instructions.tsv says; every file of models/ and that of the guide
             runs there with the host's digest; a cell is simulated, fitted and runs there (fit.sh); tests of
             pipeline, sensor and application here
  proofs     of the firmware's images: no panic path, no deeper stack, no heap, no larger than their
             budget; and that each of these checks finds a planted fault
  boards     the programs for real boards build, and take no more flash and RAM than their budget

Only when named:
  cross      tests for a 64-bit Arm (NEON) and for a machine with the highest byte first (s390x), emulated:
             a quarter of an hour
  peers      instructions of CMSIS-DSP and of plain C beside ours, which must agree with them

Every step runs even if an earlier one failed. The steps from no_std on run in parallel with those
before it; their output follows at the end. A command that succeeds prints one line, one that fails
prints all of its output. Random tests and fuzz targets try the same cases every time, so two runs on
the same tree print the same, except for times and for what the first one installs. The tree must be
unchanged afterwards. The last line sums up the tests; the exit code is 0 only if all steps passed.

`soak` prints for each finding the command that repeats it, and ends with 1 if there was one.
END
}
host=(fmt clippy doc tree fuzz test gpu package)
bare_metal=(no_std firmware proofs boards)
on_request=(peers cross)

thumb_targets=(thumbv6m-none-eabi thumbv7em-none-eabihf)
# The machines of the programs, and the code of a core without a floating-point unit.
machine_targets=(thumbv7em-none-eabihf thumbv8m.main-none-eabihf)
firmware_targets=(thumbv6m-none-eabi "${machine_targets[@]}")
cross_machines=(aarch64 s390x)

# Whole builds are faster without; a developer's own have a place of their own beside them.
export CARGO_INCREMENTAL=0

step_fmt() {
    cargo fmt --all --check
    (cd firmware && cargo fmt --check) # --all would take the host's crates again
    (cd firmware/boards && cargo fmt --check)
    (cd fuzz && cargo fmt --check)
    # Without its first line a block of random tests would draw new seeds every time.
    find core host tests -name '*.rs' -exec awk '
        block && !/foveola_seeds::config/ { print block ": no `#![proptest_config(foveola_seeds::config(..))]`"; bad = 1 }
        { block = /proptest! \{$/ ? FILENAME ":" FNR : "" }
        END { exit bad }' {} +
}

step_clippy() {
    run "the workspace" cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
    # Alone, with each feature: the workspace's tests ask for all of them, which would hide a use of one.
    for feature in "" compression files movies pictures serde gpu; do
        run "foveola alone${feature:+, with $feature}" cargo clippy --locked --quiet -p foveola --features "$feature" -- -D warnings
    done
    run "foveola-cli alone" cargo clippy --locked --quiet -p foveola-cli -- -D warnings
    cd firmware
    # The bare-metal compiler may come without clippy; the lints do not depend on the target.
    # foveola-build has std, which the programs' panic handlers do not allow beside them.
    run "the firmware" cargo clippy --locked --quiet --workspace --exclude foveola-build --target host-tuple -- -D warnings
    run "foveola-build" cargo clippy --locked --quiet -p foveola-build --target host-tuple -- -D warnings
    run "the firmware's proofs" \
        cargo clippy --locked --quiet -p foveola-qemu --all-features --bins --target host-tuple -- -D warnings
}

step_doc() {
    export RUSTDOCFLAGS="-D warnings"
    run "the workspace" cargo doc --locked --quiet --workspace --no-deps --features foveola-cli/gpu
    cd firmware
    run "the firmware" cargo doc --locked --quiet --workspace --exclude foveola-build --no-deps --target host-tuple
}

needs_no_std() { use_thumb "${thumb_targets[@]}"; }
step_no_std() {
    needs_no_std
    # Alone: next to the host crate, features of its dependencies would hide a use of std.
    for target in "${thumb_targets[@]}"; do
        run "foveola-core for $target" cargo build --locked --quiet -p foveola-core --target "$target" \
            --target-dir "${CARGO_TARGET_DIR:-target}/thumb"
    done
}

needs_firmware() {
    need_qemu
    # By the host's compiler: Debian's takes twice as long.
    scripts/qemu-run.sh --install
    cargo build --locked --quiet -p foveola-cli # for fit.sh
    use_thumb "${firmware_targets[@]}"
}
step_firmware() {
    local package packages=() failed=0 expected program machine target
    for package in pipeline sensor app faults golden; do packages+=(-p "foveola-$package"); done
    (cd firmware && run_tests firmware cargo test --locked --no-fail-fast "${packages[@]}" --target host-tuple) || failed=1
    needs_firmware
    cd firmware
    for target in "${machine_targets[@]}"; do
        run "programs for $target" cargo build --locked --quiet --release --target "$target"
    done
    for expected in qemu/src/bin/*.out; do
        program=$(basename "$expected" .out)
        for machine in m4 m7 m55; do
            target=thumbv7em-none-eabihf
            [ "$machine" != m55 ] || target=thumbv8m.main-none-eabihf
            # pipefail: the program's own exit code counts as well as its output. Measurements have a
            # table and a tolerance of their own.
            if QEMU_MACHINE=$machine cargo run --locked --quiet --release --target "$target" --bin "$program" |
                sed '/^measured:/d' |
                diff -u --label "$expected" --label "printed on $machine" "$expected" -; then
                echo "$program on $machine: as in $expected"
            else
                echo "$program on $machine FAILED: exit code not 0, or other output than $expected" >&2
                failed=1
            fi
        done
    done
    ./measure.sh check || failed=1
    ./damage.sh || failed=1
    ./models.sh || failed=1
    ./fit.sh || failed=1
    return "$failed"
}

needs_proofs() {
    need_qemu
    need llvm-objdump llvm
    need python3
    use_thumb "${firmware_targets[@]}"
}
step_proofs() {
    needs_proofs
    firmware/proofs.sh
}

needs_boards() { use_thumb "${firmware_targets[@]}"; }
step_boards() {
    needs_boards
    cd firmware/boards
    ./build.sh
    # Elsewhere these do not compile, so their lints need a bare-metal compiler that comes with clippy.
    if cargo clippy --version >/dev/null 2>&1; then
        run "lints of the STM32H743" \
            cargo clippy --locked --quiet --release -p foveola-stm32h743 --target "${firmware_targets[0]}" -- -D warnings
        run "lints of the RP2350" \
            cargo clippy --locked --quiet --release -p foveola-rp2350 --target "${firmware_targets[1]}" -- -D warnings
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

needs_cross() {
    local machine
    for machine in "${cross_machines[@]}"; do
        need "$machine-linux-gnu-gcc" "gcc-$machine-linux-gnu"
        need_file "/usr/$machine-linux-gnu/lib/crt1.o" "libc6-dev-${machine/aarch64/arm64}-cross"
        need "qemu-$machine" qemu-user
    done
}
step_cross() {
    needs_cross
    # Not before all steps: compiling std takes two minutes, beside the others.
    use_thumb "${cross_machines[@]/%/-unknown-linux-gnu}"
    local machine failed=0
    for machine in "${cross_machines[@]}"; do
        echo "on $machine"
        run_tests cross scripts/cross-tests.sh "$machine" || failed=1
    done
    return "$failed"
}

step_tree() {
    cargo tree --locked -p foveola-core -e normal
}

needs_fuzz() { need c++ g++; }
step_fuzz() {
    needs_fuzz
    run "lints of the targets" fuzz/run.sh lint
    fuzz/run.sh check
}

step_test() {
    local failed=0
    # The dev profile: optimised, with debug assertions and overflow checks. The step `gpu` runs the device's tests.
    FOVEOLA_GPU=none run_tests test cargo test --locked --workspace --no-fail-fast || failed=1
    # The tests built the examples. One writes a picture into its folder.
    local built example
    built=$(cd "${CARGO_TARGET_DIR:-target}/debug/examples" && pwd) || return 1
    for example in core/examples/*.rs host/examples/*.rs; do
        example=$(basename "$example" .rs)
        (cd "$work" && run "example $example" "$built/$example") || failed=1
    done
    return "$failed"
}

needs_package() { use_thumb "${machine_targets[0]}"; }
step_package() {
    # Without their own build: they are built here already, and neither is in a registry yet.
    run "foveola-core and foveola" cargo package --locked --quiet --no-verify -p foveola-dsp -p foveola-core -p foveola
    # Without a lock file, which would need foveola-core in a registry: it is no member of that workspace.
    (cd firmware && run "foveola-pipeline, foveola-sensor" \
        cargo package --locked --quiet --no-verify --exclude-lockfile -p foveola-pipeline -p foveola-sensor)

    # These two once more from what was packed, beside the packed foveola-core: nothing that they need is left out.
    local packages crates packed name
    packages=$(cd "${CARGO_TARGET_DIR:-target}/package" && pwd)
    crates=$(cd firmware && cd "${CARGO_TARGET_DIR:-target}/package" && pwd)
    packed=$(dirname "$packages")/packed
    rm -rf "$packed/core" "$packed/dsp" "$packed/firmware"
    mkdir -p "$packed/core" "$packed/dsp" "$packed/firmware"
    # With the time of now: all files in a package have the same one, by which cargo would not see that they changed.
    for name in core dsp; do
        tar -xmf "$packages/foveola-$name-$(version Cargo.toml).crate" -C "$packed/$name" --strip-components 1
    done
    for name in pipeline sensor; do
        mkdir "$packed/firmware/$name"
        tar -xmf "$crates/foveola-$name-$(version firmware/Cargo.toml).crate" -C "$packed/firmware/$name" --strip-components 1
    done
    cat >"$packed/firmware/Cargo.toml" <<'END'
[workspace]
resolver = "3"
members = ["pipeline", "sensor"]
[patch.crates-io]
foveola-core = { path = "../core" }
foveola-dsp = { path = "../dsp" }
END
    cp firmware/Cargo.lock "$packed/firmware" # the versions that were tested; the rest of it goes
    cd "$packed/firmware"
    run "as packed, the examples" cargo test --quiet --doc --target-dir "$packed/target"
    cd "$root"
    needs_package
    cd "$packed/firmware"
    run "as packed, ${machine_targets[0]}" cargo build --quiet --target "${machine_targets[0]}" --target-dir "$packed/target"
}

# version MANIFEST: the version of a workspace's packages.
version() { sed -n 's/^version = "\(.*\)"/\1/p' "$1"; }

needs_gpu() {
    use_gpu
    need_file /usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json vulkan-validationlayers
}
step_gpu() {
    needs_gpu
    export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
    # The layers crash now and then (1 of 60 runs) when one thread opens a device while another uses its own.
    export RUST_TEST_THREADS=1
    local failed=0
    # Of the whole workspace, so that nothing is built otherwise than for the step `test`.
    run_tests gpu cargo test --locked --workspace --no-fail-fast --test gpu --test gpu_events || failed=1
    run_tests gpu cargo test --locked --workspace --no-fail-fast --lib device || failed=1
    run_tests gpu cargo test --locked --workspace --no-fail-fast --doc device || failed=1
    # The layers write what they find among the rest.
    if grep -E 'VUID-|UNASSIGNED-|Validation Error' "$work/gpu.log"; then
        echo "FAILED: the layers that check found this" >&2
        failed=1
    fi
    # Layers that were not there would have found nothing.
    VK_LOADER_DEBUG=layer cargo test --locked --quiet --workspace --test gpu streams::found > "$work/loader" 2>&1 || failed=1
    grep -m 1 'Insert instance layer "VK_LAYER_KHRONOS_validation"' "$work/loader" || { cat "$work/loader"; return 1; }
    return "$failed"
}

step_peers() {
    need_qemu
    need arm-none-eabi-gcc gcc-arm-none-eabi
    # Newlib has no command; where there is none, gcc prints the bare name.
    [ -e "$(arm-none-eabi-gcc -print-file-name=libc.a)" ] || need newlib libnewlib-arm-none-eabi
    firmware/peers/run.sh
}

# soak MINUTES: rounds of all random tests and of all fuzz targets, each with a new seed.
soak() {
    local minutes=$1 round=0 found=0 programs=(--lib)
    for program in laws naive plans bits threads graph bad_input refused finite recursive gpu gpu_events; do programs+=(--test "$program"); done
    use_gpu
    need c++ g++
    run "building the tests" cargo test --locked --quiet --workspace --no-run "${programs[@]}"
    while ((round == 0 || SECONDS < 60 * minutes)); do
        round=$((round + 1))
        export FOVEOLA_SEED=$((RANDOM << 15 | RANDOM))
        printf '\n=== round %d, minute %d of %d: FOVEOLA_SEED=%d\n' $round $((SECONDS / 60)) "$minutes" $FOVEOLA_SEED
        run_tests soak cargo test --locked --workspace --no-fail-fast "${programs[@]}" || found=$((found + 1))
        (cd firmware && run_tests soak cargo test --locked -p foveola-faults --target host-tuple --test faults from_every_seed) ||
            found=$((found + 1))
        fuzz/run.sh 10 || found=$((found + 1))
    done
    printf '\n%d rounds in %d minutes, %d with findings\n' $round $((SECONDS / 60)) $found
    [ $found -eq 0 ]
}

# run WHAT COMMAND...: a line, and the output where it fails.
run() {
    local what=$1 begun=$SECONDS output
    output=$(mktemp "$work/XXXXXX")
    shift
    if "$@" >"$output" 2>&1; then
        printf '%-32s %4d s\n' "$what" $((SECONDS - begun))
    else
        printf '%-32s FAILED: %s\n' "$what" "$*"
        cat "$output"
        return 1
    fi
}

# run_tests NAME COMMAND...: a line for each test program, and the output of those that fail. All of it is kept for the summary.
run_tests() {
    local name=$1
    shift
    echo "building and running the tests"
    "$@" 2>&1 | tee -a "$work/$name.log" | awk -v slow="$work/slow" -v folder="$(basename "$PWD")" -f "$root/scripts/tests.awk"
}

# use_gpu: tests run on Vulkan in software, and fail without.
use_gpu() {
    need_file '/usr/share/vulkan/icd.d/lvp_icd*.json' mesa-vulkan-drivers # which brings libvulkan1
    export FOVEOLA_REQUIRE_GPU=1 FOVEOLA_GPU=llvmpipe NODEVICE_SELECT=1
}

# use_thumb TARGET...: in this step, cargo can build for these targets.
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
    echo "installing $2, as $1 is missing"
    "${as_root[@]}" apt-get update -q >"$work/apt" 2>&1 || echo "the package lists could not be refreshed" >&2
    "${as_root[@]}" apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$2" >"$work/apt" 2>&1 || { cat "$work/apt"; return 1; }
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

# What git knows of the tree: the names of changed files, and a checksum of what changed.
state_of_tree() {
    git status --porcelain 2>/dev/null || return 0
    echo "checksum of all changes: $(git diff HEAD | cksum)"
}

# run_step STEP: its output, its exit code and its times lie in $work.
run_step() {
    local TIMEFORMAT='%R %U %S'
    printf '\n=== %s\n' "$1"
    # A subshell, so that a step's exports end with it. Not in an `if`, where -e would be ignored.
    set +e
    { time { (set -e; "step_$1") 2>&3; }; } 3>&2 2>"$work/$1.time"
    echo $? >"$work/$1.result"
    set -e
}

root=$PWD
work=$(mktemp -d)
beside= # the process that runs steps beside the others
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null; rm -rf "$work"' EXIT

command -v cargo >/dev/null || { echo "ci.sh: Rust is missing: install rustup, then run this again" >&2; exit 1; }

if [ "${1-}" = soak ]; then
    [[ $# -le 2 && ${2-60} =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }
    soak "${2-60}"
    exit
fi

chosen=()
for argument in "$@"; do
    case " ${host[*]} ${bare_metal[*]} ${on_request[*]} " in
        *" $argument "*) chosen+=("$argument") ;;
        *)
            case $argument in -h | --help) usage; exit 0 ;; esac
            echo "ci.sh: no step '$argument'" >&2
            usage >&2
            exit 2
            ;;
    esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${host[@]}" "${bare_metal[@]}")
first=
second=
for step in "${chosen[@]}"; do
    case " ${host[*]} " in *" $step "*) first+=" $step" ;; *) second+=" $step" ;; esac
done

state_of_tree > "$work/before"
# All at once, and one after another. Where something cannot be had, the step says so again.
for step in "${chosen[@]}"; do
    if declare -F "needs_$step" >/dev/null; then (set -e; "needs_$step") || true; fi
done
if [ -n "$first" ] && [ -n "$second" ]; then
    (for step in $second; do run_step "$step" >"$work/$step.output" 2>&1; done) &
    beside=$!
    for step in $first; do run_step "$step"; done
    wait "$beside" || true
    beside=
    for step in $second; do cat "$work/$step.output"; done
else
    for step in $first $second; do run_step "$step"; done
fi

status=0
test_status=
printf '\n'
for step in $first $second; do
    result=$(cat "$work/$step.result")
    case $step in test | gpu | firmware | cross) test_status=$((${test_status:-0} | result)) ;; esac
    verdict=ok
    [ "$result" -eq 0 ] || { verdict=FAILED; status=1; }
    awk -v name="$step" -v verdict=$verdict '
        { printf "%-10s %6d s %6d CPU s   %s\n", name, $1, $2 + $3, verdict }' "$work/$step.time"
done
if [ -s "$work/slow" ]; then
    printf '\nthe slowest test programs:\n'
    sort -rn "$work/slow" | head -n 5
fi
state_of_tree > "$work/after"
if ! diff "$work/before" "$work/after" >"$work/changed"; then
    printf '\nFAILED: the tree is not as it was before:\n'
    cat "$work/changed"
    status=1
fi
if [ -n "$test_status" ]; then
    printf '\n'
    cat "$work"/*.log > "$work/all"
    summary "$test_status" "$work/all"
fi
exit $status
