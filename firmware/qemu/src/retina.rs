//! The ready model `retina` at 64 x 64 pixels and 1000 frames/s, with and without a noise filter before it, and a recording for
//! them.

use foveola_core::Shape;
use foveola_core::events::Evt2;
use foveola_pipeline::{Application, Plan};

/// What the build script exports.
#[allow(unreachable_pub, reason = "the generated source is a module for any program")]
mod exported {
    pub mod retina {
        include!(concat!(env!("OUT_DIR"), "/retina.rs"));
    }
    pub mod denoised {
        include!(concat!(env!("OUT_DIR"), "/denoised.rs"));
    }
}
use exported::{denoised, retina};

/// Written by `foveola record retina.raw --geometry 64x64 --duration 200ms`.
pub static RECORDING: &[u8] = include_bytes!("bin/retina.raw");

/// Frames in and out.
pub const SHAPE: Shape = retina::INPUT;
/// Microseconds of a frame.
pub const DT: u64 = retina::DT;
/// Frames a second.
pub const RATE: f64 = 1e6 / DT as f64;

/// The model file `retina`.
pub struct Retina;

impl Application for Retina {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = retina::PLAN;
    const RAM: usize = 150 * 1024;
}

/// The model file `retina_denoised`: the retina behind a noise filter.
pub struct Denoised;

impl Application for Denoised {
    type Decoder = Evt2;
    type Sample = f32;
    const PLAN: Plan<'static> = denoised::PLAN;
    /// As much as the smallest machine here has beside its stack and program.
    const RAM: usize = 192 * 1024;
}

/// Bytes that an interrupt brings at once.
pub const BLOCK: usize = 256;
/// The recording in blocks of whole words, as a sensor sends them; in front of them what is left, with the header, that a
/// sensor's stream does not have.
pub fn blocks() -> impl Iterator<Item = &'static [u8]> {
    let (first, blocks) = RECORDING.split_at(RECORDING.len() % BLOCK);
    core::iter::once(first).chain(blocks.chunks(BLOCK))
}

/// Blocks in the queue between interrupt and main loop, of which one stays empty.
pub const BLOCKS: usize = 8;
