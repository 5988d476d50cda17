#!/bin/sh
# Make `cargo build --target TARGET` work for bare-metal targets.
#
#   eval "$(scripts/ensure-thumb-target.sh thumbv7em-none-eabihf)"
#
# stdout: shell lines to eval (often none). stderr: the log. Nothing happens a second time.
#
# 1. The active rustc has the targets, or `rustup target add` brings them: nothing to export.
# 2. Otherwise, on Debian (as root or through sudo): install its newest Rust, compile `core` and
#    `alloc` for each target (about a minute each) into that compiler's sysroot, and export what
#    selects it. A plain `cargo build --target ...` then works: no -Z flag, no RUSTC_BOOTSTRAP.
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

# no_core RUSTC: the targets for which RUSTC finds no usable core. Compiling an empty crate tells
# also when core is left over from an older compiler.
no_core() {
    for target in $targets; do
        echo '#![no_std]' | "$1" --target "$target" --crate-type lib --emit metadata \
            -o "$tmp/probe.rmeta" - 2>/dev/null || printf '%s ' "$target"
    done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- 1. The active compiler -----------------------------------------------------------------

if [ -z "${FORCE_DEBIAN:-}" ]; then
    if command -v rustc >/dev/null && [ -z "$(no_core rustc)" ]; then exit 0; fi
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
if [ ! -e "$rust_lld" ]; then
    if [ -z "$(find_lld)" ]; then
        install "lld-$($rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')" || install lld ||
            by_hand "lld cannot be installed"
    fi
    root mkdir -p "$(dirname "$rust_lld")"
    root ln -sfn "$(find_lld)" "$rust_lld"
fi

missing=$(no_core $rustc)
if [ -n "$missing" ]; then
    log "compiling core and alloc for ${missing}with $($rustc -V)"
    mkdir "$tmp/src"
    echo '#![no_std]' >"$tmp/src/lib.rs"
    cat >"$tmp/Cargo.toml" <<'END'
[package]
name = "sysroot"
version = "0.0.0"
edition = "2024"
[profile.release]
panic = "abort"
END
    # embed-bitcode lets a firmware's fat LTO reach into core, as with the libraries of rustup.
    (
        cd "$tmp"
        # shellcheck disable=SC2046,SC2086 # lists of words
        env -u CARGO_BUILD_TARGET -u CARGO_BUILD_RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS \
            -u RUSTC_WRAPPER -u RUSTUP_TOOLCHAIN \
            RUSTC=$rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$tmp/target" \
            /usr/bin/cargo build -q --release -Zbuild-std=core,alloc,compiler_builtins \
            $(printf -- '--target %s ' $missing) >&2
    )
    for target in $missing; do
        built=$tmp/target/$target/release/deps
        libraries=$sysroot/lib/rustlib/$target
        root rm -rf "$libraries"
        root mkdir -p "$libraries/lib"
        root cp "$built"/libcore-*.rlib "$built"/liballoc-*.rlib \
            "$built"/libcompiler_builtins-*.rlib "$libraries/lib/"
    done
    missing=$(no_core $rustc)
    [ -z "$missing" ] || by_hand "the compiled core does not work for $missing"
fi

if command -v rustup >/dev/null; then
    rustup toolchain link debian /usr >&2
    echo 'export RUSTUP_TOOLCHAIN=debian'
else
    # shellcheck disable=SC2016 # for the caller to expand
    echo 'export PATH="/usr/bin:$PATH"'
fi
