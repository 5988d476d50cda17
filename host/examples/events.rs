//! From an event recording to filtered frames: `cargo run --release --example events -- recording.raw`
//!
//! Without a file it looks at the built-in scene.

use foveola::scene::{Setup, Simulation};
use foveola::{
    EventFilterSpec, EventFilters, Frames, Geometry, LowPass, Model, Polarity, Recording, Resolution, Result,
};
use foveola_core::events::Event;

fn main() -> Result<()> {
    let dt = 1_000; // microseconds of a frame
    type Events = Box<dyn Iterator<Item = Result<Event>>>;
    let (events, geometry): (Events, Geometry) = match std::env::args().nth(1) {
        Some(path) => {
            let recording = Recording::open(path)?; // recognised by its content
            let geometry = recording.scan(|_| {})?.geometry().unwrap_or(Geometry { cols: 1, rows: 1 });
            (Box::new(recording.events()?), geometry)
        }
        None => (Box::new(Simulation::built_in(0)?.map(Ok)), Setup::default().geometry),
    };

    // Events that no neighbour supports within 5 ms are noise.
    let filters = EventFilters::of(geometry, &["stcf:k=1,tau=5ms".parse::<EventFilterSpec>()?])?;
    let mut frames = Frames::new(filters.filter(events), geometry, Polarity::Signed, dt)?;

    let resolution = Resolution { steps_per_second: 1e6 / dt as f64, ..Resolution::DEFAULT };
    let mut model = Model::of(LowPass::new(0.010, resolution)?);
    while let Some(smooth) = model.process_events(&mut frames, 250)? {
        let (_, _, n, rows, cols) = smooth.dim();
        let mean = smooth.iter().map(|y| f64::from(y.abs())).sum::<f64>() / smooth.len() as f64;
        println!("{n:4} frames of {cols} x {rows}: {:.3} events per pixel and second", mean * 1e6 / dt as f64);
    }
    Ok(())
}
