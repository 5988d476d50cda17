//! The programs of a correlation, one per file, and the parameters that all of them take.

mod direct;
mod in_time;

pub(crate) use direct::Tile;
pub(crate) use in_time::OUTPUTS;

fn with_params(own: &str) -> String {
    format!("{}{own}", include_str!("params.wgsl"))
}

pub(super) fn direct(tile: &Tile) -> String {
    with_params(&tile.wgsl())
}

pub(super) fn plain() -> String {
    with_params(include_str!("plain.wgsl"))
}

pub(super) fn in_time() -> String {
    with_params(&in_time::wgsl())
}

/// The program with `across` threads along output channels.
pub(super) fn gemm(across: usize) -> String {
    with_params(&format!("const ACROSS = {across}u;\n{}", include_str!("gemm.wgsl")))
}
