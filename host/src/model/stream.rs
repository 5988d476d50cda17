//! The state of a stream, and the information that decides whether a chunk may continue it.

use super::bounds::Bounds;
#[cfg(feature = "gpu")]
use crate::device::stream::DeviceState;
use crate::model::layer::Compiled;
use crate::{Error, Result, memory};
use foveola_core::{Layout, Shape};
use std::borrow::Cow;
use std::sync::Arc;

/// A running stream, or a saved one.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Frames since the start of the stream.
    pub(super) t: u64,
    /// Batch and frame shape at the start.
    pub(super) frames: Option<(usize, Shape)>,
    pub(super) state: State,
    /// The meaning of the state of each node with memory, and the revision of the layers for which it was determined.
    layouts: (Option<u64>, Vec<Layout>),
    /// Bounds of the values in the state.
    pub(super) bounds: Bounds,
    /// A layer panicked during a chunk: the state is neither the old nor the new one.
    poisoned: bool,
}

impl Stream {
    /// The stream for any model: revisions are those of the layers of one.
    pub(super) fn saved(&self) -> Self {
        let mut saved = self.clone();
        saved.layouts.0 = None;
        saved.bounds.forget_layers();
        saved
    }

    /// The stream after `t` frames, of which nothing else is known.
    pub(super) fn restored(t: u64, frames: (usize, Shape), samples: Vec<f32>) -> Self {
        Self { t, frames: Some(frames), state: State::Host(Arc::new(samples)), ..Self::default() }
    }

    /// Returns to the state before the first frame. The memory of the state is kept.
    pub(super) fn clear(&mut self) {
        let Self { state, mut layouts, .. } = std::mem::take(self);
        layouts.0 = None;
        *self = Self { state, layouts, ..Self::default() };
    }

    /// Marks the stream as invalid: it accepts no frames until it is cleared or another state is restored.
    pub(super) fn poison(&mut self) {
        self.poisoned = true;
    }

    /// Marks the stream as valid.
    pub(super) fn heal(&mut self) {
        self.poisoned = false;
    }

    /// Checks that the frames fit the stream.
    pub(super) fn takes(&self, batch: usize, frames: usize, shape: Shape) -> Result<()> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        if batch == 0 || shape.is_empty() {
            return Err(Error::EmptyInput { shape: vec![batch, shape.channels, frames, shape.rows, shape.cols] });
        }
        if let Some((expected_batch, expected)) = self.frames
            && (expected_batch, expected) != (batch, shape)
        {
            return Err(Error::FrameSize { found: shape, found_batch: batch, expected, expected_batch });
        }
        Ok(())
    }

    /// Checks that the state is valid for the layers at `revision`. Returns the first node for which it is not.
    pub(super) fn fits(&self, revision: u64, compiled: Compiled<'_>) -> std::result::Result<(), usize> {
        if self.t == 0 || self.layouts.0 == Some(revision) {
            return Ok(());
        }
        let nodes = compiled.graph.nodes();
        let mut expected = self.layouts.1.iter();
        for (i, node) in nodes.iter().enumerate() {
            let layout = node.layout();
            if layout.is_some() && layout.as_ref() != expected.next() {
                return Err(i);
            }
        }
        if expected.next().is_some() { Err(nodes.len()) } else { Ok(()) }
    }

    /// Whether the state has these layouts, as it has before the first frame.
    pub(super) fn continues(&self, layouts: &[Layout]) -> bool {
        self.t == 0 || self.layouts.1 == layouts
    }

    /// Stores the meaning of the state, whatever the layers are.
    pub(super) fn set_layouts(&mut self, layouts: &[Layout]) {
        self.layouts.0 = None;
        self.layouts.1.clear();
        self.layouts.1.extend_from_slice(layouts);
    }

    /// Stores the meaning of the state. Called when the state fits or is new.
    pub(super) fn keep_layouts(&mut self, revision: u64, compiled: Compiled<'_>) {
        if self.layouts.0 != Some(revision) {
            self.layouts.0 = Some(revision);
            self.layouts.1.clear();
            self.layouts.1.extend(compiled.graph.nodes().iter().filter_map(|node| node.layout()));
        }
    }
}

/// The form in which a stream is written down.
#[cfg(feature = "serde")]
const VERSION: u32 = 1;

/// A stream as it is written down.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Parts {
    /// Another number stands for another form.
    version: u32,
    t: u64,
    /// Streams, and channels, rows and columns of a frame.
    batch: usize,
    frame: [usize; 3],
    layouts: Vec<u64>,
    samples: Vec<f32>,
    bounds: Bounds,
}

#[cfg(feature = "serde")]
impl Stream {
    /// What is written down of it.
    pub(super) fn parts(&self) -> Result<Parts> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        let (batch, frame) = self.frames.unwrap_or((1, Shape::new(0, 0, 0)));
        let samples = self.state.read()?.into_owned();
        let layouts = self.layouts.1.iter().map(|layout| u64::from(*layout)).collect();
        let frame = [frame.channels, frame.rows, frame.cols];
        Ok(Parts { version: VERSION, t: self.t, batch, frame, layouts, samples, bounds: self.bounds.clone() })
    }
}

#[cfg(feature = "serde")]
impl Parts {
    /// The stream that was written down.
    pub(super) fn stream(self) -> Result<Stream> {
        let Self { version, t, batch, frame: [channels, rows, cols], layouts, samples, bounds } = self;
        if version != VERSION {
            let (value, expected) = (version.to_string(), "1");
            return Err(Error::Parameter { item: "a saved state", name: "version", value, expected });
        }
        if t == 0 {
            return Ok(Stream::default());
        }
        let shape = Shape::new(channels, rows, cols);
        let mut stream = Stream { bounds, ..Stream::restored(t, (batch, shape), samples) };
        stream.takes(batch, 0, shape)?;
        stream.layouts.1 = layouts.into_iter().map(Layout::from).collect();
        Ok(stream)
    }
}

/// The location of a stream's state. A clone shares the memory until one of the two is written to.
#[derive(Clone, Debug)]
pub(super) enum State {
    Host(Arc<Vec<f32>>),
    #[cfg(feature = "gpu")]
    Device(DeviceState),
}

impl Default for State {
    fn default() -> Self {
        Self::Host(Arc::default())
    }
}

impl State {
    /// `len` zeros on the host, in the existing memory if it is not shared.
    pub(super) fn begin(&mut self, len: usize) -> Result<()> {
        let mut state = match std::mem::take(self) {
            Self::Host(state) => Arc::try_unwrap(state).unwrap_or_default(),
            #[cfg(feature = "gpu")]
            Self::Device(_) => Vec::new(),
        };
        state.clear();
        let result = memory::resize(&mut state, "the state", len);
        *self = Self::Host(Arc::new(state));
        result
    }

    /// The samples, copied from the device if they are there.
    pub(super) fn read(&self) -> Result<Cow<'_, [f32]>> {
        match self {
            Self::Host(state) => Ok(Cow::Borrowed(state)),
            #[cfg(feature = "gpu")]
            Self::Device(state) => Ok(Cow::Owned(state.download()?)),
        }
    }

    /// The state on the host, for writing, wherever it is.
    pub(super) fn writable(&mut self) -> Result<&mut Vec<f32>> {
        let copy = match self {
            Self::Host(state) => match Arc::get_mut(state) {
                Some(_) => None,
                None => {
                    let mut copy = Vec::new();
                    memory::copy(&mut copy, "a copy of the state", state)?;
                    Some(copy)
                }
            },
            #[cfg(feature = "gpu")]
            Self::Device(state) => Some(state.download()?),
        };
        if let Some(copy) = copy {
            *self = Self::Host(Arc::new(copy));
        }
        match self {
            Self::Host(state) => Ok(Arc::make_mut(state)),
            #[cfg(feature = "gpu")]
            Self::Device(_) => unreachable!("it was replaced"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Delay, Diff, Error, Model, NLRectify};
    use ndarray::Array3;

    /// The stored layout of a cleared model is that of the next stream, whose frames may have another size.
    #[test]
    fn a_cleared_model_takes_frames_of_another_size() {
        let movie = |side: usize| Array3::from_elem((3, side, side), 1.0_f32);
        let mut model = Model::of(Diff);
        model.process(movie(2)).expect("a first chunk");
        model.clear_state();
        model.process(movie(3)).expect("another size");
        let _ = model.layer_mut::<Diff>(0); // may change: it is checked again
        assert!(model.process(movie(3)).is_ok(), "it did not");
    }

    /// Removing a layer with memory is also a change, at the end and in between.
    #[test]
    fn a_layer_that_lost_its_memory_is_refused() {
        let movie = || Array3::from_elem((3, 2, 2), 1.0_f32);
        for last in [true, false] {
            let mut model = Model::new().then(NLRectify).then(Delay::new(2));
            if !last {
                model = model.then(Diff);
            }
            model.process(movie()).expect("a first chunk");
            *model.layer_mut::<Delay>(1).expect("a delay") = Delay::new(0);
            assert!(matches!(model.process(movie()), Err(Error::StateChanged { .. })), "last: {last}");
            assert_eq!(model.time(), 3, "nothing was taken");
            model.clear_state();
            assert!(model.process(movie()).is_ok(), "from the start");
        }
    }
}
