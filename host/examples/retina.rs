//! A model of three layers over a movie: centre minus surround, rectified. `cargo run --release --example retina`

use foveola::{Branches, Model, NLRectify, Resolution, Result, SmoothConv};
use ndarray::{Array3, s};

fn main() -> Result<()> {
    let resolution = Resolution { steps_per_second: 200.0, ..Resolution::DEFAULT };
    // Three stages of an exponential in time (seconds), each through a Gaussian in space (degrees).
    let centre = SmoothConv::gaussian(3, 0.010, 0.05, resolution)?;
    let surround = SmoothConv::gaussian(3, 0.020, 0.15, resolution)?;
    let mut retina = Model::new().then(Branches::new().plus(centre).minus(surround)).then(NLRectify);

    // A bright bar of four columns that moves by a column every two frames: (time, row, col).
    let movie = Array3::from_shape_fn((100, 48, 64), |(t, _, col)| if col / 4 == t / 8 { 1.0_f32 } else { 0.0 });
    // In chunks of 25 frames; the output does not depend on the length of the chunks.
    let response = retina.run(&movie, 25)?;

    println!("{retina:#?}");
    for t in (0..100).step_by(20) {
        let row = response.slice(s![0, 0, t, 24, ..]);
        let (col, most) =
            row.iter().enumerate().fold((0, 0.0), |best, (col, y)| if *y > best.1 { (col, *y) } else { best });
        println!(
            "frame {t:2}: the bar is at column {:2}; the response is largest at column {col:2}: {most:.3}",
            t / 8 * 4
        );
    }
    Ok(())
}
