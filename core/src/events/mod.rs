//! From a sensor's bytes to frames: decoders, event filters, a queue to the main loop, time bins.
//!
//! ```text
//! bytes -> Decode -> Event -> EventFilter -> Accumulator -> frame of counts -> filters
//!         (formats)      |    (filters)       (bins of dt, of a Window)
//!                        +- TimeSurface, VoxelGrid: other frames
//!                        +- EventQueue: from an interrupt to the main loop
//!                        +- Extent: the geometry, when no header tells it
//! ```
//! A [`SensorFrame`] reads frames of counts that the sensor made itself.
//!
//! Times of events are whole microseconds, and so are `dt`, `tau` and all others of this module, where time constants of filters are
//! seconds. Places of a sensor are `x` and `y`, as in the formats, and a [`Geometry`] names its columns and rows; frames have
//! rows before columns, as everywhere else.
//!
//! Everything is a small value of fixed size. There is no allocation and no panic on any input, and every loss is
//! counted ([`Skipped`], [`Dropped`], [`Receiver::dropped`]).
//!
//! ```
//! use foveola_core::events::{Accumulator, Decode, Evt2, Polarity, Push};
//!
//! let recording = b"% evt 2.0\n% geometry 4x2\n\x01\x00\x00\x80\x01\x08\x80\x10\x00\x08\x00\x05";
//! let mut decoder = Evt2::new();
//! let mut bins = Accumulator::new(2, 4, Polarity::Signed, 10).unwrap();
//! let mut frame = [0.0_f32; 8];
//! let mut frames = 0;
//! for event in decoder.events(recording) {
//!     while let Push::FrameComplete { .. } = bins.push(event, &mut frame) {
//!         frames += 1; // 10 us are over and the frame is ready: filter it, show it
//!     }
//! }
//! assert_eq!((frames, decoder.skipped().bytes(), bins.dropped().events()), (2, 0, 0));
//! assert_eq!(frame[1], -1.0); // the bin that is still open
//! ```

pub mod accumulate;
pub mod count;
pub mod decode;
pub mod extent;
pub mod filters;
pub mod formats;
pub mod live;
pub mod queue;
pub mod sensor_frame;
pub mod time_surface;
pub mod voxel_grid;
pub mod window;

pub use accumulate::{Accumulator, Dropped, Place, Polarity, Push};
pub use count::Count;
pub use decode::{Decode, Events, Skipped};
pub use extent::{Extent, Geometry};
pub use filters::{
    CustomStage, DoubleWindow, Downsample, EventChain, EventFilter, EventStage, HotPixels, Learning, Neighbours,
    PolarityOnly, RateLimit, Refractory, Region, Restart, RowColumn, Stcf,
};
pub use formats::{
    Aedat2, Aedat31, Aer, Camera, CameraWord, Dat, DatEncoder, Encoding, EventStream, EventStreamEncoder, Evt2,
    Evt2Encoder, Evt2Of, Evt3, Evt3Encoder, Evt3Of, Evt21, Evt21Encoder, Evt21Of, Header, Line, Lines, LiveEvt2,
    LiveEvt3, LiveEvt21, NMnist, NMnistEncoder, NoHeader, Order, Refused,
};
pub use live::{Live, OtherState};
pub use queue::{BlockRefused, EventQueue, Receiver, Sender};
pub use sensor_frame::{PixelLayout, SensorFrame};
pub use time_surface::TimeSurface;
pub use voxel_grid::VoxelGrid;
pub use window::Window;

/// One event of an event camera: the brightness of a pixel changed.
///
/// ```
/// use foveola_core::events::Event;
/// let event = Event { t: 1_000, x: 3, y: 2, on: true };
/// assert_eq!(event, Event { on: true, ..event });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Event {
    /// Time in microseconds since the sensor's clock started.
    pub t: u64,
    /// Column, 0 at the left.
    pub x: u16,
    /// Row, 0 at the top.
    pub y: u16,
    /// Polarity: whether the pixel became brighter (ON) rather than darker (OFF).
    pub on: bool,
}
