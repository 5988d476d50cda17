//! Golden cases: `{"layer", "params", "tolerance", "chunks": [{"input" | "inputs", "output", "components"?}]}`.

use foveola::kernels::{self, ExponentialFilter, ExponentialKernel, GaussFilter};
use foveola::{
    Border, Conv1d, Conv2d, Conv3d, Delay, Device, Diff, HighPass, Layer, LowPass, Model, NLExponential, NLLogistic,
    NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, Precision, RF, Resolution, SmoothConv,
    Table, TimePadding, VariableDelay, Weight,
};
use foveola_core::{Digest, Filter, Graph, Shape, Source, Step};
use ndarray::{Array5, ArrayD, Axis, IxDyn, concatenate};
use serde_json::Value;
use std::path::Path;

/// One file.
#[derive(Clone, Debug)]
pub struct Case {
    /// The layer's name in the file.
    pub layer: String,
    /// Largest allowed relative error.
    pub tolerance: f64,
    params: Value,
    chunks: Vec<Value>,
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    /// What is missing or wrong in it.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self {
            layer: value["layer"].as_str().ok_or("no layer")?.into(),
            tolerance: value["tolerance"].as_f64().ok_or("no tolerance")?,
            params: value["params"].clone(),
            chunks: value["chunks"].as_array().ok_or("no chunks")?.clone(),
        })
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.params.get(name)?.as_f64()
    }

    fn need(&self, name: &str) -> Result<f64, String> {
        self.number(name).ok_or_else(|| format!("no {name}"))
    }

    fn count(&self, name: &str, default: usize) -> usize {
        self.params.get(name).and_then(Value::as_u64).map_or(default, |n| n as usize)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.params.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    fn named<T: Copy>(&self, name: &str, names: &[(&str, T)], default: T) -> Result<T, String> {
        let Some(value) = self.params.get(name).and_then(Value::as_str) else { return Ok(default) };
        let found = names.iter().find(|(known, _)| *known == value);
        found.map(|(_, mode)| *mode).ok_or_else(|| format!("unknown {name} {value}"))
    }

    fn triple(&self, name: &str) -> Result<[usize; 3], String> {
        let Some(values) = self.params.get(name) else { return Ok([1; 3]) };
        let values: Vec<usize> = match values.as_array() {
            Some(values) => values.iter().filter_map(Value::as_u64).map(|n| n as usize).collect(),
            None => vec![values.as_u64().ok_or("not a number")? as usize],
        };
        match values[..] {
            [t, r, c] => Ok([t, r, c]),
            [r, c] => Ok([1, r, c]),
            [t] => Ok([t, 1, 1]),
            _ => Err(format!("{name} of {} numbers", values.len())),
        }
    }

    fn tensor(&self, name: &str) -> Result<Option<ArrayD<f32>>, String> {
        self.params.get(name).filter(|value| !value.is_null()).map(tensor).transpose()
    }

    fn resolution(&self) -> Resolution {
        let seed = Resolution::DEFAULT;
        Resolution {
            steps_per_second: self.number("steps_per_second").unwrap_or(seed.steps_per_second),
            pixel_per_degree: self.number("pixel_per_degree").unwrap_or(seed.pixel_per_degree),
            filter_epsilon: self.number("filter_epsilon").unwrap_or(seed.filter_epsilon),
        }
    }

    fn weight(&self) -> Result<Option<Weight>, String> {
        let Some(array) = self.tensor("weight")? else { return Ok(None) };
        let mut weight = Weight::from(array);
        if self.flag("normalize", false) {
            weight = weight.normalize();
        }
        if self.flag("preserve_channels", false) {
            weight = weight.preserve_channels();
        }
        Ok(Some(if self.flag("flip", true) { weight } else { weight.no_flip() }))
    }

    fn bias(&self) -> Result<Vec<f32>, String> {
        Ok(self.tensor("bias")?.map(|bias| bias.into_iter().collect()).unwrap_or_default())
    }

    fn pad_mode(&self) -> Result<PadMode, String> {
        self.named("pad_mode", &PadMode::NAMES, PadMode::Mirror)
    }

    /// Input and output channels of the layer before its weight is set: with groups they must be the weight's.
    fn channels(&self) -> Result<(usize, usize), String> {
        let groups = self.count("groups", 1);
        match self.tensor("weight")?.as_ref().map(|weight| weight.shape()) {
            Some([outs, ins, ..]) if groups > 1 => Ok((ins * groups, *outs)),
            _ => Ok((self.count("in_channels", 1), self.count("out_channels", 1))),
        }
    }

    /// The layer as a model, or none when the case is no stream of frames. `components` asks for those of `SmoothConv`.
    fn model(&self, components: bool) -> Result<Option<Box<dyn Layer>>, String> {
        let ((ins, outs), groups) = (self.channels()?, self.count("groups", 1));
        macro_rules! conv {
            ($new:expr) => {{
                let mut conv = $new
                    .map_err(text)?
                    .with_pad_mode(self.pad_mode()?)
                    .with_time_pad(self.flag("time_pad", true))
                    .with_autopad_mode(self.named("autopad_mode", &Border::NAMES, Border::Replicate)?)
                    .with_autopad(self.flag("autopad", true))
                    .with_stride(self.triple("stride")?)
                    .with_dilation(self.triple("dilation")?)
                    .with_groups(groups)
                    .map_err(text)?;
                if let Some(weight) = self.weight()? {
                    conv.set_weight(weight).map_err(text)?;
                }
                conv.set_bias(&self.bias()?).map_err(text)?;
                conv
            }};
        }
        let resolution = self.resolution();
        let layer: Box<dyn Layer> = match self.layer.as_str() {
            "conv3d" => Box::new(conv!(Conv3d::new(ins, outs, self.triple("kernel_size")?))),
            "conv2d" => Box::new(conv!(Conv2d::new(ins, outs, [1; 2]))),
            "conv1d" => Box::new(conv!(Conv1d::new(ins, outs, 1))),
            "rf" => {
                let field = RF::new(ins, outs, self.count("time_length", 1)).map_err(text)?;
                let mut field = field.with_pad_mode(self.pad_mode()?).with_time_pad(self.flag("time_pad", true));
                if let Some(weight) = self.weight()? {
                    field.set_weight(weight).map_err(text)?;
                }
                field.set_bias(&self.bias()?).map_err(text)?;
                Box::new(field)
            }
            "time_padding" => {
                let mode = self.named("mode", &PadMode::NAMES, PadMode::Mirror)?;
                Box::new(TimePadding::new(self.count("length", 0), mode))
            }
            "delay" => Box::new(Delay::new(self.count("delay", 0)).with_length(self.count("length", 0))),
            "variable_delay" => {
                let delays = self.tensor("delays")?.ok_or("no delays")?.mapv(|delay| delay as u32);
                Box::new(VariableDelay::new(&delays.into_dimensionality().map_err(text)?))
            }
            "low_pass" => Box::new(LowPass::new(self.need("tau")?, resolution).map_err(text)?),
            "high_pass" => Box::new(HighPass::new(self.need("tau")?, self.need("k")?, resolution).map_err(text)?),
            "smooth_conv" => {
                let taus = self.params["taus"].as_array().ok_or("no taus")?;
                let taus: Vec<f64> = taus.iter().filter_map(Value::as_f64).collect();
                let spatial = self.tensor("spatial")?.ok_or("no spatial")?;
                let smooth = SmoothConv::new(&taus, spatial, resolution).map_err(text)?;
                Box::new(if components { smooth.components() } else { smooth })
            }
            "nl_rectify" => Box::new(NLRectify),
            "nl_rectify_scale" => Box::new(NLRectifyScale::new(self.need("scale")?, self.need("bias")?).map_err(text)?),
            "nl_square" => Box::new(NLSquare::new(self.need("scale")?, self.need("bias")?).map_err(text)?),
            "nl_rectify_square" => {
                Box::new(NLRectifySquare::new(self.need("scale")?, self.need("bias")?).map_err(text)?)
            }
            "nl_exponential" => Box::new(NLExponential::new(self.need("scale")?, self.need("bias")?).map_err(text)?),
            "nl_softplus" => Box::new(NLSoftplus::new(self.need("scale")?, self.need("bias")?).map_err(text)?),
            "nl_logistic" => Box::new(NLLogistic::new(self.need("scale")?, self.need("bias")?).map_err(text)?),
            "diff" => Box::new(Diff),
            _ => return Ok(None),
        };
        Ok(Some(layer))
    }

    /// Whether it is a stream of frames.
    ///
    /// # Errors
    /// What is missing or wrong in the file.
    pub fn is_stream(&self) -> Result<bool, String> {
        Ok(self.model(false)?.is_some())
    }

    fn pad_is_mean(&self) -> Result<bool, String> {
        let mode = self.named("mode", &PadMode::NAMES, PadMode::Mirror)?;
        Ok([mode, self.pad_mode()?].contains(&PadMode::Mean))
    }

    /// What is no stream of frames: kernels, and sums over any axis.
    fn function(&self) -> Result<Vec<ArrayD<f32>>, String> {
        let resolution = self.resolution();
        let n = self.count("n", 0) as u32;
        let even = self.params.get("even").and_then(Value::as_bool);
        let output = match self.layer.as_str() {
            "exponential_kernel" => kernels::exponential_kernel(&ExponentialKernel {
                tau: self.need("tau")?,
                n,
                amplification: self.number("amplification").unwrap_or(1.0),
                length: self.count("length", 100),
                steps_per_second: resolution.steps_per_second,
            })
            .map_err(text)?
            .into_dyn(),
            "exponential_filter_1d" => {
                let filter = ExponentialFilter::new(self.need("tau")?);
                let filter = ExponentialFilter {
                    n,
                    normalize: self.flag("normalize", true),
                    amplification: self.number("amplification").unwrap_or(1.0),
                    max_length: self.count("max_length", filter.max_length),
                    min_steps: self.count("min_steps", filter.min_steps),
                    even,
                    ..filter
                };
                kernels::exponential_filter_1d(&filter, resolution).map_err(text)?.into_dyn()
            }
            "highpass_exponential_filter_1d" => {
                let (tau, k) = (self.need("tau")?, self.number("relative_weight").unwrap_or(0.1));
                kernels::highpass_exponential_filter_1d(tau, k, resolution).map_err(text)?.into_dyn()
            }
            "gauss_filter_2d" => {
                let filter = GaussFilter::new(self.need("sig_row")?, self.need("sig_col")?);
                let border_factor = self.number("border_factor").unwrap_or(filter.border_factor);
                let filter = GaussFilter { even: even.unwrap_or(false), border_factor, ..filter };
                kernels::gauss_filter_2d(&filter, resolution).map_err(text)?.into_dyn()
            }
            "sum" => {
                let dim = self.count("dim", 0);
                let outputs = self.chunks.iter().map(|chunk| {
                    let inputs = chunk["inputs"].as_array().ok_or("no inputs")?;
                    let inputs: Vec<Array5<f32>> = inputs.iter().map(movie).collect::<Result<_, _>>()?;
                    let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
                    Ok(foveola::sum(&views, dim).map_err(text)?.into_dyn())
                });
                return outputs.collect();
            }
            other => return Err(format!("unknown layer {other}")),
        };
        Ok(vec![output])
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn tensor(value: &Value) -> Result<ArrayD<f32>, String> {
    if let Some(number) = value.as_f64() {
        return Ok(ArrayD::from_elem(IxDyn(&[]), number as f32));
    }
    let shape: Vec<usize> =
        value["shape"].as_array().ok_or("no shape")?.iter().filter_map(Value::as_u64).map(|n| n as usize).collect();
    let data: Vec<f32> =
        value["data"].as_array().ok_or("no data")?.iter().filter_map(Value::as_f64).map(|x| x as f32).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), data).map_err(text)
}

fn movie(value: &Value) -> Result<Array5<f32>, String> {
    tensor(value)?.into_dimensionality().map_err(text)
}

/// Largest difference, relative to the largest expected magnitude.
fn error(found: &ArrayD<f32>, expected: &ArrayD<f32>) -> Result<f64, String> {
    if found.shape() != expected.shape() {
        return Err(format!("shape {:?}; expected {:?}", found.shape(), expected.shape()));
    }
    if let Some(bad) = found.iter().find(|x| !x.is_finite()) {
        return Err(format!("a sample is {bad}"));
    }
    let scale = expected.iter().fold(0.0_f64, |max, x| max.max(f64::from(x.abs())));
    let worst = found.iter().zip(expected).fold(0.0_f64, |max, (a, b)| max.max((f64::from(*a) - f64::from(*b)).abs()));
    Ok(if scale > 0.0 { worst / scale } else { worst })
}

/// The chunks one after another through the host's API; returns the worst error.
///
/// # Errors
/// A layer that refuses, or an output of the wrong shape.
pub fn run_host(case: &Case) -> Result<f64, String> {
    let mut worst = 0.0_f64;
    if case.is_stream()? {
        return run_on(case, &Device::cpu(), Feed::Chunks);
    }
    for (found, chunk) in case.function()?.iter().zip(&case.chunks) {
        worst = worst.max(error(found, &tensor(&chunk["output"])?)?);
    }
    Ok(worst)
}

/// How a case is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Chunk by chunk.
    Chunks,
    /// The first chunk, which decides the initial history, then frame by frame.
    Frames,
    /// Chunk by chunk, behind another stream of the same batch.
    Batch,
}

/// A stream of frames through the host's API on a device; returns the worst error.
///
/// # Errors
/// A layer that refuses, or an output of the wrong shape.
pub fn run_on(case: &Case, device: &Device, feed: Feed) -> Result<f64, String> {
    let with_components = case.chunks.iter().any(|chunk| chunk.get("components").is_some());
    let mut worst = 0.0_f64;
    for components in [false, true].into_iter().take(1 + usize::from(with_components)) {
        let name = if components { "components" } else { "output" };
        let mut model = Model::of(case.model(components)?.ok_or("no stream")?).to(device);
        for (k, chunk) in case.chunks.iter().enumerate() {
            let (input, expected) = (movie(&chunk["input"])?, movie(&chunk[name])?);
            let mut process = |input: Array5<f32>| model.process(&input).map(|view| view.to_owned()).map_err(text);
            let (found, expected) = match feed {
                Feed::Batch => {
                    // The mean is the only thing that streams share.
                    let other = if case.pad_is_mean()? { input.clone() } else { input.mapv(|x| 0.5 - x) };
                    let streams = concatenate(Axis(0), &[other.view(), input.view()]).map_err(text)?;
                    let found = process(streams)?;
                    (found.slice_axis(Axis(0), (input.len_of(Axis(0))..).into()).to_owned(), expected)
                }
                Feed::Frames if k > 0 => {
                    let (_, channels, _, rows, cols) = input.dim();
                    let lead = model.signature(Shape::new(channels, rows, cols)).map_err(text)?.lead;
                    let mut process =
                        |input: Array5<f32>| model.process(&input).map(|view| view.to_owned()).map_err(text);
                    let frames = input.axis_chunks_iter(Axis(2), 1).map(|frame| process(frame.to_owned()));
                    let frames: Vec<_> = frames.collect::<Result<_, _>>()?;
                    let behind = |out: &'_ Array5<f32>| lead.min(out.len_of(Axis(2)));
                    let views: Vec<_> =
                        frames.iter().map(|out| out.slice_axis(Axis(2), (behind(out)..).into())).collect();
                    let expected = expected.slice_axis(Axis(2), (behind(&expected)..).into()).to_owned();
                    (concatenate(Axis(2), &views).map_err(text)?, expected)
                }
                _ => (process(input)?, expected),
            };
            worst = worst.max(error(&found.into_dyn(), &expected.into_dyn())?);
        }
    }
    Ok(worst)
}

/// The first chunk, which decides the initial history, and then frame by frame through `core` with slices of exactly the
/// lengths it asks for. Leading history frames are left out: they come with chunks. None for what is no stream.
///
/// # Errors
/// A filter that refuses, or yields frames where none are expected.
pub fn run_core(case: &Case) -> Result<Option<f64>, String> {
    let Some(layer) = case.model(false)? else { return Ok(None) };
    let first = movie(&case.chunks[0]["input"])?;
    let (batch, channels, _, rows, cols) = first.dim();
    let mut table = Table::new(Shape::new(channels, rows, cols));
    layer.compile(&mut table, Source::Input).map_err(text)?;
    let graph = Graph::new(Shape::new(channels, rows, cols), table.nodes()).map_err(text)?;
    let signature = graph.signature();
    let mut worst = 0.0_f64;
    for stream in 0..batch {
        let mut state = vec![f32::NAN; signature.state]; // whatever is there is overwritten at t = 0
        let mut t = 0;
        for (k, chunk) in case.chunks.iter().enumerate() {
            let input = movie(&chunk["input"])?;
            let expected = movie(&chunk["output"])?.index_axis_move(Axis(0), stream);
            let frames = input.len_of(Axis(2));
            let mut found: Vec<f32> = Vec::new();
            let pieces: Vec<Vec<f32>> = (0..frames)
                .map(|frame| input.index_axis(Axis(0), stream).index_axis(Axis(1), frame).iter().copied().collect())
                .collect();
            let pieces = if k == 0 { vec![pieces.concat()] } else { pieces };
            for piece in pieces {
                let n = piece.len() / signature.input.len();
                let mut scratch = vec![f32::NAN; signature.scratch.len(n)];
                let mut output = vec![f32::NAN; signature.frames_out(t, n) * signature.output.len()];
                if k == 0 {
                    graph.run(t, &mut state, &mut scratch, &piece, &mut output).map_err(text)?;
                } else {
                    let step = graph.step(t, &mut state, &mut scratch, &piece, &mut output).map_err(text)?;
                    if (step == Step::Nothing) != output.is_empty() {
                        return Err(format!("frame {t}: {step:?}, but {} samples were announced", output.len()));
                    }
                }
                let lead = if k == 0 || output.is_empty() { 0 } else { signature.lead };
                found.extend(&output[lead * signature.output.len()..]);
                t += n as u64;
            }
            let lead = if k == 0 { 0 } else { signature.lead };
            let expected = expected.permuted_axes([1, 0, 2, 3]);
            let expected = expected.slice_axis(Axis(0), (lead..).into());
            let expected: Vec<f32> = expected.iter().copied().collect();
            worst = worst.max(error(
                &ArrayD::from_shape_vec(IxDyn(&[found.len()]), found).map_err(text)?,
                &ArrayD::from_shape_vec(IxDyn(&[expected.len()]), expected).map_err(text)?,
            )?);
        }
    }
    Ok(Some(worst))
}

/// The bits that the host's layers compute in the reproducible mode: the name of each output behind the case's, and its digest.
/// Stream by stream, chunk by chunk, and of a later chunk what follows its leading history frames.
///
/// # Errors
/// A layer that refuses.
pub fn digests(case: &Case) -> Result<Vec<(&'static str, Digest)>, String> {
    let mut digests = Vec::new();
    if case.model(false)?.is_none() {
        let mut digest = Digest::new();
        for output in case.function()? {
            output.iter().for_each(|y| digest.add(&[*y]));
        }
        return Ok(vec![("", digest)]);
    }
    let with_components = case.chunks.iter().any(|chunk| chunk.get("components").is_some());
    for (name, components) in [("", false), (" components", true)].into_iter().take(1 + usize::from(with_components)) {
        let mut model = Model::of(case.model(components)?.ok_or("no layer")?).with_precision(Precision::Reproducible);
        let mut outputs = Vec::new();
        for (k, chunk) in case.chunks.iter().enumerate() {
            let input = movie(&chunk["input"])?;
            let (_, channels, _, rows, cols) = input.dim();
            let lead = model.signature(Shape::new(channels, rows, cols)).map_err(text)?.lead;
            let output = model.process(&input).map_err(text)?;
            let from = if k == 0 { 0 } else { lead.min(output.len_of(Axis(2))) };
            outputs.push(output.slice_axis(Axis(2), (from..).into()).permuted_axes([0, 2, 1, 3, 4]).to_owned());
        }
        let mut digest = Digest::new();
        for stream in 0..outputs.first().map_or(0, |output| output.len_of(Axis(0))) {
            for output in &outputs {
                output.index_axis(Axis(0), stream).iter().for_each(|y| digest.add(&[*y]));
            }
        }
        digests.push((name, digest));
    }
    Ok(digests)
}
