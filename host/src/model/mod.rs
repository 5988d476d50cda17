//! A model: a network of layers with the state of a stream.

mod boards;
mod bounds;
mod export;
mod feed;
#[cfg(feature = "files")]
pub mod file;
pub(crate) mod gradient;
pub(crate) mod inputs;
pub mod integers;
mod kept;
pub mod kernels;
pub(crate) mod layer;
pub mod layers;
#[cfg(feature = "files")]
pub mod models;
mod network;
#[cfg(feature = "gpu")]
mod on_device;
pub(crate) mod parameters;
mod response;
mod saved;
mod state_file;
mod stream;
mod summary;
pub(crate) mod weight;
mod weights_file;

pub use boards::Program;
pub use export::{Exported, ExportedLayer};
pub use gradient::{Gradient, NodeGradient, NodeGradients};
pub use inputs::{Inputs, Join};
pub use integers::{Quantised, QuantisedLayer, Samples};
pub use layer::{Layer, LayerObject, Table};
pub use parameters::{Parameter, Values};
pub use response::{Best, Flash, Peak, Response, Spectrum};
pub use saved::SavedState;
pub use state_file::{StateFile, StateFileError};
pub use summary::LayerSummary;
pub use weight::Weight;

use crate::cpu::simd::Precision;
use crate::cpu::threads::Workers;
use crate::device::Device;
use crate::memory::array;
use crate::{Error, Movie, Result};
use feed::Memory;
use foveola_core::events::Event;
use foveola_core::{Shape, Signature, Source};
use ndarray::{Array5, ArrayView5, s};
use network::{Entry, Network};
use std::fmt;

/// A network of [`Layer`]s together with the state of a stream.
///
/// A layer reads the one before it ([`Model::then`]), or those that it names ([`Model::reading`]).
///
/// Frames are `(batch, channel, time, row, col)`; a 3-D array is one batch and one channel. A recording can be fed whole, in
/// chunks of any length, or frame by frame. The first chunk initialises temporal padding; given the same one, the output is
/// bit-identical for any chunking, except on Metal: see [`Model::to`].
///
/// ```
/// use foveola::{Branches, Model, NLRectify, Resolution, SmoothConv};
/// use ndarray::Array3;
///
/// let resolution = Resolution::DEFAULT; // 1000 frames per second
/// let centre = SmoothConv::gaussian(3, 0.005, 0.05, resolution)?;
/// let surround = SmoothConv::gaussian(3, 0.010, 0.15, resolution)?;
/// let mut retina = Model::new().then(Branches::new().plus(centre).minus(surround)).then(NLRectify);
///
/// let movie = Array3::from_shape_fn((200, 32, 32), |(t, r, _)| if t > 50 && r > 16 { 1.0 } else { 0.0 });
/// let response = retina.run(&movie, 100)?; // in chunks of 100 frames
/// assert_eq!(response.dim(), (1, 1, 200, 32, 32));
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// A clone has the same layers, saved states and running state, and is independent from then on.
#[derive(Clone, Default)]
#[must_use]
pub struct Model {
    network: Network,
    memory: Memory,
    saved: Vec<SavedState>,
    table: SpareTable,
    pass: gradient::SparePass,
    unchecked: bool,
    workers: Workers,
}

/// The memory of a table between two chunks. A clone gets its own.
#[derive(Default)]
struct SpareTable(Table<'static>);

impl Clone for SpareTable {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("layers", &self.network.entries())
            .field("precision", &self.network.precision)
            .field("device", &self.network.device.name())
            .field("time", &self.time())
            .finish_non_exhaustive()
    }
}

impl<L: Layer> FromIterator<L> for Model {
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> Self {
        let mut model = Self::new();
        model.extend(layers);
        model
    }
}

impl<L: Layer> Extend<L> for Model {
    fn extend<I: IntoIterator<Item = L>>(&mut self, layers: I) {
        layers.into_iter().for_each(|layer| self.push(layer));
    }
}

impl Model {
    /// A model without layers, which outputs its input frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// A model of one layer.
    pub fn of(layer: impl Layer) -> Self {
        Self::new().then(layer)
    }

    /// Appends a layer.
    pub fn then(mut self, layer: impl Layer) -> Self {
        self.push(layer);
        self
    }

    /// Appends a function of each sample: a nonlinearity that is no layer of this crate.
    ///
    /// ```
    /// use foveola::{Diff, Model};
    /// let mut model = Model::new().then(Diff).map(|x| x.tanh());
    /// let change = model.run(&ndarray::arr3(&[[[0.0_f32]], [[1.0]], [[3.0]]]), 3)?;
    /// assert_eq!(change.as_slice().unwrap(), [0.0, 1_f32.tanh(), 2_f32.tanh()]);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// It runs on the CPU alone: see [`layers::Map`].
    pub fn map(self, function: impl Fn(f32) -> f32 + Send + Sync + 'static) -> Self {
        self.then(layers::Map::new(function))
    }

    /// Appends a layer.
    pub fn push(&mut self, layer: impl Layer) {
        self.network.push(String::new(), Box::new(layer));
    }

    /// Appends a layer with a name, by which others read it.
    ///
    /// A layer reads the one before it, or what [`Model::reading`] says:
    /// ```
    /// use foveola::{LowPass, Model, NLRectify, Resolution};
    /// let (fast, slow) = (LowPass::new(0.005, Resolution::DEFAULT)?, LowPass::new(0.050, Resolution::DEFAULT)?);
    /// let mut on = Model::new()
    ///     .named("fast", fast)
    ///     .named("slow", slow).reading("input")
    ///     .named("on", NLRectify).reading([("fast", 1.0), ("slow", -1.0)]);
    /// let step = on.run(&ndarray::Array3::<f32>::ones((20, 1, 1)), 20)?;
    /// assert!(step[(0, 0, 10, 0, 0)] > 0.5);
    /// assert_eq!(on.layer::<LowPass>("slow").unwrap().tau(), 0.050);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    /// A name that is taken, and `input`, are errors when the model is run.
    pub fn named(mut self, name: impl Into<String>, layer: impl Layer) -> Self {
        self.push_named(name, layer);
        self
    }

    /// [`Model::named`] in place.
    pub fn push_named(&mut self, name: impl Into<String>, layer: impl Layer) {
        self.network.push(name.into(), Box::new(layer));
    }

    /// What the last layer reads instead of the layer before it: earlier layers by their names, or `input`, the model's.
    /// Without a layer, nothing.
    ///
    /// When the model is run, a name that no earlier layer has is [`Error::Unknown`], and frames that do not fit together
    /// are [`Error::Layer`].
    pub fn reading(mut self, inputs: impl Into<Inputs>) -> Self {
        self.set_reading(inputs);
        self
    }

    /// [`Model::reading`] in place.
    pub fn set_reading(&mut self, inputs: impl Into<Inputs>) {
        self.network.read(inputs.into());
    }

    /// Names an output: what `layer` yields. The first one named is the output of [`Model::process`] and [`Model::run`];
    /// [`Model::process_all`] returns all of them. Without any, the output is that of the last layer.
    ///
    /// A name that no layer has is [`Error::Unknown`] when the model is run.
    pub fn with_output(mut self, name: impl Into<String>, layer: &str) -> Self {
        self.add_output(name, layer);
        self
    }

    /// [`Model::with_output`] in place.
    pub fn add_output(&mut self, name: impl Into<String>, layer: &str) {
        self.network.add_output(name.into(), layer);
    }

    /// The names of the outputs; none if the model has the output of its last layer alone.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.network.outputs()
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.network.entries().len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.network.entries().is_empty()
    }

    /// The names of the layers; that of its kind for a layer without one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.network.entries().iter().map(|entry| if entry.name.is_empty() { entry.layer.name() } else { &entry.name })
    }

    /// The layers.
    pub fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        self.network.entries().iter().map(|entry| &*entry.layer)
    }

    /// What each layer reads.
    pub fn inputs(&self) -> impl Iterator<Item = &Inputs> {
        self.network.entries().iter().map(|entry| &entry.inputs)
    }

    /// The layer at an index or of a name, if it is an `L`.
    pub fn layer<L: Layer>(&self, layer: impl LayerId) -> Option<&L> {
        let index = layer.index(self)?;
        (*self.network.entries().get(index)?.layer).as_any().downcast_ref()
    }

    /// The layer at an index or of a name, if it is an `L`, for changing its weights between two chunks.
    ///
    /// ```
    /// use foveola::{Conv2d, Model};
    /// let mut model = Model::new().then(Conv2d::new(1, 1, [3, 3])?);
    /// model.layer_mut::<Conv2d>(0).unwrap().set_weight(0.5)?;
    /// assert_eq!(model.layer::<Conv2d>(0).unwrap().weight().sum(), 4.5);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn layer_mut<L: Layer>(&mut self, layer: impl LayerId) -> Option<&mut L> {
        let index = layer.index(self)?;
        (**self.network.layer_mut(index)?).as_any_mut().downcast_mut()
    }

    /// The model up to a layer, which is its output, without the layers that this one does not depend on. It has the settings
    /// of the model, and no state.
    ///
    /// ```
    /// use foveola::{Diff, LowPass, Model, NLRectify, Resolution};
    /// let model = Model::new().then(Diff).named("smooth", LowPass::new(0.01, Resolution::DEFAULT)?).then(NLRectify);
    /// assert_eq!(model.part("smooth").unwrap().len(), 2);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn part(&self, layer: impl LayerId) -> Option<Self> {
        let index = layer.index(self).filter(|index| *index < self.len())?;
        let network = self.network.part(index);
        Some(Self { network, unchecked: self.unchecked, workers: self.workers.clone(), ..Self::default() })
    }

    /// Allows NaN and infinities in the input and between the layers. By default they are errors, because one would never
    /// leave recursive state. On a device this also allows models whose results may leave the range: see [`Model::to`].
    pub fn allow_non_finite(mut self) -> Self {
        self.set_allow_non_finite(true);
        self
    }

    /// [`Model::allow_non_finite`] on or off, from the next chunk on.
    pub fn set_allow_non_finite(&mut self, allow: bool) {
        self.unchecked = allow;
    }

    /// How the model computes: [`Precision::Fast`] by default. All settings use the same state, so a stream may continue
    /// with another.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Precision, Resolution};
    /// let model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?).with_precision(Precision::Reproducible);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.set_precision(precision);
        self
    }

    /// [`Model::with_precision`] from the next chunk on.
    pub fn set_precision(&mut self, precision: Precision) {
        self.network.changing();
        self.network.precision = precision;
    }

    /// The precision of the model.
    pub fn precision(&self) -> Precision {
        self.network.precision
    }

    /// Selects the device that computes from the next chunk on. A running stream continues there with the same state. Saved
    /// states may be restored on any device.
    ///
    /// The host checks a chunk and transfers it in blocks; transfers overlap with computation. The output is copied back.
    /// All layers of this crate run on a device.
    ///
    /// The output equals that of the CPU within rounding. On Vulkan, given the same first chunk, it is bit-identical for any
    /// chunking: the order of sums depends only on the model, and every operation is computed as written. Metal may fuse and
    /// reorder the operations of one frame differently from those of the next. There the outputs of two chunkings differ by
    /// at most twice the rounding error of the layers. Numbers below 1.2e-38 are an exception everywhere: a device may set
    /// them to zero.
    ///
    /// # Errors
    /// Feeding a chunk on a device returns
    /// - [`Error::Device`] for a custom filter and for [`Precision::Reproducible`], and [`Error::Parameter`] for
    ///   [`Algorithm::Fft`](crate::Algorithm): they need the CPU;
    /// - [`Error::Device`] when a result could leave the range of 32-bit floats, judged by the layers' weights and the
    ///   largest sample. The CPU checks all results and returns [`Error::Overflow`] for an infinite one. A device does not
    ///   check results; [`Model::allow_non_finite`] turns this error off;
    /// - [`Error::DeviceMemory`] when a buffer would be larger than the device allows, [`Error::Device`] when its memory is
    ///   full, and [`Error::DeviceLost`] when the device was lost.
    ///
    /// After an error the state is as before, except when the device was lost.
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
        self.set_device(device);
        self
    }

    /// [`Model::to`] from the next chunk on.
    pub fn set_device(&mut self, device: impl Into<Device>) {
        self.network.changing();
        self.network.device = device.into();
        // The next chunk allocates what it needs on its device.
        #[cfg(feature = "gpu")]
        self.memory.leave_device();
    }

    /// The device that runs the model.
    pub fn device(&self) -> &Device {
        &self.network.device
    }

    /// The largest number of threads that share a chunk; 0, the default, stands for the number of threads of the machine.
    /// Small chunks stay on the calling thread. The output does not depend on this setting.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution};
    /// let model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?).with_threads(2);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.set_threads(threads);
        self
    }

    /// [`Model::with_threads`] from the next chunk on.
    pub fn set_threads(&mut self, threads: usize) {
        self.workers = Workers::of(threads);
    }

    /// Splits all work that can be split, however small it is: slow, for tests.
    #[doc(hidden)]
    pub fn eager(mut self) -> Self {
        self.workers = self.workers.eager();
        self
    }

    /// Frames fed since the state was cleared.
    pub fn time(&self) -> u64 {
        self.memory.stream.t
    }

    /// Returns to the state before the first frame. Saved states are kept.
    pub fn clear_state(&mut self) {
        self.memory.stream.clear();
        self.memory.forget();
    }

    /// Saves the state of all layers, for [`Model::pop_state`]. Calls nest to any depth. The copy is made at the next chunk.
    pub fn push_state(&mut self) {
        self.saved.push(self.state());
    }

    /// Restores the state last saved.
    ///
    /// # Errors
    /// [`Error::NoSavedState`] when there is none.
    pub fn pop_state(&mut self) -> Result<()> {
        let state = self.saved.pop().ok_or(Error::NoSavedState)?;
        self.set_state(&state);
        Ok(())
    }

    /// The state after the frames so far, to go on from later, here or in another model of the same layers.
    /// [`Model::save_state`] writes it to a file.
    pub fn state(&self) -> SavedState {
        SavedState(self.memory.stream.saved())
    }

    /// Goes on from a saved state. Whether it fits the layers and the frames is checked with the next chunk.
    pub fn set_state(&mut self, state: &SavedState) {
        self.memory.stream = state.0.clone();
        self.memory.forget();
    }

    /// The input, output, state size and frame rate of the model for frames of `input`. The model is not changed.
    ///
    /// # Errors
    /// [`Error::Layer`] when a layer does not fit.
    pub fn signature(&self, input: Shape) -> Result<Signature> {
        let mut table = Table::default();
        self.network.compiled(input, &mut table, self.workers.shares(), |compiled| Ok(compiled.graph.signature()))
    }

    /// Feeds one chunk of a recording, of any length, and returns the output. The output is a view into the model, so that a
    /// running stream allocates nothing.
    ///
    /// ```
    /// use foveola::{Diff, Model};
    /// let mut model = Model::new().then(Diff);
    /// for frame in 0..10 {
    ///     let chunk = ndarray::Array3::from_elem((1, 4, 4), frame as f32);
    ///     let change = model.process(&chunk)?;
    ///     assert_eq!(change[(0, 0, 0, 0, 0)], if frame == 0 { 0.0 } else { 1.0 });
    /// }
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// A chunk goes through the layers in blocks of frames, so that the memory between layers is bounded: about 4 MB, or one
    /// frame of each layer, or the frames that initialise temporal padding. [`PadMode::FullCopy`](crate::PadMode) and
    /// [`PadMode::Mean`](crate::PadMode) use the whole first chunk.
    ///
    /// A layer may be changed between two chunks ([`Model::layer_mut`]), as long as the meaning of its state stays the same.
    /// Weights of the same size, biases, time constants and scales take effect with the next frame; past frames are
    /// unchanged.
    ///
    /// # Errors
    /// [`Error::FrameSize`] when the frames differ from those before; [`Error::NonFinite`] for a sample that is not finite;
    /// [`Error::Overflow`] for a result between the layers that is not finite; [`Error::Layer`] when a layer does not fit;
    /// [`Error::StateChanged`] when a layer changed during the stream so that its state became invalid; [`Error::Poisoned`]
    /// after a panic; [`Error::Memory`]. The state is then unchanged.
    pub fn process<'a>(&mut self, input: impl Movie<'a>) -> Result<ArrayView5<'_, f32>> {
        let input = input.movie()?;
        let largest = self.check(&input.view())?;
        let fed = self.feed(input.view(), largest, true, false)?;
        self.memory.output(fed)
    }

    /// [`Model::process`] with all outputs, in the order of [`Model::outputs`]. They are views into the model, so that a running
    /// stream does not allocate frames.
    ///
    /// ```
    /// use foveola::{Diff, Model, NLRectify};
    /// let mut edges = Model::new()
    ///     .named("change", Diff)
    ///     .named("on", NLRectify)
    ///     .named("off", NLRectify).reading([("change", -1.0)])
    ///     .with_output("on", "on")
    ///     .with_output("off", "off");
    /// let outputs = edges.process_all(&ndarray::arr3(&[[[0.0_f32]], [[2.0]], [[1.0]]]))?;
    /// assert_eq!(outputs[0].as_slice(), Some(&[0.0, 2.0, 0.0][..]));
    /// assert_eq!(outputs[1].as_slice(), Some(&[0.0, 0.0, 1.0][..]));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::process`].
    pub fn process_all<'a>(&mut self, input: impl Movie<'a>) -> Result<Vec<ArrayView5<'_, f32>>> {
        let input = input.movie()?;
        let (batch, channels, _, rows, cols) = input.view().dim();
        let shapes = self.further_shapes(Shape::new(channels, rows, cols))?;
        let largest = self.check(&input.view())?;
        let fed = self.feed(input.view(), largest, true, true)?;
        let further = self.memory.further_outputs(batch, shapes);
        std::iter::once(self.memory.output(fed)).chain(further).collect()
    }

    /// The shapes of the further outputs, for frames of `input`.
    fn further_shapes(&self, input: Shape) -> Result<Vec<Shape>> {
        let mut table = Table::default();
        self.network.compiled(input, &mut table, self.workers.shares(), |compiled| {
            let graph = &compiled.graph;
            Ok(graph.outputs().iter().map(|node| graph.stream(Source::Node(*node)).shape).collect())
        })
    }

    /// Feeds the next `n` frames of events (fewer at the end) and returns the output; none after the last frame.
    ///
    /// On the CPU the input is what [`Frames::next_chunk`](crate::Frames::next_chunk) yields. A device receives the events
    /// instead, if that takes fewer bytes, and counts them into the same frames.
    ///
    /// ```
    /// use foveola::{Frames, Geometry, LowPass, Model, Polarity, Resolution};
    /// use foveola_core::events::Event;
    /// let events = (0..1000).map(|i| Ok(Event { t: i * 100, x: (i % 8) as u16, y: 3, on: true }));
    /// let mut frames = Frames::new(events, Geometry { cols: 8, rows: 6 }, Polarity::Signed, 1_000)?;
    /// let mut smooth = Model::of(LowPass::new(0.02, Resolution::DEFAULT)?); // .to(Device::gpu()?)
    /// let mut seen = 0;
    /// while let Some(response) = smooth.process_events(&mut frames, 32)? {
    ///     seen += response.dim().2;
    /// }
    /// assert_eq!(seen, 100);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// Counts are exact up to 2^24 events at a pixel in a frame.
    ///
    /// # Errors
    /// As for [`Frames::next_chunk`](crate::Frames::next_chunk) and [`Model::process`]. The state is then unchanged, but the
    /// frames are consumed.
    pub fn process_events<I>(&mut self, frames: &mut crate::Frames<I>, n: usize) -> Result<Option<ArrayView5<'_, f32>>>
    where
        I: Iterator<Item = Result<Event>>,
    {
        #[cfg(feature = "gpu")]
        if self.network.device.is_device() {
            let shape = frames.shape();
            return match frames.next_counts(n)? {
                None => Ok(None),
                Some((frames, counted)) => self.feed_counts(shape, frames, &counted).map(Some),
            };
        }
        match frames.next_chunk(n)? {
            None => Ok(None),
            Some(chunk) => self.process(chunk).map(Some),
        }
    }

    /// Feeds a whole recording in chunks of `chunk` frames (the last may be shorter) and returns the whole output.
    ///
    /// # Errors
    /// As for [`Model::process`], and [`Error::Parameter`] for `chunk = 0`. The state is then that before the whole
    /// recording.
    pub fn run<'a>(&mut self, input: impl Movie<'a>, chunk: usize) -> Result<Array5<f32>> {
        if chunk == 0 {
            let expected = "1 frame or more in a chunk";
            return Err(Error::Parameter { item: "Model::run", name: "chunk", value: "0".into(), expected });
        }
        let input = input.movie()?;
        let input = input.view();
        let largest = self.check(&input)?;
        // A copy of the state is needed only if a chunk may fail.
        let before = self.may_refuse(&input, largest)?.then(|| self.memory.stream.clone());
        let t = self.time();
        let result = self.run_chunks(input, chunk, largest);
        if result.is_err() {
            match before {
                Some(before) => self.memory.stream = before,
                // The first chunk was rejected.
                None if self.time() == t => {}
                // Memory ran out in a later chunk.
                None => self.memory.stream.poison(),
            }
            self.memory.forget();
        }
        result
    }

    fn run_chunks(&mut self, input: ArrayView5<'_, f32>, chunk: usize, largest: f32) -> Result<Array5<f32>> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let signature = self.signature(Shape::new(channels, rows, cols))?;
        let chunks = (0..frames).step_by(chunk).map(|from| (from, (from + chunk).min(frames)));
        let t = self.time();
        let lengths = chunks.clone().map(|(from, to)| signature.frames_out(t + from as u64, to - from));
        let total = lengths.fold(0, usize::saturating_add);
        let shape = signature.output;
        let mut output = array("the output", [batch, shape.channels, total, shape.rows, shape.cols])?;
        #[cfg(feature = "gpu")]
        if self.network.device.is_device() && signature.lead == 0 {
            self.run_on_device(input, chunk, largest, &mut output)?;
            return Ok(output);
        }
        let mut at = 0;
        for (from, to) in chunks {
            let fed = self.feed(input.slice(s![.., .., from..to, .., ..]), largest, to == frames, false)?;
            let yielded = self.memory.output(fed)?;
            let n = yielded.dim().2;
            output.slice_mut(s![.., .., at..at + n, .., ..]).assign(&yielded);
            at += n;
        }
        Ok(output)
    }

    /// Feeds chunks as they arrive, without end: an iterator over the outputs.
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
    pub fn stream<'m, I>(&'m mut self, chunks: I) -> impl Iterator<Item = Result<Array5<f32>>>
    where
        I: IntoIterator,
        for<'a> &'a I::Item: Movie<'a>,
    {
        chunks.into_iter().map(|chunk| {
            let view = self.process(&chunk)?;
            let mut output = array("the output", view.dim().into())?;
            output.assign(&view);
            Ok(output)
        })
    }
}

/// A layer of a model: its index from 0, or its name.
pub trait LayerId: sealed::Sealed {
    /// The index in `model`, if there is such a layer.
    #[doc(hidden)]
    fn index(&self, model: &Model) -> Option<usize>;

    /// The index or the name, for messages.
    #[doc(hidden)]
    fn in_words(&self) -> String;
}

impl LayerId for usize {
    fn index(&self, _: &Model) -> Option<usize> {
        Some(*self)
    }

    fn in_words(&self) -> String {
        self.to_string()
    }
}

impl LayerId for &str {
    fn index(&self, model: &Model) -> Option<usize> {
        model.network.find(self)
    }

    fn in_words(&self) -> String {
        (*self).to_owned()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for usize {}
    impl Sealed for &str {}
}

impl Layer for Model {
    fn name(&self) -> &'static str {
        if self.is_empty() { "Identity" } else { "Model" }
    }

    /// The nodes of all layers. A model inside a model contributes its layers; the state is that of the outermost model.
    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        self.network.compile(table, from)
    }

    fn parameters(&self) -> Vec<Parameter> {
        Self::parameters(self)
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        self.network.gradients(nodes)
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        self.set_values(name, values)
    }
}
