//! Events: recordings read and written, event filters, and frames made of events.

pub(crate) mod filters;
pub(crate) mod frames;
pub(crate) mod recording;
