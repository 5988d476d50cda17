//! A model as Rust source for `foveola-core`: constants, checked when the firmware is built.

use super::integers::SpareGraph;
use super::{Model, Program, boards};
use crate::{Error, Result, Samples, shown};
use foveola_core::conv::Factors;
use foveola_core::{
    Border, Conv3d, Decay, Graph, Node, Nonlinearity, PadMode, Q15, Rf, Sample, Shape, SmoothConv, Source, Stage,
};
use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::ops::Range;

/// A model as Rust source; see [`Model::to_rust`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exported {
    /// The source: one module, which needs `foveola-core` alone.
    pub source: String,
    /// Bytes of flash for the weights and other tables.
    pub tables: usize,
    /// Bytes of RAM for an input frame, an output frame, the state, and the scratch for one frame.
    pub ram: [usize; 4],
    /// Bytes of RAM for the state of event filters, those of a [model file](crate::ModelFile::to_firmware).
    pub event_filters: usize,
    /// The program around the model, as predicted; [`None`] for samples of 16 bits.
    pub program: Option<Program>,
    /// Instructions for a frame without events on a Cortex-M4 or M7, as predicted: those of the layers and those that begin the
    /// frame. [`None`] where a layer is not predicted, as in 16 bits.
    pub instructions: Option<u64>,
    /// The layers.
    pub layers: Vec<ExportedLayer>,
}

/// The memory of one layer on a board.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExportedLayer {
    /// Its number or name, and its kind.
    pub name: String,
    /// Bytes of flash for its tables. A table that several layers share counts for the first.
    pub tables: usize,
    /// Bytes of its state.
    pub state: usize,
    /// Bytes of a frame that it yields.
    pub frame: usize,
    /// Instructions for each frame of the model on a Cortex-M4 or M7, on average, as predicted from the loops of
    /// `foveola-core` and the measured cost of each; [`None`] for a filter that is not predicted. They are not cycles.
    pub instructions: Option<u64>,
}

impl Exported {
    /// Bytes of RAM for frames, state, scratch and event filters.
    pub fn ram_in_all(&self) -> usize {
        self.ram.iter().copied().fold(self.event_filters, usize::saturating_add)
    }

    /// Checks that the model fits into `ram` bytes of RAM and `flash` bytes of flash. The program around it needs more of both.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution, Shape};
    /// let exported = Model::of(LowPass::new(0.02, Resolution::DEFAULT)?).to_rust(Shape::new(1, 8, 8))?;
    /// exported.must_fit(768, 0)?;
    /// let error = exported.must_fit(767, 0).unwrap_err();
    /// let expected = "the model needs 768 bytes of RAM, but there are 767; layer 0, LowPass takes the most, 512 bytes";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DoesNotFit`] with the layer that takes the most: of RAM its state and a frame, of flash its tables.
    pub fn must_fit(&self, ram: usize, flash: usize) -> Result<()> {
        let of_ram = |layer: &ExportedLayer| layer.state.saturating_add(layer.frame);
        self.must_fit_into("RAM", self.ram_in_all(), ram, of_ram)?;
        self.must_fit_into("flash", self.tables, flash, |layer| layer.tables)
    }

    fn must_fit_into(
        &self,
        memory: &'static str,
        needed: usize,
        limit: usize,
        share: impl Fn(&ExportedLayer) -> usize,
    ) -> Result<()> {
        if needed <= limit {
            return Ok(());
        }
        let most = self.layers.iter().max_by_key(|layer| share(layer));
        let (layer, share) = most.map_or_else(Default::default, |layer| (layer.name.clone(), share(layer)));
        Err(Error::DoesNotFit { memory, needed, limit, layer, share })
    }
}

impl Model {
    /// The model as Rust source for frames of `input`: tables of weights, a `static NODES`, the constants `INPUT` and
    /// `MODEL`. It needs `foveola-core` alone and is checked when it is compiled.
    ///
    /// On a board it computes the bits of this model with [`Precision::Reproducible`](crate::Precision::Reproducible), fed one
    /// frame at a time: the first chunk initialises temporal padding. [`Graph::output`] has the outputs beside the first.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution, Shape};
    /// let model = Model::new().named("smooth", LowPass::new(0.02, Resolution::DEFAULT)?);
    /// let exported = model.to_rust(Shape::new(1, 64, 64))?;
    /// assert!(exported.source.contains("pub const MODEL: Graph"));
    /// assert_eq!(exported.ram, [4 * 64 * 64, 4 * 64 * 64, 4 * 64 * 64, 0]); // input, output, state, scratch
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Export`] for a custom filter, which has no source here; [`Error::Layer`] when a layer does not fit the
    /// frames.
    pub fn to_rust(&self, input: Shape) -> Result<Exported> {
        let network = self.network.reproducible();
        let ends = network.ends(input)?;
        let mut table = crate::Table::default();
        network.compiled(input, &mut table, false, |compiled| {
            let graph = &compiled.graph;
            if self.samples() == Samples::F32 {
                let mut exported = export(graph, &ends, |node| network.layer_at(node, &ends))?;
                predict(&mut exported, graph, &ends);
                return Ok(exported);
            }
            let tables = network.integers(graph)?;
            let of_integers: Vec<usize> =
                ends.iter().map(|end| end.checked_sub(1).map_or(0, |last| tables.end(last))).collect();
            let mut exported = tables.with_graph(input, &mut SpareGraph::default(), |graph| {
                export(graph, &of_integers, |node| network.layer_at(tables.origin(node), &ends))
            })?;
            let scales = tables.output_scales(graph);
            write!(
                exported.source,
                "\n/// What a sample of 1 stands for: of each output of `MODEL`.\n\
                 #[allow(dead_code, reason = \"a program may know them\")]\n\
                 pub const FULL_SCALES: [f32; {}] = {scales:?};\n",
                scales.len()
            )
            .expect(GROWS);
            Ok(exported)
        })
    }
}

/// The nodes of each layer, whose last ones are at `ends`, and those behind all layers.
fn of_layers(ends: &[usize], nodes: usize) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    let ranges = ends.iter().copied().chain([nodes]).map(move |end| std::mem::replace(&mut begin, end)..end);
    ranges.filter(|range| !range.is_empty())
}

/// Fills in what is predicted of a model in floats.
fn predict(exported: &mut Exported, graph: &Graph<'_>, ends: &[usize]) {
    for (layer, mut nodes) in exported.layers.iter_mut().zip(of_layers(ends, graph.nodes().len())) {
        let sum = nodes.try_fold(0.0, |sum, node| Some(sum + boards::instructions(graph, node)?));
        layer.instructions = sum.map(|sum| sum.round() as u64);
    }
    let program = Program::around(graph);
    let of_layers: Option<u64> = exported.layers.iter().map(|layer| layer.instructions).sum();
    exported.instructions = of_layers.map(|sum| sum + program.instructions);
    exported.program = Some(program);
}

fn export<T: Written>(graph: &Graph<'_, T>, ends: &[usize], title: impl Fn(usize) -> String) -> Result<Exported> {
    let mut text = Text::default();
    let (mut rows, mut layers) = (String::new(), Vec::new());
    for nodes in of_layers(ends, graph.nodes().len()) {
        let (before, mut state) = (text.bytes, 0);
        let name = title(nodes.start);
        let name = name.split(" (step").next().unwrap_or(&name);
        writeln!(rows, "    // {}", shown(name)).expect(GROWS);
        let last = nodes.end - 1;
        for node in nodes {
            let Some(row) = graph.nodes().get(node) else { continue };
            let row_text = text.node(row).ok_or_else(|| Error::Export { layer: title(node) })?;
            writeln!(rows, "    {row_text},").expect(GROWS);
            state += row.state();
        }
        let frame = size_of::<T>() * graph.stream(Source::Node(last)).shape.len();
        layers.push(ExportedLayer {
            name: name.into(),
            tables: text.bytes - before,
            state: size_of::<T>() * state,
            frame,
            instructions: None,
        });
    }
    let (count, signature) = (graph.nodes().len(), graph.signature());
    let placed = match graph.outputs() {
        [] => "new(INPUT, &NODES)".into(),
        outputs => format!("with_outputs(INPUT, &NODES, &{outputs:?})"),
    };
    let source = format!(
        "use foveola_core::{{{}}};\n\n\
         /// What samples are.\n\
         pub type Sample = {};\n\n\
         /// The frames that the model takes: channels, rows, columns.\n\
         pub const INPUT: Shape = {};\n\n{}\
         /// The table of the model.\n\
         pub static NODES: [Node<Sample>; {count}] = [\n{rows}];\n\n\
         /// The table with the memory that its nodes share.\n\
         pub static PLACED: PlacedGraph<{count}, Sample> = constant!(PlacedGraph::{placed});\n\n\
         /// The model.\n\
         pub const MODEL: Graph<Sample> = PLACED.graph();\n",
        text.uses(&rows, T::NAME),
        T::NAME,
        shape(graph.input()),
        text.tables,
    );
    let lens = [signature.input.len(), signature.output.len(), signature.state, signature.scratch.len(1)];
    let ram = lens.map(|len| size_of::<T>() * len);
    Ok(Exported { source, tables: text.bytes, ram, program: None, instructions: None, event_filters: 0, layers })
}

/// Samples as source.
trait Written: Sample {
    /// The name of the type.
    const NAME: &'static str;
    /// The constructor of a filter with weights.
    const NEW: &'static str;
    /// The method that takes factors.
    const SEPARABLE: &'static str;

    /// An array, whose entries are in `lines`.
    fn array(lines: &str) -> String;

    /// As an entry.
    fn entry(self) -> impl Debug;

    /// A further argument of [`Self::NEW`] or [`Self::SEPARABLE`] for what weights count.
    fn argument(shift: impl Debug) -> String;
}

impl Written for f32 {
    const NAME: &'static str = "f32";
    const NEW: &'static str = "new";
    const SEPARABLE: &'static str = "separable";

    fn array(lines: &str) -> String {
        format!("[\n{lines}]")
    }

    fn entry(self) -> impl Debug {
        self
    }

    fn argument(_: impl Debug) -> String {
        String::new()
    }
}

impl Written for Q15 {
    const NAME: &'static str = "Q15";
    const NEW: &'static str = "new_q15";
    const SEPARABLE: &'static str = "separable_q15";

    fn array(lines: &str) -> String {
        format!("Q15::array([\n{lines}])")
    }

    fn entry(self) -> impl Debug {
        self.to_bits()
    }

    fn argument(shift: impl Debug) -> String {
        format!(", {shift:?}")
    }
}

const GROWS: &str = "a String grows";

/// Tables so far, each once.
#[derive(Default)]
struct Text {
    tables: String,
    names: HashMap<String, String>,
    bytes: usize,
}

impl Text {
    /// The names of `foveola-core` that the source uses.
    fn uses(&self, rows: &str, sample: &str) -> String {
        let names = [
            "Axis",
            "Border",
            "Conv3d",
            "ConvOptions",
            "Decay",
            "Delay",
            "Diff",
            "Finite",
            "Graph",
            "HighPass",
            "Kernel",
            "LowPass",
            "Node",
            "Nonlinearity",
            "PadMode",
            "PlacedGraph",
            "Pointwise",
            "Q15",
            "Rf",
            "Shape",
            "SmoothConv",
            "Source",
            "Stage",
            "Sum",
            "TimePadding",
            "VariableDelay",
            "constant",
            "conv::Factors",
        ];
        let word = |text: &str, name: &str| {
            let name = name.rsplit(':').next().unwrap_or(name);
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
        };
        let used = |name: &&str| {
            ["Graph", "Node", "PlacedGraph", "Shape", "constant"].contains(name)
                || *name == sample
                || word(rows, name)
                || word(&self.tables, name)
        };
        names.into_iter().filter(used).collect::<Vec<_>>().join(", ")
    }

    /// A reference to a table with these entries, as the `array` of their lines.
    fn table(
        &mut self,
        what: &str,
        (kind, size): (&str, usize),
        entries: &[impl Debug],
        array: impl Fn(&str) -> String,
    ) -> String {
        if entries.is_empty() {
            return "&[]".into();
        }
        let count = entries.len();
        let mut lines = String::new();
        for line in entries.chunks(8) {
            let line: Vec<String> = line.iter().map(|entry| format!("{entry:?}")).collect();
            writeln!(lines, "    {},", line.join(", ")).expect(GROWS);
        }
        let literal = format!("[{kind}; {count}] = {};\n", array(&lines));
        let next = self.names.len();
        let name = self.names.entry(literal.clone()).or_insert_with(|| {
            let name = format!("{what}_{next}");
            writeln!(self.tables, "static {name}: {literal}").expect(GROWS);
            self.bytes += size * count;
            name
        });
        format!("&{name}")
    }

    fn samples<T: Written>(&mut self, what: &str, samples: &[T]) -> String {
        let entries: Vec<_> = samples.iter().map(|sample| sample.entry()).collect();
        self.table(what, (T::NAME, size_of::<T>()), &entries, T::array)
    }

    fn factors<T: Written>(&mut self, factors: &Factors<'_, T>, shifts: impl Debug) -> String {
        let Factors { terms, time, rows, cols } = factors;
        let [time, rows, cols] = [time, rows, cols].map(|numbers| self.samples("FACTORS", numbers));
        let (separable, shifts) = (T::SEPARABLE, T::argument(shifts));
        format!(".{separable}(Factors {{ terms: {terms}, time: {time}, rows: {rows}, cols: {cols} }}{shifts})")
    }

    /// A row of the table; [`None`] for a custom filter.
    fn node<T: Written>(&mut self, node: &Node<'_, T>) -> Option<String> {
        Some(match node {
            Node::Filter(from, stage) => {
                let (kind, filter) = self.stage(stage)?;
                format!("Node::Filter({}, Stage::{kind}({filter}))", source(*from))
            }
            Node::Add([(a, wa), (b, wb)]) => {
                format!("Node::Add([({}, {wa:?}), ({}, {wb:?})])", source(*a), source(*b))
            }
            Node::Multiply([a, b]) => format!("Node::Multiply([{}, {}])", source(*a), source(*b)),
            Node::Concat([a, b]) => format!("Node::Concat([{}, {}])", source(*a), source(*b)),
            _ => return None,
        })
    }

    /// The variant of [`Stage`] and the expression of its filter.
    fn stage<T: Written>(&mut self, stage: &Stage<'_, T>) -> Option<(&'static str, String)> {
        let of = shape(stage.signature().input);
        Some(match stage {
            Stage::TimePadding(padding) => {
                ("TimePadding", format!("TimePadding::new({of}, {}, {})", padding.length(), pad(padding.mode())))
            }
            Stage::Delay(delay) => {
                let (delay, length) = delay.frames();
                ("Delay", format!("Delay::new({of}, {delay}, {length})"))
            }
            Stage::VariableDelay(delay) => {
                let delays = self.table("DELAYS", ("u32", size_of::<u32>()), delay.delays(), f32::array);
                ("VariableDelay", format!("constant!(VariableDelay::new({of}, {delays}))"))
            }
            Stage::Conv3d(conv) => ("Conv3d", self.conv(&of, conv)),
            Stage::Rf(rf) => ("Rf", self.rf(&of, rf)),
            Stage::LowPass(filter) => {
                let plain = format!("LowPass::new({of}, {})", decay(filter.decay()));
                ("LowPass", amplified(plain, filter.shift()))
            }
            Stage::HighPass(filter) => {
                let decay = decay(filter.decay());
                ("HighPass", format!("constant!(HighPass::new({of}, {decay}, {:?}))", filter.k()))
            }
            Stage::SmoothConv(conv) => ("SmoothConv", self.smooth_conv(&of, conv)),
            Stage::Pointwise(pointwise) => {
                let function = nonlinearity(pointwise.function());
                ("Pointwise", format!("constant!(Pointwise::new({of}, {function}))"))
            }
            Stage::Sum(sum) => ("Sum", format!("Sum::new({of}, Axis::{:?})", sum.over())),
            Stage::Diff(_) => ("Diff", format!("Diff::new({of})")),
            Stage::Finite(_) => ("Finite", format!("Finite::new({of})")),
            _ => return None,
        })
    }

    fn conv<T: Written>(&mut self, of: &str, conv: &Conv3d<'_, T>) -> String {
        let (kernel, options) = (conv.kernel(), conv.options());
        let kernel = self.kernel(kernel.weights, kernel.shape, kernel.bias);
        let (stride, dilation, groups) = (options.stride, options.dilation, options.groups);
        let border = options.border.map_or("None".into(), |mode| format!("Some({})", border(mode)));
        let options = format!(
            "ConvOptions {{ border: {border}, pad: {}, stride: {stride:?}, dilation: {dilation:?}, groups: {groups} }}",
            optional_pad(options.pad)
        );
        let plain = format!("constant!(Conv3d::{}({of}, {kernel}{}, {options}))", T::NEW, T::argument(conv.shift()));
        match conv.factors() {
            None => plain,
            Some(factors) => format!("constant!({plain}{})", self.factors(factors, conv.factor_shifts())),
        }
    }

    fn rf<T: Written>(&mut self, of: &str, rf: &Rf<'_, T>) -> String {
        let (kernel, pad) = (rf.kernel(), optional_pad(rf.pad()));
        if rf.is_empty() {
            let [out, _, frames, ..] = kernel.shape;
            return format!("constant!(Rf::uniform({of}, {out}, {frames}, {pad}))");
        }
        let kernel = self.kernel(kernel.weights, kernel.shape, kernel.bias);
        format!("constant!(Rf::{}({of}, {kernel}{}, {pad}))", T::NEW, T::argument(rf.shift()))
    }

    fn smooth_conv<T: Written>(&mut self, of: &str, conv: &SmoothConv<'_, T>) -> String {
        let (weights, size) = conv.weights();
        let weights = self.samples("WEIGHTS", weights);
        let decays: Vec<_> = conv.decays().iter().map(|one| Verbatim(decay(*one))).collect();
        let decays = self.table("DECAYS", ("Decay", size_of::<Decay>()), &decays, f32::array);
        let (shift, border) = (T::argument(conv.shift()), border(conv.border()));
        let plain = format!("constant!(SmoothConv::{}({of}, {decays}, {weights}, {size:?}{shift}, {border}))", T::NEW);
        let mut filter = amplified(plain, conv.amplification());
        if conv.yields_components() {
            filter += ".components()";
        }
        match conv.factors() {
            None => filter,
            Some(factors) => format!("constant!({filter}{})", self.factors(factors, conv.factor_shifts())),
        }
    }

    fn kernel<T: Written>(&mut self, weights: &[T], shape: [usize; 5], bias: &[T]) -> String {
        let (weights, bias) = (self.samples("WEIGHTS", weights), self.samples("BIAS", bias));
        format!("Kernel {{ weights: {weights}, shape: {shape:?}, bias: {bias} }}")
    }
}

/// Source, written as it is.
struct Verbatim(String);

impl Debug for Verbatim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn shape(Shape { channels, rows, cols }: Shape) -> String {
    format!("Shape::new({channels}, {rows}, {cols})")
}

fn source(source: Source) -> String {
    match source {
        Source::Input => "Source::Input".into(),
        Source::Node(node) => format!("Source::Node({node})"),
    }
}

/// The gain is what a filter stores: it has the same bits there.
fn decay(decay: Decay) -> String {
    let text = format!("constant!(Decay::from_gain({:?}))", decay.gain());
    let is_plain = Decay::from_gain(decay.gain()).is_ok_and(|plain| !plain.is_compensated());
    if decay.is_compensated() && is_plain { text + ".with_remainder()" } else { text }
}

/// A filter whose output counts `2^shift` times.
fn amplified(filter: String, shift: i8) -> String {
    if shift == 0 { filter } else { format!("constant!({filter}.amplified({shift}))") }
}

fn border(border: Border) -> String {
    format!("Border::{border:?}")
}

fn pad(pad: PadMode) -> String {
    format!("PadMode::{pad:?}")
}

fn optional_pad(mode: Option<PadMode>) -> String {
    mode.map_or("None".into(), |mode| format!("Some({})", pad(mode)))
}

fn nonlinearity(function: Nonlinearity) -> String {
    format!("Nonlinearity::{function:?}")
}
