//! Events: reading and writing recordings, event filters, and frames of events.

pub(crate) mod filters;
pub(crate) mod frames;
pub(crate) mod recording;
