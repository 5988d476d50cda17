//! The main loop: bytes of a source through a pipeline to packets, whatever happens to the source.
//!
//! A turn either takes bytes or, where the source has failed, waits and starts it again: 100 ms after the first failure, twice as
//! long after each further one, 10 s at most. The watchdog is fed at the end of a turn and nowhere else but in the long waits
//! of back-off, and after every [`Plan::frames_per_call`](foveola_pipeline::Plan::frames_per_call) frames of a turn that makes
//! more: whatever keeps a turn from ending, a filter that loops, a bus that hangs, a timer that stands, lets it bite. A jump of
//! the sensor's clock does not.
//! A source that fails, and an output that blocks, are no reason to bite.

use crate::packet::LOCATIONS;
use crate::{Outbox, Packet, strongest};
use core::fmt;
use embassy_futures::yield_now;
use embedded_hal_async::delay::DelayNs;
use foveola_pipeline::{Application, Memory, ModelDamaged, Pipeline};
use foveola_sensor::{Backoff, EventSource, SensorError};

/// Resets the board unless it is fed in time; see [when](self).
pub trait Watchdog {
    /// The main loop makes progress.
    fn feed(&mut self);
}

/// What a main loop reports, in plain words through [`Display`](fmt::Display).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The source failed.
    Failed {
        /// How.
        error: SensorError,
        /// How often in a row.
        attempt: u32,
        /// When it is started again.
        retry_ms: u32,
    },
    /// The first bytes came after a start.
    Sending {
        /// Failures before.
        failures: u32,
    },
    /// What was counted so far, every [`STATUS_EVERY`] frames.
    Status(Counters),
}

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// In the pipeline.
    pub pipeline: foveola_pipeline::Counters,
    /// How often the source failed.
    pub failures: u32,
    /// Packets offered to the output.
    pub packets: u32,
    /// Packets that were dropped because the output was blocked, or refused by it.
    pub packets_dropped: u32,
}

impl Counters {
    /// As sent in a packet, each modulo 2^32: events, those in no frame, bytes skipped, losses of bytes, frames, frames put
    /// out, failures of the source, packets, packets dropped.
    pub fn words(&self) -> [u32; 9] {
        let p = &self.pipeline;
        [
            p.events as u32,
            (p.events - p.stored()) as u32,
            p.skipped.bytes() as u32,
            p.losses,
            p.frames as u32,
            p.outputs as u32,
            self.failures,
            self.packets,
            self.packets_dropped,
        ]
    }
}

/// Frames from one status to the next.
pub const STATUS_EVERY: u64 = 100;
/// Bytes taken in a turn, at most.
pub const TURN: usize = 1_024;
/// The longest wait between two meals of the watchdog.
const MEAL_MS: u32 = 200;

/// An application at work; see the [module](self).
pub struct App<
    'm,
    A: Application,
    S,
    D,
    W,
    N,
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize = 0,
> {
    pipeline: Pipeline<'m, A, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>,
    source: S,
    delay: D,
    watchdog: W,
    outbox: &'m Outbox,
    notify: N,
    backoff: Backoff,
    step: Step,
    failures: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The source is to be started.
    Start,
    /// It was started, and no byte has come.
    Await,
    /// Bytes come.
    Read,
}

impl<
    'm,
    A,
    S,
    D,
    W,
    N,
    const INPUT: usize,
    const OUTPUT: usize,
    const STATE: usize,
    const SCRATCH: usize,
    const EVENTS: usize,
> App<'m, A, S, D, W, N, INPUT, OUTPUT, STATE, SCRATCH, EVENTS>
where
    A: Application,
    S: EventSource,
    D: DelayNs,
    W: Watchdog,
    N: FnMut(Notice),
{
    /// Nothing is touched before the first turn.
    ///
    /// # Errors
    /// [`ModelDamaged`] when the model's tables in flash are not what the compiler put there: a board reports it and lets the
    /// watchdog bite.
    pub fn new(
        memory: &'m mut Memory<INPUT, OUTPUT, STATE, SCRATCH, EVENTS, A::Sample>,
        source: S,
        delay: D,
        watchdog: W,
        outbox: &'m Outbox,
        notify: N,
    ) -> Result<Self, ModelDamaged> {
        Ok(Self {
            pipeline: Pipeline::new(memory)?,
            source,
            delay,
            watchdog,
            outbox,
            notify,
            backoff: Backoff::new(100, 10_000),
            step: Step::Start,
            failures: 0,
        })
    }

    /// Turns for ever.
    pub async fn run(&mut self) -> ! {
        loop {
            self.turn().await;
        }
    }

    /// One turn. Others that are polled beside it are polled in each.
    pub async fn turn(&mut self) {
        let result = match self.step {
            Step::Start => self.source.start().await.map(|()| self.step = Step::Await),
            Step::Await | Step::Read => self.read().await,
        };
        if let Err(error) = result {
            self.fail(error).await;
        }
        self.watchdog.feed();
        yield_now().await;
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        Counters {
            pipeline: self.pipeline.counters(),
            failures: self.failures,
            packets: self.outbox.offered(),
            packets_dropped: self.outbox.dropped().saturating_add(self.outbox.failed()),
        }
    }

    async fn read(&mut self) -> Result<(), SensorError> {
        let mut buffer = [0; TURN];
        let piece = self.source.read(&mut buffer).await?;
        if self.step == Step::Await {
            self.step = Step::Read;
            self.backoff.succeeded();
            (self.notify)(Notice::Sending { failures: self.failures });
            if self.pipeline.counters().events > 0 {
                self.pipeline.lost(); // what came between was never seen
            }
        }
        if piece.follows_loss {
            self.pipeline.lost();
        }
        let before = self.pipeline.counters().outputs;
        let (mut number, outbox) = (before, self.outbox);
        let mut each = |frame: foveola_pipeline::Output<'_, A::Sample>| {
            let (locations, count) = strongest::<LOCATIONS>(frame.samples);
            outbox.offer(Packet::strongest(number as u32, frame.start, locations.get(..count).unwrap_or(&locations)));
            number += 1;
        };
        let mut bytes = buffer.get(..piece.len).unwrap_or(&buffer);
        while self.pipeline.feed(&mut bytes, &mut each) {
            self.watchdog.feed();
            yield_now().await;
        }
        if piece.len < TURN {
            // All that has come was taken.
            while self.pipeline.quiet(&mut each) {
                self.watchdog.feed();
                yield_now().await;
            }
        }
        if number / STATUS_EVERY != before / STATUS_EVERY {
            let counters = self.counters();
            self.outbox.offer(Packet::status(counters.words()));
            (self.notify)(Notice::Status(counters));
        }
        Ok(())
    }

    async fn fail(&mut self, error: SensorError) {
        self.step = Step::Start;
        self.failures = self.failures.saturating_add(1);
        let mut retry_ms = self.backoff.failed();
        (self.notify)(Notice::Failed { error, attempt: self.backoff.attempts(), retry_ms });
        while retry_ms > 0 {
            let wait = retry_ms.min(MEAL_MS);
            self.delay.delay_ms(wait).await;
            self.watchdog.feed();
            retry_ms -= wait;
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { error, attempt, retry_ms } => {
                write!(f, "sensor: {error}; attempt {attempt}, again in {retry_ms} ms")
            }
            Self::Sending { failures } => write!(f, "sensor: sends, after {failures} failures"),
            Self::Status(counters) => counters.fmt(f),
        }
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [events, out, skipped, losses, frames, outputs, failures, packets, dropped] = self.words();
        write!(
            f,
            "{events} events, {out} of them in no frame, {skipped} bytes skipped, {losses} losses; \
             {frames} frames, {outputs} put out; {failures} failures of the sensor; \
             {packets} packets, {dropped} of them dropped"
        )
    }
}
