//! Where bytes of EVT 2.0 come from.

use crate::{GenX320, SensorError};
use embassy_futures::select::{Either, select};
use embedded_hal::digital::OutputPin;
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::i2c::I2c;

/// Bytes that were put into the front of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How many.
    pub len: usize,
    /// Whether bytes of the stream are missing before them.
    pub follows_loss: bool,
}

/// Gives the bytes of EVT 2.0 as they come.
#[expect(async_fn_in_trait, reason = "one core polls one task: no future has to be Send")]
pub trait EventSource {
    /// Brings the sensor up from whatever state it is in. Bytes from before are gone.
    ///
    /// # Errors
    /// What keeps it from sending.
    async fn start(&mut self) -> Result<(), SensorError>;

    /// Waits for bytes and puts them into `buffer`: at least one, where `buffer` has room.
    ///
    /// # Errors
    /// [`SensorError::Stopped`], and [`EventSource::start`] is to be called.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, SensorError>;
}

/// Moves bytes from a sensor's data lines into memory, all the time, and counts on being emptied in time. This is what a board
/// has to bring.
#[expect(async_fn_in_trait, reason = "one core polls one task: no future has to be Send")]
pub trait Port {
    /// Forgets what has come, and begins anew.
    fn restart(&mut self);

    /// Waits for bytes and puts them into `buffer`. The future may be dropped before it is ready; then no byte is lost.
    async fn read(&mut self, buffer: &mut [u8]) -> Piece;
}

/// A sensor and the port at its data lines.
pub struct Camera<I, R, P, D> {
    sensor: GenX320<I, R>,
    port: P,
    delay: D,
}

impl<I, R, P, D> core::fmt::Debug for Camera<I, R, P, D> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Camera").field("sensor", &self.sensor).finish_non_exhaustive()
    }
}

impl<I: I2c, R: OutputPin, P: Port, D: DelayNs> Camera<I, R, P, D> {
    /// A sensor that is silent for longer has stopped.
    pub const SILENCE_MS: u32 = 100;

    /// Nothing is touched before [`EventSource::start`].
    pub const fn new(sensor: GenX320<I, R>, port: P, delay: D) -> Self {
        Self { sensor, port, delay }
    }
}

impl<I: I2c, R: OutputPin, P: Port, D: DelayNs> EventSource for Camera<I, R, P, D> {
    async fn start(&mut self) -> Result<(), SensorError> {
        self.sensor.prepare(&mut self.delay).await?;
        self.port.restart(); // the sensor is quiet: the first byte will be the first of a word
        self.sensor.stream(&mut self.delay).await
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<Piece, SensorError> {
        match select(self.port.read(buffer), self.delay.delay_ms(Self::SILENCE_MS)).await {
            Either::First(piece) => Ok(piece),
            Either::Second(()) => Err(SensorError::Stopped { silence_ms: Self::SILENCE_MS }),
        }
    }
}
