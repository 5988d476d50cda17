//! Filters of single pixels, fused: a thread processes one pixel over the frames of a chunk.
//!
//! Values are numbered: the inputs first, then the result of each operation; the last one is the output. State has the
//! host's layout: the state of an operation is contiguous over all streams; a stream has one frame per word. Small numbers
//! are kept, while the host sets them to zero; this affects only signals below 2^-48.

use std::fmt::Write as _;

/// A step of a compensated recursion.
pub(super) const COMPENSATED: &str = include_str!("compensated.wgsl");
/// Functions with an exponential.
const EXPONENTIALS: &str = include_str!("exponentials.wgsl");

/// The parameters that a kernel is compiled for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scan {
    /// The number of input frames.
    pub(crate) inputs: usize,
    pub(crate) operations: Vec<Operation>,
    /// Whether a thread processes four pixels: all sizes and offsets are multiples of four.
    pub(crate) wide: bool,
}

/// An operation on values with these numbers. An operation with state takes a parameter with the offset of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// `max(x, 0)`.
    Rectify(usize),
    /// `max(bias + scale x, 0)`; parameters: scale, bias.
    RectifyScale(usize),
    /// `(bias + scale x)^2`; parameters: scale, bias.
    Square(usize),
    /// `max(bias + scale x, 0)^2`; parameters: scale, bias.
    RectifySquare(usize),
    /// `exp(bias + scale x)`; parameters: scale, bias.
    Exponential(usize),
    /// `ln(1 + exp(bias + scale x))`; parameters: scale, bias.
    Softplus(usize),
    /// `1 / (1 + exp(-(bias + scale x)))`; parameters: scale, bias.
    Logistic(usize),
    /// `wa a + wb b`; parameters: wa, wb.
    Add(usize, usize),
    /// `a b`.
    Multiply(usize, usize),
    /// `y += gain (x - y)`; parameters: gain, offset of `y`.
    LowPass(usize),
    /// `y = x`, which a low-pass with a gain of 1 would round; parameter: offset of `y`.
    Hold(usize),
    /// [`Operation::LowPass`], compensated; parameters: gain, offset of `y`; the remainders follow `y`.
    Compensated(usize),
    /// `x - k y` of [`Operation::LowPass`]; parameters: gain, k, offset of `y`.
    HighPass(usize),
    /// `x - k y` of [`Operation::Compensated`]; parameters: gain, k, offset of `y`.
    HighCompensated(usize),
    /// `x - k x` of [`Operation::Hold`]; parameters: k, offset of `y`.
    HighHold(usize),
    /// `x - y`, then `y = x`; parameter: offset of `y`.
    Diff(usize),
}

impl Operation {
    /// The number of parameters, and the words of state per sample.
    const fn takes(self) -> (usize, usize) {
        match self {
            Self::Rectify(_) | Self::Multiply(..) => (0, 0),
            Self::RectifyScale(_) | Self::Square(_) | Self::RectifySquare(_) | Self::Add(..) => (2, 0),
            Self::Exponential(_) | Self::Softplus(_) | Self::Logistic(_) => (2, 0),
            Self::LowPass(_) | Self::HighHold(_) => (1, 1),
            Self::Hold(_) | Self::Diff(_) => (0, 1),
            Self::HighPass(_) => (2, 1),
            Self::Compensated(_) => (1, 2),
            Self::HighCompensated(_) => (2, 2),
        }
    }
}

impl Scan {
    /// Frames whose samples are loaded before the first of them is used, so that the memory latencies overlap.
    const AHEAD: usize = 8;

    pub(crate) fn has_state(&self) -> bool {
        self.operations.iter().any(|operation| operation.takes().1 > 0)
    }

    /// The statements for one frame: they read `x{input}_{frame}` and store the result.
    fn frame(&self, frame: usize) -> String {
        let mut text = String::new();
        let value = |n: usize| match n.checked_sub(self.inputs) {
            None => format!("x{n}_{frame}"),
            Some(operation) => format!("v{operation}"),
        };
        for (k, operation) in self.operations.iter().enumerate() {
            let scaled = |x: usize| format!("fma(T(p.a{k}), {}, T(p.b{k}))", value(x));
            let step = |x: usize| format!("s{k} = fma(T(p.a{k}), {} - s{k}, s{k});", value(x));
            let behind = |x: usize, number: &str| format!("let v{k} = fma(-T(p.{number}{k}), s{k}, {});", value(x));
            let line = match *operation {
                Operation::Rectify(x) => format!("let v{k} = rectify({});", value(x)),
                Operation::RectifyScale(x) => format!("let v{k} = rectify({});", scaled(x)),
                Operation::Square(x) => format!("let r{k} = {}; let v{k} = r{k} * r{k};", scaled(x)),
                Operation::RectifySquare(x) => format!("let r{k} = rectify({}); let v{k} = r{k} * r{k};", scaled(x)),
                Operation::Exponential(x) => format!("let v{k} = exponential({});", scaled(x)),
                Operation::Softplus(x) => format!("let v{k} = softplus({});", scaled(x)),
                Operation::Logistic(x) => format!("let v{k} = logistic({});", scaled(x)),
                Operation::Add(a, b) => format!("let v{k} = fma(T(p.a{k}), {}, p.b{k} * {});", value(a), value(b)),
                Operation::Multiply(a, b) => format!("let v{k} = {} * {};", value(a), value(b)),
                Operation::LowPass(x) => format!("{} let v{k} = s{k};", step(x)),
                Operation::Hold(x) => format!("s{k} = {}; let v{k} = s{k};", value(x)),
                Operation::HighPass(x) => format!("{} {}", step(x), behind(x, "b")),
                Operation::Compensated(x) => {
                    format!("compensated(p.a{k}, {}, &s{k}, &c{k}); let v{k} = s{k};", value(x))
                }
                Operation::HighCompensated(x) => {
                    format!("compensated(p.a{k}, {}, &s{k}, &c{k}); {}", value(x), behind(x, "b"))
                }
                Operation::HighHold(x) => format!("s{k} = {}; {}", value(x), behind(x, "a")),
                Operation::Diff(x) => {
                    format!("s{k} = select(s{k}, {0}, fresh); let v{k} = {0} - s{k}; s{k} = {0};", value(x))
                }
            };
            let _ = writeln!(text, "            {line}");
        }
        let last = value(self.inputs + self.operations.len() - 1);
        let _ = writeln!(text, "            y[at + {frame}u * p.len] = {last};");
        if self.has_state() {
            text.push_str("            fresh = false;\n");
        }
        text
    }

    /// The program.
    pub(crate) fn wgsl(&self) -> String {
        let (sample, word) = if self.wide { ("vec4<f32>", "vec4<u32>") } else { ("f32", "u32") };
        let mut text = format!("alias T = {sample};\nalias U = {word};\n");
        text.push_str(
            "struct Params {\n    threads: u32,\n    len: u32,\n    frames: u32,\n    fresh: u32,\n    zero: u32,\n",
        );
        // Operations with state: the variable of each word, and its offset.
        let mut states = Vec::new();
        for (k, operation) in self.operations.iter().enumerate() {
            match operation.takes().1 {
                0 => {}
                1 => states.push((format!("s{k}"), format!("p.o{k} + n"))),
                _ => {
                    states.push((format!("s{k}"), format!("p.o{k} + n + n / p.len * p.len")));
                    states.push((format!("c{k}"), format!("p.o{k} + n + n / p.len * p.len + p.len")));
                }
            }
        }
        for (k, operation) in self.operations.iter().enumerate() {
            let (numbers, state) = operation.takes();
            for name in ["a", "b"].iter().take(numbers) {
                let _ = writeln!(text, "    {name}{k}: f32,");
            }
            if state > 0 {
                let _ = writeln!(text, "    o{k}: u32,");
            }
        }
        text.push_str("}\n@group(0) @binding(0) var<uniform> p: Params;\n");
        for input in 0..self.inputs {
            let _ = writeln!(text, "@group(0) @binding({}) var<storage, read> x{input}: array<T>;", input + 1);
        }
        let mut binding = self.inputs + 1;
        if !states.is_empty() {
            let _ = writeln!(text, "@group(0) @binding({binding}) var<storage, read_write> state: array<T>;");
            binding += 1;
        }
        let _ = writeln!(text, "@group(0) @binding({binding}) var<storage, read_write> y: array<T>;");
        if states.iter().any(|(name, _)| name.starts_with('c')) {
            text.push_str(COMPENSATED);
        }
        let exponential = |operation: &Operation| {
            matches!(operation, Operation::Exponential(_) | Operation::Softplus(_) | Operation::Logistic(_))
        };
        if self.operations.iter().any(exponential) {
            text.push_str(EXPONENTIALS);
        }
        text.push_str(
            "fn rectify(x: T) -> T {\n    return select(x, T(), x < T());\n}\n@compute @workgroup_size(256)\n\
             fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {\n\
             \u{20}   let n = group(id) * 256u + local;\n    if (n >= p.threads) {\n        return;\n    }\n\
             \u{20}   var at = (n / p.len) * p.len * p.frames + n % p.len;\n    var fresh = p.fresh != 0u;\n    var f = 0u;\n",
        );
        for (name, at) in &states {
            let _ = writeln!(text, "    var {name} = state[{at}];");
        }
        for (ahead, condition) in
            [(Self::AHEAD, format!("f + {}u <= p.frames", Self::AHEAD)), (1, "f < p.frames".into())]
        {
            let _ = writeln!(text, "    for (; {condition}; f += {ahead}u) {{");
            for frame in 0..ahead {
                for input in 0..self.inputs {
                    let _ = writeln!(text, "        let x{input}_{frame} = x{input}[at + {frame}u * p.len];");
                }
            }
            for frame in 0..ahead {
                let _ = write!(text, "        {{\n{}        }}\n", self.frame(frame));
            }
            let _ = writeln!(text, "        at += {ahead}u * p.len;\n    }}");
        }
        for (name, at) in &states {
            let _ = writeln!(text, "    state[{at}] = {name};");
        }
        text.push_str("}\n");
        text
    }
}
