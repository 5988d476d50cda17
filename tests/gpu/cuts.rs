//! Where a recording is cut changes no bit on a device. Each case stands for a reason why one frame of a chunk might be computed
//! otherwise than the next: loops that a compiler unrolls, programs that are chosen by the length of a chunk, frames that lie in
//! the state and not in the chunk.

use crate::{same, text};
use foveola::{
    Branches, Conv1d, Conv2d, Conv3d, Device, Diff, HighPass, LowPass, Model, NLRectifyScale, NLSquare, PadMode, RF,
    Resolution, SmoothConv, Sum, Weight,
};
use foveola_core::Shape;
use foveola_tests::device::trial;
use foveola_tests::random::{Recording, array};
use foveola_tests::stream::feed_all;
use libtest_mimic::Trial;
use ndarray::{Array, Dimension, IntoDimension};

type Made = foveola::Result<Model>;
type Case = (&'static str, fn() -> Made);

pub(crate) fn trials() -> Vec<Trial> {
    let small: [Case; 13] = [
        // Frames that an unrolled loop computes, and those of the rest.
        ("a_difference_behind_a_recursion", || Ok(Model::new().then(low_pass(0.001)?).then(Diff))),
        ("two_recursions", || Ok(Model::new().then(low_pass(0.003)?).then(HighPass::new(0.002, 0.7, RESOLUTION)?))),
        ("compensated_recursions", || Ok(Model::new().then(low_pass(3.0)?).then(HighPass::new(2.0, 0.7, RESOLUTION)?))),
        ("a_recursion_behind_a_stride", || {
            let conv = Conv1d::new(1, 1, 4)?.with_weight(weights(1, [1, 1, 4]))?.with_time_pad(false);
            Ok(Model::of(conv.with_stride([2, 1, 1])).then(low_pass(0.006)?))
        }),
        ("a_sum_of_what_is_subtracted_again", || {
            let branches = Branches::new().plus(Model::new().then(low_pass(0.002)?).then(Diff)).minus(low_pass(0.002)?);
            Ok(Model::of(branches).then(NLSquare::new(0.3, 0.1)?))
        }),
        ("stages_of_a_smooth_conv", || {
            Ok(Model::of(SmoothConv::gaussian(4, 0.003, 0.1, RESOLUTION)?.components()).then(Diff))
        }),
        // Vectors of pixels where a chunk fills them.
        ("no_state", || {
            let branches = Branches::new().weighted(0.7, NLSquare::new(0.3, 0.1)?);
            Ok(Model::of(branches.weighted(-0.3, NLRectifyScale::new(1.7, 0.2)?)))
        }),
        // Frames of the chunk, and of the state.
        ("a_kernel_in_time", || Ok(Model::of(Conv1d::new(1, 1, 5)?.with_weight(weights(1, [1, 1, 5]))?))),
        ("a_product_of_many_channels", || {
            let conv = Conv3d::new(1, 12, [4, 3, 3])?.with_weight(weights(4, [12, 1, 4, 3, 3]))?;
            Ok(Model::of(conv.with_dilation([1, 2, 1])).then(Sum::new(foveola::Axis::Channel)))
        }),
        ("strides_in_space", || {
            let conv = Conv3d::new(1, 2, [3, 3, 3])?.with_weight(weights(5, [2, 1, 3, 3, 3]))?;
            Ok(Model::of(conv.with_stride([1, 2, 2])))
        }),
        ("a_field", || Ok(Model::new().then(field()?).then(Diff))),
        // The mean of the first chunk.
        ("a_mean", || {
            let conv = Conv1d::new(1, 1, 5)?.with_weight(weights(1, [1, 1, 5]))?.with_pad_mode(PadMode::Mean);
            Ok(Model::of(conv).then(low_pass(0.001)?).then(Diff))
        }),
        // Found by a random test of whole models.
        ("a_difference_in_front_of_a_field", || {
            let branch = Model::new().then(low_pass(0.001)?).then(Diff);
            let scaled = Conv3d::new(1, 1, [1, 1, 1])?.with_weight(0.435_137)?;
            Ok(Model::of(Branches::new().plus(branch)).then(scaled).then(field()?))
        }),
    ];
    let small = small.map(|(name, make)| trial(format!("cuts::{name}"), move |device| cuts(device, make)));
    small.into_iter().chain([trial("cuts::tiles_of_more_rows_for_longer_chunks", tiles)]).collect()
}

const RESOLUTION: Resolution = Resolution::DEFAULT;

fn low_pass(tau: f64) -> foveola::Result<LowPass> {
    LowPass::new(tau, RESOLUTION)
}

fn weights<D: Dimension>(seed: u64, shape: impl IntoDimension<Dim = D>) -> Array<f32, D> {
    array(seed, shape).mapv(|w| w as f32)
}

fn field() -> foveola::Result<RF> {
    Ok(RF::new(1, 2, 3)?
        .with_weight(Weight::from(weights(2, [2, 1, 3, 1, 3])).no_flip())?
        .with_pad_mode(PadMode::FullCopy))
}

/// The output is the same for `chunks` as for the first of them and one of all other frames.
fn keeps(device: &Device, make: &dyn Fn() -> Made, shape: Shape, batch: usize, chunks: &[usize]) -> Result<(), String> {
    let model = || make().map(|model| model.to(device)).map_err(text);
    let recording = Recording { seed: 3, batch, cuts: chunks.to_vec() };
    let movie = recording.movie(shape);
    let whole = feed_all(&mut model()?, &movie, &recording.cut_once(), 0)?;
    let found = feed_all(&mut model()?, &movie, chunks, 0)?;
    same(&format!("{shape}, a batch of {batch}, chunks of {chunks:?}"), &found, &whole)
}

/// Two frames, then others one by one and in chunks that begin anywhere in a block of 8.
fn cuts(device: &Device, make: fn() -> Made) -> Result<(), String> {
    let one_by_one: Vec<_> = [2].into_iter().chain([1; 22]).collect();
    let chunks: [&[usize]; 5] = [&[2, 3, 3, 0, 0, 1, 2, 1], &one_by_one, &[2, 9, 13], &[2, 7, 8, 7], &[2, 1, 16, 5]];
    for (batch, shape) in [(3, Shape::new(1, 5, 1)), (1, Shape::new(1, 3, 4)), (2, Shape::new(1, 1, 1))] {
        for chunks in chunks {
            keeps(device, &make, shape, batch, chunks)?;
        }
    }
    Ok(())
}

/// A thread takes more rows where a chunk has work for many threads: two, or four where a kernel is wide.
fn tiles(device: &Device) -> Result<(), String> {
    for (outs, rows, cols) in [(1, 3, 5), (3, 3, 5), (1, 2, 18)] {
        let make =
            || Ok(Model::of(Conv2d::new(1, outs, [rows, cols])?.with_weight(weights(6, [outs, 1, rows, cols]))?));
        keeps(device, &make, Shape::new(1, 64, 64), 1, &[2, 63, 1, 66])?;
    }
    Ok(())
}
