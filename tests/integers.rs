//! The retina in samples of 16 bits, over the recording of the firmware.

use foveola::{Frames, Geometry, ModelFile, Polarity, Recording, Samples, models};
use ndarray::Array5;
use std::path::Path;

fn firmware(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware").join(file)
}

fn recording() -> Array5<f32> {
    let events = Recording::open(firmware("qemu/src/bin/retina.raw")).and_then(|recording| recording.events());
    let sensor = Geometry { cols: 64, rows: 64 };
    let mut frames = Frames::new(events.expect("a recording"), sensor, Polarity::Signed, 1_000).expect("frames");
    frames.next_chunk(1_000).expect("frames").expect("frames").to_owned()
}

/// `firmware/model/retina_q15.toml` is what `foveola model quantise` makes of the ready retina, and its outputs are 70 dB above what
/// the integers are off by.
#[test]
fn the_retina_of_integers_is_the_quantised_one() {
    let mut file = models::file("retina").expect("a ready model");
    let mut model = file.model().expect("a good model");
    let found = model.quantise(recording(), Samples::EVENTS, 1.05, None).expect("a recording");
    for output in ["on", "off"] {
        let layer = found.layers.iter().find(|layer| layer.name == output).expect("an output");
        assert!(layer.snr >= 70.0, "{layer:?}");
    }
    assert!(found.layers.iter().all(|layer| layer.saturated == 0), "{found:?}");
    file.set("name", "retina_q15").expect("a name");
    file.set_samples(&model).expect("full scales");
    let committed = ModelFile::read(firmware("model/retina_q15.toml")).expect("a good file");
    assert!(file == committed, "should be\n{}", file.to_toml());
}
