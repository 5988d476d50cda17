//! The golden cases of `tests/golden` as Rust source: no parser of JSON is needed where they run. What a case means is said by
//! `tests/src/golden.rs` in terms of the host's layers; here it is said in those of `foveola-core`, and the expected outputs and
//! the host's digests tell whether it is the same.

use foveola_core::kernels::{ExponentialFilter, GaussFilter, Resolution};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const CASES: &str = "../../tests/golden";
const DIGESTS: &str = "digests.tsv";

fn main() {
    println!("cargo:rerun-if-changed={CASES}");
    println!("cargo:rerun-if-changed={DIGESTS}");
    println!("cargo:rerun-if-changed=build.rs");
    let digests = fs::read_to_string(DIGESTS).unwrap_or_else(|error| panic!("{DIGESTS}: {error}"));
    let digests: HashMap<&str, &str> = digests.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut files: Vec<PathBuf> = fs::read_dir(CASES)
        .unwrap_or_else(|error| panic!("{CASES}: {error}"))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{CASES}: no golden cases");
    let mut source = Source { text: String::new(), tables: HashMap::new() };
    let mut cases = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (name, tolerance, subject) in source.case(&name, file) {
            let digest = digests.get(name.as_str());
            // None where the table is older than the case: the case then fails, and says so.
            let digest = digest.map_or("None".into(), |digest| format!("Some(0x{digest})"));
            cases.push(format!(
                "Case {{ name: {name:?}, tolerance: {tolerance:?}, digest: {digest}, subject: {subject} }}"
            ));
        }
    }
    let text = source.text;
    let (count, cases) = (cases.len(), cases.join(",\n"));
    let text = format!("{text}/// All of them, by name.\npub static CASES: [Case; {count}] = [\n{cases},\n];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("cases.rs"), text).expect("OUT_DIR is writable");
}

/// A tensor, row-major.
struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

fn tensor(value: &Value) -> Tensor {
    let numbers = |name: &str| value[name].as_array().unwrap_or_else(|| panic!("no {name}")).iter();
    Tensor {
        shape: numbers("shape").map(|n| n.as_u64().expect("a length") as usize).collect(),
        data: numbers("data").map(|x| x.as_f64().expect("a number") as f32).collect(),
    }
}

/// `(batch, channel, time, row, col)` as it lies in the memory of a board: stream, frame, channel, row, column.
fn frames(value: &Value) -> ([usize; 5], Vec<f32>) {
    let Tensor { shape, data } = tensor(value);
    let shape: [usize; 5] = shape.try_into().expect("five axes");
    let [batch, channels, time, rows, cols] = shape;
    let pixels = rows * cols;
    let mut out = Vec::with_capacity(data.len());
    for (b, t) in (0..batch).flat_map(|b| (0..time).map(move |t| (b, t))) {
        for c in 0..channels {
            let at = ((b * channels + c) * time + t) * pixels;
            out.extend_from_slice(&data[at..at + pixels]);
        }
    }
    (shape, out)
}

/// Parameters of a case.
struct Params<'v>(&'v Value);

impl Params<'_> {
    fn number(&self, name: &str, default: f64) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    fn count(&self, name: &str, default: usize) -> usize {
        self.0.get(name).and_then(Value::as_u64).map_or(default, |n| n as usize)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// The variant that a name in `snake_case` stands for.
    fn variant(&self, name: &str, default: &str) -> String {
        let value = self.0.get(name).and_then(Value::as_str).unwrap_or(default);
        let words = value.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
        words.collect()
    }

    fn triple(&self, name: &str) -> [usize; 3] {
        let Some(value) = self.0.get(name) else { return [1; 3] };
        let numbers: Vec<usize> = match value.as_array() {
            Some(values) => values.iter().map(|n| n.as_u64().expect("a count") as usize).collect(),
            None => vec![value.as_u64().expect("a count") as usize],
        };
        match numbers[..] {
            [t, r, c] => [t, r, c],
            [r, c] => [1, r, c],
            [t] => [t, 1, 1],
            _ => panic!("{name} of {} numbers", numbers.len()),
        }
    }

    fn tensor(&self, name: &str) -> Option<Tensor> {
        self.0.get(name).filter(|value| !value.is_null()).map(tensor)
    }

    fn resolution(&self) -> String {
        let Resolution { steps_per_second, pixel_per_degree, filter_epsilon } = Resolution::DEFAULT;
        format!(
            "Resolution {{ steps_per_second: {:?}, pixel_per_degree: {:?}, filter_epsilon: {:?} }}",
            self.number("steps_per_second", steps_per_second),
            self.number("pixel_per_degree", pixel_per_degree),
            self.number("filter_epsilon", filter_epsilon)
        )
    }

    fn decay(&self, tau: f64) -> String {
        let rate = self.number("steps_per_second", Resolution::DEFAULT.steps_per_second);
        format!("constant!(Decay::new({tau:?}, {rate:?}))")
    }

    /// The weight as `(out, in / groups, time, row, col)` in correlation order.
    fn weight(&self, layer: &str) -> Option<Tensor> {
        let Tensor { shape, mut data } = self.tensor("weight")?;
        let channels = [self.count("out_channels", 1), self.count("in_channels", 1)];
        let copied = layer == "rf" || self.flag("preserve_channels", false);
        let shape = match (layer, &shape[..]) {
            (_, &[o, i, t, r, c]) => [o, i, t, r, c],
            ("conv2d", &[o, i, r, c]) => [o, i, 1, r, c],
            ("conv2d", &[o, r, c]) => [o, 1, 1, r, c],
            ("conv1d", &[o, i, t]) => [o, i, t, 1, 1],
            (_, kernel) => {
                let [t, r, c] = match (layer, kernel) {
                    ("conv3d" | "rf", &[t, r, c]) => [t, r, c],
                    (_, &[r, c]) => [1, r, c],
                    (_, &[t]) => [t, 1, 1],
                    _ => panic!("{layer}: a weight of {kernel:?}"),
                };
                let [o, i] = if copied { channels } else { [1; 2] };
                data = data.repeat(o * i);
                [o, i, t, r, c]
            }
        };
        let kernel = shape[2..].iter().product();
        if self.flag("flip", true) {
            data.chunks_exact_mut(kernel).for_each(<[f32]>::reverse);
        }
        if self.flag("normalize", false) {
            let sum: f64 = data.iter().map(|w| f64::from(*w)).sum();
            data.iter_mut().for_each(|w| *w = (f64::from(*w) / sum) as f32);
        }
        Some(Tensor { shape: shape.to_vec(), data })
    }
}

/// The text so far, and its tables, each once.
struct Source {
    text: String,
    tables: HashMap<String, usize>,
}

impl Source {
    /// The name of a static with these numbers.
    fn table<T: std::fmt::Debug>(&mut self, kind: &str, numbers: &[T]) -> String {
        let literal = format!("[{kind}; {}] = {numbers:?}", numbers.len());
        let next = self.tables.len();
        let index = *self.tables.entry(literal.clone()).or_insert(next);
        if index == next {
            writeln!(self.text, "static TABLE_{index}: {literal};").expect("a String grows");
        }
        format!("&TABLE_{index}")
    }

    /// Names, tolerance and subjects of what is in a file.
    fn case(&mut self, name: &str, file: &Path) -> Vec<(String, f64, String)> {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let layer = value["layer"].as_str().unwrap_or_else(|| panic!("{name}: no layer"));
        let tolerance = value["tolerance"].as_f64().unwrap_or_else(|| panic!("{name}: no tolerance"));
        let (params, chunks) = (Params(&value["params"]), value["chunks"].as_array().expect("chunks"));
        if layer == "sum" {
            return vec![(name.into(), tolerance, self.sum(&params, &chunks[0]))];
        }
        if let Some(write) = kernel(layer, &params) {
            let expected = self.table("f32", &tensor(&chunks[0]["output"]).data);
            let subject = format!("Subject::Kernel {{ write: |taps| {write}, expected: {expected} }}");
            return vec![(name.into(), tolerance, subject)];
        }
        let [_, channels, _, rows, cols] = frames(&chunks[0]["input"]).0;
        let shape = format!("Shape::new({channels}, {rows}, {cols})");
        let stage = self.stage(layer, &shape, &params);
        let mut cases = vec![(name.into(), tolerance, self.stream(&shape, &stage, chunks, "output"))];
        if chunks.iter().any(|chunk| chunk.get("components").is_some()) {
            let stage = format!("{}.components())", stage.strip_suffix(')').expect("a call"));
            let subject = self.stream(&shape, &stage, chunks, "components");
            cases.push((format!("{name} components"), tolerance, subject));
        }
        cases
    }

    fn stream(&mut self, shape: &str, stage: &str, chunks: &[Value], output: &str) -> String {
        let mut streams = 0;
        let chunks: Vec<String> = chunks
            .iter()
            .map(|chunk| {
                let ([batch, ..], input) = frames(&chunk["input"]);
                streams = batch;
                let (input, output) = (self.table("f32", &input), self.table("f32", &frames(&chunk[output]).1));
                format!("Chunk {{ input: {input}, output: {output} }}")
            })
            .collect();
        let chunks = chunks.join(", ");
        format!("Subject::Stream {{ shape: {shape}, stage: {stage}, streams: {streams}, chunks: &[{chunks}] }}")
    }

    fn sum(&mut self, params: &Params<'_>, chunk: &Value) -> String {
        let (dim, expected) = (params.count("dim", 0), tensor(&chunk["output"]));
        let inner: usize = expected.shape[dim + 1..].iter().product();
        let inputs: Vec<String> = chunk["inputs"]
            .as_array()
            .expect("inputs")
            .iter()
            .map(|input| {
                let Tensor { shape, data } = tensor(input);
                format!("({}, {})", self.table("f32", &data), shape[dim])
            })
            .collect();
        let (inputs, expected) = (inputs.join(", "), self.table("f32", &expected.data));
        format!("Subject::Sum {{ inputs: &[{inputs}], inner: {inner}, expected: {expected} }}")
    }

    /// The filter of a layer.
    fn stage(&mut self, layer: &str, shape: &str, params: &Params<'_>) -> String {
        let pad = || format!("PadMode::{}", params.variant("pad_mode", "mirror"));
        let pad = || if params.flag("time_pad", true) { format!("Some({})", pad()) } else { "None".into() };
        let scaled = |kind: &str| {
            let (scale, bias) = (params.number("scale", 1.0), params.number("bias", 0.0));
            format!("Nonlinearity::{kind} {{ scale: {scale:?}, bias: {bias:?} }}")
        };
        let pointwise = |function: String| format!("Stage::Pointwise(constant!(Pointwise::new({shape}, {function})))");
        let tau = params.decay(params.number("tau", 0.0));
        match layer {
            "conv1d" | "conv2d" | "conv3d" => {
                let kernel = self.kernel(layer, params);
                let border = match params.flag("autopad", true) {
                    true => format!("Some(Border::{})", params.variant("autopad_mode", "replicate")),
                    false => "None".into(),
                };
                let (pad, stride, dilation) = (pad(), params.triple("stride"), params.triple("dilation"));
                let groups = params.count("groups", 1);
                let options = format!(
                    "ConvOptions {{ border: {border}, pad: {pad}, stride: {stride:?}, dilation: {dilation:?}, groups: {groups} }}"
                );
                format!("Stage::Conv3d(constant!(Conv3d::new({shape}, {kernel}, {options})))")
            }
            "rf" if params.tensor("weight").is_some() => {
                format!("Stage::Rf(constant!(Rf::new({shape}, {}, {})))", self.kernel(layer, params), pad())
            }
            "rf" => {
                let (out, frames) = (params.count("out_channels", 1), params.count("time_length", 1));
                format!("Stage::Rf(constant!(Rf::uniform({shape}, {out}, {frames}, {})))", pad())
            }
            "time_padding" => {
                let (length, mode) = (params.count("length", 0), params.variant("mode", "mirror"));
                format!("Stage::TimePadding(TimePadding::new({shape}, {length}, PadMode::{mode}))")
            }
            "delay" => {
                let (delay, length) = (params.count("delay", 0), params.count("length", 0));
                format!("Stage::Delay(Delay::new({shape}, {delay}, {length}))")
            }
            "variable_delay" => {
                let delays = params.tensor("delays").expect("delays").data;
                let delays: Vec<u32> = delays.into_iter().map(|delay| delay as u32).collect();
                let delays = self.table("u32", &delays);
                format!("Stage::VariableDelay(constant!(VariableDelay::new({shape}, {delays})))")
            }
            "low_pass" => format!("Stage::LowPass(LowPass::new({shape}, {tau}))"),
            "high_pass" => {
                format!("Stage::HighPass(constant!(HighPass::new({shape}, {tau}, {:?})))", params.number("k", 0.0))
            }
            "smooth_conv" => {
                let taus = params.0["taus"].as_array().expect("taus").iter().map(|tau| tau.as_f64().expect("a time"));
                let decays: Vec<String> = taus.map(|tau| params.decay(tau)).collect();
                let (index, count) = (self.tables.len(), decays.len());
                let literal = format!("[Decay; {count}] = [{}]", decays.join(", "));
                writeln!(self.text, "static TABLE_{index}: {literal};").expect("a String grows");
                self.tables.insert(literal, index);
                let Tensor { shape: size, mut data } = params.tensor("spatial").expect("spatial");
                data.chunks_exact_mut(size[1] * size[2]).for_each(<[f32]>::reverse);
                let (spatial, size) = (self.table("f32", &data), [size[1], size[2]]);
                let new = format!("SmoothConv::new({shape}, &TABLE_{index}, {spatial}, {size:?}, Border::Replicate)");
                format!("Stage::SmoothConv(constant!({new}))")
            }
            "nl_rectify" => pointwise("Nonlinearity::Rectify".into()),
            "nl_rectify_scale" => pointwise(scaled("RectifyScale")),
            "nl_square" => pointwise(scaled("Square")),
            "nl_rectify_square" => pointwise(scaled("RectifySquare")),
            "nl_exponential" => pointwise(scaled("Exponential")),
            "nl_softplus" => pointwise(scaled("Softplus")),
            "nl_logistic" => pointwise(scaled("Logistic")),
            "diff" => format!("Stage::Diff(Diff::new({shape}))"),
            other => panic!("unknown layer {other}"),
        }
    }

    fn kernel(&mut self, layer: &str, params: &Params<'_>) -> String {
        let Tensor { shape, data } = params.weight(layer).expect("a weight");
        let bias = params.tensor("bias").map(|bias| bias.data).unwrap_or_default();
        let (weights, bias) = (self.table("f32", &data), self.table("f32", &bias));
        format!("Kernel {{ weights: {weights}, shape: {shape:?}, bias: {bias} }}")
    }
}

/// A call that writes a kernel to `taps`.
fn kernel(layer: &str, params: &Params<'_>) -> Option<String> {
    let (tau, n, resolution) = (params.number("tau", 0.0), params.count("n", 0), params.resolution());
    let amplification = params.number("amplification", 1.0);
    let even = params.0.get("even").and_then(Value::as_bool);
    Some(match layer {
        "exponential_kernel" => {
            let (length, rate) = (params.count("length", 100), Resolution::DEFAULT.steps_per_second);
            let rate = params.number("steps_per_second", rate);
            format!(
                "ExponentialKernel {{ tau: {tau:?}, n: {n}, amplification: {amplification:?}, length: {length}, \
                 steps_per_second: {rate:?} }}.write(taps)"
            )
        }
        "exponential_filter_1d" => {
            let default = ExponentialFilter::new(tau);
            let (normalize, max_length) =
                (params.flag("normalize", true), params.count("max_length", default.max_length));
            let min_steps = params.count("min_steps", default.min_steps);
            format!(
                "ExponentialFilter {{ n: {n}, normalize: {normalize}, amplification: {amplification:?}, \
                 max_length: {max_length}, min_steps: {min_steps}, even: {even:?}, \
                 ..ExponentialFilter::new({tau:?}) }}.write({resolution}, taps)"
            )
        }
        "highpass_exponential_filter_1d" => {
            let k = params.number("relative_weight", 0.1);
            format!("highpass_exponential({tau:?}, {k:?}, {resolution}, taps)")
        }
        "gauss_filter_2d" => {
            let (row, col) = (params.number("sig_row", 0.0), params.number("sig_col", 0.0));
            let factor = params.number("border_factor", GaussFilter::new(row, col).border_factor);
            let even = even.unwrap_or(false);
            format!(
                "GaussFilter {{ even: {even}, border_factor: {factor:?}, ..GaussFilter::new({row:?}, {col:?}) }}\
                 .write({resolution}, taps).map(|[rows, cols]| rows * cols)"
            )
        }
        _ => return None,
    })
}
