//! The programs of the kernels, in WGSL: one a file.

mod conv;
mod scan;
mod stages;

pub(crate) use conv::{OUTPUTS, Tile};
pub(crate) use scan::{Operation, Scan};

/// What is computed; a backend has a program for each. The numbers inside are those that the program is made for, the others
/// come as [`Pass::params`](super::pass::Pass::params).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    /// Frames copied by a list: into a ring, out of one, with borders or cropped.
    Move,
    /// The mean over all samples of a chunk, in two turns.
    Mean,
    /// A delay for each pixel.
    VariableDelay,
    /// Pointwise functions, recursive filters and sums of branches, fused: a thread takes a pixel through time.
    Scan(Scan),
    /// The chain of low-passes of a `SmoothConv`: whether each stage is compensated.
    Stages(Vec<bool>),
    /// The borders of rows in the state.
    Borders,
    /// A convolution, tap by tap, several outputs a thread.
    Direct(Tile),
    /// A convolution of any kind, an output a thread.
    Plain,
    /// A convolution in time alone, several frames a thread.
    InTime,
    /// A convolution of many channels as a product of matrices, with so many threads along output channels.
    Gemm(usize),
    /// A receptive field.
    Field,
    /// A sum over an axis.
    Sum,
    /// Events counted into frames.
    Count,
    /// Counts become samples.
    Counts,
    /// Multiply-adds in registers, to measure what the device can do.
    Peak,
    /// A copy, to measure the same.
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
        Kernel::Count => include_str!("count.wgsl").into(),
        Kernel::Counts => include_str!("counts.wgsl").into(),
        Kernel::Peak => include_str!("peak.wgsl").into(),
        Kernel::Copy => include_str!("copy.wgsl").into(),
    };
    format!("{}{own}", include_str!("prelude.wgsl"))
}

/// A kernel of each kind, with all that its program may hold.
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
        Kernel::Count,
        Kernel::Counts,
        Kernel::Peak,
        Kernel::Copy,
    ];
    scans.into_iter().chain(tiles).chain(others).collect()
}
