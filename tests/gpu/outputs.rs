//! Further outputs on a device: output number k is that of the table which ends with its node, and asking for it changes no other bit.

use crate::{close, text};
use foveola::{Device, Model};
use foveola_core::{Node, Nonlinearity, Pointwise, Shape, Stage};
use foveola_tests::device::trial;
use foveola_tests::nodes::{Nodes, Pick, nodes, outputs, picks};
use foveola_tests::random::{Recording, check, recording};
use foveola_tests::stream::bits;
use libtest_mimic::Trial;
use ndarray::{Array5, ArrayRef5, ArrayView5, s};
use proptest::prelude::*;
use std::cell::Cell;

/// Random tables.
const CASES: u32 = 48;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("outputs::of_random_tables", of_random_tables),
        trial("outputs::in_blocks", in_blocks),
        trial("outputs::between_devices", between_devices),
        trial("outputs::of_a_model_of_layers", of_layers),
    ]
}

/// A table that every device runs: without guards, which a device refuses.
fn table(shape: Shape, picks: &[Pick]) -> Vec<Node<'static>> {
    let unguarded = |node| match node {
        Node::Filter(source, Stage::Finite(guard)) => {
            let rectify = Pointwise::new(guard.signature().input, Nonlinearity::Rectify).expect("no numbers");
            Node::Filter(source, Stage::Pointwise(rectify))
        }
        node => node,
    };
    nodes(shape, picks).into_iter().map(unguarded).collect()
}

fn model(nodes: &[Node<'static>], outputs: &[usize], device: &Device) -> Model {
    Model::of(Nodes(nodes.to_vec(), outputs.to_vec())).allow_non_finite().to(device)
}

/// The chunks of a recording.
fn chunks<'m>(movie: &'m Array5<f32>, cuts: &[usize]) -> Vec<ArrayView5<'m, f32>> {
    let mut from = 0;
    let cut = |frames: &usize| {
        from += frames;
        movie.slice(s![.., .., from - frames..from, .., ..])
    };
    cuts.iter().map(cut).collect()
}

/// An error where they differ in any bit.
fn same(what: &str, found: &ArrayRef5<f32>, expected: ArrayView5<'_, f32>) -> Result<(), String> {
    if bits(&found.view()) == bits(&expected) {
        return Ok(());
    }
    Err(format!("{what}: {:?} with other bits than {:?}", found.dim(), expected.dim()))
}

/// All outputs of `nodes`, and those of the tables that end with each of them.
fn ends(
    nodes: &[Node<'static>],
    outputs: &[usize],
    recording: &Recording,
    device: &Device,
    shape: Shape,
) -> Result<(), String> {
    let movie = recording.movie(shape);
    let mut all = model(nodes, outputs, device);
    let last = [nodes.len() - 1];
    let mut alone: Vec<Model> = last.iter().chain(outputs).map(|node| model(&nodes[..=*node], &[], device)).collect();
    for chunk in chunks(&movie, &recording.cuts) {
        let found = all.process_all(chunk).map_err(text)?;
        if found.len() != alone.len() {
            return Err(format!("{} outputs; expected {}", found.len(), alone.len()));
        }
        for (k, (found, alone)) in found.iter().zip(&mut alone).enumerate() {
            same(&format!("output {k} of {outputs:?}"), found, alone.process(chunk).map_err(text)?)?;
        }
    }
    Ok(())
}

fn of_random_tables(device: &Device) -> Result<(), String> {
    let shape =
        (1..4_usize, 1..4_usize, 1..20_usize).prop_map(|(channels, rows, cols)| Shape::new(channels, rows, cols));
    let several = Cell::new(0);
    check(CASES, (shape, picks(), recording()), |(shape, picks, recording)| {
        let (nodes, outputs) = (table(shape, &picks), outputs(&picks));
        several.set(several.get() + usize::from(!outputs.is_empty()));
        ends(&nodes, &outputs, &recording, device, shape)
    });
    if several.get() > CASES as usize / 3 { Ok(()) } else { Err(format!("{} tables with outputs", several.get())) }
}

/// A model with outputs of all rates: inside a chain of pixel-wise nodes, behind a stride in time, of more channels, and one that a
/// later node reads.
fn layers() -> Result<Model, String> {
    use foveola::{Conv1d, Diff, LowPass, NLRectify, Resolution};
    let slow = LowPass::new(0.004, Resolution::DEFAULT).map_err(text)?;
    let strided = Conv1d::new(1, 1, 3).map_err(text)?.with_stride([2, 1, 1]);
    Ok(Model::new()
        .named("slow", slow)
        .named("on", NLRectify)
        .named("off", NLRectify)
        .reading([("slow", -1.0)])
        .named("every_other", strided)
        .reading([("on", 1.0)])
        .named("change", Diff)
        .reading([("slow", 1.0)])
        .with_output("change", "change")
        .with_output("off", "off")
        .with_output("every_other", "every_other")
        .with_output("slow", "slow"))
}

const SHAPE: Shape = Shape::new(1, 6, 9);

/// Outputs of a chunk whose blocks are small are those of the chunk at once.
fn in_blocks(device: &Device) -> Result<(), String> {
    let small = Device::limited(device.name(), 8 << 10).map_err(text)?;
    for batch in [1, 3] {
        let recording = Recording { seed: 5, batch, cuts: vec![3, 120, 1, 76] };
        let movie = recording.movie(SHAPE);
        let (mut wide, mut narrow) = (layers()?.to(device), layers()?.to(&small));
        for chunk in chunks(&movie, &recording.cuts) {
            let (found, expected) = (narrow.process_all(chunk), wide.process_all(chunk));
            for (k, (found, expected)) in found.map_err(text)?.iter().zip(&expected.map_err(text)?).enumerate() {
                same(&format!("output {k}, a batch of {batch}"), found, expected.view())?;
            }
        }
    }
    Ok(())
}

/// A stream that changes between a device and the processor, and between one output and all.
fn between_devices(device: &Device) -> Result<(), String> {
    let recording = Recording { seed: 9, batch: 2, cuts: vec![4, 0, 5, 3, 6] };
    let movie = recording.movie(SHAPE);
    let (mut moved, mut stays) = (layers()?, layers()?);
    for (i, chunk) in chunks(&movie, &recording.cuts).into_iter().enumerate() {
        moved.set_device(if i % 2 == 0 { device.clone() } else { Device::cpu() });
        let expected = stays.process_all(chunk).map_err(text)?;
        if i == 2 {
            // The first output alone, and then the same frames again with all.
            moved.push_state();
            let first = moved.process(chunk).map_err(text)?.to_owned();
            close("the first output", &first, &expected[0], 1e-5)?;
            moved.pop_state().map_err(text)?;
        }
        let found = moved.process_all(chunk).map_err(text)?;
        if found.len() != 4 || found[2].dim().2 == found[0].dim().2 && chunk.dim().2 > 1 {
            return Err(format!("{} outputs, {:?} behind a stride", found.len(), found[2].dim()));
        }
        for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
            // All values are below 10, and rounded a few times.
            close(&format!("output {k} of chunk {i}"), found, expected, 1e-5)?;
        }
    }
    Ok(())
}

/// A whole recording at once has the first output; chunks of any length have the same bits of all of them.
fn of_layers(device: &Device) -> Result<(), String> {
    let recording = Recording { seed: 2, batch: 1, cuts: vec![2, 7, 1, 10] };
    let movie = recording.movie(SHAPE);
    let run = layers()?.to(device).run(&movie, 2).map_err(text)?;
    let mut whole = layers()?.to(device);
    whole.process_all(movie.slice(s![.., .., ..2, .., ..])).map_err(text)?;
    let at_once = whole.process_all(movie.slice(s![.., .., 2.., .., ..])).map_err(text)?;
    let mut model = layers()?.to(device);
    let mut from = vec![0; at_once.len()];
    for (i, chunk) in chunks(&movie, &recording.cuts).into_iter().enumerate() {
        let found = model.process_all(chunk).map_err(text)?;
        for (k, found) in found.iter().enumerate().filter(|_| i > 0) {
            let to = from[k] + found.dim().2;
            same(&format!("output {k}"), found, at_once[k].slice(s![.., .., from[k]..to, .., ..]))?;
            from[k] = to;
        }
    }
    same("a whole recording", &at_once[0], run.slice(s![.., .., 2.., .., ..]))
}
