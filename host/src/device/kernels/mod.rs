//! The programs of the kernels, in WGSL: one a file.

mod peaks;
mod stages;

use super::pass::Kernel;
pub(super) use peaks::peaks;

/// The program of `kernel`.
pub(super) fn program(kernel: &Kernel) -> String {
    let own = match kernel {
        Kernel::Move => include_str!("move.wgsl").into(),
        Kernel::Mean => include_str!("mean.wgsl").into(),
        Kernel::VariableDelay => include_str!("variable_delay.wgsl").into(),
        Kernel::Scan(scan) => scan.wgsl(),
        Kernel::Stages(stages) => stages::wgsl(*stages),
        Kernel::Borders => include_str!("borders.wgsl").into(),
        Kernel::Direct(_) | Kernel::Plain | Kernel::InTime | Kernel::Gemm => String::new(),
        Kernel::Field => include_str!("field.wgsl").into(),
        Kernel::Sum => include_str!("sum.wgsl").into(),
        Kernel::Count => include_str!("count.wgsl").into(),
        Kernel::Counts => include_str!("counts.wgsl").into(),
        Kernel::Peak => peaks::PEAK.into(),
        Kernel::Copy => peaks::COPY.into(),
    };
    format!("{}{own}", include_str!("prelude.wgsl"))
}
