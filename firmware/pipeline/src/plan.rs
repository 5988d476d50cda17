//! The constants of an application, and what memory they need.
//!
//! Bytes of RAM: 4, or 2 in [`Q15`], for each sample of an input frame, an output frame, the model's state and its scratch for one
//! frame, and 4 for each word of the event filters' state.

#[cfg(doc)]
use foveola_core::events::Evt2;
use foveola_core::events::{Accumulator, EventChain, Geometry, Live, Polarity, Window};
use foveola_core::{Checksum, Error, Graph, Q15, Sample, Shape, Signature, Text};

/// What runs on a board: constants, checked when the program is built.
///
/// A model that needs more than [`Application::RAM`] does not compile; the error has both numbers.
///
/// ```compile_fail
/// use foveola_core::events::{Evt2, Geometry, Polarity};
/// use foveola_core::{Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
/// use foveola_pipeline::{Application, MemoryOf, Pipeline, Plan};
/// const SHAPE: Shape = Shape::new(1, 2, 4);
/// static NODES: [Node; 1] =
///     [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.01, 1000.0)))))];
/// struct TooLarge;
/// impl Application for TooLarge {
///     type Decoder = Evt2;
///     type Sample = f32;
///     const PLAN: Plan<'static> = constant!(Plan::new(
///         constant!(Graph::new(SHAPE, &NODES)),
///         Geometry { cols: 4, rows: 2 },
///         1,
///         Polarity::Signed,
///         1_000,
///     ));
///     const RAM: usize = 95; // three times 8 samples are 96 bytes
/// }
/// let mut memory = <MemoryOf!(TooLarge)>::new();
/// let _ = Pipeline::<TooLarge, _, _, _, _>::new(&mut memory);
/// ```
pub trait Application: Sized {
    /// What the sensor sends: [`Evt2`], [`Evt21`](foveola_core::events::Evt21) or [`Evt3`](foveola_core::events::Evt3).
    type Decoder: Live;
    /// What the model computes with: [`f32`] or [`Q15`].
    type Sample: PlanSample<Self>;
    /// Sensor, frames, model.
    const PLAN: Plan<'static, Self::Sample>;
    /// Bytes that frames, state and scratch may take.
    const RAM: usize;
    /// What [`Plan::checksum`] gives where nothing is damaged: the compiler's own.
    const CHECKSUM: u32 = <Self::Sample as PlanSample<Self>>::CHECKSUM;
}

/// A sample whose plans have a checksum: [`f32`] and [`Q15`]. It is that of the plan of `A`.
///
/// A constant cannot call the methods of a trait, so each type has the constant itself.
pub trait PlanSample<A>: Sample {
    /// [`Plan::checksum`] of `A`'s plan.
    const CHECKSUM: u32;

    /// [`Plan::check`] of a plan.
    ///
    /// # Errors
    /// [`ModelDamaged`] with both checksums.
    fn check(plan: &Plan<'_, Self>, expected: u32) -> Result<(), ModelDamaged>;
}

const BESIDE: &str = "a pixel of the sensor";

/// A sensor, how its events become frames, and the model that takes them.
#[derive(Clone, Debug)]
pub struct Plan<'a, T: Sample = f32> {
    /// Pixels of the sensor.
    sensor: Geometry,
    /// What the events pass before they are counted.
    pub(crate) events: EventChain<'a>,
    /// Takes the frames.
    pub(crate) model: Graph<'a, T>,
    pub(crate) signature: Signature,
    pub(crate) bins: Accumulator,
    /// The largest step of the sensor's clock that is believed at once, in microseconds.
    pub(crate) largest_step: u64,
    /// Frames of a call, at most.
    pub(crate) most: usize,
    /// Checksum of what is not the model.
    frames: Checksum,
}

/// The tables of a model are not those that the compiler saw: flash is damaged, or was overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelDamaged {
    /// Checksum of what lies there.
    pub found: u32,
    /// The compiler's.
    pub expected: u32,
}

impl core::fmt::Display for ModelDamaged {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { found, expected } = self;
        write!(f, "the model's tables are damaged: their checksum is {found:08x}, expected {expected:08x}")
    }
}

impl core::error::Error for ModelDamaged {}

impl<'a, T: Sample> Plan<'a, T> {
    /// Events of a sensor of `geometry` pixels, in bins of `binning` x `binning` of them, counted for `dt` microseconds, through
    /// `model`. Pixels beyond the last whole bin of a row or column are outside the frame.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `binning` or `dt` of 0; [`Error::EmptyFrame`] for a sensor of less than a bin;
    /// [`Error::NodeShape`] when the model takes frames of another shape.
    pub const fn new(
        model: Graph<'a, T>,
        geometry: Geometry,
        binning: u16,
        polarity: Polarity,
        dt: u64,
    ) -> Result<Self, Error> {
        let window = match Window::new(0, 0, binning) {
            Ok(window) => window,
            Err(error) => return Err(error),
        };
        let (rows, cols) = (geometry.rows / binning as usize, geometry.cols / binning as usize);
        Self::of(model, geometry, [rows, cols], window, polarity, dt)
    }

    /// Like [`Plan::new`] for a part of the sensor: the model's frame sees `window`, and events beside it are counted as
    /// outside. That saves memory, not instructions: each of them is decoded.
    ///
    /// # Errors
    /// Those of [`Plan::new`], and [`Error::Parameter`] when the window goes beyond the sensor.
    pub const fn of_region(
        model: Graph<'a, T>,
        geometry: Geometry,
        window: Window,
        polarity: Polarity,
        dt: u64,
    ) -> Result<Self, Error> {
        let (Shape { rows, cols, .. }, binning) = (model.input(), window.binning() as usize);
        let (right, below) = (
            cols.saturating_mul(binning).saturating_add(window.corner().0 as usize),
            rows.saturating_mul(binning).saturating_add(window.corner().1 as usize),
        );
        if right > geometry.cols {
            return Err(Error::Parameter { name: "right edge of the window", value: right as f64, expected: BESIDE });
        }
        if below > geometry.rows {
            return Err(Error::Parameter { name: "lower edge of the window", value: below as f64, expected: BESIDE });
        }
        Self::of(model, geometry, [rows, cols], window, polarity, dt)
    }

    const fn of(
        model: Graph<'a, T>,
        geometry: Geometry,
        [rows, cols]: [usize; 2],
        window: Window,
        polarity: Polarity,
        dt: u64,
    ) -> Result<Self, Error> {
        let bins = match Accumulator::new(rows, cols, polarity, dt) {
            Ok(bins) => bins.windowed(window).restart_after(dt.saturating_mul(Plan::GAP_FRAMES)),
            Err(error) => return Err(error),
        };
        let (found, expected) = (bins.shape(), model.input());
        if !found.equals(expected) {
            return Err(Error::NodeShape { node: 0, found, expected });
        }
        let events = match EventChain::new(geometry, &[]) {
            Ok(none) => none,
            Err(error) => return Err(error),
        };
        let size = geometry.rows << 16 | geometry.cols;
        let corner = (window.corner().1 as u32) << 16 | window.corner().0 as u32;
        let signed = matches!(polarity, Polarity::Signed) as u32;
        let frames = Checksum::new().word(size as u32).word(corner).word(window.binning() as u32).word(signed).long(dt);
        let (largest_step, most) = (Plan::LARGEST_STEP, Plan::FRAMES_PER_CALL);
        Ok(Self { sensor: geometry, events, model, signature: model.signature(), bins, largest_step, most, frames })
    }

    /// The same plan with filters of events between the decoder and the frames. They are for the plan's sensor, and yield one of
    /// the same size.
    ///
    /// ```
    /// use foveola_core::events::{EventChain, EventStage, Geometry, Neighbours, Polarity, Stcf};
    /// use foveola_core::{Decay, Graph, LowPass, Node, Shape, Source, Stage, constant};
    /// use foveola_pipeline::Plan;
    /// const SHAPE: Shape = Shape::new(1, 2, 4);
    /// const SENSOR: Geometry = Geometry { cols: 4, rows: 2 };
    /// static NODES: [Node; 1] =
    ///     [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::new(0.01, 1000.0)))))];
    /// static STAGES: [EventStage; 1] = [EventStage::Stcf(constant!(Stcf::new(SENSOR, Neighbours::Eight, 2, 5_000)))];
    /// const PLAN: Plan = constant!(
    ///     constant!(Plan::new(constant!(Graph::new(SHAPE, &NODES)), SENSOR, 1, Polarity::Signed, 1_000))
    ///         .filtered(constant!(EventChain::new(SENSOR, &STAGES)))
    /// );
    /// assert_eq!(PLAN.bytes(), 4 * (3 * 8 + PLAN.events().state_len()));
    /// ```
    ///
    /// # Errors
    /// [`Error::StageGeometry`] for filters that yield another size; its stage is the first behind them.
    pub const fn filtered(self, events: EventChain<'a>) -> Result<Self, Error> {
        let (expected, found) = (self.sensor, events.output());
        if found.cols != expected.cols || found.rows != expected.rows {
            return Err(Error::StageGeometry { stage: events.stages().len(), found, expected });
        }
        Ok(Self { events, ..self })
    }

    /// What the events pass before they are counted; without stages, all do.
    pub const fn events(&self) -> &EventChain<'a> {
        &self.events
    }

    /// The same plan, whose frames start anew after a gap of more than `gap` microseconds, forwards or backwards: the gap is
    /// in no frame. A shorter one is filled with frames of zeros.
    #[must_use]
    pub const fn restart_after(self, gap: u64) -> Self {
        Self { bins: self.bins.restart_after(gap), ..self }
    }

    /// The same plan with at most `frames` frames in a call of [`Pipeline::feed`](crate::Pipeline::feed), at least 1. More
    /// come with the next call: what a board has time for before it must feed its watchdog again.
    ///
    /// So there are two answers to a gap of the sensor's clock. With a [`Plan::restart_after`] of at least as many frames it
    /// is filled, call after call; with a shorter one frames start anew.
    #[must_use]
    pub const fn frames_per_call(mut self, frames: usize) -> Self {
        self.most = if frames > 1 { frames } else { 1 };
        self
    }

    /// The same plan for a sensor that tells the time at least every `us` microseconds: a larger step of its clock is believed
    /// only when the next time confirms it ([`Evt2::largest_step`]). A live sensor tells it every 64 us or more often, so
    /// 1,024 are plenty. Recordings may have gaps without a time.
    #[must_use]
    pub const fn largest_step(mut self, us: u64) -> Self {
        self.largest_step = us;
        self
    }

    /// The same, for samples that are integers: the sample 1 stands for `2^exponent` events
    /// ([`Accumulator::counting_to`](foveola_core::events::Accumulator::counting_to)). Floats count events.
    #[must_use]
    pub const fn counting_to(self, exponent: u8) -> Self {
        let frames = if exponent == Accumulator::COUNTING_TO { self.frames } else { self.frames.word(exponent as u32) };
        Self { bins: self.bins.counting_to(exponent), frames, ..self }
    }

    /// Shape of the frames that the model takes.
    pub const fn input(&self) -> Shape {
        self.signature.input
    }

    /// Shape of the frames that come out.
    pub const fn output(&self) -> Shape {
        self.signature.output
    }

    /// The model.
    pub const fn model(&self) -> &Graph<'a, T> {
        &self.model
    }

    /// Samples of an input frame, an output frame, the state and the scratch.
    pub const fn samples(&self) -> [usize; 4] {
        let Signature { input, output, state, scratch, .. } = self.signature;
        [input.len(), output.len(), state, scratch.len(1)]
    }

    /// Bytes of RAM for all of them, and for the state of the event filters.
    pub const fn bytes(&self) -> usize {
        let [input, output, state, scratch] = self.samples();
        let samples = input.saturating_add(output).saturating_add(state).saturating_add(scratch);
        samples.saturating_mul(size_of::<T>()).saturating_add(self.events.state_len().saturating_mul(4))
    }

    /// Stops the compilation when the plan needs more than `ram` bytes, or memory of other lengths was lent.
    pub(crate) const fn must_fit(&self, ram: usize, lent: [usize; 4], events: usize) {
        if self.bytes() > ram {
            panic!(
                "{}",
                Text::new("the frames, state and scratch need ")
                    .number(self.bytes())
                    .words(" bytes of RAM, but may take ")
                    .number(ram)
                    .as_str()
            );
        }
        let [input, output, state, scratch] = self.samples();
        let words = self.events.state_len();
        if lent[0] != input || lent[1] != output || lent[2] != state || lent[3] != scratch || events != words {
            panic!(
                "{}",
                Text::new("the memory is another plan's: expected a state of ")
                    .number(state)
                    .words(" samples and ")
                    .number(words)
                    .words(" words, found ")
                    .number(lent[2])
                    .words(" and ")
                    .number(events)
                    .as_str()
            );
        }
    }
}

/// Numbers that are the same for samples of any type.
impl Plan<'_> {
    /// Frames of zeros that fill a gap in time, at most, unless [`Plan::restart_after`] says otherwise. After a longer gap
    /// frames start anew; on a host, after a minute.
    pub const GAP_FRAMES: u64 = 200;
    /// Frames that a call makes at most, unless [`Plan::frames_per_call`] says otherwise.
    pub const FRAMES_PER_CALL: usize = 32;
    /// [`Plan::largest_step`], unless that says otherwise: 1.05 s, as in recordings.
    pub const LARGEST_STEP: u64 = 1 << 20;
}

/// What reads the tables, for one type of samples.
macro_rules! checksums {
    ($sample:ty) => {
        impl Plan<'_, $sample> {
            /// Checksum of sensor, event filters, frames and model, with [all numbers](Graph::checksum) in the model's tables. In a
            /// constant it is what the compiler saw; at run time, what lies in memory now.
            pub const fn checksum(&self) -> u32 {
                self.model.checksum(self.events.checksum(self.frames)).value()
            }

            /// Reads all tables and compares them with `expected`: see [`Application::CHECKSUM`].
            ///
            /// # Errors
            /// [`ModelDamaged`] with both checksums.
            pub fn check(&self, expected: u32) -> Result<(), ModelDamaged> {
                // Opaque, so that the tables are read, and not what the compiler knows of them.
                match core::hint::black_box(self).checksum() {
                    found if found == expected => Ok(()),
                    found => Err(ModelDamaged { found, expected }),
                }
            }
        }

        impl<A: Application<Sample = Self>> PlanSample<A> for $sample {
            const CHECKSUM: u32 = A::PLAN.checksum();

            fn check(plan: &Plan<'_, Self>, expected: u32) -> Result<(), ModelDamaged> {
                plan.check(expected)
            }
        }
    };
}
checksums!(f32);
checksums!(Q15);
