//! Where a run goes on in its input: what `--save-state` writes beside the state of the model, and `--load-state` reads.
//!
//! ```text
//! first run   --to T      frames up to the last whole frame before T; the next one begins at N <= T
//! next run    --from N    or any time in that frame: frames from N on
//! ```
//! Both runs together have the frames of one run over the whole, and its output, bit by bit. Without `--to` a run ends with
//! its input. The next run then reads another input: its first frame is the first one of that input, as after a clock reset.

use crate::args::RunArgs;
use crate::units::seconds;
use foveola::{Error, Result, StateFile};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A place between two frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Microseconds of a frame.
    pub(crate) dt: u64,
    /// The place in the input; none for its end.
    pub(crate) inside: Option<Inside>,
    /// The file of the state, for messages.
    path: PathBuf,
}

/// A place inside an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inside {
    /// Microseconds from the first event or movie frame to the next frame.
    pub(crate) next: u64,
    /// The time of the first event of the recording.
    pub(crate) first: Option<u64>,
}

impl Position {
    pub(crate) fn new(dt: u64, inside: Option<Inside>) -> Self {
        Self { dt, inside, path: PathBuf::new() }
    }

    /// The place as the note of a state file.
    pub(crate) fn note(&self) -> String {
        let (next, first) = (self.inside.map(|inside| inside.next), self.inside.and_then(|inside| inside.first));
        json!({ "dt_us": self.dt, "next_us": next, "first_event_us": first }).to_string()
    }

    /// The place that a file tells.
    pub(crate) fn of(file: &StateFile, path: &Path) -> Result<Self> {
        let note: Value = serde_json::from_str(file.note()).unwrap_or_default();
        let dt = note["dt_us"].as_u64().filter(|dt| *dt > 0).ok_or_else(|| {
            let reason = "a state that tells no time of its frames; expected one that foveola run --save-state wrote";
            Error::Data { path: path.into(), reason: reason.into() }
        })?;
        let inside = note["next_us"].as_u64().map(|next| Inside { next, first: note["first_event_us"].as_u64() });
        Ok(Self { dt, inside, path: path.into() })
    }

    /// Checks that a run with these arguments, and frames of `dt` microseconds, goes on here. Returns the time from the first
    /// event or movie frame to the next frame.
    pub(crate) fn check(&self, args: &RunArgs, dt: u64) -> Result<Option<u64>> {
        let data = |reason: String| Err(Error::Data { path: self.path.clone(), reason });
        if dt != self.dt {
            let [state, found] = [self.dt, dt].map(|us| seconds(us as f64 * 1e-6));
            return data(format!("its frames take {state}, those of the input {found}; expected --dt {}us", self.dt));
        }
        match (self.inside, args.common.from) {
            (None, None) => Ok(None),
            (None, Some(_)) => {
                data("it ends with its input, and another one begins at its start; expected no --from".into())
            }
            (Some(Inside { next, .. }), Some(from)) if (next..next.saturating_add(dt)).contains(&from) => {
                Ok(Some(next))
            }
            (Some(Inside { next, .. }), _) => {
                data(format!("the next frame begins at {next} us; expected --from {next}us"))
            }
        }
    }

    /// Checks that a recording has the same first event.
    pub(crate) fn check_first(&self, first: u64) -> Result<()> {
        match self.inside.and_then(|inside| inside.first) {
            Some(expected) if expected != first => {
                let reason = format!(
                    "the state in the middle of another recording, whose first event is at {expected} us; that of this one is \
                     at {first} us"
                );
                Err(Error::Data { path: self.path.clone(), reason })
            }
            _ => Ok(()),
        }
    }
}

/// The frames that a run takes of a recording, if it saves or loads a state: whole ones.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) dt: u64,
    pub(crate) position: Option<Position>,
    pub(crate) saves: bool,
    /// Microseconds from the recording's first event to the first frame, where the run goes on inside.
    pub(crate) next: Option<u64>,
}

impl RunArgs {
    /// How frames of `dt` microseconds are cut; none for a run without states.
    pub(crate) fn cut(&self, dt: u64) -> Result<Option<Cut>> {
        let (saves, position) = (self.save_state.is_some(), self.position.clone());
        let next = match &position {
            Some(position) => position.check(self, dt)?,
            None => None,
        };
        Ok((saves || position.is_some()).then_some(Cut { dt, position, saves, next }))
    }

    /// Refuses filters of events that know earlier events: a state file has nothing of them.
    pub(crate) fn refuse_filters_with_state(&self, filters: &foveola::EventFilters) -> Result<()> {
        if (self.save_state.is_none() && self.position.is_none()) || !filters.has_state() {
            return Ok(());
        }
        let value = self.common.filter.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let expected = "filters by place or polarity beside --save-state and --load-state, which have nothing of what others \
                        know of earlier events";
        Err(Error::Parameter { item: "run", name: "--filter", value, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back() {
        let inside = Some(Inside { next: 499_189, first: Some(3_811) });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        for inside in [None, inside, Some(Inside { next: 0, first: None })] {
            let mut model = foveola::Model::new();
            model.process(ndarray::Array3::<f32>::ones((1, 2, 2))).expect("good");
            let there = Position::new(2_000, inside);
            model.save_state_with(&path, &there.note()).expect("written");
            let back = Position::of(&StateFile::read(&path).expect("read"), &path).expect("a place");
            assert_eq!(back, Position { path: path.clone(), ..there });
            model.save_state(&path).expect("written");
            assert!(Position::of(&StateFile::read(&path).expect("read"), &path).is_err(), "nothing is told");
        }
    }
}
