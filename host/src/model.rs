//! A model: a cascade of layers with the state of a stream.

use crate::Movie;
#[cfg(feature = "gpu")]
use crate::counts::Counted;
use crate::device::Device;
#[cfg(feature = "gpu")]
use crate::device::stream::{Before, DeviceState, Frames, Piece, Working};
use crate::fast::{Engines, Precision};
use crate::fft::FftKernel;
use crate::layer::{Table, Target};
use crate::spectral::Spectral;
use crate::threads::{Team, Threads, worth};
#[cfg(feature = "gpu")]
use crate::threads::{all_finite, copy};
use crate::{Error, Layer, Result};
use foveola_core::events::Event;
use foveola_core::graph::MOVE;
use foveola_core::{Delay, Fork, Graph, Node, Shape, Signature, Source, Stage};
use ndarray::{Array5, ArrayView5, Axis, s};
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// Scratch that one pass through the table may use, in samples: small enough for a second-level cache.
const BLOCK: usize = 1 << 18;

/// A cascade of [`Layer`]s and the state of the stream that runs through it.
///
/// Frames are `(batch, channel, time, row, col)`; a 3-D array is taken as one batch and channel. A recording can be fed
/// whole, in pieces of any lengths, or frame by frame: the output is the same, given the same first piece.
///
/// ```
/// use foveola::{Branches, Model, NLRectify, Resolution, SmoothConv};
/// use ndarray::Array3;
///
/// let resolution = Resolution::DEFAULT; // 1000 frames a second
/// let centre = SmoothConv::gaussian(3, 0.005, 0.05, resolution)?;
/// let surround = SmoothConv::gaussian(3, 0.010, 0.15, resolution)?;
/// let mut retina = Model::new().then(Branches::new().plus(centre).minus(surround)).then(NLRectify);
///
/// let movie = Array3::from_shape_fn((200, 32, 32), |(t, r, _)| if t > 50 && r > 16 { 1.0 } else { 0.0 });
/// let response = retina.run(&movie, 100)?; // in pieces of 100 frames
/// assert_eq!(response.dim(), (1, 1, 200, 32, 32));
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Default)]
pub struct Model {
    layers: Vec<Box<dyn Layer>>,
    memory: Memory,
    saved: Vec<Stream>,
    table: Table<'static>,
    unchecked: bool,
    precision: Precision,
    team: Team,
    device: Device,
    /// Counts up when a layer may have changed.
    revision: u64,
}

/// What a stream remembers.
#[derive(Clone, Debug, Default)]
struct Stream {
    t: u64,
    /// Batch and frame that the stream began with.
    frames: Option<(usize, Shape)>,
    state: State,
}

/// Where a stream's state lies. On a device a copy is another hand on the same memory.
#[derive(Clone, Debug)]
enum State {
    Host(Vec<f32>),
    #[cfg(feature = "gpu")]
    Device(DeviceState),
}

impl Default for State {
    fn default() -> Self {
        Self::Host(Vec::new())
    }
}

impl State {
    fn len(&self) -> usize {
        match self {
            Self::Host(state) => state.len(),
            #[cfg(feature = "gpu")]
            Self::Device(state) => state.len(),
        }
    }

    /// No state, on the host; the memory for one is kept.
    fn clear(&mut self) -> &mut Vec<f32> {
        #[cfg(feature = "gpu")]
        if let Self::Device(_) = self {
            *self = Self::default();
        }
        match self {
            Self::Host(state) => {
                state.clear();
                state
            }
            #[cfg(feature = "gpu")]
            Self::Device(_) => unreachable!("it was replaced"),
        }
    }

    /// The state on the host, from wherever it lies.
    fn host(&mut self) -> Result<&mut Vec<f32>> {
        #[cfg(feature = "gpu")]
        if let Self::Device(state) = self {
            *self = Self::Host(state.download()?);
        }
        match self {
            Self::Host(state) => Ok(state),
            #[cfg(feature = "gpu")]
            Self::Device(_) => unreachable!("it was replaced"),
        }
    }
}

impl Model {
    /// A model without layers, which passes frames on.
    pub fn new() -> Self {
        Self::default()
    }

    /// A model of one layer.
    pub fn of(layer: impl Layer) -> Self {
        Self::of_boxed(Box::new(layer))
    }

    /// A model of one layer that is known at run time only.
    pub fn of_boxed(layer: Box<dyn Layer>) -> Self {
        Self { layers: vec![layer], ..Self::default() }
    }

    /// Appends a layer.
    pub fn then(mut self, layer: impl Layer) -> Self {
        self.push(layer);
        self
    }

    /// Appends a layer.
    pub fn push(&mut self, layer: impl Layer) {
        self.revision += 1;
        self.layers.push(Box::new(layer));
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The names of the layers.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.layers.iter().map(|layer| layer.name())
    }

    /// The layer at `index`, when it is an `L`: to read or change its weights between two pieces.
    ///
    /// ```
    /// use foveola::{Conv2d, Model};
    /// let mut model = Model::new().then(Conv2d::new(1, 1, [3, 3])?);
    /// model.layer_mut::<Conv2d>(0).unwrap().set_weight(0.5)?;
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn layer_mut<L: Layer>(&mut self, index: usize) -> Option<&mut L> {
        self.revision += 1;
        let layer: &mut dyn Any = self.layers.get_mut(index)?.as_mut();
        layer.downcast_mut()
    }

    /// Lets NaN and infinities through. By default they are refused: one would stay in recursive state for ever.
    pub fn allow_non_finite(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// How the model computes: [`Precision::Fast`] by default. The state is the same for all, so a stream may go on at another.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Precision, Resolution};
    /// let model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?).precision(Precision::Reproducible);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Where the model computes, from the next piece on: the stream goes on there, with the same state. Saved states may be
    /// restored on any device.
    ///
    /// A piece is checked and handed over by the host, its blocks overlap with each other, and the output comes back. All layers
    /// of this crate run on a device; filters of your own, [`Precision::Reproducible`] and [`Algorithm::Fft`](crate::Algorithm)
    /// are the processor's alone and are refused there when a piece is fed.
    ///
    /// ```
    /// use foveola::{Device, LowPass, Model, Resolution};
    /// let low_pass = LowPass::new(0.01, Resolution::DEFAULT)?;
    /// let model = match Device::gpu() {
    ///     Ok(gpu) => Model::of(low_pass).to(gpu),
    ///     Err(error) => {
    ///         eprintln!("{error}"); // what was found instead
    ///         Model::of(low_pass)
    ///     }
    /// };
    /// println!("on {}", model.device().name());
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn to(mut self, device: impl Into<Device>) -> Self {
        self.device = device.into();
        // The next piece makes what it needs where it is.
        #[cfg(feature = "gpu")]
        {
            self.memory.working = Working::default();
        }
        self
    }

    /// Where the model computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many threads may share the work of a piece; 0, the default, stands for as many as the machine has. Small pieces stay
    /// on the calling thread. The output does not depend on it.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution};
    /// let model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?).threads(2);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn threads(mut self, threads: usize) -> Self {
        self.team = Team::of(threads);
        self
    }

    /// Shares out all work that can be cut, however small it is: slow, for tests.
    #[doc(hidden)]
    pub fn eager(mut self) -> Self {
        self.team = self.team.eager();
        self
    }

    /// Frames fed since the state was cleared.
    pub fn time(&self) -> u64 {
        self.memory.stream.t
    }

    /// Returns to the state before the first frame. Saved states stay.
    pub fn clear_state(&mut self) {
        self.memory.stream.t = 0;
        self.memory.stream.frames = None;
        self.memory.forget();
    }

    /// Saves the state of all layers, for [`Model::pop_state`]. Any depth.
    pub fn push_state(&mut self) {
        self.saved.push(self.memory.stream.clone());
    }

    /// Restores the state last saved.
    ///
    /// # Errors
    /// [`Error::NoSavedState`] when there is none.
    pub fn pop_state(&mut self) -> Result<()> {
        self.memory.stream = self.saved.pop().ok_or(Error::NoSavedState)?;
        self.memory.forget();
        Ok(())
    }

    /// What the model takes, yields and needs for frames of `input`: sizes, state, frame rate.
    ///
    /// # Errors
    /// [`Error::Layer`] when a layer does not fit.
    pub fn signature(&self, input: Shape) -> Result<Signature> {
        self.compiled(input, Table::default(), self.team.shares(), |graph, _| Ok(graph.signature())).1
    }

    /// Calls `use_graph` with the core's table of this model, for frames of `input`.
    fn compiled<T>(
        &self,
        input: Shape,
        table: Table<'static>,
        shared: bool,
        use_graph: impl FnOnce(Graph<'_>, &[Option<Arc<FftKernel>>]) -> Result<T>,
    ) -> (Table<'static>, Result<T>) {
        let mut borrowed: Table<'_> = table.recycle();
        let target = match self.precision.level() {
            _ if self.device.is_device() => Target::Device,
            Some(level) => Target::Vectors(level),
            None => Target::Taps,
        };
        borrowed.begin(input, target, shared);
        let result = self.fill(&mut borrowed).and_then(|()| {
            let graph = Graph::new(input, borrowed.nodes()).map_err(|source| Error::layer("the model", source))?;
            use_graph(graph, borrowed.kernels())
        });
        (borrowed.recycle(), result)
    }

    fn fill<'a>(&'a self, table: &mut Table<'a>) -> Result<()> {
        let from = self.compile(table, Source::Input)?;
        if table.nodes().is_empty() || from == Source::Input {
            // No layer: a copy.
            table.push(from, Stage::Delay(Delay::new(table.shape(from), 0, 0)));
        }
        Ok(())
    }

    /// Feeds one piece of a recording, of any length, and returns what the model makes of it: a view into the model, so
    /// that a running stream allocates nothing.
    ///
    /// ```
    /// use foveola::{Diff, Model};
    /// let mut model = Model::new().then(Diff);
    /// for frame in 0..10 {
    ///     let piece = ndarray::Array3::from_elem((1, 4, 4), frame as f32);
    ///     let change = model.process(&piece)?;
    ///     assert_eq!(change[(0, 0, 0, 0, 0)], if frame == 0 { 0.0 } else { 1.0 });
    /// }
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::FrameSize`] when the frames differ from those before; [`Error::NonFinite`]; [`Error::Layer`] when a layer
    /// does not fit; [`Error::Memory`]. The state is then as it was.
    pub fn process<'a>(&mut self, input: impl Movie<'a>) -> Result<ArrayView5<'_, f32>> {
        let input = input.movie();
        let (frames, output) = self.feed(input)?;
        self.output(input.len_of(Axis(0)), frames, output)
    }

    /// Feeds the next `frames` frames of events, fewer at the end, and returns what the model makes of them; none behind the end.
    ///
    /// On the processor they are what [`Frames::next_piece`](crate::Frames::next_piece) yields. A device is handed the events instead,
    /// which are far fewer bytes, and counts them itself, to the same frames; where they are many, the frames again.
    ///
    /// ```
    /// use foveola::{Frames, Geometry, Model, Polarity, models};
    /// use foveola_core::events::Event;
    /// let events = (0..1000).map(|i| Ok(Event { t: i * 100, x: (i % 8) as u16, y: 3, on: true }));
    /// let mut frames = Frames::new(events, Geometry { cols: 8, rows: 6 }, Polarity::Signed, 1_000)?;
    /// let mut retina = models::build("retina", foveola::Resolution::DEFAULT)?.model; // .to(Device::gpu()?)
    /// let mut seen = 0;
    /// while let Some(response) = retina.process_events(&mut frames, 32)? {
    ///     seen += response.dim().2;
    /// }
    /// assert_eq!(seen, 100);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// Counts are exact up to 2^24 events at a pixel in a frame.
    ///
    /// # Errors
    /// As [`Frames::next_piece`](crate::Frames::next_piece) and [`Model::process`]. The state is then as it was; the frames are taken.
    pub fn process_events<I>(&mut self, frames: &mut crate::Frames<I>, n: usize) -> Result<Option<ArrayView5<'_, f32>>>
    where
        I: Iterator<Item = Result<Event>>,
    {
        #[cfg(feature = "gpu")]
        if self.device.is_device() {
            let shape = frames.shape();
            return match frames.next_counts(n)? {
                None => Ok(None),
                Some((frames, counted)) => self.feed_counts(shape, frames, &counted).map(Some),
            };
        }
        match frames.next_piece(n)? {
            None => Ok(None),
            Some(piece) => self.process(piece).map(Some),
        }
    }

    /// The output of a piece, as it lies in the model.
    fn output(&self, batch: usize, frames: usize, output: Shape) -> Result<ArrayView5<'_, f32>> {
        let view = ArrayView5::from_shape(
            (batch, frames, output.channels, output.rows, output.cols),
            self.memory.output.get(..batch * frames * output.len()).unwrap_or(&[]),
        );
        view.map(|view| view.permuted_axes([0, 2, 1, 3, 4]))
            .map_err(|_| Error::Memory { what: "the output", samples: batch * frames * output.len() })
    }

    /// Feeds a whole recording in pieces of `dt` frames (the last may be shorter) and returns the whole output.
    ///
    /// # Errors
    /// As [`Model::process`], and [`Error::Parameter`] for `dt = 0`. The state is then as it was.
    pub fn run<'a>(&mut self, input: impl Movie<'a>, dt: usize) -> Result<Array5<f32>> {
        let input = input.movie();
        if dt == 0 {
            let expected = "1 frame or more in a piece";
            return Err(Error::Parameter { item: "Model::run", name: "dt", value: "0".into(), expected });
        }
        let before = self.memory.stream.clone();
        let result = self.run_pieces(input, dt);
        if result.is_err() {
            self.memory.stream = before;
            self.memory.forget();
        }
        result
    }

    fn run_pieces(&mut self, input: ArrayView5<'_, f32>, dt: usize) -> Result<Array5<f32>> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let frame = Shape::new(channels, rows, cols);
        self.check_size(batch, frames, frame)?;
        let signature = self.signature(frame)?;
        let pieces = (0..frames).step_by(dt).map(|from| (from, (from + dt).min(frames)));
        let lengths =
            pieces.clone().map(|(from, to)| signature.frames_out(self.memory.stream.t + from as u64, to - from));
        let total = lengths.fold(0, usize::saturating_add);
        let shape = signature.output;
        let mut values = Vec::new();
        resize(&mut values, "the output", batch.saturating_mul(total).saturating_mul(shape.len()))?;
        let samples = values.len();
        let mut output = Array5::from_shape_vec((batch, shape.channels, total, shape.rows, shape.cols), values)
            .map_err(|_| Error::Memory { what: "the output", samples })?;
        let mut at = 0;
        #[cfg(feature = "gpu")]
        let pieces = {
            let mut pieces = pieces.peekable();
            if self.device.is_device() && signature.lead == 0 {
                // Behind the piece that begins the stream all others are one: its blocks overlap.
                let first = pieces.next_if(|_| self.memory.stream.t == 0);
                let rest = pieces.peek().map(|(from, _)| (*from, frames));
                for (from, to) in first.into_iter().chain(rest) {
                    let piece = input.slice(s![.., .., from..to, .., ..]);
                    self.check(&piece, batch, frame)?;
                    at += self.feed_on_device(piece, dt, Some((&mut output, at)))?.0;
                }
                return Ok(output);
            }
            pieces
        };
        for (from, to) in pieces {
            let piece = self.process(input.slice(s![.., .., from..to, .., ..]))?;
            let n = piece.dim().2;
            output.slice_mut(s![.., .., at..at + n, .., ..]).assign(&piece);
            at += n;
        }
        Ok(output)
    }

    /// Feeds pieces as they come, for ever: an iterator over what the model makes of them.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution};
    /// let camera = std::iter::repeat_with(|| ndarray::Array3::<f32>::ones((1, 8, 8)));
    /// let mut model = Model::new().then(LowPass::new(0.01, Resolution::DEFAULT)?);
    /// for smooth in model.stream(camera).take(5) {
    ///     assert_eq!(smooth?.dim(), (1, 1, 1, 8, 8));
    /// }
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn stream<'m, I>(&'m mut self, pieces: I) -> impl Iterator<Item = Result<Array5<f32>>>
    where
        I: IntoIterator,
        for<'a> &'a I::Item: Movie<'a>,
    {
        pieces.into_iter().map(|piece| self.process(&piece).map(|view| view.to_owned()))
    }

    /// Runs the frames through the table; returns how many came out, and their shape.
    fn feed(&mut self, input: ArrayView5<'_, f32>) -> Result<(usize, Shape)> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let shape = Shape::new(channels, rows, cols);
        self.check(&input, batch, shape)?;
        #[cfg(feature = "gpu")]
        if self.device.is_device() {
            return self.feed_on_device(input, usize::MAX, None);
        }
        // Taken out while the layers are borrowed by the table.
        let (mut memory, table) = (std::mem::take(&mut self.memory), std::mem::take(&mut self.table));
        let (mut team, level) = (std::mem::take(&mut self.team), self.precision.level());
        let (table, result) = self.compiled(shape, table, team.shares(), |graph, kernels| {
            let work = worth(&graph, batch, frames);
            team.prepare(work)?;
            let mut spectral = std::mem::take(&mut memory.spectral);
            if !kernels.is_empty() {
                spectral.resize_with(kernels.len() * batch, Mutex::default);
            }
            let result = team.run(work, |fork| {
                let engines = Engines { level, fork, kernels, spectral: &spectral, batch };
                memory.run(&graph, engines, input, batch, frames)
            });
            memory.spectral = spectral;
            if result.is_err() {
                memory.forget();
            }
            result
        });
        (self.memory, self.table, self.team) = (memory, table, team);
        result
    }

    /// [`Model::feed`] on a device, in blocks of at most `block` frames, to the model's own output or into `whole`.
    #[cfg(feature = "gpu")]
    fn feed_on_device(
        &mut self,
        input: ArrayView5<'_, f32>,
        block: usize,
        whole: Option<(&mut Array5<f32>, usize)>,
    ) -> Result<(usize, Shape)> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let mut staged = std::mem::take(&mut self.memory.staged);
        let result = stage(input, Threads::ALONE, &mut staged).and_then(|samples| {
            let input = Frames::Samples(samples);
            let (revision, fork) = (self.revision, Threads::ALONE);
            let piece = Piece { t: self.time(), batch, frames, input, block, revision, fork };
            self.piece_on_device(Shape::new(channels, rows, cols), piece, whole)
        });
        self.memory.staged = staged;
        result
    }

    /// What was counted in some frames of a single stream, through the model on its device.
    #[cfg(feature = "gpu")]
    fn feed_counts(&mut self, shape: Shape, frames: usize, counted: &Counted<'_>) -> Result<ArrayView5<'_, f32>> {
        self.check_size(1, frames, shape)?;
        let input = match *counted {
            Counted::List(events) => Frames::Events(events),
            Counted::Dense(frames) => Frames::Samples(frames),
        };
        let (t, revision, fork) = (self.time(), self.revision, Threads::ALONE);
        let piece = Piece { t, batch: 1, frames, input, block: usize::MAX, revision, fork };
        let (frames, output) = self.piece_on_device(shape, piece, None)?;
        self.output(1, frames, output)
    }

    #[cfg(feature = "gpu")]
    fn piece_on_device(
        &mut self,
        shape: Shape,
        piece: Piece<'_>,
        whole: Option<(&mut Array5<f32>, usize)>,
    ) -> Result<(usize, Shape)> {
        if self.precision == Precision::Reproducible {
            let reason = "Precision::Reproducible has the bits of the processor alone".into();
            return Err(Error::Device { device: self.device.name().into(), reason });
        }
        let Some(backend) = self.device.backend().cloned() else {
            return Err(Error::NoDevice { wanted: "a device".into(), found: "cpu".into() });
        };
        let (mut memory, table) = (std::mem::take(&mut self.memory), std::mem::take(&mut self.table));
        let mut team = std::mem::take(&mut self.team);
        let (table, result) = self.compiled(shape, table, false, |graph, _| {
            // The host copies what goes up and what comes back.
            let moved = shape.len().max(graph.signature().output.len());
            let work = moved.saturating_mul(piece.frames * piece.batch).saturating_mul(MOVE);
            team.prepare(work)?;
            let result = team.run(work, |fork| {
                let piece = Piece { fork, ..piece };
                memory.run_on_device(&backend, &graph, &piece, whole)
            });
            // The state is another than what the processor knows of it.
            memory.forget();
            result
        });
        (self.memory, self.table, self.team) = (memory, table, team);
        result
    }

    /// Whether the frames are those of the stream.
    fn check_size(&self, batch: usize, frames: usize, shape: Shape) -> Result<()> {
        if batch == 0 || shape.is_empty() {
            return Err(Error::EmptyInput { shape: vec![batch, shape.channels, frames, shape.rows, shape.cols] });
        }
        if let Some((expected_batch, expected)) = self.memory.stream.frames
            && (expected_batch, expected) != (batch, shape)
        {
            return Err(Error::FrameSize { found: shape, found_batch: batch, expected, expected_batch });
        }
        Ok(())
    }

    fn check(&mut self, input: &ArrayView5<'_, f32>, batch: usize, shape: Shape) -> Result<()> {
        self.check_size(batch, input.len_of(Axis(2)), shape)?;
        if self.unchecked {
            return Ok(());
        }
        let finite = match input.as_slice_memory_order() {
            // For a device it is the host's only look at them; the processor has them in its cache next.
            #[cfg(feature = "gpu")]
            Some(samples) if self.device.is_device() => {
                let work = samples.len().saturating_mul(MOVE);
                self.team.prepare(work)?;
                self.team.run(work, |fork| all_finite(fork, samples))
            }
            Some(samples) => crate::fast::all_finite(samples),
            None => input.iter().all(|x| x.is_finite()),
        };
        if finite {
            return Ok(());
        }
        match input.indexed_iter().find(|(_, x)| !x.is_finite()) {
            Some(((batch, channel, frame, row, col), &value)) => {
                Err(Error::NonFinite { batch, channel, frame: self.memory.stream.t + frame as u64, row, col, value })
            }
            None => Ok(()),
        }
    }
}

/// A running stream and its working memory.
#[derive(Default)]
struct Memory {
    stream: Stream,
    scratch: Vec<f32>,
    /// A piece of the input in the order that the table takes.
    staged: Vec<f32>,
    output: Vec<f32>,
    /// The state before the present piece, in models that may refuse it half way.
    before: Vec<f32>,
    /// What convolutions in the frequency domain keep beside the state.
    spectral: Vec<Mutex<Spectral>>,
    #[cfg(feature = "gpu")]
    working: Working,
}

impl Memory {
    /// Another state has taken the place of the stream's.
    fn forget(&mut self) {
        for spectral in &mut self.spectral {
            spectral.get_mut().unwrap_or_else(PoisonError::into_inner).forget();
        }
    }

    fn run(
        &mut self,
        graph: &Graph<'_>,
        engines: Engines<'_>,
        input: ArrayView5<'_, f32>,
        batch: usize,
        frames: usize,
    ) -> Result<(usize, Shape)> {
        let signature = graph.signature();
        let stream = &mut self.stream;
        let state = signature.state.saturating_mul(batch);
        if stream.t > 0 && stream.state.len() != state {
            return Err(Error::StateChanged { found: stream.state.len(), expected: state });
        }
        let frames_out = signature.frames_out(stream.t, frames);
        let shape = signature.output;
        resize(&mut self.output, "the output", batch.saturating_mul(frames_out).saturating_mul(shape.len()))?;
        if frames == 0 {
            return Ok((0, shape));
        }
        // The first piece primes the history of every layer and must be seen whole, as must pieces that carry a lead, and a
        // batch, whose streams lie apart; else frames go through in blocks that stay in the cache.
        let per_frame = signature.scratch.per_frame.max(signature.input.len()).max(1);
        let whole = stream.t == 0 || signature.lead > 0 || batch > 1;
        // Threads share a block: larger ones are handed over less often.
        let samples = if engines.fork.count(usize::MAX) > 1 { 4 * BLOCK } else { BLOCK };
        let block = if whole { frames } else { (samples / per_frame).clamp(1, frames) };
        resize(&mut self.scratch, "the layers' outputs", graph.scratch_len(block, batch))?;
        if stream.t == 0 {
            // What begins later than the stream begins with zeros.
            resize(stream.state.clear(), "the state", state)?;
        }
        // A user's own filter may refuse a piece when others have seen it already.
        let may_refuse = |node: &Node<'_>| matches!(node, Node::Filter(_, Stage::Own(..) | Stage::Finite(_)));
        let before = (stream.t, graph.nodes().iter().any(may_refuse));
        let state = stream.state.host()?;
        if before.1 {
            self.before.clone_from(state);
        }
        let result = self.blocks(graph, engines, input, batch, block);
        if result.is_err() {
            self.stream.t = before.0;
            if before.1 {
                self.stream.state.host()?.clone_from(&self.before);
            }
        }
        result?;
        self.stream.frames = Some((batch, signature.input));
        Ok((frames_out, shape))
    }

    /// [`Memory::run`] on a device, to the model's own output or into `whole` from one of its frames on.
    #[cfg(feature = "gpu")]
    fn run_on_device(
        &mut self,
        backend: &Arc<dyn crate::device::Backend>,
        graph: &Graph<'_>,
        piece: &Piece<'_>,
        mut whole: Option<(&mut Array5<f32>, usize)>,
    ) -> Result<(usize, Shape)> {
        let signature = graph.signature();
        let Self { stream, output, working, .. } = self;
        let (batch, shape) = (piece.batch, signature.output);
        let state = signature.state.saturating_mul(batch);
        if stream.t > 0 && stream.state.len() != state {
            return Err(Error::StateChanged { found: stream.state.len(), expected: state });
        }
        let (frames_out, len) = (signature.frames_out(stream.t, piece.frames), shape.len());
        if whole.is_none() {
            resize(output, "the output", batch.saturating_mul(frames_out).saturating_mul(len))?;
        }
        if piece.frames == 0 {
            return Ok((0, shape));
        }
        let before = match &stream.state {
            _ if stream.t == 0 => Before::New,
            State::Host(state) => Before::Host(state),
            State::Device(state) => Before::Device(state),
        };
        let state = working.run(backend, graph, piece, before, &mut |stream, frame, samples| match &mut whole {
            None => {
                let at = (stream * frames_out + frame) * len;
                copy(piece.fork, samples, output.get_mut(at..).unwrap_or(&mut []));
            }
            Some((whole, first)) => {
                for (i, samples) in samples.chunks_exact(len.max(1)).enumerate() {
                    let mut to = whole.slice_mut(s![stream, .., *first + frame + i, .., ..]);
                    let planes = samples.chunks_exact(shape.pixels().max(1));
                    for (to, samples) in to.outer_iter_mut().zip(planes) {
                        copy(piece.fork, samples, to.into_slice().unwrap_or(&mut []));
                    }
                }
            }
        })?;
        stream.state = State::Device(state);
        stream.t += piece.frames as u64;
        stream.frames = Some((batch, signature.input));
        Ok((frames_out, shape))
    }

    /// Runs the frames through the table in blocks of `block`.
    fn blocks(
        &mut self,
        graph: &Graph<'_>,
        engines: Engines<'_>,
        input: ArrayView5<'_, f32>,
        batch: usize,
        block: usize,
    ) -> Result<()> {
        let (stream, frames) = (&mut self.stream, input.len_of(Axis(2)));
        let shape = graph.signature().output;
        let mut written = 0;
        for from in (0..frames).step_by(block) {
            let to = (from + block).min(frames);
            let piece = input.slice_move(s![.., .., from..to, .., ..]);
            let samples = stage(piece, engines.fork, &mut self.staged)?;
            // Streams of a batch share the output evenly; a single one goes on where the last block ended.
            let out = self.output.get_mut(written * shape.len()..).unwrap_or(&mut []);
            let n = graph
                .run_batch_with(&engines, stream.t, batch, stream.state.host()?, &mut self.scratch, samples, out)
                .map_err(|source| Error::layer("the model", source))?;
            stream.t += (to - from) as u64;
            written += n;
        }
        Ok(())
    }
}

/// The samples of `piece` as (batch, time, channel, row, col): as they lie in memory where that is the order, else copied.
fn stage<'a>(piece: ArrayView5<'a, f32>, fork: Threads, staged: &'a mut Vec<f32>) -> Result<&'a [f32]> {
    let frames = piece.permuted_axes([0, 2, 1, 3, 4]);
    if let Some(samples) = frames.to_slice() {
        return Ok(samples);
    }
    resize(staged, "a piece of the input", frames.len())?;
    gather(frames, fork, staged);
    Ok(staged)
}

/// Copies `(batch, time, channel, row, col)`, in halves where that is worth it.
fn gather(from: ArrayView5<'_, f32>, fork: Threads, to: &mut [f32]) {
    let axis = Axis(usize::from(from.len_of(Axis(0)) < 2));
    let half = from.len_of(axis) / 2;
    if let Some(fork) = fork.halve(from.len().saturating_mul(MOVE)).filter(|_| half > 0) {
        let (first, second) = from.split_at(axis, half);
        let (to, rest) = to.split_at_mut(first.len());
        fork.join(|| gather(first, fork, to), || gather(second, fork, rest));
        return;
    }
    let (.., rows, cols) = from.dim();
    let mut to = to.chunks_exact_mut((rows * cols).max(1));
    for stream in from.outer_iter() {
        for frame in stream.outer_iter() {
            for (from, to) in frame.outer_iter().zip(&mut to) {
                match from.to_slice() {
                    Some(from) => to.copy_from_slice(from),
                    None => to.iter_mut().zip(from.iter()).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }
}

/// Resizes to `len` samples, or says that the memory cannot be had.
fn resize(buffer: &mut Vec<f32>, what: &'static str, len: usize) -> Result<()> {
    if len > buffer.len() {
        buffer.try_reserve_exact(len - buffer.len()).map_err(|_| Error::Memory { what, samples: len })?;
    }
    buffer.resize(len, 0.0);
    Ok(())
}

impl Layer for Model {
    fn name(&self) -> &'static str {
        "Model"
    }

    /// The nodes of all layers. A model inside a model lends its layers; the state is that of the outermost one.
    fn compile<'a>(&'a self, table: &mut Table<'a>, mut from: Source) -> Result<Source> {
        for (i, layer) in self.layers.iter().enumerate() {
            from = layer.compile(table, from).map_err(|error| match error {
                Error::Layer { layer, source } => Error::layer(format!("layer {i}, {layer}"), source),
                other => other,
            })?;
        }
        Ok(from)
    }
}
