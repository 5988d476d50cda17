//! A stimulus and two responses as a contact sheet: `cargo run --release --features pictures --example picture`

use foveola::picture::{Sheet, Stage, Stages, contact_sheet};
use foveola::samples::{MovingGrating, Size, moving_grating};
use foveola::{Branches, LowPass, Model, Resolution, Result};

fn main() -> Result<()> {
    let grating = moving_grating(Size::new(400, 48, 64), &MovingGrating::default())?;
    let mut smooth = Model::of(LowPass::new(0.020, Resolution::DEFAULT)?);
    let [fast, slow] = [0.005, 0.050].map(|tau| LowPass::new(tau, Resolution::DEFAULT));
    let mut transient = Model::of(Branches::new().plus(fast?).minus(slow?));

    let mut stages = Stages::new(["grating", "smooth", "transient"].map(Stage::new));
    let (smooth, transient) = (smooth.run(&grating, 100)?, transient.run(&grating, 100)?);
    stages.extend(0.0, 1e-3, &[grating.view(), smooth.view(), transient.view()])?;
    contact_sheet("grating.png", &stages, &Sheet::default())?;
    println!("grating.png: {} frames that were kept of each", stages.len());
    Ok(())
}
