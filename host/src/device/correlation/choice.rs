//! The choice of the tile of a convolution.
//!
//! | channels per group | a thread computes                  | share of the peak, 512 x 512, H200            |
//! |--------------------|------------------------------------|-----------------------------------------------|
//! | 1                | 2 rows; 4 where kernels are wide   | 54 % (10 x 10 x 10), 68 % (16 x 16 x 16)      |
//! | 2 to 4           | all of them, 2 rows                |                                               |
//! | more             | up to 8, of a row                  | 40 % (8 to 8, 3 x 3 x 3), 43 % (16 to 16)     |
//!
//! More rows or channels per thread read less from workgroup memory, but leave registers for fewer threads, and were slower.
//! The threads of a workgroup share the input tile among two or four sets of channels.

use super::{Correlation, Tile};
use crate::device::Limits;
use foveola_core::Border;

/// The largest number of channels per thread.
const CHANNELS: usize = 8;
/// The number of kernel columns from which an additional row pays off.
const WIDE: usize = 13;
/// Threads that keep a large device busy.
const BUSY: usize = 1 << 15;

/// The tile for `correlation`; none if not even the smallest fits.
pub(super) fn choose(correlation: &Correlation, limits: &Limits) -> Option<Tile> {
    let [_, _, _, kh, kw] = correlation.kernel;
    let sets = correlation.outs().div_ceil(CHANNELS);
    // Channels are distributed evenly.
    let outs = correlation.outs().div_ceil(sets);
    let deep = [4, 2].into_iter().find(|deep| sets.is_multiple_of(*deep)).unwrap_or(1);
    let shapes = if deep == 4 { [[4, 16], [8, 8], [2, 32]] } else { [[8, 16], [16, 8], [4, 32]] };
    let rows = match (outs, kw) {
        (5.., _) => 1,
        (1, WIDE..) => 4,
        _ => 2,
    };
    let tile = |[down, across]: [usize; 2], rows, strip| Tile {
        kernel: [kh, kw],
        threads: [deep, down, across],
        outs,
        rows,
        strip,
        zeros: correlation.border == Border::Zeros,
        whole: correlation.size[1].is_multiple_of(4),
        parts: limits.parts,
    };
    // The shape whose tiles extend least beyond the output.
    let fitted = |rows, strip| {
        let tiles = shapes.into_iter().map(|shape| tile(shape, rows, strip));
        tiles.filter(|tile| fits(tile, limits)).min_by_key(|tile| covered(correlation, tile))
    };
    let few = |tile: &Tile| workgroups(correlation, tile) * tile.invocations() < BUSY;
    // Fewer rows if memory or work is short; then strips of the kernel.
    let whole = fitted(rows, kh).filter(|tile| !few(tile)).or_else(|| fitted(1, kh));
    let strips = || [2, 4, 8, kh].into_iter().find_map(|strips| fitted(1, kh.div_ceil(strips)));
    whole.or_else(strips)
}

fn fits(tile: &Tile, limits: &Limits) -> bool {
    tile.memory() <= limits.workgroup && tile.invocations() <= limits.invocations
}

/// Pixels covered by the tiles of a frame.
fn covered(correlation: &Correlation, tile: &Tile) -> usize {
    let ([rows, cols], [tile_rows, tile_cols]) = (correlation.size, tile.size());
    rows.next_multiple_of(tile_rows) * cols.next_multiple_of(tile_cols)
}

/// Workgroups for the tiles of a chunk.
pub(super) fn workgroups(correlation: &Correlation, tile: &Tile) -> usize {
    let [rows, cols] = tile.size();
    let tiles = covered(correlation, tile) / (rows * cols);
    tiles * correlation.outs().div_ceil(tile.channels()) * correlation.groups * correlation.streams * correlation.count
}
