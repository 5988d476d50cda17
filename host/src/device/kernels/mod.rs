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
