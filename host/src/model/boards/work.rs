//! What the filters of a table do for a frame on a microcontroller without vectors, counted by kind: loops, passes, taps.
//!
//! ```text
//! instructions of a node = sum over the kinds k of cost(k) n(k)
//! ```
//! The numbers `n` follow the loops of `foveola-core`: a convolution takes sixteen columns of a row at a time, or eight, and up to
//! seven taps of a line (`conv/taps.rs`); a kernel in time alone sixteen pixels (`conv/time.rs`).

use super::cost::{Kind, Work};
use foveola_core::conv::Factors;
use foveola_core::conv::bands::TOGETHER;
use foveola_core::{
    Border, Conv3d, Decay, Graph, Node, Nonlinearity, Rf, Shape, Signature, SmoothConv, Source, Stage, Sum,
};

/// Longer sums have other loops, which are not counted.
const CHAIN: usize = 64;

/// The part of a convolution's instructions that is left in a model of one filter, all of whose constants the compiler knows:
/// fitted to the programs `chain`, `convolution`, `small`, `stages` and `wide` of `firmware/model/programs`.
const LONE: f64 = 0.84;

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
        _ => return None,
    };
    let mut work = work.shared(graph.stream(from).rate.every);
    if graph.nodes().len() == 1 && matches!(node, Node::Filter(_, Stage::Conv3d(_) | Stage::SmoothConv(_))) {
        work = work.scaled(LONE);
    }
    work.add(if let Node::Filter(..) = node { Kind::Node } else { Kind::Join }, 1);
    Some(work)
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
                _ => return None,
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
        work.add(Kind::FieldPlane, ins * frames);
        work.add(Kind::AveragedBlock, ins * frames * (rows * cols / 32));
        work.add(Kind::AveragedRest, ins * frames * (rows * cols % 32).div_ceil(8));
        return;
    }
    let planes = outs * ins * frames;
    work.add(Kind::FieldPlane, planes);
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
        if conv.extents()[0] > 1 {
            work.add(Kind::Copied, signature.input.len());
        }
        return;
    }
    let in_bands = conv.is_in_bands();
    // In bands, a separable kernel stores the rows that it reads for each output channel.
    let [outs, ins, ..] = kernel;
    let copied = if in_bands && conv.factors().is_some() { outs * ins } else { channels };
    if !conv.is_in_place() {
        stored(work, copied * rows, cols, conv.borders()[1].1);
    }
    let mut output = Work::default();
    let border = Vertical { rows, top: conv.borders()[0].0, zeros: options.border == Some(Border::Zeros) };
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
    if conv.is_sum_of_stages() {
        work.add(Kind::StagesRow, lines);
        return work.add(Kind::Stages, lines * cols);
    }
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
    /// Of the `count` rows `at`, `at + step`, … how many are read, and in how many runs of equal distances they are looked up.
    fn lines(self, at: usize, step: usize, count: usize) -> [usize; 2] {
        let inside = |row: usize| (self.top..self.top + self.rows).contains(&row);
        let inner = (0..count).filter(|b| inside(at + b * step)).count();
        let outer = count - inner;
        [if self.zeros { inner } else { count }, outer + usize::from(inner > 0)]
    }
}

impl Vertical {
    /// Whether rows `at` to `at + span` are inside of the frame.
    const fn holds(self, at: usize, span: usize) -> bool {
        self.top <= at && at + span < self.top + self.rows
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

/// A correlation with a kernel `(out, in / groups, time, row, col)`: `conv/plain.rs`, with the loops of `conv/taps.rs`.
fn correlation(
    work: &mut Work,
    [outs, ins, kt, kh, kw]: [usize; 5],
    [down, right]: [usize; 2],
    dilation: [usize; 2],
    border: Vertical,
    [rows, cols]: [usize; 2],
) {
    let planes = ins * kt;
    let most = [7, 5, usize::MAX][right.min(3) - 1];
    // Parts of a line, of about as many taps each. Taps with a dilation are as lines of their own.
    let pieces = kw.div_ceil(most).max(1);
    let joined = kw <= 1 || dilation[1] == 1 && pieces == 1;
    let lines_of_taps = if dilation[1] == 1 { pieces } else { kw };
    // Rows that fill no tile, and wider steps, go column by column.
    let by_column = cols < FEW || right > MOST_STEP;
    let [wide, few] = if by_column { [0, 0] } else { tiles(cols, if right > 2 { FEW } else { WIDE }) };
    work.add(Kind::Channel, outs);
    for row in 0..rows {
        let [read, runs] = border.lines(row * down, dilation[0], kh);
        let parts = outs * planes * if joined { runs } else { read * if dilation[1] == 1 { pieces } else { 1 } };
        let lines = outs * planes * read * lines_of_taps;
        let taps = outs * planes * read * kw;
        let passes = outs * parts.div_ceil(PARTS * outs).max(1);
        work.add(Kind::Row, outs);
        // A row inside of the frame has the parts of the row before, moved down, if a tile takes them at once.
        let inside = |row: usize| border.holds(row * down, (kh - 1) * dilation[0]);
        if !(row > 0 && inside(row - 1) && inside(row) && parts <= PARTS * outs) {
            work.add(Kind::Plane, outs * planes);
            work.add(Kind::Run, outs * planes * runs);
            work.add(Kind::Part, parts);
        }
        work.add(Kind::Pass, passes);
        work.add(Kind::WidePass, passes * wide);
        work.add(Kind::WidePart, parts * wide);
        match right {
            1 if lines == taps => work.add(Kind::WideOne, taps * wide),
            1 => {
                work.add(Kind::WideLine, lines * wide);
                work.add(Kind::WideTap, taps * wide);
            }
            _ => {
                work.add(Kind::SkipLine, lines * wide);
                work.add(Kind::SkipTap, taps * wide);
            }
        }
        // Eight columns have inner loops for parts of up to five neighbouring taps.
        let has_loops = right == 1 && taps <= 5 * lines;
        let [line, tap] = if has_loops { [Kind::FewLine, Kind::FewTap] } else { [Kind::EachLine, Kind::EachTap] };
        work.add(Kind::FewPass, passes * few);
        work.add(Kind::FewPart, parts * few);
        work.add(line, lines * few);
        work.add(tap, taps * few);
        if by_column {
            work.add(Kind::ColumnLine, lines * cols);
            work.add(Kind::ColumnTap, taps * cols);
        }
    }
}

/// Columns of a tile, and of one where few remain.
const WIDE: usize = 16;
const FEW: usize = 8;
/// Parts that a tile takes at once.
const PARTS: usize = 8;
/// The largest step that has tiles.
const MOST_STEP: usize = 4;

/// Tiles of `WIDE` and of `FEW` columns in a row of `cols`, which takes tiles of `each` as far as they go. The last tile overlaps the
/// one before.
fn tiles(cols: usize, each: usize) -> [usize; 2] {
    let (whole, rest) = (cols / each, cols % each);
    match rest {
        0 if each == WIDE => [whole, 0],
        0 => [0, whole],
        _ if each == FEW => [0, whole + 1],
        _ if rest <= FEW => [whole, 1],
        _ if whole == 0 => [0, 2],
        _ => [whole + 1, 0],
    }
}

/// `conv/time.rs`: a kernel of one pixel.
fn in_time(work: &mut Work, [outs, ins, kt, ..]: [usize; 5], pixels: usize) {
    let taps = ins * kt;
    let (lines, passes) = (outs * taps, outs * taps.div_ceil(16));
    work.add(Kind::Channel, outs);
    work.add(Kind::TimePass, passes);
    work.add(Kind::TimeLine, lines);
    work.add(Kind::SumTile, passes * (pixels / 16));
    work.add(Kind::SumTap, lines * (pixels / 16));
    work.add(Kind::SumPixel, passes * (pixels % 16));
    work.add(Kind::SumPixelTap, lines * (pixels % 16));
}
