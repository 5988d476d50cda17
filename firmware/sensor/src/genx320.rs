//! Driver of Prophesee's GenX320: 320 x 320 pixels, EVT 2.0 over 8 parallel lines.
//!
//! A register has an address of 16 bits and holds 32; both go over I2C with the highest byte first. What is written where
//! lies in [`registers`], with its sources and with what nobody has confirmed.

use crate::SensorError;
use crate::registers::{
    self, BIAS_SINGLE, BIASES, CHIP_ID, CHIP_ID_ES, CHIP_ID_MP, CPI_PIPELINE_CONTROL, EDF_CONTROL, I2C_ADDRESS, INIT,
    PORT, RESET_MS, START_MS, Step,
};
use embedded_hal::digital::OutputPin;
use embedded_hal::i2c::Error as _;
use embedded_hal_async::delay::DelayNs;
use embedded_hal_async::i2c::I2c;

/// Columns and rows.
pub const SIDE: usize = 320;

/// Bytes a second on the data lines, at most; the sensor's clock pin has 24 MHz in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelClock {
    /// 48 MHz, as in the public sequence.
    Mhz48,
    /// 24 MHz, for ports that are slower; computed, not confirmed.
    Mhz24,
}

/// Which silicon answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// An engineering sample.
    Es,
    /// The product.
    Mp,
}

/// A sensor at an I2C bus and a reset pin, which resets it when low.
pub struct GenX320<I, R> {
    bus: I,
    reset: R,
    half: bool,
}

impl<I, R> core::fmt::Debug for GenX320<I, R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GenX320").field("half", &self.half).finish_non_exhaustive()
    }
}

impl<I: I2c, R: OutputPin> GenX320<I, R> {
    /// Nothing is touched yet.
    pub const fn new(bus: I, reset: R, clock: PixelClock) -> Self {
        Self { bus, reset, half: matches!(clock, PixelClock::Mhz24) }
    }

    /// Resets and configures the sensor, which stays quiet.
    ///
    /// # Errors
    /// What is wrong with the sensor, or with the bus.
    pub async fn prepare(&mut self, delay: &mut impl DelayNs) -> Result<Chip, SensorError> {
        self.reset.set_low().map_err(|_| SensorError::ResetPin)?;
        delay.delay_ms(RESET_MS).await;
        self.reset.set_high().map_err(|_| SensorError::ResetPin)?;
        delay.delay_ms(START_MS).await;

        let chip = match self.read(CHIP_ID).await? {
            CHIP_ID_ES => Chip::Es,
            CHIP_ID_MP => Chip::Mp,
            found => return Err(SensorError::WrongChip { found }),
        };
        self.perform(INIT, delay).await?;
        self.perform(&registers::clock(self.half), delay).await?;
        self.perform(PORT, delay).await?;
        for bias in BIASES {
            let value = if chip == Chip::Es { bias.es } else { bias.mp };
            self.write(bias.register, bias.upper | value | BIAS_SINGLE).await?;
            self.write(bias.register, bias.upper | value).await?;
        }
        // A chip that forgets what it was told would send another format, or nothing.
        for register in [EDF_CONTROL, CPI_PIPELINE_CONTROL] {
            self.check(register).await?;
        }
        Ok(chip)
    }

    /// Lets a prepared sensor send.
    ///
    /// # Errors
    /// [`SensorError::NoAnswer`].
    pub async fn stream(&mut self, delay: &mut impl DelayNs) -> Result<(), SensorError> {
        self.perform(&registers::start(self.half), delay).await
    }

    /// The value of a register.
    ///
    /// # Errors
    /// [`SensorError::NoAnswer`].
    pub async fn read(&mut self, register: u16) -> Result<u32, SensorError> {
        let mut value = [0; 4];
        let answered = self.bus.write_read(I2C_ADDRESS, &register.to_be_bytes(), &mut value).await;
        answered.map_err(|error| SensorError::NoAnswer { register, kind: error.kind() })?;
        Ok(u32::from_be_bytes(value))
    }

    /// Gives a register a value.
    ///
    /// # Errors
    /// [`SensorError::NoAnswer`].
    pub async fn write(&mut self, register: u16, value: u32) -> Result<(), SensorError> {
        let ([a, b], [c, d, e, f]) = (register.to_be_bytes(), value.to_be_bytes());
        let answered = self.bus.write(I2C_ADDRESS, &[a, b, c, d, e, f]).await;
        answered.map_err(|error| SensorError::NoAnswer { register, kind: error.kind() })
    }

    async fn perform(&mut self, steps: &[Step], delay: &mut impl DelayNs) -> Result<(), SensorError> {
        for step in steps {
            match *step {
                Step::Write(register, value) => self.write(register, value).await?,
                Step::Fill(first, count, value) => {
                    for i in 0..count {
                        self.write(first + 4 * i, value).await?;
                    }
                }
                Step::Wait(us) => delay.delay_us(us).await,
            }
        }
        Ok(())
    }

    /// Compares a register with what the tables write to it last.
    async fn check(&mut self, register: u16) -> Result<(), SensorError> {
        let written = |step: &Step| matches!(step, Step::Write(r, _) if *r == register);
        let Some(Step::Write(_, expected)) = INIT.iter().chain(PORT).copied().rfind(written) else {
            return Ok(());
        };
        match self.read(register).await? {
            found if found == expected => Ok(()),
            found => Err(SensorError::NotWritten { register, found, expected }),
        }
    }
}
