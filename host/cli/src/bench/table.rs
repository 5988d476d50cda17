//! The workloads.

use super::{Operation, Workload};
use foveola::{Error, Result};

/// Rows and columns of a workload in the table, unless its name says otherwise.
const SIDE: usize = 128;
/// Names and sizes for the operations that are measured at several sizes.
const SIZES: [(&str, [usize; 2]); 3] = [("@16x16", [16, 16]), ("@320x320", [320, 320]), ("@1280x720", [720, 1280])];

/// The measured workloads: frames of 128 x 128 and one channel, unless the name says otherwise (sizes are columns x rows).
///
/// ```
/// use foveola_cli::bench;
/// assert!(bench::table().iter().any(|workload| workload.name == "conv3d_10x10x10"));
/// ```
pub fn table() -> Vec<Workload> {
    let conv3d = |kernel, channels| Operation::Conv3d { kernel, channels };
    let conv2d = |side| Operation::Conv2d { kernel: [side, side], channels: [1, 1] };
    let of = |name: &str, operation| Workload::new(name, operation, SIDE, SIDE);
    let stream = Workload { frames: 1, ..of("stream_1_frame", Operation::Retina) };
    let mut table = vec![
        of("conv3d_10x10x10", conv3d([10, 10, 10], [1, 1])),
        of("conv3d_5x5x5", conv3d([5, 5, 5], [1, 1])),
        of("conv3d_1x10x10_1to5", conv3d([1, 10, 10], [1, 5])),
        of("conv3d_3x3x3_8to8", conv3d([3, 3, 3], [8, 8])),
        of("conv2d_3x3", conv2d(3)),
        of("conv2d_9x9", conv2d(9)),
        of("conv2d_21x21", conv2d(21)),
        of("conv2d_31x31", conv2d(31)),
        of("conv2d_63x63", conv2d(63)),
        Workload::new("conv2d_63x63_256", conv2d(63), 256, 256),
        of("gaussian_21x21", Operation::Gaussian { side: 21 }),
        Workload::new("conv1d_100", Operation::Conv1d { frames: 100, channels: [1, 1] }, 64, 64),
        of("low_pass", Operation::LowPass),
        of("high_pass", Operation::HighPass),
        of("smooth_conv_n6_10x10", Operation::SmoothConv { stages: 6, kernel: [10, 10] }),
        of("delay_100", Operation::Delay { frames: 100 }),
        Workload::new("variable_delay", Operation::VariableDelay { frames: 20 }, 64, 64),
        of("diff", Operation::Diff),
        of("rectify", Operation::Rectify),
        of("rf_128x128x10_5ch", Operation::Rf { frames: 10, channels: [1, 5] }),
        of("cascade_conv_rf", Operation::ConvRf { kernel: [1, 10, 10], channels: 5, frames: 10 }),
        of("retina", Operation::Retina),
        stream,
    ];
    for name in ["conv3d_5x5x5", "low_pass", "conv2d_9x9"] {
        let Some(workload) = table.iter().find(|workload| workload.name == name).cloned() else { continue };
        for (at, [rows, cols]) in SIZES {
            table.push(Workload { name: format!("{name}{at}"), ..workload.clone().sized(rows, cols) });
        }
    }
    table
}

/// The workload called `name`.
///
/// # Errors
/// [`Error::Unknown`] for a name that is not in the [`table`].
pub fn find(name: &str) -> Result<Workload> {
    let mut table = table();
    match table.iter().position(|workload| workload.name == name) {
        Some(place) => Ok(table.swap_remove(place)),
        None => Err(Error::unknown("workload", name, table.iter().map(|workload| &workload.name[..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Bound, Setting};
    use foveola_core::Shape;

    #[test]
    fn every_workload_builds() {
        let table = table();
        for (i, workload) in table.iter().enumerate() {
            assert!(table[..i].iter().all(|other| other.name != workload.name), "{} twice", workload.name);
            let shape = Shape::new(workload.operation.channels(), workload.rows, workload.cols);
            let signature = workload.model(&Setting::default()).and_then(|model| model.signature(shape));
            let output = signature.unwrap_or_else(|error| panic!("{}: {error}", workload.name)).output;
            assert_eq!(output.len(), workload.samples_out(), "{}", workload.name);
            let bytes = 4 * workload.frames * workload.samples_in();
            assert!(workload.frames == 4 || bytes <= 16 << 20, "{}: {bytes} bytes", workload.name);
            let convolution = workload.plan(&Setting::default()).expect("a plan").is_some();
            assert!(!convolution || workload.operation.bound() == Bound::MultiplyAdd, "{}", workload.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_others() {
        let error = find("conv4d").map(|workload| workload.name).expect_err("no such workload").to_string();
        assert!(error.contains("'conv4d'") && error.contains("conv3d_10x10x10, conv3d_5x5x5"), "{error}");
    }
}
