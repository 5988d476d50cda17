//! A GenX320 that exists in memory: it plays a recording, and fails as it is told. One reference to it is the bus, the
//! reset pin, the parallel port and the clock, so that [driver](crate::genx320) and [camera](crate::Camera) run as on a board.
//!
//! ```
//! use embassy_futures::block_on;
//! use foveola_sensor::simulated::{Fault, SimulatedSensor};
//! use foveola_sensor::{Camera, EventSource, GenX320, PixelClock, SensorError};
//!
//! let sensor = SimulatedSensor::new(&[1, 2, 3, 4], &[Fault::WrongChip(7)]);
//! let mut camera = Camera::new(GenX320::new(&sensor, &sensor, PixelClock::Mhz48), &sensor, &sensor);
//! assert_eq!(block_on(camera.start()), Err(SensorError::WrongChip { found: 7 }));
//! assert_eq!(block_on(camera.start()), Ok(())); // no fault is planned for a second start
//! let mut buffer = [0; 8];
//! assert_eq!(block_on(camera.read(&mut buffer)).map(|piece| piece.len), Ok(4));
//! ```

use crate::registers::{
    CHIP_ID, CHIP_ID_MP, CPI_PIPELINE_CONTROL, EDF_CONTROL, I2C_ADDRESS, PACKET, READOUT_LP_CONTROL, ROI_CONTROL,
    TIME_BASE_CONTROL,
};
use crate::{Piece, Port};
use core::cell::RefCell;
use core::convert::Infallible;
use embedded_hal::digital::{self, OutputPin};
use embedded_hal::i2c::{ErrorKind, ErrorType, NoAcknowledgeSource, Operation};
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::i2c::I2c;

/// What is wrong from one reset to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Nobody answers.
    Absent,
    /// It says that it is another chip.
    WrongChip(u32),
    /// This register stays what it is after reset: 0.
    Forgets(u16),
    /// It falls silent when it has sent so many bytes since the reset.
    StopsAfter(usize),
    /// After so many bytes the port was not emptied in time, and so many are missing.
    LosesAfter(usize, usize),
}

/// Registers that are remembered; the driver writes to fewer.
const REGISTERS: usize = 128;

#[derive(Debug)]
struct State {
    /// How often it came out of reset.
    resets: usize,
    low: bool,
    registers: [(u16, u32); REGISTERS],
    written: usize,
    /// Bytes of the recording that are gone.
    position: usize,
    /// Bytes sent since the reset.
    sent: usize,
    lost: bool,
    /// Whether the port began anew since the reset; it takes nothing before.
    open: bool,
    elapsed_us: u64,
}

/// See the [module](self).
#[derive(Debug)]
pub struct SimulatedSensor<'a> {
    recording: &'a [u8],
    faults: &'a [Fault],
    state: RefCell<State>,
}

impl<'a> SimulatedSensor<'a> {
    /// Plays `recording`, words of EVT 2.0 without a header; the first fault reigns from the first reset to the second, and so
    /// on, and after the last one nothing fails.
    pub const fn new(recording: &'a [u8], faults: &'a [Fault]) -> Self {
        let state = State {
            resets: 0,
            low: false,
            registers: [(0, 0); REGISTERS],
            written: 0,
            position: 0,
            sent: 0,
            lost: false,
            open: false,
            elapsed_us: 0,
        };
        Self { recording, faults, state: RefCell::new(state) }
    }

    /// How often it came out of reset.
    pub fn resets(&self) -> usize {
        self.state.borrow().resets
    }

    /// What was written to a register since the reset.
    pub fn register(&self, register: u16) -> Option<u32> {
        self.state.borrow().get(register)
    }

    /// Bytes of the recording that were not played yet.
    pub fn left(&self) -> usize {
        self.recording.len() - self.state.borrow().position
    }

    /// Milliseconds that were waited for; sending takes no time here.
    pub fn elapsed_ms(&self) -> u64 {
        self.state.borrow().elapsed_us / 1_000
    }

    fn fault(&self) -> Fault {
        let now = self.state.borrow().resets.checked_sub(1);
        now.and_then(|i| self.faults.get(i)).copied().unwrap_or(Fault::None)
    }

    /// The next bytes, or `None` while it is silent.
    fn next(&self, buffer: &mut [u8]) -> Option<Piece> {
        let fault = self.fault();
        let mut state = self.state.borrow_mut();
        if !state.streams() {
            return None;
        }
        let mut room = buffer.len().min(PACKET as usize);
        match fault {
            Fault::StopsAfter(bytes) => room = room.min(bytes.saturating_sub(state.sent)),
            Fault::LosesAfter(bytes, missing) if !state.lost && state.sent >= bytes => {
                state.lost = true;
                state.position = state.position.saturating_add(missing).min(self.recording.len());
                return self.take(&mut state, buffer, room, true);
            }
            _ => {}
        }
        self.take(&mut state, buffer, room, false)
    }

    fn take(&self, state: &mut State, buffer: &mut [u8], room: usize, follows_loss: bool) -> Option<Piece> {
        let rest = self.recording.get(state.position..)?;
        let len = room.min(rest.len());
        buffer.get_mut(..len)?.copy_from_slice(rest.get(..len)?);
        state.position += len;
        state.sent += len;
        (len > 0).then_some(Piece { len, follows_loss })
    }
}

impl State {
    fn get(&self, register: u16) -> Option<u32> {
        self.registers.iter().take(self.written).find(|(r, _)| *r == register).map(|(_, value)| *value)
    }

    fn set(&mut self, register: u16, value: u32) {
        match self.registers.iter_mut().take(self.written).find(|(r, _)| *r == register) {
            Some(entry) => entry.1 = value,
            None => {
                if let Some(entry) = self.registers.get_mut(self.written) {
                    *entry = (register, value);
                    self.written += 1;
                }
            }
        }
    }

    /// Whether it was told everything that lets events out.
    fn streams(&self) -> bool {
        let is = |register, mask: u32, value| self.get(register).is_some_and(|found| found & mask == value);
        self.open
            && is(READOUT_LP_CONTROL, 0b10, 0)
            && is(TIME_BASE_CONTROL, 1, 1)
            && is(ROI_CONTROL, 0x0402, 0x0402)
            && is(EDF_CONTROL, 0b11, 0)
            && is(CPI_PIPELINE_CONTROL, 1, 1)
    }
}

impl ErrorType for &SimulatedSensor<'_> {
    type Error = ErrorKind;
}

impl I2c for &SimulatedSensor<'_> {
    async fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let fault = self.fault();
        let mut state = self.state.borrow_mut();
        if address != I2C_ADDRESS || state.low || state.resets == 0 || fault == Fault::Absent {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        match operations {
            [Operation::Write([a, b, c, d, e, f])] => {
                let register = u16::from_be_bytes([*a, *b]);
                if fault != Fault::Forgets(register) {
                    state.set(register, u32::from_be_bytes([*c, *d, *e, *f]));
                }
                Ok(())
            }
            [Operation::Write([a, b]), Operation::Read(answer)] => {
                let register = u16::from_be_bytes([*a, *b]);
                let value = match (register, fault) {
                    (CHIP_ID, Fault::WrongChip(id)) => id,
                    (CHIP_ID, _) => CHIP_ID_MP,
                    _ => state.get(register).unwrap_or(0),
                };
                for (to, from) in answer.iter_mut().zip(value.to_be_bytes()) {
                    *to = from;
                }
                Ok(())
            }
            _ => Err(ErrorKind::Other), // no transfer of this chip
        }
    }
}

impl digital::ErrorType for &SimulatedSensor<'_> {
    type Error = Infallible;
}

impl OutputPin for &SimulatedSensor<'_> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.state.borrow_mut().low = true;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        let mut state = self.state.borrow_mut();
        if core::mem::take(&mut state.low) {
            state.resets += 1;
            state.written = 0;
            state.sent = 0;
            state.lost = false;
            state.open = false;
            // What a chip sends after a reset begins with a word.
            state.position = state.position.next_multiple_of(4).min(self.recording.len());
        }
        Ok(())
    }
}

impl DelayNs for &SimulatedSensor<'_> {
    async fn delay_ns(&mut self, ns: u32) {
        self.state.borrow_mut().elapsed_us += u64::from(ns).div_ceil(1_000);
    }
}

impl Port for &SimulatedSensor<'_> {
    fn restart(&mut self) {
        self.state.borrow_mut().open = true;
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Piece {
        match self.next(buffer) {
            Some(piece) => piece,
            None => core::future::pending().await, // it falls silent for good: only a reset helps
        }
    }
}
