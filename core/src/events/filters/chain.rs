//! A chain of event filters is data: a table of stages, a constant on a board and a `Vec` on a host.
//!
//! ```text
//! sensor -> 0: RateLimit -> 1: HotPixels -> 2: Stcf -> 3: Downsample -> link or model
//! ```
//! An event passes through the stages until one drops it. Every stage counts the events that it drops.
//! [`EventChain::new`] checks that each stage is made for the size of sensor that the stages before it yield.
//!
//! ```text
//! words of state, for each stage:   2: events dropped, the lower half first,   then the stage's own
//! ```
//! A buffer passes through the table stage by stage ([`EventFilter::retain`]): one virtual call per stage and buffer,
//! not per event.

use super::{
    DoubleWindow, Downsample, EventFilter, HotPixels, PolarityOnly, RateLimit, Refractory, Region, RowColumn, Stcf,
};
use crate::events::{Event, Geometry};
use crate::words::{halves, long};
use crate::{Checksum, Error};
use core::ops::Range;

/// An event filter of this crate, or a user's own filter.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is documented as the type it holds")]
#[non_exhaustive]
pub enum EventStage<'a> {
    Stcf(Stcf),
    RowColumn(RowColumn),
    DoubleWindow(DoubleWindow),
    Refractory(Refractory),
    HotPixels(HotPixels),
    PolarityOnly(PolarityOnly),
    Region(Region),
    Downsample(Downsample),
    RateLimit(RateLimit),
    /// A filter from outside this crate, or another [`EventChain`]: made by [`EventStage::custom`], or in a constant by
    /// [`CustomStage::new`].
    Custom(CustomStage<'a>),
}

/// A filter from outside this crate, with what a constant needs to know of it.
#[derive(Clone, Copy, Debug)]
pub struct CustomStage<'a> {
    filter: &'a (dyn EventFilter + Sync),
    state_len: usize,
    input: Geometry,
    output: Geometry,
}

impl<'a> CustomStage<'a> {
    /// A filter with `state_len` words of state, for a sensor of size `input`, which yields events of a sensor of size
    /// `output`. A constant states these sizes itself, as it cannot call the methods of a trait; elsewhere
    /// [`EventStage::custom`] asks the filter.
    ///
    /// ```
    /// use foveola_core::constant;
    /// use foveola_core::events::{CustomStage, Event, EventChain, EventFilter, EventStage, Geometry, PolarityOnly};
    ///
    /// /// Every second event.
    /// struct Alternate;
    ///
    /// impl EventFilter for Alternate {
    ///     fn state_len(&self) -> usize {
    ///         1
    ///     }
    ///     fn pass(&self, state: &mut [u32], _: &mut Event) -> bool {
    ///         let [odd] = state else { return false };
    ///         *odd ^= 1;
    ///         *odd == 1
    ///     }
    /// }
    ///
    /// const SENSOR: Geometry = Geometry { cols: 32, rows: 32 };
    /// static STAGES: [EventStage; 2] = [
    ///     EventStage::PolarityOnly(PolarityOnly::On),
    ///     EventStage::Custom(CustomStage::new(&Alternate, 1, SENSOR, SENSOR)),
    /// ];
    /// const CHAIN: EventChain = constant!(EventChain::new(SENSOR, &STAGES));
    ///
    /// let mut state = [0; CHAIN.state_len()];
    /// let mut events = [1, 2, 3].map(|t| Event { t, x: 0, y: 0, on: true });
    /// assert_eq!(CHAIN.retain(&mut state, &mut events), Ok(2));
    /// assert_eq!([events[0].t, events[1].t], [1, 3]);
    /// ```
    /// With a `state_len` other than that of the filter, [`EventFilter::retain`] and [`EventFilter::step`] of the filter
    /// are errors ([`Error::Length`]), and nothing panics.
    pub const fn new(
        filter: &'a (dyn EventFilter + Sync),
        state_len: usize,
        input: Geometry,
        output: Geometry,
    ) -> Self {
        Self { filter, state_len, input, output }
    }

    /// The filter.
    pub const fn filter(&self) -> &'a (dyn EventFilter + Sync) {
        self.filter
    }
}

/// Each filter is a stage.
macro_rules! stages {
    ($($filter:ident),*) => {
        $(impl From<$filter> for EventStage<'_> {
            fn from(filter: $filter) -> Self {
                Self::$filter(filter)
            }
        })*
    };
}

stages!(Stcf, RowColumn, DoubleWindow, Refractory, HotPixels, PolarityOnly, Region, Downsample, RateLimit);

impl<'a> EventStage<'a> {
    /// A filter from outside this crate, for a sensor of this size. In a constant: [`CustomStage::new`].
    pub fn custom(filter: &'a (dyn EventFilter + Sync), input: Geometry) -> Self {
        Self::Custom(CustomStage::new(filter, filter.state_len(), input, filter.output(input)))
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        match self {
            Self::Stcf(filter) => filter.state_len(),
            Self::RowColumn(filter) => filter.state_len(),
            Self::DoubleWindow(filter) => filter.state_len(),
            Self::Refractory(filter) => filter.state_len(),
            Self::HotPixels(filter) => filter.state_len(),
            Self::PolarityOnly(_) | Self::Region(_) => 0,
            Self::Downsample(filter) => filter.state_len(),
            Self::RateLimit(filter) => filter.state_len(),
            Self::Custom(own) => own.state_len,
        }
    }

    /// Size of the sensor that the filter is made for; `None` for any size.
    pub const fn input(&self) -> Option<Geometry> {
        match self {
            Self::Stcf(filter) => Some(filter.geometry()),
            Self::RowColumn(filter) => Some(filter.geometry()),
            Self::Refractory(filter) => Some(filter.geometry()),
            Self::HotPixels(filter) => Some(filter.geometry()),
            Self::Downsample(filter) => Some(filter.geometry()),
            Self::Custom(own) => Some(own.input),
            Self::DoubleWindow(_) | Self::PolarityOnly(_) | Self::Region(_) | Self::RateLimit(_) => None,
        }
    }

    /// Size of the sensor after the filter.
    pub const fn output(&self, input: Geometry) -> Geometry {
        match self {
            Self::Region(filter) => filter.output(input),
            Self::Downsample(filter) => filter.cells(),
            Self::Custom(own) => own.output,
            _ => input,
        }
    }

    /// `sum`, extended by the kind of the filter and all its numbers; of a custom filter by the sizes that it states.
    const fn checksum(&self, sum: Checksum) -> Checksum {
        let (kind, [a, b, c, d, e]) = match self {
            Self::Stcf(filter) => (0, filter.numbers()),
            Self::RowColumn(filter) => (1, filter.numbers()),
            Self::DoubleWindow(filter) => (2, filter.numbers()),
            Self::Refractory(filter) => (3, filter.numbers()),
            Self::HotPixels(filter) => (4, filter.numbers()),
            Self::PolarityOnly(filter) => (5, [*filter as u32, 0, 0, 0, 0]),
            Self::Region(filter) => (6, filter.numbers()),
            Self::Downsample(filter) => (7, filter.numbers()),
            Self::RateLimit(filter) => (8, filter.numbers()),
            Self::Custom(CustomStage { state_len, input, output, .. }) => {
                let sizes = [input.cols, input.rows, output.cols, output.rows];
                (9, [*state_len as u32, sizes[0] as u32, sizes[1] as u32, sizes[2] as u32, sizes[3] as u32])
            }
        };
        sum.word(kind).word(a).word(b).word(c).word(d).word(e)
    }

    /// The filter as a trait object.
    pub fn as_filter(&self) -> &dyn EventFilter {
        match self {
            Self::Stcf(filter) => filter,
            Self::RowColumn(filter) => filter,
            Self::DoubleWindow(filter) => filter,
            Self::Refractory(filter) => filter,
            Self::HotPixels(filter) => filter,
            Self::PolarityOnly(filter) => filter,
            Self::Region(filter) => filter,
            Self::Downsample(filter) => filter,
            Self::RateLimit(filter) => filter,
            Self::Custom(own) => own.filter,
        }
    }
}

/// A checked table of stages; see the [picture](self).
///
/// ```
/// use foveola_core::constant;
/// use foveola_core::events::{
///     Event, EventChain, EventFilter, EventStage, Geometry, Neighbours, PolarityOnly, Refractory, Restart, Stcf,
/// };
///
/// const SENSOR: Geometry = Geometry { cols: 32, rows: 32 };
/// static STAGES: [EventStage; 3] = [
///     EventStage::PolarityOnly(PolarityOnly::On),
///     EventStage::Refractory(constant!(Refractory::new(SENSOR, 1_000, Restart::Kept))),
///     EventStage::Stcf(constant!(Stcf::new(SENSOR, Neighbours::Eight, 1, 5_000))),
/// ];
/// const CHAIN: EventChain = constant!(EventChain::new(SENSOR, &STAGES)); // checked by the compiler
///
/// let mut state = [0; CHAIN.state_len()];
/// let event = |t, x, on| Event { t, x, y: 9, on };
/// let mut events = [event(0, 3, true), event(10, 4, false), event(20, 3, true), event(30, 4, true)];
/// assert_eq!(CHAIN.retain(&mut state, &mut events), Ok(1));
/// assert_eq!(events[0], event(30, 4, true));
/// assert_eq!([0, 1, 2].map(|stage| CHAIN.dropped(&state, stage)), [1, 1, 1]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EventChain<'a> {
    stages: &'a [EventStage<'a>],
    output: Geometry,
    state_len: usize,
}

/// Words that count the dropped events of a stage.
const DROPPED: usize = 2;

impl<'a> EventChain<'a> {
    /// `stages`, one after another, for a sensor of this size. Without stages every event is kept.
    ///
    /// # Errors
    /// [`Error::StageGeometry`] when a stage is made for another size of sensor than the stages before it yield.
    pub const fn new(sensor: Geometry, stages: &'a [EventStage<'a>]) -> Result<Self, Error> {
        let (mut output, mut state_len, mut stage) = (sensor, 0, 0);
        while stage < stages.len() {
            if let Some(expected) = stages[stage].input()
                && (expected.cols != output.cols || expected.rows != output.rows)
            {
                return Err(Error::StageGeometry { stage, found: output, expected });
            }
            output = stages[stage].output(output);
            state_len += DROPPED + stages[stage].state_len();
            stage += 1;
        }
        Ok(Self { stages, output, state_len })
    }

    /// The table.
    pub const fn stages(&self) -> &'a [EventStage<'a>] {
        self.stages
    }

    /// Size of the sensor after the last stage.
    pub const fn output(&self) -> Geometry {
        self.output
    }

    /// Words of state.
    pub const fn state_len(&self) -> usize {
        self.state_len
    }

    /// Where the state of the stage with this index lies in that of the chain: to read or write a mask of hot pixels.
    /// Empty for a stage that does not exist.
    ///
    /// ```
    /// use foveola_core::events::{EventChain, EventStage, Geometry, HotPixels, Learning, PolarityOnly};
    /// let sensor = Geometry { cols: 4, rows: 1 };
    /// let hot = HotPixels::new(sensor, Learning::Never)?;
    /// let stages = [PolarityOnly::On.into(), hot.into()];
    /// let chain = EventChain::new(sensor, &stages)?;
    /// let mut state = [0; 8];
    /// hot.mask(&mut state[chain.state_range(1)], 3, 0)?;
    /// assert_eq!(hot.masked(&state[chain.state_range(1)]).collect::<Vec<_>>(), [(3, 0)]);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    pub const fn state_range(&self, stage: usize) -> Range<usize> {
        let (mut end, mut i) = (0, 0);
        while i < self.stages.len() {
            let start = end + DROPPED;
            end = start + self.stages[i].state_len();
            if i == stage {
                return start..end;
            }
            i += 1;
        }
        end..end
    }

    /// Events that the stage with this index dropped since the state was cleared; 0 for a stage that does not exist.
    pub fn dropped(&self, state: &[u32], stage: usize) -> u64 {
        let before = state.get(..self.state_range(stage).start).filter(|_| stage < self.stages.len());
        before.and_then(|words| words.last_chunk()).map_or(0, |words| long(*words))
    }

    /// `sum`, extended by the kinds of the stages and all their numbers: see [`Graph::checksum`](crate::Graph::checksum).
    ///
    /// ```
    /// use foveola_core::Checksum;
    /// use foveola_core::events::{EventChain, EventStage, Geometry, RateLimit};
    /// let sensor = Geometry { cols: 4, rows: 1 };
    /// let sum = |budget| {
    ///     let stages = [RateLimit::new(budget, 1_000)?.into()];
    ///     Ok::<_, foveola_core::Error>(EventChain::new(sensor, &stages)?.checksum(Checksum::new()))
    /// };
    /// assert_ne!(sum(24)?, sum(25)?);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    #[must_use]
    pub const fn checksum(&self, mut sum: Checksum) -> Checksum {
        let mut stage = 0;
        while stage < self.stages.len() {
            sum = self.stages[stage].checksum(sum);
            stage += 1;
        }
        sum
    }

    /// [`EventFilter::pass`] of the chain, in which `pass` calls each stage: a program that knows the kinds of its stages links
    /// no others.
    ///
    /// ```
    /// use foveola_core::events::{Event, EventChain, EventFilter, EventStage, Geometry, PolarityOnly};
    /// let stages = [PolarityOnly::On.into()];
    /// let chain = EventChain::new(Geometry { cols: 4, rows: 1 }, &stages)?;
    /// let mut state = [0; 2];
    /// let mut event = Event { t: 0, x: 3, y: 0, on: false };
    /// let kept = chain.pass_with(&mut state, &mut event, |stage, own, event| match stage {
    ///     EventStage::PolarityOnly(filter) => filter.pass(own, event),
    ///     _ => true,
    /// });
    /// assert_eq!((kept, chain.dropped(&state, 0)), (false, 1));
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    #[inline(always)]
    pub fn pass_with(
        &self,
        state: &mut [u32],
        event: &mut Event,
        mut pass: impl FnMut(&EventStage<'a>, &mut [u32], &mut Event) -> bool,
    ) -> bool {
        self.split(state).all(|(stage, dropped, own)| {
            let goes_on = pass(stage, own, event);
            count(dropped, usize::from(!goes_on));
            goes_on
        })
    }

    /// The stages, each with its counter and its own state.
    fn split<'s>(
        &self,
        mut state: &'s mut [u32],
    ) -> impl Iterator<Item = (&'a EventStage<'a>, &'s mut [u32; DROPPED], &'s mut [u32])> {
        self.stages.iter().map_while(move |stage| {
            let (dropped, rest) = core::mem::take(&mut state).split_first_chunk_mut()?;
            let (own, rest) = rest.split_at_mut_checked(stage.state_len())?;
            state = rest;
            Some((stage, dropped, own))
        })
    }
}

/// Counts dropped events.
fn count(dropped: &mut [u32; DROPPED], events: usize) {
    *dropped = halves(long(*dropped).wrapping_add(events as u64));
}

impl EventFilter for EventChain<'_> {
    fn state_len(&self) -> usize {
        Self::state_len(self)
    }

    fn output(&self, _: Geometry) -> Geometry {
        Self::output(self)
    }

    fn pass(&self, state: &mut [u32], event: &mut Event) -> bool {
        self.pass_with(state, event, |stage, own, event| stage.as_filter().pass(own, event))
    }

    fn retain(&self, state: &mut [u32], events: &mut [Event]) -> Result<usize, Error> {
        super::check(self, state)?;
        let mut kept = events.len();
        for (stage, dropped, own) in self.split(state) {
            let before = kept;
            kept = stage.as_filter().retain(own, events.get_mut(..before).unwrap_or_default())?;
            count(dropped, before.saturating_sub(kept));
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::filters::{Learning, Neighbours, Restart, laws};
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    /// One stage of every kind, for the size of sensor that the stages before it yield.
    fn stages(sensor: Geometry) -> Vec<EventStage<'static>> {
        let half = Downsample::new(sensor, 2).unwrap();
        let cells = half.cells();
        vec![
            EventStage::RateLimit(RateLimit::new(50, 1_000).unwrap()),
            EventStage::HotPixels(HotPixels::new(sensor, Learning::Always { window: 100, most: 9 }).unwrap()),
            EventStage::Refractory(Refractory::new(sensor, 3, Restart::All).unwrap()),
            EventStage::DoubleWindow(DoubleWindow::new(9, 4, 1).unwrap()),
            EventStage::RowColumn(RowColumn::new(sensor, 1_000).unwrap()),
            EventStage::Stcf(Stcf::new(sensor, Neighbours::Four, 1, 1_000).unwrap()),
            EventStage::Downsample(half),
            EventStage::PolarityOnly(PolarityOnly::On),
            EventStage::Region(Region::new(0, 0, cells.cols as u32, 1).unwrap()),
        ]
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        /// Equals the stages called one by one, and every loss is counted.
        #[test]
        fn equals_its_stages_one_after_another(
            (sensor, events) in laws::sensor_and_events(),
            order in Just((0..9).collect::<Vec<_>>()).prop_shuffle(),
            length in 0_usize..=9,
            cut in laws::cut(),
        ) {
            // Stages that change the sensor go last, in their order; the others come as drawn.
            let all = stages(sensor);
            let mut chosen: Vec<usize> = order[..length].to_vec();
            chosen.sort_by_key(|i| if *i < 6 { 0 } else { *i });
            if !chosen.contains(&6) {
                chosen.retain(|i| *i != 8);
            }
            let table: Vec<_> = chosen.iter().map(|i| all[*i]).collect();
            let chain = EventChain::new(sensor, &table).unwrap();

            let mut states: Vec<_> = table.iter().map(|stage| vec![0; stage.state_len()]).collect();
            let everywhere = Geometry { cols: 65536, rows: 65536 };
            let mut dropped = vec![0; table.len()];
            laws::hold(&chain, &events, cut, |mut event| {
                for ((stage, state), dropped) in table.iter().zip(&mut states).zip(&mut dropped) {
                    let Some(passed) = stage.as_filter().step(state, event).unwrap() else {
                        *dropped += 1;
                        return None;
                    };
                    event = passed;
                }
                Some(event)
            }, everywhere)?;

            let (mut state, mut buffer) = (vec![0; chain.state_len()], events.clone());
            let kept = chain.retain(&mut state, &mut buffer).unwrap();
            let counted: Vec<_> = (0..table.len()).map(|stage| chain.dropped(&state, stage)).collect();
            prop_assert_eq!(&counted, &dropped);
            prop_assert_eq!(kept as u64 + counted.iter().sum::<u64>(), events.len() as u64);
            if chain.output() != sensor {
                prop_assert!(buffer[..kept].iter().all(|event| chain.output().contains(event)));
            }
        }
    }

    #[test]
    fn a_stage_for_another_sensor_is_refused() {
        let sensor = Geometry { cols: 8, rows: 4 };
        let stcf = EventStage::Stcf(Stcf::new(sensor, Neighbours::Eight, 1, 1).unwrap());
        let table = [EventStage::Downsample(Downsample::new(sensor, 2).unwrap()), stcf];
        let error = EventChain::new(sensor, &table).err().unwrap();
        assert_eq!(
            std::format!("{error}"),
            "stage 1 is made for a sensor of 8 x 4 pixels (columns x rows), but behind the stages before it there are 4 x 2"
        );
        assert!(EventChain::new(sensor, &table[..1]).is_ok(), "the first fits");
    }

    #[test]
    fn a_chain_is_a_stage() {
        let sensor = Geometry { cols: 4, rows: 1 };
        let table =
            [EventStage::Downsample(Downsample::new(sensor, 2).unwrap()), EventStage::PolarityOnly(PolarityOnly::Off)];
        let inner = EventChain::new(sensor, &table).unwrap();
        let outer_table = [EventStage::custom(&inner, sensor), EventStage::Region(Region::new(1, 0, 1, 1).unwrap())];
        let outer = EventChain::new(sensor, &outer_table).unwrap();
        let mut state = [0; 8];
        assert_eq!((outer.state_len(), outer.output()), (8, Geometry { cols: 1, rows: 1 }));
        let mut events = [0, 1, 2, 3].map(|x| Event { t: 0, x, y: 0, on: x == 3 });
        assert_eq!(outer.retain(&mut state, &mut events), Ok(1));
        assert_eq!(
            (events[0], outer.dropped(&state, 0), outer.dropped(&state, 1)),
            (Event { t: 0, x: 0, y: 0, on: false }, 1, 2)
        );
    }

    /// A chain as a stage of a chain, all of it constant.
    #[test]
    fn a_constant_holds_a_custom_filter() {
        const SENSOR: Geometry = Geometry { cols: 4, rows: 1 };
        static INNER_STAGES: [EventStage<'static>; 1] = [EventStage::PolarityOnly(PolarityOnly::Off)];
        static INNER: EventChain<'static> = crate::constant!(EventChain::new(SENSOR, &INNER_STAGES));
        static STAGES: [EventStage<'static>; 1] =
            [EventStage::Custom(CustomStage::new(&INNER, INNER.state_len(), SENSOR, INNER.output()))];
        const CHAIN: EventChain<'static> = crate::constant!(EventChain::new(SENSOR, &STAGES));
        let asked = [EventStage::custom(&INNER, SENSOR)];
        let asked = EventChain::new(SENSOR, &asked).unwrap();
        assert_eq!((CHAIN.state_len(), CHAIN.output()), (asked.state_len(), asked.output()));
        assert_eq!(CHAIN.checksum(Checksum::new()), asked.checksum(Checksum::new()));
        let mut events = [0, 1, 2, 3].map(|x| Event { t: 0, x, y: 0, on: x == 3 });
        assert_eq!(CHAIN.retain(&mut [0; CHAIN.state_len()], &mut events), Ok(3));
    }

    #[test]
    fn a_custom_filter_of_another_size_is_refused() {
        let sensor = Geometry { cols: 4, rows: 1 };
        let stages = [EventStage::Custom(CustomStage::new(&PolarityOnly::On, 3, sensor, sensor))];
        let chain = EventChain::new(sensor, &stages).unwrap();
        let mut events = [Event { t: 0, x: 0, y: 0, on: true }];
        let error = chain.retain(&mut [0; 5], &mut events);
        assert!(matches!(error, Err(Error::Length { found: 3, expected: 0, .. })), "{error:?}");
    }
}
