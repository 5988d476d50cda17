//! The seam: what a device must be able to do. A second backend implements this; layers and passes stay as they are.

use super::pass::{Operand, Pass};
use super::{DeviceInfo, Limits};
use crate::Result;
use crate::cpu::threads::Threads;
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// Memory of a device, in words of 32 bits.
pub(crate) trait Memory: Any + Debug + Send + Sync {
    fn words(&self) -> usize;
}

pub(crate) type Buffer = Arc<dyn Memory>;

/// What the operands of a list of passes stand for.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    pub(crate) input: Buffer,
    pub(crate) output: Buffer,
    pub(crate) state: Buffer,
    pub(crate) slots: Vec<Buffer>,
    pub(crate) constants: Vec<Buffer>,
    pub(crate) events: Option<Buffer>,
}

/// A piece of work, in this order; nothing of it waits for the host.
#[derive(Debug)]
pub(crate) struct Work<'w> {
    /// Buffers that are filled with zeros.
    pub(crate) cleared: Vec<&'w Buffer>,
    /// Copies of whole buffers: from, to.
    pub(crate) copies: Vec<(&'w Buffer, &'w Buffer)>,
    /// What is put into `to`, one behind the other.
    pub(crate) upload: Vec<&'w [u8]>,
    pub(crate) to: Option<&'w Buffer>,
    pub(crate) passes: &'w [Pass],
    pub(crate) buffers: Option<&'w Buffers>,
    /// How many words of which buffer are brought back.
    pub(crate) download: Option<(&'w Buffer, usize)>,
    /// Who shares what the host has to copy.
    pub(crate) fork: Threads,
}

impl Work<'_> {
    pub(crate) const NONE: Self = Self {
        cleared: Vec::new(),
        copies: Vec::new(),
        upload: Vec::new(),
        to: None,
        passes: &[],
        buffers: None,
        download: None,
        fork: Threads::ALONE,
    };
}

/// Work that was handed over.
pub(crate) trait Ticket: Debug + Send {
    /// Waits for it, and gives what it brings back to `take`.
    fn wait(self: Box<Self>, take: &mut dyn FnMut(&[f32])) -> Result<()>;
}

/// A device.
pub(crate) trait Backend: Debug + Send + Sync {
    fn info(&self) -> &DeviceInfo;

    fn limits(&self) -> Limits;

    /// A buffer of `words`, at least one; `what` it is for, should there be no room.
    fn buffer(&self, what: &'static str, words: usize) -> Result<Buffer>;

    /// Hands over some work. What is handed over later begins behind it.
    fn submit(&self, work: &Work<'_>) -> Result<Box<dyn Ticket>>;

    /// Loses the device, for tests.
    fn lose(&self);

    /// Begins to measure, and the seconds that passes took since the last call.
    fn seconds(&self) -> Option<f64>;

    /// Runs passes so many times each while they are measured; the seconds are those of one time.
    fn repeat(&self, times: usize);
}

impl Buffers {
    /// The buffer that `operand` stands for; none for words that come with the chunk.
    pub(crate) fn get(&self, operand: &Operand) -> Option<&Buffer> {
        match operand {
            Operand::Input => Some(&self.input),
            Operand::Output => Some(&self.output),
            Operand::State => Some(&self.state),
            Operand::Slot(slot) => self.slots.get(*slot),
            Operand::Constant(constant) => self.constants.get(*constant),
            Operand::Events => self.events.as_ref(),
            Operand::Words(_) => None,
        }
    }
}
