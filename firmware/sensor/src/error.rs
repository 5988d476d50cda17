//! What can be wrong with a sensor; each error names what was found and what was expected.

use crate::registers::{CHIP_ID_ES, CHIP_ID_MP};
use core::fmt;
use embedded_hal::i2c::ErrorKind;

/// Why a sensor gives no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SensorError {
    /// The bus failed; mostly nobody acknowledged the address.
    NoAnswer {
        /// The register that was asked for.
        register: u16,
        /// What the bus said.
        kind: ErrorKind,
    },
    /// Another chip answered.
    WrongChip {
        /// Its identity; [`CHIP_ID_ES`] or [`CHIP_ID_MP`] was expected.
        found: u32,
    },
    /// A register does not hold what was written to it.
    NotWritten {
        /// The register.
        register: u16,
        /// What it holds.
        found: u32,
        /// What was written.
        expected: u32,
    },
    /// The reset pin cannot be driven.
    ResetPin,
    /// It was started, and then no byte came; even without events it sends the time every 16 us.
    Stopped {
        /// For how long no byte came.
        silence_ms: u32,
    },
}

impl fmt::Display for SensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoAnswer { register, kind } => {
                write!(f, "no answer when register {register:#06x} was read or written: {kind}")
            }
            Self::WrongChip { found } => {
                write!(f, "wrong chip: its id is {found:#010x}, expected {CHIP_ID_MP:#010x} or {CHIP_ID_ES:#010x}")
            }
            Self::NotWritten { register, found, expected } => {
                write!(f, "register {register:#06x} is {found:#010x} after {expected:#010x} was written to it")
            }
            Self::ResetPin => write!(f, "the reset pin cannot be driven"),
            Self::Stopped { silence_ms } => {
                write!(f, "stopped sending: no byte for {silence_ms} ms, expected one every 16 us")
            }
        }
    }
}

impl core::error::Error for SensorError {}
