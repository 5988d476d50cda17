//! A filter in bands gives the bits of the filter over whole frames.

use foveola_core::events::{Accumulator, Count, Event, Polarity, Push};
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Error, Filter, Graph, Kernel, LowPass, Node, Nonlinearity, Pointwise, Shape,
    Source, Stage,
};
use foveola_pipeline::{BandMemory, Bands};

const COLS: usize = 23;
const KERNEL: [f32; 15] = [0.5, -1.0, 2.0, 0.25, 3.0, -0.1, 1.5, 0.7, -2.0, 1.0, 0.3, -0.6, 0.9, 1.1, -1.3];

/// Counts that look like nothing in particular.
fn counts(rows: usize) -> Vec<Count> {
    let mut bins = Accumulator::new(rows, COLS, Polarity::Signed, 1_000).expect("a frame");
    let mut frame = vec![Count::ZERO; rows * COLS];
    for i in 0..rows as u32 * 200 {
        let hash = i.wrapping_mul(2_654_435_761) >> 8;
        let (x, y) = ((hash % COLS as u32) as u16, (hash / 64 % rows as u32) as u16);
        let pushed = bins.push(Event { t: 5, x, y, on: hash >> 20 & 1 == 1 }, &mut frame);
        assert_eq!(pushed, Push::Taken, "one bin");
    }
    frame
}

/// A model with a kernel of `size`, in a graph with a rectifier.
fn with_model(size: [usize; 2], input: Shape, output: Shape, border: Option<Border>, run: &mut dyn FnMut(Graph<'_>)) {
    let options = ConvOptions { border, ..ConvOptions::DEFAULT };
    let [kh, kw] = size;
    let conv = Conv3d::new(input, Kernel::new(&KERNEL[..kh * kw], [1, 1, 1, kh, kw]), options).expect("a kernel");
    let rectify = Pointwise::new(output, Nonlinearity::Rectify).expect("a rectifier");
    let nodes =
        [Node::Filter(Source::Input, Stage::Conv3d(conv)), Node::Filter(Source::Node(0), Stage::Pointwise(rectify))];
    run(Graph::new(input, &nodes).expect("a model"));
}

/// Bands of four rows beside whole frames, for a band of `INPUT` samples.
fn check<const INPUT: usize>(size: [usize; 2]) {
    const ROWS: usize = 4;
    const SCRATCH: usize = 400;
    for rows in [1, 3, 8, 17] {
        for (_, border) in Border::NAMES {
            let (frame, counts) = (Shape::new(1, rows, COLS), counts(rows));
            let mut expected = vec![0.0; frame.len()];
            with_model(size, frame, frame, Some(border), &mut |model| {
                let signature = model.signature();
                let mut scratch = vec![0.0; signature.scratch.len(1)];
                let input: Vec<f32> = counts.iter().map(|count| count.get().into()).collect();
                model.step(0, &mut [], &mut scratch, &input, &mut expected).expect("a frame");
            });
            assert!(expected.iter().any(|y| *y > 0.0), "something to see");

            let mut found = vec![];
            let [kh, kw] = size;
            let band = Shape::new(1, ROWS + kh - 1, COLS + kw - 1);
            with_model(size, band, Shape::new(1, ROWS, COLS), None, &mut |model| {
                let bands = Bands::new(model, rows, border).expect("bands");
                let [input, output, scratch] = bands.samples();
                assert_eq!((input, output), (INPUT, ROWS * COLS), "samples of a band");
                assert!(scratch <= SCRATCH, "{scratch} samples");
                let mut memory = BandMemory::<INPUT, { ROWS * COLS }, SCRATCH>::new();
                for _ in 0..2 {
                    found.clear();
                    bands.run(&counts, &mut memory, |_, row| found.extend_from_slice(row)).expect("a frame");
                }
                let short = bands.run(&counts[1..], &mut memory, |_, _| unreachable!("no frame"));
                assert!(matches!(short, Err(Error::Length { .. })), "{short:?}");
            });
            let bits = |samples: &[f32]| samples.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&expected), "{size:?}, {rows} rows, {border:?}");
        }
    }
}

#[test]
fn bands_give_the_bits_of_frames() {
    check::<{ 6 * (COLS + 4) }>([3, 5]);
    // Even kernels reach farther up and to the left.
    check::<{ 5 * (COLS + 3) }>([2, 4]);
    check::<{ 7 * (COLS + 1) }>([4, 2]);
}

#[test]
fn what_remembers_frames_has_no_bands() {
    let shape = Shape::new(1, 4, COLS);
    let decay = Decay::new(0.01, 1000.0).expect("a time constant");
    let nodes: [Node; 1] = [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(shape, decay)))];
    let model = Graph::new(shape, &nodes).expect("a model");
    assert!(matches!(Bands::new(model, 8, Border::Zeros), Err(Error::Parameter { name: "samples of state", .. })));
}
