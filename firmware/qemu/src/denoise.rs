//! A chain of filters of events for the sensor of [`retina`](crate::retina).

use crate::retina::SHAPE;
use foveola_core::constant;
use foveola_core::events::{
    EventChain, EventStage, Geometry, HotPixels, Learning, Neighbours, RateLimit, Refractory, Restart, Stcf,
};

const SENSOR: Geometry = Geometry { cols: SHAPE.cols, rows: SHAPE.rows };
/// The noise filter.
pub const SUPPORT: Stcf = constant!(Stcf::new(SENSOR, Neighbours::Eight, 2, 5_000));

static STAGES: [EventStage<'_>; 4] = [
    EventStage::Refractory(constant!(Refractory::new(SENSOR, 1_000, Restart::Kept))),
    EventStage::HotPixels(constant!(HotPixels::new(SENSOR, Learning::Always { window: 100_000, most: 60 }))),
    EventStage::Stcf(SUPPORT),
    EventStage::RateLimit(constant!(RateLimit::new(24, 1_000))),
];
/// What each stage is.
pub const NAMES: [&str; 4] = ["the refractory period", "hot pixels", "no support", "the rate limit"];
/// All of it.
pub const CHAIN: EventChain<'_> = constant!(EventChain::new(SENSOR, &STAGES));
