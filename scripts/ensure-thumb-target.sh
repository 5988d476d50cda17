#!/bin/sh
# Make `cargo build --target TARGET` work for bare-metal targets, and for other machines with Linux.
#
#   eval "$(scripts/ensure-thumb-target.sh thumbv7em-none-eabihf)"
#
# stdout: shell lines to eval (often none). stderr: the log. Nothing happens a second time.
#
# 1. The active rustc has the targets, or `rustup target add` brings them: nothing to export.
# 2. Otherwise, on Debian (as root or through sudo): install its newest Rust, compile `core` and
#    `alloc` for each target (about a minute each) into that compiler's sysroot, and export what
#    selects it. A plain `cargo build --target ...` then works: no -Z flag, no RUSTC_BOOTSTRAP.
#    A target with Linux gets `std`: from Debian's package for that machine, if it has one of the
#    same version, or compiled (two minutes). The linker and libc are the caller's to bring.
#    It is another compiler than the host's, so keep the exported lines around bare-metal steps
#    only, e.g. in a subshell.
#
# FORCE_DEBIAN=1 skips 1, for machines on which rustup must not download.
set -eu

log() { echo "ensure-thumb-target: $*" >&2; }
[ $# -gt 0 ] || { echo "usage: $0 TARGET..." >&2; exit 2; }
targets=$*

needed=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$(dirname "$0")/../Cargo.toml")
[ -n "$needed" ] || { log "no rust-version in Cargo.toml"; exit 1; }

by_hand() {
    log "$*"
    log "install by hand: Rust $needed or newer with the targets $targets"
    log "  with rustup:   rustup target add $targets"
    log "  on Debian:     run this script as root, or install sudo"
    exit 1
}

# Targets of its own, and those with an operating system.
bare=
hosted=
for target in $targets; do
    case $target in *-linux-*) hosted="$hosted$target " ;; *) bare="$bare$target " ;; esac
done

# no_core RUSTC TARGET...: the targets for which RUSTC finds no usable core, or std. Compiling an empty
# crate tells also when it is left over from an older compiler.
no_core() {
    compiler=$1
    shift
    for target in "$@"; do
        case $target in *-linux-*) crate='extern crate std;' ;; *) crate= ;; esac
        echo "#![no_std] $crate" | "$compiler" --target "$target" --crate-type lib --emit metadata \
            -o "$tmp/probe.rmeta" - 2>/dev/null || printf '%s ' "$target"
    done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- 1. The active compiler -----------------------------------------------------------------

if [ -z "${FORCE_DEBIAN:-}" ]; then
    # shellcheck disable=SC2086 # a list of words
    if command -v rustc >/dev/null && [ -z "$(no_core rustc $targets)" ]; then exit 0; fi
    if command -v rustup >/dev/null; then
        # shellcheck disable=SC2086 # a list of words
        if rustup target add $targets >&2; then exit 0; fi
        log "rustup cannot add $targets; trying Debian's compiler"
    fi
fi

# --- 2. Debian's compiler -------------------------------------------------------------------

command -v apt-get >/dev/null || by_hand "there is no apt-get here"
root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else by_hand "neither root nor sudo, so this cannot run: $*"
    fi
}

install() {
    log "installing $*"
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >&2
}

# Debian's rustc itself, not a rustup proxy that may stand before it in PATH.
rustc=/usr/bin/rustc
recent_enough() {
    [ -x $rustc ] && [ -x /usr/bin/cargo ] &&
        [ -d "$($rustc --print sysroot)/lib/rustlib/src/rust/library/core" ] &&
        dpkg --compare-versions "$($rustc -V | cut -d' ' -f2)" ge "$needed"
}
if ! recent_enough; then
    # Old lists offer the release's first compiler, although the security archive has a newer one.
    root apt-get update -q >&2 || log "the package lists could not be refreshed"
    install rustc-web cargo-web rust-web-src || by_hand "Debian's rustc-web cannot be installed"
    recent_enough || by_hand "this Debian offers $($rustc -V), older than $needed"
fi

sysroot=$($rustc --print sysroot)
host=$($rustc -vV | sed -n 's/^host: //p')

# The default linker of these targets is `rust-lld`, which rustc looks for in this folder first.
# Any lld from 14 on links them; the one of the compiler's own LLVM is the surest.
find_lld() { find /usr/lib/llvm-*/bin -name lld 2>/dev/null | sort -V | tail -n 1; }
rust_lld=$sysroot/lib/rustlib/$host/bin/rust-lld
if [ -n "$bare" ] && [ ! -e "$rust_lld" ]; then
    if [ -z "$(find_lld)" ]; then
        install "lld-$($rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')" || install lld ||
            by_hand "lld cannot be installed"
    fi
    root mkdir -p "$(dirname "$rust_lld")"
    root ln -sfn "$(find_lld)" "$rust_lld"
fi

# compile CRATES TARGET...: builds CRATES, separated by commas, for the targets, and installs them.
# embed-bitcode lets a firmware's fat LTO reach into core, as with the libraries of rustup.
compile() {
    crates=$1
    shift
    log "compiling $crates for $* with $($rustc -V)"
    mkdir -p "$tmp/src"
    echo '#![no_std]' >"$tmp/src/lib.rs"
    cat >"$tmp/Cargo.toml" <<'END'
[package]
name = "sysroot"
version = "0.0.0"
edition = "2024"
END
    panic=abort
    # No features of std: its backtraces would need a reader of debug information.
    case $crates in *panic_unwind*) panic=unwind crates="$crates -Zbuild-std-features=" ;; esac
    (
        cd "$tmp"
        # shellcheck disable=SC2046,SC2086 # lists of words
        env -u CARGO_BUILD_TARGET -u CARGO_BUILD_RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
            -u RUSTC_WRAPPER -u RUSTUP_TOOLCHAIN \
            RUSTC=$rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$tmp/target" \
            CARGO_PROFILE_RELEASE_PANIC=$panic \
            /usr/bin/cargo build -q --release -Zbuild-std=$crates $(printf -- '--target %s ' "$@") >&2
    )
    for target in "$@"; do
        libraries=$sysroot/lib/rustlib/$target
        root rm -rf "$libraries"
        root mkdir -p "$libraries/lib"
        for library in "$tmp/target/$target/release/deps"/lib*.rlib; do
            case $library in */libsysroot-*) ;; *) root cp "$library" "$libraries/lib/" ;; esac
        done
    done
}

# packaged TARGET: unpacks Debian's std for that machine into the sysroot, if there is one of this
# compiler's version. The lists of that machine's packages lie apart, so that nothing else changes.
packaged() {
    case $1 in
        aarch64-*) machine=arm64 ;;
        s390x-*) machine=s390x ;;
        *) return 1 ;;
    esac
    libraries=$1
    # shellcheck disable=SC2016 # for dpkg-query to expand
    version=$(dpkg-query -W -f '${Version}' libstd-rust-web-dev 2>/dev/null) || return 1
    mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/cache/archives/partial" "$tmp/apt/std"
    set -- -q -o APT::Architecture=$machine -o APT::Architectures=$machine -o Acquire::Languages=none \
        -o Dir::State::lists="$tmp/apt/lists" -o Dir::Cache="$tmp/apt/cache" -o APT::Sandbox::User=root
    (
        cd "$tmp/apt"
        rm -f ./*.deb
        apt-get "$@" update >/dev/null && apt-get "$@" download "libstd-rust-web-dev=$version" >/dev/null &&
            dpkg-deb -x ./*.deb std
    ) 2>/dev/null || return 1
    log "unpacking Debian's std $version for $libraries"
    root rm -rf "$sysroot/lib/rustlib/$libraries"
    root cp -R "$tmp/apt/std/usr/lib/rustlib/$libraries" "$sysroot/lib/rustlib/"
}

# shellcheck disable=SC2086 # lists of words
{
    missing=$(no_core $rustc $bare)
    [ -z "$missing" ] || compile core,alloc,compiler_builtins $missing
    for target in $(no_core $rustc $hosted); do
        packaged "$target" || compile std,panic_unwind,test "$target"
    done
    missing=$(no_core $rustc $targets)
    [ -z "$missing" ] || by_hand "what was compiled does not work for $missing"
}

if command -v rustup >/dev/null; then
    rustup toolchain link debian /usr >&2
    echo 'export RUSTUP_TOOLCHAIN=debian'
else
    # shellcheck disable=SC2016 # for the caller to expand
    echo 'export PATH="/usr/bin:$PATH"'
fi
