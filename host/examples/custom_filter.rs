//! A filter of your own beside those of the crate: `cargo run --release --example custom_filter`

use foveola::{Filter, Layer, LowPass, Model, Resolution, Result, Shape, Signature, Source, Stage, Table, core::Error};
use ndarray::Array3;

/// `y[t] = x[t] / (1 + |x[t-1]|)`: a gain that the frame before controls.
#[derive(Clone, Debug)]
struct Gain(Shape);

impl Filter for Gain {
    /// Frames of one shape in and out, and one frame of state.
    fn signature(&self) -> Signature {
        Signature::same(self.0, self.0.len())
    }

    /// The state is zero before the first frame.
    fn advance(
        &self,
        _t: u64,
        state: &mut [f32],
        _scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> std::result::Result<usize, Error> {
        for (x, y) in input.chunks_exact(self.0.len()).zip(output.chunks_exact_mut(self.0.len())) {
            for ((x, y), before) in x.iter().zip(y).zip(state.iter_mut()) {
                *y = x / (1.0 + before.abs());
                *before = *x;
            }
        }
        Ok(input.len() / self.0.len())
    }
}

impl Layer for Gain {
    fn name(&self) -> &'static str {
        "Gain"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        Ok(table.push(from, Stage::custom(self)))
    }
}

fn main() -> Result<()> {
    let mut model = Model::new().then(LowPass::new(0.005, Resolution::DEFAULT)?).then(Gain(Shape::new(1, 2, 2)));
    let step = model.run(Array3::<f32>::ones((10, 2, 2)), 5)?;
    for (t, frame) in step.axis_iter(ndarray::Axis(2)).enumerate() {
        println!("frame {t}: {:.3}", frame[(0, 0, 0, 0)]);
    }
    Ok(())
}
