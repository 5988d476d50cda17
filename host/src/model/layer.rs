//! A layer describes filters and has no state. A model compiles its layers into the core's table of nodes.

use crate::cpu::fft::FftKernel;
use crate::cpu::plan::{Job, Planner};
use crate::model::gradient::NodeGradients;
use crate::model::parameters::{Parameter, Values};
use crate::{Algorithm, Error, Plan, Result, Rf, SimdLevel};
use foveola_core::{Delay, Graph, Node, Place, Rate, Shape, Source, Stage, StreamShape};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// An element of a [`Model`](crate::Model): it adds its nodes to the table for frames of a given shape.
///
/// A layer is `Clone` and `Debug`, as models are. A custom filter implements [`Filter`](crate::Filter) and is added with
/// [`Stage::custom`]:
/// ```
/// use foveola::{Filter, Layer, Model, Result, Shape, Signature, Source, Stage, Table, core::Error};
///
/// #[derive(Clone, Debug)]
/// struct Negate(Shape);
/// impl Filter for Negate {
///     fn signature(&self) -> Signature {
///         Signature::same(self.0, 0)
///     }
///     fn advance(&self, _: u64, _: &mut [f32], _: &mut [f32], x: &[f32], y: &mut [f32]) -> Result<usize, Error> {
///         x.iter().zip(y).for_each(|(x, y)| *y = -x);
///         Ok(x.len() / self.0.len())
///     }
/// }
/// impl Layer for Negate {
///     fn name(&self) -> &'static str {
///         "Negate"
///     }
///     fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
///         Ok(table.push(from, Stage::custom(self)))
///     }
/// }
/// let mut model = Model::new().then(Negate(Shape::new(1, 2, 2)));
/// let out = model.run(&ndarray::Array3::<f32>::ones((4, 2, 2)), 2)?;
/// assert_eq!(out.sum(), -16.0);
/// # Ok::<(), foveola::Error>(())
/// ```
pub trait Layer: LayerObject + Send + Sync {
    /// The name of the layer, for messages.
    fn name(&self) -> &'static str;

    /// Adds the nodes of the layer and returns the source that the next layer reads. The first node reads `from`. On a
    /// device the parameters of the nodes are read once, until [`Model::layer_mut`](crate::Model::layer_mut) or
    /// [`Model::push`](crate::Model::push) is called.
    ///
    /// # Errors
    /// When the layer does not fit the frames of `table.shape(from)`.
    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source>;

    /// The parameters of the layer, by names without a dot; those of layers inside it after the name of each and a dot. None
    /// by default. See [`Model::parameters`](crate::Model::parameters).
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    /// The gradients of [`Layer::parameters`], by their names and in their shapes, from those of the layer's nodes. Parameters that
    /// are missing cannot be fitted; none can by default. See [`Model::gradient`](crate::Model::gradient).
    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let _ = nodes;
        Vec::new()
    }

    /// Sets a parameter to values of the same shape. Returns false, and changes nothing, if the layer has none of this name.
    ///
    /// # Errors
    /// Values of another shape or out of range; the layer is then unchanged.
    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        let _ = (name, values);
        Ok(false)
    }
}

/// Further methods that a model needs of a layer. Every [`Layer`] that is `Clone` and `Debug` implements them.
pub trait LayerObject: Any + fmt::Debug {
    /// A copy of the layer.
    fn boxed_clone(&self) -> Box<dyn Layer>;

    /// The layer as [`Any`], for downcasts. A box returns its content.
    fn as_any(&self) -> &dyn Any;

    /// The same, mutable.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<L: Layer + Clone + fmt::Debug> LayerObject for L {
    fn boxed_clone(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        match (self as &dyn Any).downcast_ref::<Box<dyn Layer>>() {
            Some(layer) => (**layer).as_any(),
            None => self,
        }
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        if (self as &dyn Any).is::<Box<dyn Layer>>() {
            let layer = (self as &mut dyn Any).downcast_mut::<Box<dyn Layer>>();
            return (**layer.expect("it is one")).as_any_mut();
        }
        self
    }
}

impl Clone for Box<dyn Layer> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

impl Layer for Box<dyn Layer> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        (**self).compile(table, from)
    }

    fn parameters(&self) -> Vec<Parameter> {
        (**self).parameters()
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        (**self).gradients(nodes)
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        (**self).set_parameter(name, values)
    }
}

/// The table of nodes that a model is compiled into; see [`foveola_core::graph`].
#[derive(Default)]
pub struct Table<'a> {
    input: Option<Shape>,
    nodes: Vec<Node<'a>>,
    /// Shape and rate of the frames that each node yields.
    streams: Vec<StreamShape>,
    /// The nodes that are outputs beside the last one.
    outputs: Vec<usize>,
    /// Working memory of the graph.
    places: Vec<Place>,
    /// Receptive fields without a weight, and the size of their input frames.
    fields: Vec<(&'a Rf, [usize; 2])>,
    /// The spectral kernel of each node that uses the frequency domain.
    kernels: Vec<Option<Arc<FftKernel>>>,
    /// What the layers of the networks that are being compiled yield, an inner network's after those around it.
    yields: Vec<Source>,
    /// Where those of the innermost network begin.
    network: usize,
    /// The CPU or device that runs the table.
    target: Target,
    /// Whether several threads share a chunk.
    shared: bool,
}

/// What runs a table, as far as plans depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    /// The CPU, with the bits of direct convolution.
    #[default]
    Taps,
    /// The CPU, with its vector instructions.
    Vectors(SimdLevel),
    /// The same without the frequency domain, for gradients.
    Gradients(SimdLevel),
    /// A device.
    Device,
    /// Nothing: the table tells the weights as they were set, without the factors of an algorithm.
    Weights,
}

/// The number of frames of a convolution that threads share at a time, and the largest number of samples in them. Larger
/// frames are shared one by one, so that neighbouring rows are read together.
const BLOCK: usize = 8;
const BLOCK_SAMPLES: usize = 1 << 18;

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("nodes", &self.nodes).field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

impl<'a> Table<'a> {
    /// An empty table for frames of `input`.
    pub fn new(input: Shape) -> Self {
        Self { input: Some(input), ..Self::default() }
    }

    /// Shape of the frames that `source` yields; empty for a node that does not exist.
    pub fn shape(&self, source: Source) -> Shape {
        self.stream(source).shape
    }

    /// Rate of the frames of `source`, relative to the model's input: after a temporal stride of 2, every second frame.
    ///
    /// ```
    /// use foveola::Table;
    /// use foveola_core::{Rate, Shape, Source};
    /// assert_eq!(Table::new(Shape::new(1, 4, 4)).rate(Source::Input), Rate::EACH);
    /// ```
    pub fn rate(&self, source: Source) -> Rate {
        self.stream(source).rate
    }

    pub(crate) fn stream(&self, source: Source) -> StreamShape {
        let empty = Shape::new(0, 0, 0);
        match source {
            Source::Input => StreamShape::input(self.input.unwrap_or(empty)),
            Source::Node(node) => self.streams.get(node).copied().unwrap_or(StreamShape::input(empty)),
        }
    }

    /// Adds a filter that reads `from`, and returns its output.
    pub fn push(&mut self, from: Source, stage: Stage<'a>) -> Source {
        let block = |samples: usize| (BLOCK_SAMPLES / samples.max(1)).min(BLOCK);
        let stage = match stage {
            Stage::Conv3d(conv) => {
                let conv = if self.shared { conv.in_blocks(block(conv.ring().frame)) } else { conv };
                // Threads share whole frames, and with vectors whole frames are faster.
                let whole = self.shared || matches!(self.target, Target::Vectors(_) | Target::Gradients(_));
                Stage::Conv3d(if whole { conv.in_bands(usize::MAX) } else { conv })
            }
            Stage::SmoothConv(conv) if self.shared => {
                let frames = block(conv.signature().state);
                // Its stages cross between threads; large stages are not split.
                Stage::SmoothConv(conv.in_blocks(if frames > 2 { frames } else { 1 }))
            }
            other => other,
        };
        self.push_as_it_is(from, stage)
    }

    fn push_as_it_is(&mut self, from: Source, stage: Stage<'a>) -> Source {
        self.streams.push(self.stream(from).through(&stage.signature()));
        self.nodes.push(Node::Filter(from, stage));
        Source::Node(self.nodes.len() - 1)
    }

    /// Adds the weighted sum of two branches, and returns it.
    pub fn add(&mut self, branches: [(Source, f64); 2]) -> Source {
        let [(first, _), _] = branches;
        self.streams.push(self.stream(first));
        self.nodes.push(Node::Add(branches));
        Source::Node(self.nodes.len() - 1)
    }

    /// Adds the product of two branches, sample by sample, and returns it. Their frames have one shape and one rate.
    pub fn multiply(&mut self, branches: [Source; 2]) -> Source {
        let [first, _] = branches;
        self.streams.push(self.stream(first));
        self.nodes.push(Node::Multiply(branches));
        Source::Node(self.nodes.len() - 1)
    }

    /// Adds the channels of the first branch followed by those of the second, and returns them. Their frames have the same
    /// rows, columns and rate.
    pub fn concat(&mut self, branches: [Source; 2]) -> Source {
        let [first, second] = branches;
        self.streams.push(self.stream(first).concat(self.shape(second)));
        self.nodes.push(Node::Concat(branches));
        Source::Node(self.nodes.len() - 1)
    }

    /// Makes the frames of `source` an output of the model beside that of its last layer.
    #[doc(hidden)]
    pub fn mark_output(&mut self, source: Source) {
        let node = match source {
            Source::Node(node) => node,
            Source::Input => {
                self.copy(source);
                self.nodes.len() - 1
            }
        };
        self.outputs.push(node);
    }

    /// Adds a node that copies `source`.
    fn copy(&mut self, source: Source) {
        self.push_as_it_is(source, Stage::Delay(Delay::new(self.shape(source), 0, 0)));
    }

    /// Makes `source` the last node, which is the output: the core has no model without nodes, no other node as its output,
    /// and no node that is two outputs.
    pub(crate) fn end(&mut self, source: Source) {
        match (source, self.nodes.len().checked_sub(1)) {
            (Source::Node(node), Some(last)) if node == last && !self.outputs.contains(&last) => {}
            _ => self.copy(source),
        }
    }

    /// `weight` times the frames of `source`: the sum of two exact halves, or the source itself.
    pub(crate) fn weighted(&mut self, source: Source, weight: f64) -> Source {
        if weight == 1.0 { source } else { self.add([(source, weight / 2.0); 2]) }
    }

    /// Begins a network inside the present one. Returns what [`Table::end_network`] takes.
    pub(crate) fn begin_network(&mut self) -> usize {
        std::mem::replace(&mut self.network, self.yields.len())
    }

    /// Returns to the network around this one.
    pub(crate) fn end_network(&mut self, around: usize) {
        self.yields.truncate(self.network);
        self.network = around;
    }

    /// The next layer of the network yields `source`.
    pub(crate) fn layer_yields(&mut self, source: Source) {
        self.yields.push(source);
    }

    /// What a layer of the network yields.
    pub(crate) fn of_layer(&self, layer: usize) -> Source {
        self.yields.get(self.network + layer).copied().unwrap_or(Source::Input)
    }

    /// Registers a receptive field that takes the size of the first frame that it is fed.
    pub(crate) fn sized_by_frames(&mut self, field: &'a Rf, size: [usize; 2]) {
        self.fields.push((field, size));
    }

    /// The nodes so far.
    pub fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    pub(crate) fn begin(&mut self, input: Shape, target: Target, shared: bool) {
        (self.input, self.target, self.shared) = (Some(input), target, shared);
    }

    /// The plan for a layer that may choose its algorithm: the result of `planner` for `job`.
    pub(crate) fn plan(&self, planner: &Planner, job: Job<'_>) -> Result<Plan> {
        match (self.target, planner.algorithm) {
            (Target::Vectors(level), _) => planner.plan(level, job),
            (Target::Gradients(_), Algorithm::Fft) => Ok(Plan::Direct),
            (Target::Gradients(level), _) => planner.plan(level, Job { fft: false, ..job }),
            (Target::Device, _) => planner.plan_on_device(job),
            // Separable kernels are part of core; their bits are the same on all platforms.
            (Target::Taps, Algorithm::Separable) => planner.plan(SimdLevel::Baseline, job),
            (Target::Taps | Target::Weights, _) => Ok(Plan::Direct),
        }
    }

    /// Adds a convolution in the frequency domain.
    ///
    /// # Errors
    /// [`Error::Memory`] when its spectra do not fit into memory.
    pub(crate) fn push_spectral(
        &mut self,
        from: Source,
        stage: Stage<'a>,
        planner: &Planner,
        job: Job<'_>,
    ) -> Result<Source> {
        if let Target::Vectors(level) = self.target {
            let kernel = planner.kernel(level, job)?;
            self.kernels.resize(self.nodes.len(), None);
            self.kernels.push(Some(kernel));
        }
        Ok(self.push_as_it_is(from, stage))
    }

    /// The checked graph and the data that belongs to it.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub(crate) fn compiled(&mut self) -> Result<Compiled<'_>> {
        self.places.resize(self.nodes.len(), Place::first(Shape::new(0, 0, 0)));
        let input = self.shape(Source::Input);
        let graph = Graph::with_outputs_and_places(input, &self.nodes, &self.outputs, &mut self.places)
            .map_err(|source| Error::layer("the model", source))?;
        Ok(Compiled { graph, kernels: &self.kernels, fields: &self.fields })
    }

    /// The emptied table, for another model. Its memory is kept, so that a running stream allocates nothing.
    pub(crate) fn recycle<'b>(mut self) -> Table<'b> {
        self.nodes.clear();
        self.fields.clear();
        // Collecting in place keeps the allocations; the vectors are empty.
        let nodes = self.nodes.into_iter().map_while(|_| None).collect();
        let fields = self.fields.into_iter().map_while(|_| None).collect();
        self.kernels.clear();
        self.streams.clear();
        self.yields.clear();
        self.outputs.clear();
        let Self { streams, outputs, places, kernels, yields, .. } = self;
        Table { nodes, streams, outputs, places, fields, kernels, yields, ..Table::default() }
    }
}

/// A model in the form that the core runs.
#[derive(Clone, Copy)]
pub(crate) struct Compiled<'t> {
    pub(crate) graph: Graph<'t>,
    /// The spectral kernel of each node that uses the frequency domain; entries at the end may be missing.
    pub(crate) kernels: &'t [Option<Arc<FftKernel>>],
    fields: &'t [(&'t Rf, [usize; 2])],
}

impl Compiled<'_> {
    /// Called after the first frames: receptive fields without a weight keep their size.
    pub(crate) fn fed(&self) {
        for (field, size) in self.fields {
            field.keep_size(*size);
        }
    }
}

/// Adds the name of the layer to an error of the core.
pub(crate) fn named<T>(layer: &dyn Layer, result: Result<T, foveola_core::Error>) -> Result<T> {
    result.map_err(|source| Error::layer(layer.name(), source))
}
