//! `imageproc`, for two-dimensional kernels: the same borders, the same output.

use crate::{Step, plain};
use foveola::Result;
use foveola_cli::bench::{Operation, Workload, gaussian};
use image::{ImageBuffer, Luma};
use imageproc::filter::{filter, separable_filter};
use imageproc::kernel::Kernel;

type Picture = ImageBuffer<Luma<f32>, Vec<f32>>;

/// Frame after frame through `imageproc`; none where it lacks the operation.
pub(crate) fn step(workload: &Workload) -> Result<Option<Step>> {
    let (rows, cols) = (workload.rows, workload.cols);
    let mut picture = Picture::new(cols as u32, rows as u32);
    let filter: Box<dyn Fn(&Picture) -> Picture> = match workload.operation {
        Operation::Gaussian { side } => {
            let taps = gaussian(side);
            Box::new(move |picture| separable_filter(picture, &taps, &taps))
        }
        Operation::Conv2d { kernel: [kh, kw], channels: [1, 1] } => {
            // A correlation with the reversed impulse response.
            let impulse = workload.operation.weight(rows, cols)?.unwrap_or_default();
            let weights = plain::correlation(&impulse);
            Box::new(move |picture| filter(picture, Kernel::new(&weights, kw as u32, kh as u32), |x: f32| x))
        }
        _ => return Ok(None),
    };
    Ok(Some(Box::new(move |frame, output| {
        picture.copy_from_slice(frame);
        output.copy_from_slice(&filter(&picture));
    })))
}
