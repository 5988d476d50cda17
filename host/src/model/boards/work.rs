//! What the filters of a table do for a frame on a microcontroller without vectors, counted by kind: loops, passes, taps.
//!
//! ```text
//! instructions of a node = sum over the kinds k of cost(k) n(k)
//! ```
//! The numbers `n` follow the loops of `foveola-core`, which choose among several paths: a convolution of 3 x 3 or 5 x 5 with
//! stride 1 takes two rows x eight columns at a time (`conv/small.rs`), others eight columns of a row (`conv/plain.rs`), a
//! kernel of one column or in time sixteen pixels (`conv/time.rs`). Columns that fill no tile go pixel by pixel.

use super::cost::{Kind, Work};
use foveola_core::conv::Factors;
use foveola_core::conv::bands::TOGETHER;
use foveola_core::{
    Border, Conv3d, Decay, Graph, Node, Nonlinearity, Rf, Shape, Signature, SmoothConv, Source, Stage, Sum,
};

/// Longer sums have other loops, which are not counted.
const CHAIN: usize = 64;

/// What a node does for each frame of the model on average; [`None`] for a filter whose loops are not counted here.
pub(crate) fn of_node(graph: &Graph<'_>, index: usize) -> Option<Work> {
    let node = graph.nodes().get(index)?;
    let stream = graph.stream(Source::Node(index));
    let (mut work, len) = (Work::default(), stream.shape.len());
    let from = match *node {
        Node::Filter(from, ref stage) => {
            filter(&mut work, stage)?;
            from
        }
        Node::Add([(from, _), _]) => {
            work.add(Kind::Sum, len);
            from
        }
        Node::Multiply([from, _]) => {
            work.add(Kind::Product, len);
            from
        }
        Node::Concat([from, _]) => {
            work.add(Kind::Copied, len);
            from
        }
    };
    let mut work = work.shared(graph.stream(from).rate.every);
    work.add(if let Node::Filter(..) = node { Kind::Node } else { Kind::Join }, 1);
    Some(if graph.nodes().len() == 1 { work.lone() } else { work })
}

/// For each frame that the filter takes.
fn filter(work: &mut Work, stage: &Stage<'_>) -> Option<()> {
    let len = stage.signature().input.len();
    match stage {
        // A kernel in time over a single pixel has loops of its own, which are not counted.
        Stage::Conv3d(conv) if conv.is_pointwise() && len == 1 => return None,
        Stage::Conv3d(conv) => conv3d(work, conv),
        Stage::SmoothConv(conv) => smooth_conv(work, conv),
        Stage::Rf(rf) => field(work, rf),
        Stage::LowPass(filter) => recursion(work, filter.decay(), len, Kind::LowPass),
        Stage::HighPass(filter) => recursion(work, filter.decay(), len, Kind::HighPass),
        Stage::Pointwise(filter) => {
            let kind = match filter.function() {
                Nonlinearity::Rectify => Kind::Rectified,
                Nonlinearity::RectifyScale { .. } => Kind::ScaledRectified,
                Nonlinearity::Square { .. } => Kind::Squared,
                Nonlinearity::RectifySquare { .. } => Kind::RectifiedSquared,
                Nonlinearity::Exponential { .. } => Kind::Exponential,
                Nonlinearity::Softplus { .. } => Kind::Softplus,
                Nonlinearity::Logistic { .. } => Kind::Logistic,
            };
            work.add(kind, len);
        }
        Stage::Sum(filter) => sum(work, filter)?,
        Stage::Diff(_) => work.add(Kind::Difference, len),
        Stage::VariableDelay(_) => {
            work.add(Kind::Copied, len);
            work.add(Kind::Looked, len);
        }
        Stage::Delay(_) => {
            work.add(Kind::Copied, 2 * len);
            work.add(Kind::Copy, 2);
        }
        _ => return None,
    }
    Some(())
}

fn recursion(work: &mut Work, decay: Decay, len: usize, plain: Kind) {
    work.add(Kind::Scan, len.div_ceil(1 << 10));
    if decay.is_compensated() {
        work.add(Kind::Compensated, len);
    } else if decay.gain() == 1.0 {
        work.add(Kind::Copied, 2 * len);
    } else {
        work.add(plain, len);
        // State words that become zero when they are small: all of them once in a period.
        work.add_share(Kind::Flushed, len as f64 / f64::from(decay.period()));
    }
}

fn sum(work: &mut Work, filter: &Sum) -> Option<()> {
    let Signature { input, output, .. } = filter.signature();
    if input.len() > CHAIN * output.len() {
        return None;
    }
    if output.cols < input.cols {
        work.add(Kind::SummedInRow, input.len());
        work.add(Kind::SumOut, output.len());
    } else {
        let row = if output.rows < input.rows { output.cols } else { output.pixels() };
        work.add(Kind::SummedRows, input.len());
        work.add(Kind::SummedRow, input.len() / row.max(1));
    }
    Some(())
}

fn field(work: &mut Work, rf: &Rf<'_>) {
    let [outs, ins, frames, ..] = rf.kernel().shape;
    let ((rows, cols), input) = (rf.area(), rf.signature().input);
    work.add(Kind::Copied, rf.frame());
    if rf.frame() != input.len() {
        work.add(Kind::Copy, ins * rows);
    }
    if rf.is_empty() {
        work.add(Kind::Plane, ins * frames);
        work.add(Kind::AveragedBlock, ins * frames * (rows * cols / 32));
        work.add(Kind::AveragedRest, ins * frames * (rows * cols % 32).div_ceil(8));
        return;
    }
    let planes = outs * ins * frames;
    work.add(Kind::Plane, planes);
    let (lines, len) = if rf.kernel().shape[4] == cols { (1, rows * cols) } else { (rows, cols) };
    work.add(Kind::WeightedLine, planes * lines);
    work.add(Kind::WeightedBlock, planes * lines * (len / 16));
    let rest = len % 16;
    work.add(Kind::WeightedEight, planes * lines * (rest / 8));
    work.add(Kind::WeightedPart, if rest % 8 > 0 { planes * lines } else { 0 });
}

fn conv3d(work: &mut Work, conv: &Conv3d<'_>) {
    let (signature, kernel, options) = (conv.signature(), conv.kernel().shape, conv.options());
    let Shape { channels, rows, cols } = signature.input;
    let frames = options.stride[0].max(1) as u64;
    if conv.is_pointwise() {
        let mut output = Work::default();
        in_time(&mut output, kernel, signature.output.pixels());
        work.join(&output.shared(frames));
        if conv.extent(0) > 1 {
            work.add(Kind::Copied, signature.input.len());
        }
        return;
    }
    let in_bands = conv.is_in_bands();
    // In bands, a separable kernel stores the rows that it reads for each output channel.
    let [outs, ins, ..] = kernel;
    let copied = if in_bands && conv.factors().is_some() { outs * ins } else { channels };
    stored(work, copied * rows, cols, conv.border(2).1);
    let mut output = Work::default();
    let border = Vertical { rows, top: conv.border(1).0, zeros: options.border == Some(Border::Zeros) };
    match conv.factors() {
        None => {
            let [_, down, right] = options.stride;
            let [_, dilation_rows, dilation_cols] = options.dilation;
            let size = [signature.output.rows, signature.output.cols];
            correlation(&mut output, kernel, [down, right], [dilation_rows, dilation_cols], border, size);
            if in_bands {
                output.add(Kind::Channel, outs * (size[0].div_ceil(conv.band()) - 1));
            }
        }
        Some(factors) => {
            let [_, _, kt, kh, kw] = kernel;
            let planes = factors.terms * ins;
            for _ in 0..outs {
                if kt > 1 {
                    let line = Vertical { rows: 1, top: 0, zeros: false };
                    let plane = rows * conv.stride();
                    correlation(&mut output, [planes, 1, kt, 1, 1], [1; 2], [1; 2], line, [1, plane]);
                }
                let [_, dilation_rows, dilation_cols] = options.dilation;
                let size = [signature.output.rows, signature.output.cols];
                let dilation = [dilation_rows, dilation_cols];
                separable(&mut output, [1, planes, kh, kw], dilation, border, size);
                if in_bands {
                    let calls = planes * (rows.div_ceil(TOGETHER) - 1) + size[0].div_ceil(conv.band()) - 1;
                    output.add(Kind::Channel, calls);
                }
            }
        }
    }
    work.join(&output.shared(frames));
}

fn smooth_conv(work: &mut Work, conv: &SmoothConv<'_>) {
    let (Shape { channels, rows, cols }, [kh, kw]) = (conv.signature().input, conv.weights().1);
    let (decays, lines) = (conv.decays(), channels * rows);
    let stages = decays.len();
    work.add(Kind::ChainRow, lines);
    work.add(Kind::ChainStage, lines * stages);
    if decays.iter().all(|decay| !decay.is_compensated() && decay.gain() != 1.0) {
        work.add(Kind::ChainOfThree, lines * cols * (stages / 3));
        match stages % 3 {
            1 => work.add(Kind::ChainOfOne, lines * cols),
            2 => work.add(Kind::ChainOfTwo, lines * cols),
            _ => {}
        }
    } else {
        for decay in decays {
            let kind = if decay.is_compensated() { Kind::ChainCompensated } else { Kind::ChainAny };
            work.add(kind, lines * cols);
        }
    }
    work.add(Kind::Border, lines * stages * (kw - 1));
    let border = Vertical { rows, top: kh / 2, zeros: conv.border() == Border::Zeros };
    let outs = if conv.yields_components() { stages } else { 1 };
    for _ in 0..channels {
        match conv.factors() {
            None => correlation(work, [outs, stages / outs, 1, kh, kw], [1; 2], [1; 2], border, [rows, cols]),
            Some(Factors { terms, .. }) => {
                separable(work, [outs, terms * stages / outs, kh, kw], [1; 2], border, [rows, cols]);
            }
        }
    }
}

/// Rows that are copied and get a border.
fn stored(work: &mut Work, rows: usize, cols: usize, border: usize) {
    work.add(Kind::Copy, rows);
    work.add(Kind::Copied, rows * cols);
    work.add(Kind::Border, rows * border);
}

/// Rows of the input, and those above the frame that a kernel reads.
#[derive(Clone, Copy)]
struct Vertical {
    rows: usize,
    top: usize,
    /// Rows outside of the frame are zeros, and are left out.
    zeros: bool,
}

impl Vertical {
    fn has(self, row: usize) -> bool {
        !self.zeros || (self.top..self.top + self.rows).contains(&row)
    }
}

/// Columns, then rows, of `outs` channels with `planes` products each.
fn separable(
    work: &mut Work,
    [outs, planes, kh, kw]: [usize; 4],
    dilation: [usize; 2],
    border: Vertical,
    [rows, cols]: [usize; 2],
) {
    let whole = Vertical { top: 0, zeros: false, ..border };
    correlation(work, [outs * planes, 1, 1, 1, kw], [1; 2], [1, dilation[1]], whole, [border.rows, cols]);
    correlation(work, [outs, planes, 1, kh, 1], [1; 2], [dilation[0], 1], border, [rows, cols]);
}

/// A correlation with a kernel `(out, in / groups, time, row, col)`.
fn correlation(
    work: &mut Work,
    [outs, ins, kt, kh, kw]: [usize; 5],
    step: [usize; 2],
    dilation: [usize; 2],
    border: Vertical,
    [rows, cols]: [usize; 2],
) {
    let planes = ins * kt;
    let small = kh == kw && (kh == 3 || kh == 5) && step == [1, 1] && dilation == [1, 1];
    let taps = Taps { planes, kernel: [kh, kw], step, dilation, border };
    work.add(Kind::Channel, outs);
    let mut row = 0;
    while row < rows {
        let two = small && row + 1 < rows;
        let tiled = if two && (row..=row + kh).all(|row| border.has(row)) {
            two_rows(work, outs, planes, kh, cols / 8);
            cols / 8 * 8
        } else {
            0
        };
        let rows = if two { 2 } else { 1 };
        if tiled < cols {
            (row..row + rows).for_each(|row| taps.row(work, outs, row, cols - tiled));
        }
        row += rows;
    }
}

/// `conv/small.rs`: two rows x `tiles` of eight columns.
fn two_rows(work: &mut Work, outs: usize, planes: usize, k: usize, tiles: usize) {
    let passes = planes.div_ceil(4);
    work.add(Kind::Pair, outs);
    work.add(Kind::PairPass, outs * passes);
    work.add(Kind::PairLine, outs * planes * (k + 1));
    work.add(Kind::Tile, outs * passes * tiles);
    work.add(if k == 3 { Kind::Tile3 } else { Kind::Tile5 }, outs * planes * tiles);
}

/// `conv/plain.rs`.
struct Taps {
    planes: usize,
    kernel: [usize; 2],
    step: [usize; 2],
    dilation: [usize; 2],
    border: Vertical,
}

impl Taps {
    /// `len` columns of a row of `outs` channels.
    fn row(&self, work: &mut Work, outs: usize, row: usize, len: usize) {
        let [kh, kw] = self.kernel;
        let read = (0..kh).filter(|b| self.border.has(row * self.step[0] + b * self.dilation[0])).count();
        let (lines, looked_up) = (outs * self.planes * read, outs * self.planes * kh);
        let passes = outs * (self.planes * read).div_ceil(16).max(1);
        let tiles = if self.step[1] == 1 { len / 8 } else { 0 };
        let rest = len - 8 * tiles;
        work.add(Kind::Row, outs);
        work.add(Kind::Filled, outs * len);
        work.add(Kind::LinePlane, outs * self.planes);
        work.add(Kind::Line, looked_up);
        if self.step[1] == 1 && kw == 1 {
            return sums(work, passes, lines, len);
        }
        work.add(Kind::RowPass, passes);
        work.add(Kind::TilePass, passes * tiles);
        work.add(Kind::TileLine, lines * tiles);
        if self.dilation[1] == 1 {
            work.add(Kind::FourTaps, lines * tiles * (kw / 4));
            work.add(Kind::Tap, lines * tiles * (kw % 4));
        } else {
            work.add(Kind::DilatedTap, lines * tiles * kw);
        }
        let [pass, line, four, tap] = if self.step[1] == 1 {
            [Kind::PixelPass, Kind::PixelLine, Kind::PixelFour, Kind::PixelTap]
        } else {
            [Kind::StridedPass, Kind::StridedLine, Kind::StridedFour, Kind::StridedTap]
        };
        work.add(pass, passes * rest);
        work.add(line, lines * rest);
        work.add(four, lines * rest * (kw / 4));
        work.add(tap, lines * rest * (kw % 4));
    }
}

/// `conv/time.rs`: a kernel of one pixel.
fn in_time(work: &mut Work, [outs, ins, kt, ..]: [usize; 5], pixels: usize) {
    let taps = ins * kt;
    let passes = outs * taps.div_ceil(16);
    work.add(Kind::Channel, outs);
    work.add(Kind::TimePass, passes);
    work.add(Kind::TimeLine, outs * taps);
    sums(work, passes, outs * taps, pixels);
}

/// Lines of `len` pixels, each with one tap, in groups of up to sixteen.
fn sums(work: &mut Work, passes: usize, lines: usize, len: usize) {
    work.add(Kind::SumTile, passes * (len / 16));
    work.add(Kind::SumTap, lines * (len / 16));
    work.add(Kind::SumPixel, passes * (len % 16));
    work.add(Kind::SumPixelTap, lines * (len % 16));
}
