//! The programs of the kernels, in WGSL, one per file.

mod conv;
mod scan;
mod stages;

pub(crate) use conv::{OUTPUTS, Tile};
pub(crate) use scan::{Operation, Scan};

/// A computation; a backend has a program for each. The values in a variant are compiled into the program; other parameters
/// are passed as [`Pass::params`](super::pass::Pass::params).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// Copies frames by a list: into a ring, from a ring, with borders, or cropped.
    Move,
    /// The mean over all samples of a chunk, in two steps.
    Mean,
    /// A separate delay for each pixel.
    VariableDelay,
    /// Pointwise functions, recursive filters and sums of branches, fused: a thread computes one pixel over time.
    Scan(Scan),
    /// The chain of low-passes of a `SmoothConv`; for each stage, whether it is compensated.
    Stages(Vec<bool>),
    /// The borders of rows in the state.
    Borders,
    /// A direct convolution with several outputs per thread.
    Direct(Tile),
    /// A convolution with any parameters, one output per thread.
    Plain,
    /// A convolution in time only, several frames per thread.
    InTime,
    /// A convolution with many channels as a matrix product, with this many threads along output channels.
    Gemm(usize),
    /// A receptive field.
    Field,
    /// A sum over an axis.
    Sum,
    /// The channels of one array of frames, then those of another.
    Concat,
    /// Counts events into frames.
    Count,
    /// Converts counts to samples.
    Counts,
    /// Multiply-adds in registers, to measure the peak of the device.
    Peak,
    /// A copy, to measure the peak of the device.
    Copy,
}

/// The program of `kernel`.
pub(super) fn program(kernel: &Kernel) -> String {
    let own = match kernel {
        Kernel::Move => include_str!("move.wgsl").into(),
        Kernel::Mean => concat!(include_str!("total.wgsl"), include_str!("mean.wgsl")).into(),
        Kernel::VariableDelay => include_str!("variable_delay.wgsl").into(),
        Kernel::Scan(scan) => scan.wgsl(),
        Kernel::Stages(compensated) => stages::wgsl(compensated),
        Kernel::Borders => include_str!("borders.wgsl").into(),
        Kernel::Direct(tile) => conv::direct(tile),
        Kernel::Plain => conv::plain(),
        Kernel::InTime => conv::in_time(),
        Kernel::Gemm(across) => conv::gemm(*across),
        Kernel::Field => concat!(include_str!("total.wgsl"), include_str!("field.wgsl")).into(),
        Kernel::Sum => include_str!("sum.wgsl").into(),
        Kernel::Concat => include_str!("concat.wgsl").into(),
        Kernel::Count => include_str!("count.wgsl").into(),
        Kernel::Counts => include_str!("counts.wgsl").into(),
        Kernel::Peak => include_str!("peak.wgsl").into(),
        Kernel::Copy => include_str!("copy.wgsl").into(),
    };
    format!("{}{own}", include_str!("prelude.wgsl"))
}

/// A kernel of each kind, with every option that its program has.
#[cfg(test)]
pub(super) fn every() -> Vec<Kernel> {
    use scan::Operation::*;
    let operations = vec![
        Rectify(0),
        RectifyScale(1),
        Square(2),
        RectifySquare(3),
        Add(0, 4),
        LowPass(5),
        Hold(6),
        Compensated(7),
        HighPass(8),
        HighCompensated(9),
        HighHold(10),
        Diff(11),
        Multiply(0, 12),
        Exponential(13),
        Softplus(14),
        Logistic(15),
    ];
    let scans = [true, false].map(|wide| Kernel::Scan(Scan { inputs: 1, operations: operations.clone(), wide }));
    let tile = Tile {
        kernel: [3, 18],
        threads: [1, 8, 16],
        outs: 2,
        rows: 2,
        strip: 3,
        zeros: true,
        whole: true,
        parts: true,
    };
    let tiles = [tile, Tile { strip: 2, zeros: false, whole: false, parts: false, ..tile }].map(Kernel::Direct);
    let others = [
        Kernel::Move,
        Kernel::Mean,
        Kernel::VariableDelay,
        Kernel::Stages(vec![false, true]),
        Kernel::Borders,
        Kernel::Plain,
        Kernel::InTime,
        Kernel::Gemm(8),
        Kernel::Field,
        Kernel::Sum,
        Kernel::Concat,
        Kernel::Count,
        Kernel::Counts,
        Kernel::Peak,
        Kernel::Copy,
    ];
    scans.into_iter().chain(tiles).chain(others).collect()
}
