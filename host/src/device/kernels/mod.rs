//! The programs of the kernels, in WGSL: one a file.

mod conv;
mod peaks;
mod stages;

use super::pass::Kernel;
pub(crate) use conv::{OUTPUTS, Tile};
pub(super) use peaks::peaks;

/// A step of a compensated recursion.
pub(super) const COMPENSATED: &str = include_str!("compensated.wgsl");

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
        Kernel::Peak => peaks::PEAK.into(),
        Kernel::Copy => peaks::COPY.into(),
    };
    format!("{}{own}", include_str!("prelude.wgsl"))
}

/// A kernel of each kind, with all that its program may hold.
#[cfg(test)]
pub(super) fn every() -> Vec<Kernel> {
    use super::scan::{Operation::*, Scan};
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
