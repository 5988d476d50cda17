//! What a stream remembers: its state, and what tells whether a chunk may go on with it.

use super::bounds::Bounds;
#[cfg(feature = "gpu")]
use crate::device::stream::DeviceState;
use crate::model::layer::Compiled;
use crate::{Error, Result, memory};
use foveola_core::{Layout, Shape};
use std::sync::Arc;

/// A running stream, or a saved one.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// Frames since it began.
    pub(super) t: u64,
    /// Batch and frame that it began with.
    pub(super) frames: Option<(usize, Shape)>,
    pub(super) state: State,
    /// What the state of each node with memory means, by the revision of the layers for which that was found.
    layouts: (Option<u64>, Vec<Layout>),
    /// How large the values in it can be.
    pub(super) bounds: Bounds,
    /// A chunk was on its way when a layer panicked: the state is neither what it was nor what it would have become.
    poisoned: bool,
}

impl Stream {
    /// To before the first frame. The memory of the state is kept.
    pub(super) fn clear(&mut self) {
        let Self { state, mut layouts, .. } = std::mem::take(self);
        layouts.0 = None;
        *self = Self { state, layouts, ..Self::default() };
    }

    /// Until it is cleared or another one is restored, the stream takes no more frames.
    pub(super) fn poison(&mut self) {
        self.poisoned = true;
    }

    /// All went well.
    pub(super) fn heal(&mut self) {
        self.poisoned = false;
    }

    /// Whether the frames are those of the stream.
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

    /// Whether the state has a meaning to the layers, as they are at `revision`: else the first node to which it has none.
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

    /// Remembers what the state means. Called when the state fits, or begins.
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
        let samples = self.state.clone().writable()?.clone();
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
        let mut stream = Stream { t, frames: Some((batch, shape)), bounds, ..Stream::default() };
        stream.takes(batch, 0, shape)?;
        stream.state = State::Host(Arc::new(samples));
        stream.layouts.1 = layouts.into_iter().map(Layout::from).collect();
        Ok(stream)
    }
}

/// Where a stream's state lies. A copy is another hand on the same memory, until one of the two is written to.
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
    /// `len` zeros on the host, in the memory that there is if nobody else holds it.
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

    /// The state on the host, wherever it lies, to write to.
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

    /// What a cleared model remembers of its layers is that of the next stream, whose frames may have another size.
    #[test]
    fn a_cleared_model_takes_frames_of_another_size() {
        let movie = |side: usize| Array3::from_elem((3, side, side), 1.0_f32);
        let mut model = Model::of(Diff);
        model.process(&movie(2)).expect("a first chunk");
        model.clear_state();
        model.process(&movie(3)).expect("another size");
        let _ = model.layer_mut::<Diff>(0); // may change: it is looked at again
        assert!(model.process(&movie(3)).is_ok(), "it did not");
    }

    /// Memory that no layer has any more is a change as well, at the end and in between.
    #[test]
    fn a_layer_that_lost_its_memory_is_refused() {
        let movie = || Array3::from_elem((3, 2, 2), 1.0_f32);
        for last in [true, false] {
            let mut model = Model::new().then(NLRectify).then(Delay::new(2));
            if !last {
                model = model.then(Diff);
            }
            model.process(&movie()).expect("a first chunk");
            *model.layer_mut::<Delay>(1).expect("a delay") = Delay::new(0);
            assert!(matches!(model.process(&movie()), Err(Error::StateChanged { .. })), "last: {last}");
            assert_eq!(model.time(), 3, "nothing was taken");
            model.clear_state();
            assert!(model.process(&movie()).is_ok(), "from the start");
        }
    }
}
