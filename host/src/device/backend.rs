//! The interface that a device must implement. A second backend implements it; layers and passes do not change.

use super::pass::{Operand, Pass};
use super::{DeviceInfo, Limits};
use crate::Result;
use crate::cpu::threads::Threads;
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// Device memory, in 32-bit words.
pub(crate) trait Memory: Any + Debug + Send + Sync {
    fn words(&self) -> usize;
}

pub(crate) type Buffer = Arc<dyn Memory>;

/// The buffers that the operands of a list of passes refer to.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    pub(crate) input: Buffer,
    pub(crate) output: Buffer,
    pub(crate) state: Buffer,
    pub(crate) slots: Vec<Buffer>,
    pub(crate) constants: Vec<Buffer>,
    pub(crate) events: Option<Buffer>,
}

/// A unit of work, executed in this order without waiting for the host.
#[derive(Debug)]
pub(crate) struct Work<'w> {
    /// Buffers to fill with zeros.
    pub(crate) cleared: Vec<&'w Buffer>,
    /// Copies of whole buffers: from, to.
    pub(crate) copies: Vec<(&'w Buffer, &'w Buffer)>,
    /// The data to put into `to`, concatenated.
    pub(crate) upload: Vec<&'w [u8]>,
    pub(crate) to: Option<&'w Buffer>,
    pub(crate) passes: &'w [Pass],
    pub(crate) buffers: Option<&'w Buffers>,
    /// The buffers to copy back, one after another, and the number of words of each.
    pub(crate) download: Vec<(&'w Buffer, usize)>,
    /// The threads that share copies on the host.
    pub(crate) splitter: Threads,
}

impl Work<'_> {
    pub(crate) const NONE: Self = Self {
        cleared: Vec::new(),
        copies: Vec::new(),
        upload: Vec::new(),
        to: None,
        passes: &[],
        buffers: None,
        download: Vec::new(),
        splitter: Threads::SINGLE,
    };
}

/// Work that was submitted.
pub(crate) trait Ticket: Debug + Send {
    /// Waits for the work, and passes its result to `take`.
    fn wait(self: Box<Self>, take: &mut dyn FnMut(&[f32])) -> Result<()>;
}

/// A device.
pub(crate) trait Backend: Debug + Send + Sync {
    fn info(&self) -> &DeviceInfo;

    fn limits(&self) -> Limits;

    /// A buffer of `words`, at least one. `what` names its purpose in an error message.
    fn buffer(&self, what: &'static str, words: usize) -> Result<Buffer>;

    /// Submits work. Work that is submitted later starts after it.
    fn submit(&self, work: &Work<'_>) -> Result<Box<dyn Ticket>>;

    /// Loses the device, for tests.
    fn lose(&self);

    /// Starts measuring. Returns the seconds that passes took since the last call.
    fn seconds(&self) -> Option<f64>;

    /// Runs each pass `times` times while measuring; the seconds are those of a single run.
    fn repeat(&self, times: usize);
}

impl Buffers {
    /// The buffer that `operand` refers to; none for words that come with the chunk.
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
