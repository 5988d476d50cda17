//! A pipeline's state in memory that survives a reset: after a watchdog's bite or a brown-out the stream goes on from there.
//!
//! ```text
//! Retained: two slots   [ mark | plan's checksum | number | CRC-32 | front, counters, state, open frame ]
//! save:     into the slot that does not hold the newest whole snapshot: mark "begun", all the rest, mark "whole"
//! restore:  from the newest slot that is marked as whole and has the right CRC
//! ```
//! So a reset in the middle of [`Snapshots::save`] leaves the snapshot before it whole. Every bit pattern is a valid [`Retained`]:
//! a board may point it at memory that holds anything. Restored, a pipeline goes on bit for bit as if nothing had happened, from
//! the byte number [`Counters::bytes`](crate::Counters::bytes) of the stream; where the sensor did not wait for the board, call
//! [`Pipeline::lost`] first.
//!
//! Cost: about 40 instructions a word, once. State: the bytes of every sample of the model's state and input frame (in whole words
//! of 4) and of every word of the event filters' state, and about 250 bytes more, twice. On a core with a data cache the board has
//! to write the cache back after a snapshot.
//!
//! ```
//! # use foveola_core::events::{Evt2, Geometry, Polarity};
//! # use foveola_core::{Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
//! # use foveola_pipeline::{Application, MemoryOf, Pipeline, Plan};
//! # static NODES: [Node; 1] = [Node::Filter(
//! #     Source::Input,
//! #     Stage::LowPass(LowPass::new(Shape::new(1, 2, 4), constant!(Decay::new(0.01, 1000.0)))),
//! # )];
//! # struct Trace;
//! # impl Application for Trace {
//! #     type Decoder = Evt2;
//! #     type Sample = f32;
//! #     const PLAN: Plan<'static> = constant!(Plan::new(
//! #         constant!(Graph::new(Shape::new(1, 2, 4), &NODES)),
//! #         Geometry { cols: 8, rows: 4 },
//! #         2,
//! #         Polarity::Signed,
//! #         1_000,
//! #     ));
//! #     const RAM: usize = 512;
//! # }
//! use foveola_pipeline::{RetainedBy, SnapshotError, Snapshots};
//!
//! let stream = [0x8000_0001_u32, 0x1080_1802, 0x8000_0020, 0x1080_1802].map(u32::to_le_bytes);
//! let (mut before, mut after) = stream.as_flattened().split_at(7); // in the middle of a word
//! let mut retained = <RetainedBy!(Trace)>::new(); // on a board: memory that no start-up code clears
//!
//! let mut memory = <MemoryOf!(Trace)>::new();
//! let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory)?;
//! let mut snapshots = Snapshots::new(&mut retained);
//! assert_eq!(snapshots.restore(&mut pipeline), Err(SnapshotError::None)); // the first start
//! while pipeline.feed(&mut before, |_| ()) {}
//! snapshots.save(&pipeline);
//!
//! // A reset: all but `retained` is lost.
//! let mut memory = <MemoryOf!(Trace)>::new();
//! let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory)?;
//! let snapshots = Snapshots::new(&mut retained);
//! assert_eq!(snapshots.restore(&mut pipeline), Ok(()));
//! assert_eq!(pipeline.counters().bytes, 7);
//! while pipeline.feed(&mut after, |_| ()) {}
//! assert_eq!((pipeline.counters().events, pipeline.counters().skipped.bytes()), (2, 0));
//! # Ok::<(), foveola_pipeline::ModelDamaged>(())
//! ```

use crate::{Application, Pipeline};
use core::sync::atomic::{Ordering, compiler_fence};
use foveola_core::Checksum;
use foveola_core::events::OtherState;
use foveola_core::words::words_of;

/// Words of a slot in front of the state.
const HEAD: usize = 4;
/// Marks. Another form of the state needs other ones.
const WHOLE: u32 = 0x5EED_0004;
const BEGUN: u32 = !WHOLE;

/// Memory for two snapshots; see the [picture](self). [`RetainedBy!`](crate::RetainedBy) names the type that fits an application.
#[derive(Clone, Debug)]
#[repr(transparent)]
pub struct Retained<const WORDS: usize>([[u32; WORDS]; 2]);

impl<const WORDS: usize> Retained<WORDS> {
    /// No snapshot.
    pub const fn new() -> Self {
        Self([[0; WORDS]; 2])
    }

    /// The words of both slots: to damage them in a test, or to copy them.
    pub const fn words_mut(&mut self) -> &mut [[u32; WORDS]; 2] {
        &mut self.0
    }
}

impl<const WORDS: usize> Default for Retained<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

/// The type of the [`Retained`] that fits an [`Application`].
#[macro_export]
macro_rules! RetainedBy {
    ($application:ty) => {
        $crate::Retained<{ $crate::snapshot::words::<$application>() }>
    };
}

/// Words of a snapshot of `A`.
pub const fn words<A: Application>() -> usize {
    let [input, _, state, _] = A::PLAN.samples();
    let [state, input] = [words_of::<A::Sample>(state), words_of::<A::Sample>(input)];
    HEAD + crate::pipeline::fixed::<A>() + state + input + A::PLAN.events().state_len()
}

/// Why nothing was restored. The pipeline is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// There was never a snapshot: a cold start.
    None,
    /// No slot is whole; of one that is not:
    Damaged {
        /// The checksum of what lies there.
        found: u32,
        /// The checksum written beside it.
        expected: u32,
    },
    /// The newest snapshot is another program's.
    OtherPlan {
        /// The checksum of its plan.
        found: u32,
        /// This one's.
        expected: u32,
    },
    /// The newest snapshot is of the same plan with another decoder.
    OtherDecoder(OtherState),
}

impl core::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::None => write!(f, "there is no snapshot"),
            Self::Damaged { found, expected } => {
                write!(f, "no snapshot is whole: the checksum is {found:08x}, expected {expected:08x}")
            }
            Self::OtherPlan { found, expected } => {
                write!(f, "the snapshot is of plan {found:08x}, expected {expected:08x}")
            }
            Self::OtherDecoder(other) => write!(f, "{other}"),
        }
    }
}

impl core::error::Error for SnapshotError {}

/// Takes snapshots of a pipeline and restores it; see [above](self).
#[derive(Debug)]
pub struct Snapshots<'r, const WORDS: usize> {
    retained: &'r mut Retained<WORDS>,
    /// The slot of the newest whole snapshot, and its number.
    newest: Result<(usize, u32), SnapshotError>,
    torn: bool,
}

impl<'r, const WORDS: usize> Snapshots<'r, WORDS> {
    /// Looks for whole snapshots.
    pub fn new(retained: &'r mut Retained<WORDS>) -> Self {
        let slots = [0, 1].map(|slot| number(&retained.0[slot]));
        let newest = match slots {
            // Numbers go round: the newer one is ahead by less than half of the way.
            [Ok(a), Ok(b)] => Ok(if a.wrapping_sub(b).cast_signed() > 0 { (0, a) } else { (1, b) }),
            [Ok(a), Err(_)] => Ok((0, a)),
            [Err(_), Ok(b)] => Ok((1, b)),
            [Err(SnapshotError::None), Err(error)] | [Err(error), Err(_)] => Err(error),
        };
        let torn = slots.iter().any(|slot| matches!(slot, Err(SnapshotError::Damaged { .. })));
        Self { retained, newest, torn }
    }

    /// Whether a slot was damaged when the board started: most likely a reset came in the middle of a snapshot.
    pub const fn torn(&self) -> bool {
        self.torn
    }

    /// The number of the newest whole snapshot: 1 for the first.
    pub const fn number(&self) -> Option<u32> {
        match self.newest {
            Ok((_, number)) => Some(number),
            Err(_) => None,
        }
    }

    /// Writes a snapshot of `pipeline`.
    pub fn save<
        A: Application,
        const INPUT: usize,
        const OUTPUT: usize,
        const STATE: usize,
        const SCRATCH: usize,
        const EVENTS: usize,
    >(
        &mut self,
        pipeline: &Pipeline<'_, A, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>,
    ) {
        const { assert!(WORDS == words::<A>(), "the retained memory is another plan's: RetainedBy! names its type") };
        let (slot, next) = match self.newest {
            Ok((slot, number)) => (1 - slot, number.wrapping_add(1)),
            Err(_) => (0, 1),
        };
        let [mark, plan, number, check, body @ ..] = self.retained.0[slot].as_mut_slice() else { return };
        *mark = BEGUN;
        compiler_fence(Ordering::SeqCst);
        (*plan, *number) = (A::CHECKSUM, next);
        let (mut sum, mut body) = (Checksum::new().word(*plan).word(*number), body.iter_mut());
        pipeline.save(&mut |word| {
            sum = sum.word(word);
            if let Some(to) = body.next() {
                *to = word;
            }
        });
        *check = sum.value();
        compiler_fence(Ordering::SeqCst);
        *mark = WHOLE;
        self.newest = Ok((slot, next));
    }

    /// Brings `pipeline` to where it was at the newest whole snapshot.
    ///
    /// # Errors
    /// As [`SnapshotError`]; `pipeline` is then as it was.
    pub fn restore<
        A: Application,
        const INPUT: usize,
        const OUTPUT: usize,
        const STATE: usize,
        const SCRATCH: usize,
        const EVENTS: usize,
    >(
        &self,
        pipeline: &mut Pipeline<'_, A, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>,
    ) -> Result<(), SnapshotError> {
        let (slot, _) = self.newest?;
        let [_, found, _, _, body @ ..] = self.retained.0[slot].as_slice() else { return Err(SnapshotError::None) };
        let (found, expected) = (*found, A::CHECKSUM);
        if found != expected {
            return Err(SnapshotError::OtherPlan { found, expected });
        }
        const { assert!(WORDS == words::<A>(), "the retained memory is another plan's: RetainedBy! names its type") };
        let mut body = body.iter().copied();
        pipeline.restore(&mut || body.next().unwrap_or(0)).map_err(SnapshotError::OtherDecoder)
    }
}

/// The number of the snapshot in `slot`, if it is whole.
fn number(slot: &[u32]) -> Result<u32, SnapshotError> {
    let [mark, plan, number, check, body @ ..] = slot else { return Err(SnapshotError::None) };
    if *mark != WHOLE && *mark != BEGUN {
        return Err(SnapshotError::None);
    }
    let found = body.iter().fold(Checksum::new().word(*plan).word(*number), |sum, word| sum.word(*word)).value();
    if *mark == WHOLE && found == *check {
        Ok(*number)
    } else {
        Err(SnapshotError::Damaged { found, expected: *check })
    }
}
