//! A sensor, an interrupt, a main loop with the pipeline, a consumer; and the watch over what it gets.

use crate::model::{DT, Retina};
use crate::sensor::{MOST, ORIGIN, Sensor};
use foveola_core::Digest;
use foveola_core::events::Event;
use foveola_pipeline::{
    Application, ByteQueue, ByteReceiver, ByteSender, Counters, MemoryOf, ModelDamaged, Output, Pipeline,
};

/// Frames of the longest case.
pub const FRAMES: usize = 240;
/// Bytes that the interrupt brings at once, and how many of these blocks may wait.
const BLOCK: usize = 256;
const BLOCKS: usize = 8;
/// Outputs that may wait for the consumer: when they began, and their digest.
const OUTPUT: usize = 16;
const OUTPUTS: usize = 9;

const SAMPLES: [usize; 4] = Retina::PLAN.samples();
type Pipe<'r> = Pipeline<'r, Retina, { SAMPLES[0] }, { SAMPLES[1] }, { SAMPLES[2] }, { SAMPLES[3] }>;

/// The memory of a rig, and what a clean run gave.
#[derive(Debug)]
pub struct Bench {
    memory: MemoryOf!(Retina),
    blocks: ByteQueue<BLOCK, BLOCKS>,
    outputs: ByteQueue<OUTPUT, OUTPUTS>,
    clean: [u64; FRAMES],
}

impl Bench {
    /// All zeros.
    pub const fn new() -> Self {
        Self {
            memory: <MemoryOf!(Retina)>::new(),
            blocks: ByteQueue::new(),
            outputs: ByteQueue::new(),
            clean: [0; FRAMES],
        }
    }

    /// The digests of all frames of a clean run.
    pub const fn clean(&self) -> &[u64; FRAMES] {
        &self.clean
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

/// Compares the frames that arrive with those of a clean run.
#[derive(Debug)]
struct Watch<'r> {
    clean: &'r mut [u64; FRAMES],
    record: bool,
    /// The frames from..to have come, one after another, with the clean run's bits.
    from: usize,
    to: usize,
    /// Frames that came, and those among them that are at no frame's time.
    seen: u32,
    strange: u32,
}

impl Watch<'_> {
    fn see(&mut self, start: u64, shift: i64, digest: u64) {
        self.seen += 1;
        let since = start.wrapping_add_signed(-shift).checked_sub(ORIGIN);
        let frame = since.filter(|since| since % DT == 0).map_or(usize::MAX, |since| (since / DT) as usize);
        let Some(clean) = self.clean.get_mut(frame) else {
            self.strange += 1;
            return;
        };
        if self.record {
            *clean = digest;
        }
        if *clean != digest {
            (self.from, self.to) = (frame + 1, frame + 1);
        } else if self.to == frame {
            self.to += 1;
        } else {
            (self.from, self.to) = (frame, frame + 1);
        }
    }
}

/// What a case came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Bytes that the sensor's link brought, and the events in them.
    pub bytes: u64,
    /// Of these, in words of the sensor.
    pub events: u64,
    /// Bytes in blocks that did not fit into the queue, and the events in them.
    pub dropped: u64,
    /// Of these, in words of the sensor.
    pub dropped_events: u64,
    /// The pipeline's counters.
    pub counters: Counters,
    /// Outputs that did not fit into the consumer's queue.
    pub unsent: u32,
    /// Frames that the consumer got.
    pub frames: u32,
    /// Of these, at no frame's time.
    pub strange: u32,
    /// Frames that a call of the pipeline made, at most.
    pub most: u64,
    /// From this frame on, up to that one, all frames came with the clean run's bits.
    pub same: [usize; 2],
}

impl Outcome {
    /// Bytes in = dropped + taken, and the pipeline's counters add up.
    pub fn bytes_add_up(&self) -> bool {
        self.counters.add_up() && self.bytes == self.dropped + self.counters.bytes
    }

    /// Events that are missing: in dropped blocks, and among the words that were skipped.
    pub const fn lost(&self) -> u64 {
        self.events.saturating_sub(self.counters.events)
    }

    /// Events in = decoded + lost, and the lost ones are accounted for: as many as the dropped blocks held, and no more than
    /// the skipped bytes have room for. To be asked where all bytes were words of the sensor.
    pub fn events_add_up(&self) -> bool {
        let skipped = self.lost().checked_sub(self.dropped_events);
        self.counters.events + self.lost() == self.events
            && skipped.is_some_and(|events| 4 * events <= self.counters.skipped.bytes())
    }
}

/// See the [module](self).
pub struct Rig<'r> {
    /// What sends.
    pub sensor: Sensor,
    /// Whether the main loop is busy elsewhere.
    pub busy: bool,
    /// Whether the consumer takes nothing.
    pub blocked: bool,
    /// Bytes of the stream that are not sent, from the next one on.
    pub skip: u64,
    /// What works.
    pub pipeline: Pipe<'r>,
    interrupt: ByteSender<'r, BLOCK>,
    main_loop: ByteReceiver<'r, BLOCK>,
    outbox: ByteSender<'r, OUTPUT>,
    inbox: ByteReceiver<'r, OUTPUT>,
    watch: Watch<'r>,
    /// Frames of a call, at most.
    most: u64,
    /// Bytes and events, sent and dropped.
    sent: [u64; 2],
    dropped: [u64; 2],
}

/// Events among whole words.
fn events_in(words: &[u8]) -> u64 {
    words.chunks_exact(4).filter(|word| word[3] >> 4 <= 1).count() as u64
}

impl<'r> Rig<'r> {
    /// Everything at its start. A recording rig notes the clean run.
    ///
    /// # Errors
    /// A model whose tables are damaged.
    pub fn new(bench: &'r mut Bench, seed: u64, record: bool) -> Result<Self, ModelDamaged> {
        let Bench { memory, blocks, outputs, clean } = bench;
        (*blocks, *outputs) = (ByteQueue::new(), ByteQueue::new());
        let (interrupt, main_loop) = blocks.split();
        let (outbox, inbox) = outputs.split();
        Ok(Self {
            sensor: Sensor::new(seed),
            busy: false,
            blocked: false,
            skip: 0,
            pipeline: Pipe::new(memory)?,
            interrupt,
            main_loop,
            outbox,
            inbox,
            watch: Watch { clean, record, from: 0, to: 0, seen: 0, strange: 0 },
            most: 0,
            sent: [0; 2],
            dropped: [0; 2],
        })
    }

    /// The pipeline was brought to where another one was: what that one took counts as sent, and as seen.
    pub fn restored(&mut self) {
        let counters = self.pipeline.counters();
        self.sent = [counters.bytes, counters.events];
        (self.watch.from, self.watch.to) = (counters.outputs as usize, counters.outputs as usize);
    }

    /// Sends frames as they are.
    pub fn frames(&mut self, frames: core::ops::Range<usize>) {
        for frame in frames {
            let events = self.sensor.frame(frame);
            self.events(events);
        }
    }

    /// Sends events.
    pub fn events(&mut self, events: impl Iterator<Item = Event>) {
        let mut buffer = [0; MOST];
        let words = self.sensor.encode(events, &mut buffer);
        self.words(words);
    }

    /// Sends whole words of the sensor.
    pub fn words(&mut self, words: &[u8]) {
        let skipped = self.skip.min(words.len() as u64);
        self.skip -= skipped;
        let words = words.get(skipped as usize..).unwrap_or_default();
        for block in words.chunks(BLOCK) {
            self.sent[1] += events_in(block);
            self.dropped[1] += if self.send(block) { 0 } else { events_in(block) };
        }
    }

    /// Sends bytes that are no words of the sensor, or parts of them.
    pub fn bytes(&mut self, bytes: &[u8]) {
        bytes.chunks(BLOCK).for_each(|block| {
            self.send(block);
        });
    }

    /// A block through the queue; false when it was dropped.
    fn send(&mut self, block: &[u8]) -> bool {
        let dropped = self.interrupt.send(block) as u64;
        self.sent[0] += block.len() as u64;
        self.dropped[0] += dropped;
        if !self.busy {
            self.work();
        }
        dropped == 0
    }

    /// What the main loop does with what waits.
    pub fn work(&mut self) {
        while let Some(block) = self.main_loop.receive() {
            let mut bytes = self.pipeline.open(&block);
            loop {
                let (outbox, before) = (&mut self.outbox, self.pipeline.counters().frames);
                let more = self.pipeline.feed(&mut bytes, |frame| put_out(outbox, frame));
                self.most = self.most.max(self.pipeline.counters().frames - before);
                self.consume();
                if !more {
                    break;
                }
            }
        }
    }

    /// What the consumer does with what waits.
    pub fn consume(&mut self) {
        while !self.blocked
            && let Some(output) = self.inbox.receive()
        {
            let (start, digest) = output.bytes().split_at(OUTPUT / 2);
            let long = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            self.watch.see(long(start), self.sensor.shift, long(digest));
        }
    }

    /// The stream ends.
    pub fn finish(mut self) -> Outcome {
        self.work();
        let outbox = &mut self.outbox;
        while self.pipeline.finish(|frame| put_out(outbox, frame)) {}
        self.consume();
        let ([bytes, events], [dropped, dropped_events]) = (self.sent, self.dropped);
        let Watch { from, to, seen, strange, .. } = self.watch;
        Outcome {
            bytes,
            events,
            dropped,
            dropped_events,
            counters: self.pipeline.counters(),
            unsent: self.inbox.dropped_blocks(),
            frames: seen,
            strange,
            most: self.most,
            same: [from, to],
        }
    }
}

/// When the frame began, and its digest: what a slow link would carry.
fn put_out(outbox: &mut ByteSender<'_, OUTPUT>, frame: Output<'_>) {
    let mut digest = Digest::new();
    digest.add(frame.samples);
    let output = [frame.start.to_le_bytes(), digest.value().to_le_bytes()];
    outbox.send(output.as_flattened()); // what does not fit is dropped, and counted there
}
