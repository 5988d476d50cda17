//! Faults of sensor, link, clock and load.

use crate::Print;
use crate::model::{DT, MEMORY, SHAPE};
use crate::rig::{Bench, FRAMES, Outcome, Rig};
use crate::sensor::{MOST, ORIGIN, SETTLED};
use core::fmt;
use core::ops::Range;
use foveola_core::events::Event;
#[cfg(doc)]
use foveola_core::events::Evt2;
use foveola_pipeline::ModelDamaged;

/// The frame in which a fault begins.
pub(crate) const AT: usize = 30;
/// Frames behind a fault until a case ends.
pub(crate) const AFTER: usize = MEMORY + SETTLED + 20;

/// A fault.
struct Case {
    name: &'static str,
    /// The first frame behind it.
    end: usize,
    /// Sends frames `AT..end`, with the fault.
    inject: fn(&mut Rig<'_>),
    /// Whether all bytes that arrived were words of the sensor, so that events can be counted.
    words: bool,
    /// Whether what this fault must leave behind is there.
    seen: fn(&Outcome) -> bool,
}

/// The one that begins with the first frame.
const ROUND: &str = "clock goes round in frame 30";

/// The one whose gap is filled, and with how many frames.
const AHEAD: &str = "clock 150 ms ahead, for good";
const FILLED: u64 = 150;

/// Bits of a time word that a sensor's clock passes in more than [`Evt2::largest_step`] of the plan: 2.05 ms and more.
const FAR: Range<u32> = 5..28;
const FARS: u32 = FAR.end - FAR.start;

const CASES: [Case; 17] = [
    Case {
        name: "none",
        end: AT,
        inject: |_| (),
        words: true,
        seen: |o| o.counters.skipped.bytes() == 0 && o.counters.skipped.backward == 0 && o.same[0] == 0,
    },
    Case {
        name: "4,000 random bytes",
        end: AT + 1,
        inject: |rig| {
            for i in 0..500 {
                rig.bytes(&rig.sensor.random(i).to_le_bytes());
            }
            rig.frames(AT..AT + 1);
        },
        words: false,
        seen: |o| o.counters.skipped.garbage > 3_000,
    },
    Case {
        name: "every 7th word lost",
        end: AT + 10,
        inject: |rig| {
            frame_by_frame(rig, AT..AT + 10, |rig, words| {
                let kept = words.chunks(4).enumerate().filter(|(i, _)| i % 7 != 3);
                kept.for_each(|(_, word)| rig.words(word));
            });
        },
        words: true,
        seen: |o| (100..220).contains(&(128 * u64::from(o.frames) - o.events)),
    },
    Case {
        name: "every 32 words repeated",
        end: AT + 10,
        inject: |rig| {
            frame_by_frame(rig, AT..AT + 10, |rig, words| {
                words.chunks(128).for_each(|block| [block; 2].into_iter().for_each(|block| rig.words(block)));
            });
        },
        words: true,
        seen: |o| o.counters.skipped.backward >= 20,
    },
    Case {
        name: "cut for 30 ms, inside words",
        end: AT + 31,
        inject: |rig| {
            frame_by_frame(rig, AT..AT + 1, |rig, words| rig.bytes(words.get(..words.len() / 2 + 2).unwrap_or(words)));
            frame_by_frame(rig, AT + 1..AT + 30, |_, _| ());
            frame_by_frame(rig, AT + 30..AT + 31, |rig, words| rig.bytes(words.get(5..).unwrap_or(words)));
        },
        words: false,
        seen: |o| o.counters.skipped.garbage > 0,
    },
    Case {
        name: "clock 24 ms back, for 24 ms",
        end: AT + 24,
        inject: |rig| {
            rig.sensor.shift = -24_000;
            rig.frames(AT..AT + 24);
            rig.sensor.shift = 0;
        },
        words: true,
        // All but those before the time word that confirms the jump, which fall into the frame that is open.
        seen: |o| (23 * 128..=24 * 128).contains(&o.counters.dropped.late) && o.counters.skipped.early > 0,
    },
    Case {
        name: "clock 10 s back, for good",
        end: AT,
        inject: |rig| rig.sensor.shift = -10_000_000,
        words: true,
        seen: |o| o.counters.restarts == 1 && o.counters.dropped.late == 0,
    },
    Case {
        name: "clock 1 h ahead, for good",
        end: AT,
        inject: |rig| rig.sensor.shift = 3_600_000_000,
        words: true,
        seen: |o| o.counters.restarts == 1 && o.counters.dropped.late == 0 && o.most == 1,
    },
    Case {
        name: AHEAD,
        end: AT,
        inject: |rig| rig.sensor.shift = 1_000 * FILLED as i64,
        words: true,
        seen: |o| o.counters.restarts == 0 && o.counters.dropped.late == 0 && o.most == 32,
    },
    Case {
        name: "each bit of a time word flipped",
        end: AT + 32,
        inject: |rig| {
            for bit in 0..32 {
                flip(rig, AT + bit, &[1 << bit]);
            }
        },
        words: true,
        // Bit 4 is seen where it is added to the step from the word before.
        seen: |o| is_untouched(o) && (FARS..=FARS + 1).contains(&o.counters.skipped.unconfirmed),
    },
    Case {
        name: "two time words in a row flipped",
        end: AT + FARS as usize,
        inject: |rig| {
            for (frame, bit) in (AT..).zip(FAR) {
                flip(rig, frame, &[1 << bit, 1 << (FAR.start + (bit - FAR.start + 11) % FARS)]);
            }
        },
        words: true,
        seen: |o| is_untouched(o) && o.counters.skipped.unconfirmed == 2 * FARS,
    },
    Case {
        name: ROUND,
        end: AT,
        inject: |_| (),
        words: true,
        seen: |o| o.counters.restarts == 0 && o.counters.skipped.backward == 0 && o.same[0] == 0,
    },
    Case {
        name: "25,000 events in 1 ms",
        end: AT + 1,
        inject: |rig| {
            for piece in 0..125 {
                let sensor = rig.sensor.clone();
                rig.events((0..200).map(move |i| {
                    let (i, random) = (piece * 200 + i, sensor.random(piece * 200 + i));
                    let (x, y) = (random as u16 % SHAPE.cols as u16, (random >> 16) as u16 % SHAPE.rows as u16);
                    Event { t: ORIGIN + AT as u64 * DT + i / 25, x, y, on: random >> 62 != 0 }
                }));
            }
        },
        words: true,
        seen: |o| o.counters.stored() == o.events && o.events > 25_000,
    },
    Case {
        name: "queue full for 100 ms",
        end: AT + 101,
        inject: |rig| {
            rig.busy = true;
            rig.frames(AT..AT + 100);
            rig.busy = false;
            rig.frames(AT + 100..AT + 101);
        },
        words: true,
        seen: |o| o.dropped > 50_000 && o.counters.losses == 1,
    },
    Case {
        name: "output blocked for 50 ms",
        end: AT + 50,
        inject: |rig| {
            rig.blocked = true;
            rig.frames(AT..AT + 50);
            rig.blocked = false;
        },
        words: true,
        seen: |o| o.unsent > 30 && o.counters.outputs == u64::from(o.frames + o.unsent),
    },
    Case {
        name: "a pixel stuck at 100 kHz",
        end: AT + 20,
        inject: |rig| {
            for frame in AT..AT + 20 {
                let stuck = move |i: u64| Event { t: ORIGIN + frame as u64 * DT + 10 * i, x: 5, y: 7, on: true };
                let (mut events, mut stuck) = (rig.sensor.frame(frame).peekable(), (0..100).map(stuck).peekable());
                let next = move || match (events.peek(), stuck.peek()) {
                    (Some(event), Some(other)) if event.t <= other.t => events.next(),
                    (_, Some(_)) => stuck.next(),
                    _ => events.next(),
                };
                rig.events(core::iter::from_fn(next));
            }
        },
        words: true,
        seen: |o| o.counters.stored() == o.events && o.counters.skipped.backward == 0,
    },
    Case {
        name: "pixels outside the sensor",
        end: AT + 5,
        inject: |rig| {
            for frame in AT..AT + 5 {
                let damaged = |event: Event| Event { x: event.x | event.x << 5, ..event };
                let events = rig.sensor.frame(frame).map(damaged);
                rig.events(events);
            }
        },
        words: true,
        seen: |o| o.counters.dropped.outside > 500,
    },
];

/// Sends a frame whose time words, from the third one on, are damaged by these masks.
fn flip(rig: &mut Rig<'_>, frame: usize, masks: &[u32]) {
    let mut buffer = [0; MOST];
    let events = rig.sensor.frame(frame);
    let len = rig.sensor.encode(events, &mut buffer).len();
    let words = buffer.get_mut(..len).unwrap_or_default();
    let words_of_four = words.as_chunks_mut::<4>().0;
    let times = words_of_four.iter_mut().filter(|[.., kind]| *kind >> 4 == 8).skip(2);
    for (word, mask) in times.zip(masks) {
        *word = (u32::from_le_bytes(*word) ^ mask).to_le_bytes();
    }
    rig.words(words);
}

/// Whether the clock went nowhere: no event was late but those of a flipped bit that is too small to be seen, no frames started
/// anew, and no call made more than one.
const fn is_untouched(o: &Outcome) -> bool {
    o.counters.restarts == 0 && o.counters.dropped.late <= 8 && o.most <= 1
}

/// Encodes frames, as the sensor always does, and lets `send` have the words of each.
fn frame_by_frame(rig: &mut Rig<'_>, frames: Range<usize>, send: impl Fn(&mut Rig<'_>, &[u8])) {
    let mut buffer = [0; MOST];
    for frame in frames {
        let events = rig.sensor.frame(frame);
        let words = rig.sensor.encode(events, &mut buffer);
        send(rig, words);
    }
}

/// A line of the report.
struct Row<'c> {
    case: &'c Case,
    outcome: Outcome,
}

impl Row<'_> {
    /// Frames behind the fault that have other bits than in the clean run.
    const fn lag(&self) -> usize {
        self.outcome.same[0].saturating_sub(self.case.end)
    }

    fn passed(&self) -> bool {
        let (Self { case, outcome }, last) = (self, self.case.end + AFTER);
        let filled = if case.name == AHEAD { FILLED } else { 0 };
        let went_on = outcome.counters.restarts > 0 || outcome.counters.outputs == last as u64 + filled;
        let settled = outcome.same[1] == last && self.lag() <= MEMORY + SETTLED;
        outcome.bytes_add_up() && (!case.words || outcome.events_add_up()) && went_on && settled && (case.seen)(outcome)
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { bytes, events, dropped, counters, unsent, .. } = self.outcome;
        let (used, dropped_events) = (counters.stored(), counters.dropped);
        write!(f, "{:31} {bytes:>6} {dropped:>7} {:>7} | ", self.case.name, counters.skipped.bytes())?;
        write!(f, "{events:>6} {used:>6} {:>5} {:>7} ", dropped_events.late, dropped_events.outside)?;
        match self.case.words {
            true => write!(f, "{:>6} | ", self.outcome.lost())?,
            false => write!(f, "{:>6} | ", "?")?,
        }
        let (unconfirmed, early) = (counters.skipped.unconfirmed, counters.skipped.early);
        write!(f, "{:>6} {unsent:>6} {:>8} {:>4} | ", counters.outputs, counters.restarts, self.outcome.most)?;
        write!(f, "{unconfirmed:>8} {early:>5} | {:>4}", self.lag())?;
        if self.passed() { Ok(()) } else { write!(f, "  FAILED: {:?}", self.outcome) }
    }
}

/// Heads of the columns.
const HEADS: [&str; 2] = [
    "                                 bytes  queue         | events                              | frames                  a | times not events | frames until",
    "fault                               in   full skipped |     in   used  late outside   lost |    out unsent restarts call | believed  early | same bits",
];

/// All cases with events from `seed`; prints a line for each, and returns whether all passed.
///
/// # Errors
/// A model whose tables are damaged.
pub fn run(bench: &mut Bench, seed: u64, print: Print<'_>) -> Result<bool, ModelDamaged> {
    record(bench, seed)?;
    let (memory, all) = (MEMORY, MEMORY + SETTLED);
    print(&format_args!("the filters forget in {memory} frames; all bits are the same again in {all}"));
    HEADS.iter().for_each(|line| print(line));
    let mut passed = true;
    for case in &CASES {
        let row = Row { case, outcome: run_case(bench, seed, case)? };
        print(&row);
        passed &= row.passed();
    }
    Ok(passed)
}

/// Notes what a clean run gives, and returns its counters.
pub(crate) fn record(bench: &mut Bench, seed: u64) -> Result<Outcome, ModelDamaged> {
    let mut rig = Rig::new(bench, seed, true)?;
    rig.frames(0..FRAMES);
    Ok(rig.finish())
}

fn run_case(bench: &mut Bench, seed: u64, case: &Case) -> Result<Outcome, ModelDamaged> {
    let mut rig = Rig::new(bench, seed, false)?;
    if case.name == ROUND {
        // After 2^34 us, in frame AT. Frames begin at multiples of DT.
        rig.sensor.shift = ((1_i64 << 34) - (ORIGIN + AT as u64 * DT) as i64) / DT as i64 * DT as i64;
    }
    rig.frames(0..AT);
    (case.inject)(&mut rig);
    rig.frames(case.end..case.end + AFTER);
    Ok(rig.finish())
}
