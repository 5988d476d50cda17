//! A layer describes filters; it has no state. A model turns its layers into the core's table of nodes.

use crate::cpu::fft::FftKernel;
use crate::cpu::plan::{Job, Planner};
use crate::{Algorithm, Error, Plan, Result, Rf, SimdLevel};
use foveola_core::{Flow, Graph, Node, Place, Rate, Shape, Source, Stage};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Something that can stand in a [`Model`](crate::Model): it adds its nodes to the table for frames of a given shape.
///
/// A layer is `Clone` and `Debug`, as models are. A filter of your own implements [`Filter`](crate::Filter) and enters through
/// [`Stage::own`]:
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
///         Ok(table.push(from, Stage::own(self)))
///     }
/// }
/// let mut model = Model::new().then(Negate(Shape::new(1, 2, 2)));
/// let out = model.run(&ndarray::Array3::<f32>::ones((4, 2, 2)), 2)?;
/// assert_eq!(out.sum(), -16.0);
/// # Ok::<(), foveola::Error>(())
/// ```
pub trait Layer: LayerObject + Send + Sync {
    /// The layer's name, for messages.
    fn name(&self) -> &'static str;

    /// Adds the layer's nodes, the first of which reads `from`, and returns what the next layer reads. On a device the numbers of
    /// the nodes are read once, until [`Model::layer_mut`](crate::Model::layer_mut) or [`Model::push`](crate::Model::push) is
    /// called.
    ///
    /// # Errors
    /// When the layer does not fit the frames of `table.shape(from)`.
    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source>;
}

/// What a model needs of a layer beside its nodes. Every [`Layer`] that is `Clone` and `Debug` has it.
pub trait LayerObject: Any + fmt::Debug {
    /// A copy of the layer.
    fn boxed_clone(&self) -> Box<dyn Layer>;

    /// The layer, to be told what it is. A box tells of its content.
    fn as_any(&self) -> &dyn Any;

    /// The same, to be changed.
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
}

/// The table of nodes that a model is made into; see [`foveola_core::graph`].
#[derive(Default)]
pub struct Table<'a> {
    input: Option<Shape>,
    nodes: Vec<Node<'a>>,
    /// What flows out of each node.
    flows: Vec<Flow>,
    /// Memory for the graph.
    places: Vec<Place>,
    /// Receptive fields without a weight, and the size of the frames that reach them.
    fields: Vec<(&'a Rf, [usize; 2])>,
    /// For each node, its kernel if it goes through the frequency domain.
    kernels: Vec<Option<Arc<FftKernel>>>,
    /// Who computes.
    target: Target,
    /// Whether there are threads to share a chunk.
    shared: bool,
}

/// Who computes a table, as far as plans depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    /// The processor, with the bits that only the layers' taps have.
    #[default]
    Taps,
    /// The processor, with the vectors that there are.
    Vectors(SimdLevel),
    /// A device.
    Device,
}

/// Frames of a convolution that threads share at a time, and the samples that they may take: larger frames are shared one by
/// one, so that neighbouring rows are read together.
const BLOCK: usize = 8;
const BLOCK_SAMPLES: usize = 1 << 18;

impl<'a> Table<'a> {
    /// An empty table for frames of `input`.
    pub fn new(input: Shape) -> Self {
        Self { input: Some(input), ..Self::default() }
    }

    /// Shape of the frames that `source` yields; empty for a node that is not there.
    pub fn shape(&self, source: Source) -> Shape {
        self.flow(source).shape
    }

    /// When the frames of `source` come, relative to the model's input: behind a temporal stride of 2 every second time.
    ///
    /// ```
    /// use foveola::Table;
    /// use foveola_core::{Rate, Shape, Source};
    /// assert_eq!(Table::new(Shape::new(1, 4, 4)).rate(Source::Input), Rate::EACH);
    /// ```
    pub fn rate(&self, source: Source) -> Rate {
        self.flow(source).rate
    }

    fn flow(&self, source: Source) -> Flow {
        let empty = Shape::new(0, 0, 0);
        match source {
            Source::Input => Flow::input(self.input.unwrap_or(empty)),
            Source::Node(node) => self.flows.get(node).copied().unwrap_or(Flow::input(empty)),
        }
    }

    /// Adds a filter that reads `from`, and returns its output.
    pub fn push(&mut self, from: Source, stage: Stage<'a>) -> Source {
        let block = |samples: usize| (BLOCK_SAMPLES / samples.max(1)).min(BLOCK);
        let stage = match stage {
            Stage::Conv3d(conv) if self.shared => Stage::Conv3d(conv.in_blocks(block(conv.ring().frame))),
            Stage::SmoothConv(conv) if self.shared => {
                let frames = block(conv.signature().state);
                // Its stages cross from thread to thread; large ones had better stay.
                Stage::SmoothConv(conv.in_blocks(if frames > 2 { frames } else { 1 }))
            }
            other => other,
        };
        self.push_as_it_is(from, stage)
    }

    fn push_as_it_is(&mut self, from: Source, stage: Stage<'a>) -> Source {
        self.flows.push(self.flow(from).through(&stage.signature()));
        self.nodes.push(Node::Filter(from, stage));
        Source::Node(self.nodes.len() - 1)
    }

    /// Adds the weighted sum of two branches, and returns it.
    pub fn add(&mut self, branches: [(Source, f64); 2]) -> Source {
        let [(first, _), _] = branches;
        self.flows.push(self.flow(first));
        self.nodes.push(Node::Add(branches));
        Source::Node(self.nodes.len() - 1)
    }

    /// Remembers a receptive field that takes the size of its frames when the first of them is fed.
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

    /// The way to go for a layer that asks for an algorithm: what `planner` makes of its `job`.
    pub(crate) fn plan(&self, planner: &Planner, job: Job<'_>) -> Result<Plan> {
        match (self.target, planner.algorithm) {
            (Target::Vectors(level), _) => planner.plan(level, job),
            (Target::Device, _) => planner.plan_on_device(job),
            // Separable kernels are the core's own and have bits of their own everywhere.
            (Target::Taps, Algorithm::Separable) => planner.plan(SimdLevel::Baseline, job),
            (Target::Taps, _) => Ok(Plan::Direct),
        }
    }

    /// Adds a convolution that goes through the frequency domain.
    ///
    /// # Errors
    /// [`Error::Memory`] when its spectra find no room.
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

    /// The checked graph, and what belongs to it.
    ///
    /// # Errors
    /// As [`Graph::new`].
    pub(crate) fn compiled(&mut self) -> Result<Compiled<'_>> {
        self.places.resize(self.nodes.len(), Place::first(Shape::new(0, 0, 0)));
        let input = self.shape(Source::Input);
        let graph = Graph::with_places(input, &self.nodes, &mut self.places)
            .map_err(|source| Error::layer("the model", source))?;
        Ok(Compiled { graph, kernels: &self.kernels, fields: &self.fields })
    }

    /// The emptied table, for another model: its memory is kept, so that a running stream allocates nothing.
    pub(crate) fn recycle<'b>(mut self) -> Table<'b> {
        self.nodes.clear();
        self.fields.clear();
        // Collecting in place keeps the allocations; nothing is left to convert.
        let nodes = self.nodes.into_iter().map_while(|_| None).collect();
        let fields = self.fields.into_iter().map_while(|_| None).collect();
        self.kernels.clear();
        self.flows.clear();
        let (flows, places, kernels) = (self.flows, self.places, self.kernels);
        Table { input: None, nodes, flows, places, fields, kernels, target: Target::Taps, shared: false }
    }
}

/// A model as the core runs it.
#[derive(Clone, Copy)]
pub(crate) struct Compiled<'t> {
    pub(crate) graph: Graph<'t>,
    /// For each node so far, its kernel if it goes through the frequency domain; the last ones may be missing.
    pub(crate) kernels: &'t [Option<Arc<FftKernel>>],
    fields: &'t [(&'t Rf, [usize; 2])],
}

impl Compiled<'_> {
    /// The first frames were fed: receptive fields without a weight keep their size.
    pub(crate) fn fed(&self) {
        for (field, size) in self.fields {
            field.keep_size(*size);
        }
    }
}

/// Names the layer in an error of the core.
pub(crate) fn named<T>(layer: &dyn Layer, result: Result<T, foveola_core::Error>) -> Result<T> {
    result.map_err(|source| Error::layer(layer.name(), source))
}
