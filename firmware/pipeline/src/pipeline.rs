//! Bytes in, filtered frames out.
//!
//! ```text
//! events decoded = stored + late + outside
//! frames counted = put out + refused + held back by the model
//! ```

use crate::runner::Only;
use crate::{Application, Block, Front, Memory};
use foveola_core::events::{Dropped, Skipped};

/// A frame that comes out.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// When the input frame began that completed it, in microseconds of the sensor's clock.
    pub start: u64,
    /// `channels x rows x cols` of the model's output.
    pub samples: &'a [f32],
}

/// What went through a pipeline, and what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events decoded.
    pub events: u64,
    /// Events that are in no frame.
    pub dropped: Dropped,
    /// Bytes that were no events.
    pub skipped: Skipped,
    /// How often time jumped, and frames started anew.
    pub restarts: u32,
    /// How often bytes were missing ([`Pipeline::lost`]).
    pub losses: u32,
    /// Frames given to the model.
    pub frames: u64,
    /// Frames that came out.
    pub outputs: u64,
    /// Frames that the model refused: samples that are not finite, where it has a guard.
    pub refused: u64,
}

impl Counters {
    /// Events that are in a frame.
    pub const fn stored(&self) -> u64 {
        self.events - self.dropped.events()
    }
}

/// An [`Application`] at work in memory that it was lent.
pub struct Pipeline<'m, A, const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize> {
    front: Front,
    memory: &'m mut Memory<INPUT, OUTPUT, STATE, SCRATCH>,
    /// Frames that the model took since its state was cleared.
    t: u64,
    counters: Counters,
    application: core::marker::PhantomData<A>,
}

impl<'m, A: Application, const INPUT: usize, const OUTPUT: usize, const STATE: usize, const SCRATCH: usize>
    Pipeline<'m, A, INPUT, OUTPUT, STATE, SCRATCH>
{
    /// At the start of a stream. Memory that does not fit the application does not compile.
    pub fn new(memory: &'m mut Memory<INPUT, OUTPUT, STATE, SCRATCH>) -> Self {
        const { A::PLAN.must_fit(A::RAM, [INPUT, OUTPUT, STATE, SCRATCH]) };
        let application = core::marker::PhantomData;
        Self { front: Front::new(&A::PLAN), memory, t: 0, counters: Counters::default(), application }
    }

    /// Takes the next bytes of the stream, a piece of any length, and gives every frame that is completed to `each`.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Output<'_>)) {
        while let Some(start) = self.front.next_frame(&mut bytes, &mut self.memory.input) {
            self.filter(start, &mut each);
        }
    }

    /// Takes a block from a [`ByteQueue`](crate::ByteQueue).
    pub fn feed_block<const BYTES: usize>(&mut self, block: &Block<BYTES>, each: impl FnMut(Output<'_>)) {
        if block.follows_loss() {
            self.lost();
        }
        self.feed(block.bytes(), each);
    }

    /// Completes the frames that the sensor's clock has passed though no event came: to be called when no bytes wait.
    pub fn quiet(&mut self, mut each: impl FnMut(Output<'_>)) {
        while let Some(start) = self.front.quiet_frame(&mut self.memory.input) {
            self.filter(start, &mut each);
        }
    }

    /// Bytes are missing before those that come next.
    pub fn lost(&mut self) {
        self.counters.losses = self.counters.losses.saturating_add(1);
        self.front.lost();
    }

    /// The stream ends: the frame that is open goes through the model.
    pub fn finish(&mut self, mut each: impl FnMut(Output<'_>)) {
        if let Some(start) = self.front.finish() {
            self.filter(start, &mut each);
        }
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        Counters {
            events: self.front.events(),
            dropped: self.front.dropped(),
            skipped: self.front.skipped(),
            restarts: self.front.restarts(),
            ..self.counters
        }
    }

    fn filter(&mut self, start: u64, each: &mut impl FnMut(Output<'_>)) {
        let Memory { input, output, state, scratch } = &mut *self.memory;
        self.counters.frames += 1;
        match A::PLAN.model.run_batch_with(&Only::<A>::new(), self.t, 1, state, scratch, input, output) {
            Ok(frames) => {
                self.t += 1;
                if frames > 0 {
                    self.counters.outputs += 1;
                    each(Output { start, samples: output });
                }
            }
            // The state is as it was, and time goes on without the frame.
            Err(_) => self.counters.refused += 1,
        }
    }
}
