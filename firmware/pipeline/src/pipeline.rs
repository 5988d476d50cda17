//! Bytes in, filtered frames out.
//!
//! ```text
//! bytes          = understood + skipped + held      in EVT 2.0: understood = 4 x events + times + header
//! events decoded = stored + filtered + late + outside
//! frames counted = put out + refused + held back by the model
//! ```
//! The first line holds until one of [`Skipped`] stops at its largest number, at 4 GB of damage. With a
//! [`ByteQueue`](crate::ByteQueue), bytes sent = bytes + dropped + still in the queue.

use crate::runner::ModelOf;
use crate::{Application, Block, Front, Memory, ModelDamaged, PlanSample};
use foveola_core::events::{Dropped, OtherState, Skipped};
use foveola_core::words::{put_longs, put_samples, take_long, take_samples};
use foveola_core::{Graph, Only, Sample};

/// Words that [`Pipeline::save`] gives beside state and input.
pub(crate) const fn fixed<A: Application>() -> usize {
    Front::<A::Decoder>::SAVED + 11
}

/// A frame that comes out.
#[derive(Clone, Copy)]
pub struct Output<'a, T: Sample = f32> {
    /// When the input frame began that completed it, in microseconds of the sensor's clock.
    pub start: u64,
    /// `channels x rows x cols` of the model's output, the first one if it has several.
    pub samples: &'a [T],
    /// The frame of the model that it is.
    t: u64,
    model: &'a Graph<'a, T>,
    scratch: &'a [T],
}

impl<'a, T: Sample> Output<'a, T> {
    /// The frame of further output number `index`: those of [`Graph::outputs`]. Empty where the model has no such output, or none
    /// for this frame. It is where the model left it: nothing was copied.
    pub fn further(&self, index: usize) -> &'a [T] {
        self.model.output(index, self.t, 1, 1, self.scratch).unwrap_or(&[])
    }
}

impl<T: Sample> core::fmt::Debug for Output<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { start, samples, t, .. } = self;
        f.debug_struct("Output").field("start", start).field("samples", samples).field("t", t).finish_non_exhaustive()
    }
}

/// What went through a pipeline, and what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes taken.
    pub bytes: u64,
    /// Bytes that were understood: words of events, times and rows, lines of a header.
    pub understood: u64,
    /// Bytes that wait for the rest of their word or line.
    pub held: u64,
    /// Events decoded.
    pub events: u64,
    /// Events that the event filters dropped.
    pub filtered: u64,
    /// Events that passed them and are in no frame.
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
    /// Frames for which the model has no output: a stride in time, a warm-up.
    pub held_back: u64,
}

impl Counters {
    /// Events that are in a frame.
    pub const fn stored(&self) -> u64 {
        self.events - self.filtered - self.dropped.events()
    }

    /// Whether the [equations](self) hold: nothing was lost without being counted.
    ///
    /// ```
    /// use foveola_pipeline::Counters;
    /// assert!(Counters { bytes: 11, events: 1, understood: 8, held: 3, ..Counters::default() }.add_up());
    /// assert!(!Counters { bytes: 12, events: 1, understood: 8, held: 3, ..Counters::default() }.add_up());
    /// assert!(!Counters { frames: 2, outputs: 1, ..Counters::default() }.add_up());
    /// ```
    pub fn add_up(&self) -> bool {
        let bytes = self.understood + self.skipped.bytes() + self.held;
        let frames = self.outputs + self.refused + self.held_back;
        self.bytes == bytes && self.frames == frames && self.events >= self.filtered + self.dropped.events()
    }
}

/// An [`Application`] at work in memory that it was lent.
pub struct Pipeline<
    'm,
    A: Application,
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize = 0,
> {
    front: Front<A::Decoder>,
    memory: &'m mut Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS, A::Sample>,
    /// Frames that the model took since its state was cleared.
    t: u64,
    counters: Counters,
    application: core::marker::PhantomData<A>,
}

impl<
    A: Application,
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize,
> core::fmt::Debug for Pipeline<'_, A, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { t, counters, .. } = self;
        f.debug_struct("Pipeline").field("t", t).field("counters", counters).finish_non_exhaustive()
    }
}

impl<
    'm,
    A: Application,
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize,
> Pipeline<'m, A, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>
{
    /// At the start of a stream. Memory that does not fit the application does not compile.
    ///
    /// # Errors
    /// [`ModelDamaged`] when the model's tables are not those that the compiler saw: every table is read once.
    pub fn new(memory: &'m mut Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS, A::Sample>) -> Result<Self, ModelDamaged> {
        const { A::PLAN.must_fit(A::RAM, [INPUT, OUTPUT, STATE, SCRATCH], EVENTS) };
        A::Sample::check(&A::PLAN, const { A::CHECKSUM })?;
        let application = core::marker::PhantomData;
        Ok(Self { front: Front::new(&A::PLAN), memory, t: 0, counters: Counters::default(), application })
    }

    /// Takes the next bytes of the stream from the front of `bytes`, a piece of any length, and gives every frame that is
    /// completed to `each`: at most [`Plan::frames_per_call`](crate::Plan::frames_per_call) of them. Returns whether it
    /// stopped there: then it is to be called again with what is left of `bytes`, be it nothing.
    ///
    /// No piece of a stream and no jump of its clock therefore keeps a main loop from its watchdog.
    #[must_use = "more frames may be due"]
    pub fn feed(&mut self, bytes: &mut &[u8], mut each: impl FnMut(Output<'_, A::Sample>)) -> bool {
        for _ in 0..const { A::PLAN.most } {
            match self.next_frame(bytes) {
                Some(start) => self.filter(start, &mut each),
                None => return false,
            }
        }
        self.front.is_behind()
    }

    fn next_frame(&mut self, bytes: &mut &[u8]) -> Option<u64> {
        let Memory { input, events, .. } = &mut *self.memory;
        if const { A::PLAN.events.stages().is_empty() } {
            return self.front.next_frame(bytes, input);
        }
        self.front.next_frame_of(bytes, input, |event| ModelOf::<A>::keeps(events, event))
    }

    /// The bytes of a block from a [`ByteQueue`](crate::ByteQueue), which are to be [fed](Self::feed) next; notes whether
    /// bytes are missing before them.
    pub fn open<'b, const BYTES: usize>(&mut self, block: &'b Block<BYTES>) -> &'b [u8] {
        if block.follows_loss() {
            self.lost();
        }
        block.bytes()
    }

    /// Completes the frames that the sensor's clock has passed though no event came: to be called when no bytes wait. As
    /// many as [`Self::feed`] at most; returns whether more may be due.
    #[must_use = "more frames may be due"]
    pub fn quiet(&mut self, mut each: impl FnMut(Output<'_, A::Sample>)) -> bool {
        for _ in 0..const { A::PLAN.most } {
            match self.front.quiet_frame(&mut self.memory.input) {
                Some(start) => self.filter(start, &mut each),
                None => return false,
            }
        }
        true
    }

    /// Takes a frame that the sensor made itself, instead of bytes: `fill` writes its samples, `channels x rows x cols`, over
    /// those of the frame before. `start`, when it began, is that of the [`Output`] that it completes, if any. Returns false, and
    /// does nothing, where the stream began with bytes: it cannot go on with frames.
    ///
    /// [`SensorFrame`](foveola_core::events::SensorFrame) reads the frames of histograms and differences of a GenX320:
    ///
    /// ```
    /// # use foveola_core::events::{Evt2, Geometry, PixelLayout, Polarity, SensorFrame};
    /// # use foveola_core::{Decay, Error, Graph, LowPass, Node, Shape, Source, Stage, constant};
    /// # use foveola_pipeline::{Application, MemoryOf, Pipeline, Plan};
    /// # const SENSOR: Geometry = Geometry { cols: 4, rows: 2 };
    /// # static NODES: [Node; 1] = [Node::Filter(
    /// #     Source::Input,
    /// #     Stage::LowPass(LowPass::new(Shape::new(1, 2, 4), constant!(Decay::new(0.01, 1000.0)))),
    /// # )];
    /// # struct Trace;
    /// # impl Application for Trace {
    /// #     type Decoder = Evt2;
    /// #     type Sample = f32;
    /// #     const PLAN: Plan<'static> =
    /// #         constant!(Plan::new(constant!(Graph::new(Shape::new(1, 2, 4), &NODES)), SENSOR, 1, Polarity::Signed, 1_000));
    /// #     const RAM: usize = 512;
    /// # }
    /// # let mut memory = <MemoryOf!(Trace)>::new();
    /// # let mut pipeline = Pipeline::<Trace, _, _, _, _>::new(&mut memory).unwrap();
    /// const READER: SensorFrame = constant!(SensorFrame::new(PixelLayout::Difference { bits: 8 }, SENSOR, Polarity::Signed));
    /// let bytes = [0, 3, 0, 0, 0xFF, 0, 0, 0]; // from the camera port
    /// let mut outputs = 0;
    /// if bytes.len() == READER.bytes() {
    ///     // else the port lost bytes: wait for the next frame
    ///     pipeline.frame(
    ///         0,
    ///         |samples| READER.read(&bytes, samples).expect("the model takes these frames"),
    ///         |frame| {
    ///             assert!(frame.samples[1] > 0.0 && frame.samples[4] < 0.0);
    ///             outputs += 1;
    ///         },
    ///     );
    /// }
    /// assert_eq!(outputs, 1);
    /// ```
    pub fn frame(
        &mut self,
        start: u64,
        fill: impl FnOnce(&mut [A::Sample]),
        mut each: impl FnMut(Output<'_, A::Sample>),
    ) -> bool {
        let is_first = self.front.bytes() == 0;
        if is_first {
            fill(&mut self.memory.input);
            self.filter(start, &mut each);
        }
        is_first
    }

    /// Bytes are missing before those that come next.
    pub fn lost(&mut self) {
        self.counters.losses = self.counters.losses.saturating_add(1);
        self.front.lost();
    }

    /// The stream ends: the frame that is open goes through the model. Where frames are due before it, they come first, as
    /// many as from [`Self::feed`]; returns whether it is to be called again.
    #[must_use = "more frames may be due"]
    pub fn finish(&mut self, mut each: impl FnMut(Output<'_, A::Sample>)) -> bool {
        if self.front.is_behind() && self.feed(&mut &[][..], &mut each) {
            return true;
        }
        if let Some(start) = self.front.finish() {
            self.filter(start, &mut each);
        }
        false
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        Counters {
            bytes: self.front.bytes(),
            understood: self.front.understood(),
            held: self.front.held() as u64,
            events: self.front.events(),
            dropped: self.front.dropped(),
            filtered: self.front.filtered(),
            skipped: self.front.skipped(),
            restarts: self.front.restarts(),
            ..self.counters
        }
    }

    /// All that it remembers, in [`fixed`] words, its state and its open frame; the output and the scratch mean nothing between
    /// two frames.
    pub(crate) fn save(&self, put: &mut impl FnMut(u32)) {
        self.front.save(put);
        let Counters { losses, frames, outputs, refused, held_back, .. } = self.counters;
        put(losses);
        put_longs(&[self.t, frames, outputs, refused, held_back], put);
        put_samples(&self.memory.state, put);
        put_samples(&self.memory.input, put);
        self.memory.events.iter().for_each(|word| put(*word));
    }

    /// What [`Self::save`] gave.
    pub(crate) fn restore(&mut self, take: &mut impl FnMut() -> u32) -> Result<(), OtherState> {
        self.front = Front::restore(&A::PLAN, take)?;
        let losses = take();
        let [t, frames, outputs, refused, held_back] = core::array::from_fn(|_| take_long(take));
        self.t = t;
        self.counters = Counters { losses, frames, outputs, refused, held_back, ..Counters::default() };
        let memory = &mut *self.memory;
        take_samples(&mut memory.state, take);
        take_samples(&mut memory.input, take);
        memory.events.iter_mut().for_each(|word| *word = take());
        Ok(())
    }

    fn filter(&mut self, start: u64, each: &mut impl FnMut(Output<'_, A::Sample>)) {
        let Memory { input, output, state, scratch, .. } = &mut *self.memory;
        let (model, t) = (const { &A::PLAN.model }, self.t);
        self.counters.frames += 1;
        match model.run_batch_with(&Only::<ModelOf<A>>::new(), t, 1, state, scratch, input, output) {
            Ok(frames) => {
                self.t += 1;
                if frames > 0 {
                    self.counters.outputs += 1;
                    each(Output { start, samples: output, t, model, scratch });
                } else {
                    self.counters.held_back += 1;
                }
            }
            // The state is as it was, and time goes on without the frame.
            Err(_) => self.counters.refused += 1,
        }
    }
}
