//! Which tile: the one whose threads do the least, by an estimate.
//!
//! ```text
//! time ~ (adds + reads + fills) max(threads, as many as fill a device)
//! ```

use super::{Correlation, Tile};
use crate::device::Limits;
use foveola_core::Border;

/// Sums of a thread at most, in vectors: as many as leave registers for several workgroups.
const SUMS: usize = 16;
/// Threads that a large device has at once.
const BUSY: usize = 1 << 16;

/// The tile for `correlation`; none where not even the smallest fits.
pub(super) fn choose(correlation: &Correlation, limits: &Limits) -> Option<Tile> {
    let kh = correlation.kernel[3];
    // Strips cost a little, and are taken only where whole kernels do not fit.
    [kh, kh.div_ceil(2), kh.div_ceil(4), kh.div_ceil(8), 1].into_iter().find_map(|strip| {
        candidates(correlation, strip)
            .filter(|tile| tile.memory() <= limits.workgroup && tile.invocations() <= limits.invocations)
            .min_by_key(|tile| cost(correlation, tile))
    })
}

fn candidates(correlation: &Correlation, strip: usize) -> impl Iterator<Item = Tile> {
    let [_, _, _, kh, kw] = correlation.kernel;
    let outs = correlation.outs();
    let tile = Tile {
        kernel: [kh, kw],
        threads: [1, 8, 16],
        outs: 1,
        rows: 1,
        vectors: 1,
        strip,
        planes: 1,
        zeros: correlation.border == Border::Zeros,
        whole: correlation.size[1].is_multiple_of(4),
    };
    // As many channels a thread as share them out evenly.
    let mut shares: Vec<_> = [1, 2, 4, 8, 16].iter().map(|most| outs.div_ceil(outs.div_ceil(*most))).collect();
    shares.dedup();
    shares.into_iter().flat_map(move |outs| {
        [[1, 8, 16], [1, 16, 8], [1, 4, 32], [1, 8, 8], [1, 4, 16]].into_iter().flat_map(move |threads| {
            [1, 2, 4, 8].into_iter().flat_map(move |rows| {
                let vectors = [1, 2].into_iter().filter(move |vectors| outs * rows * vectors <= SUMS);
                vectors.map(move |vectors| Tile { threads, outs, rows, vectors, ..tile })
            })
        })
    })
}

/// Instructions of all threads for a frame of an input channel.
fn cost(correlation: &Correlation, tile: &Tile) -> usize {
    let Tile { kernel: [kh, kw], outs, rows, vectors, strip, .. } = *tile;
    let [tile_rows, tile_cols] = tile.size();
    let tiles = correlation.size[0].div_ceil(tile_rows) * correlation.size[1].div_ceil(tile_cols);
    let workgroups = tiles
        * correlation.outs().div_ceil(tile.channels())
        * correlation.groups
        * correlation.streams
        * correlation.count;
    let strips = kh.div_ceil(strip);
    let adds = 4 * kh * kw * outs * rows * vectors;
    let steps = kh + strips * (rows - 1);
    let reads = steps * (vectors * (kw + 3).div_ceil(4) + 4) + rows * kh * ((outs * kw).div_ceil(4) + 2);
    let [filled, weights] = tile.turns();
    let fills = strips * (5 * filled + 20 * weights + 60);
    (adds + 2 * reads + fills) * (workgroups * tile.invocations()).max(BUSY)
}
