//! Frame by frame, without allocation, with a state to go back to: `cargo run --release --example stream`

use foveola::{Conv3d, Model, NLRectify, PadMode, Result};
use ndarray::Array2;

fn main() -> Result<()> {
    // A kernel of 3 frames over 5 x 5 pixels. The frames before the first one are copies of it.
    let blur = Conv3d::new(1, 1, [3, 5, 5])?.with_pad_mode(PadMode::FirstFrame);
    let mut model = Model::new().then(blur).then(NLRectify).with_threads(1);

    let camera = |t: u64| Array2::from_shape_fn((48, 64), |(row, col)| ((row + col) as u64 + t) as f32 % 16.0);
    for t in 0..5 {
        let output = model.process(camera(t))?; // a view into the model
        println!("frame {}: mean {:.3}", t, output.mean().unwrap_or_default());
    }

    // The same two frames twice, from the same state.
    model.push_state();
    let first = (5..7).map(|t| Ok(model.process(camera(t))?.to_owned())).collect::<Result<Vec<_>>>()?;
    model.pop_state()?;
    let second = (5..7).map(|t| Ok(model.process(camera(t))?.to_owned())).collect::<Result<Vec<_>>>()?;
    println!("bit-identical: {}, after {} frames", first == second, model.time());
    Ok(())
}
