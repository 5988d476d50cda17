//! [`Model::to_rust`]: the source of every kind of layer compiles, and computes the bits of the host's model in reproducible
//! precision, in floats and in samples of 16 bits. All sources are modules of one program, which is compiled once and prints a digest for each.

use foveola::{Conv2d, Diff, Error, HighPass, Inputs, LowPass, Model, Precision, RF, Resolution, Samples, Shape};
use foveola_core::{Digest, Q15, Sample};
use foveola_tests::random::{self, Layers, trial};
use ndarray::{Array2, ArrayView5, Axis};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Random layers of each kind.
const CASES: usize = 3;
/// Chunks, of a frame each.
const FRAMES: usize = 9;

const KINDS: [(&str, Layers); 16] = [
    ("time_padding", random::time_padding),
    ("delay", random::delay),
    ("variable_delay", random::variable_delay),
    ("conv3d", random::conv3d),
    ("conv2d", random::conv2d),
    ("conv1d", random::conv1d),
    ("separable", random::separable),
    ("rf", random::rf),
    ("low_pass", random::low_pass),
    ("high_pass", random::high_pass),
    ("smooth_conv", random::smooth_conv),
    ("separable_smooth_conv", random::separable_smooth_conv),
    ("pointwise", random::pointwise),
    ("sum", random::sum),
    ("diff", random::diff),
    ("branches", random::branches),
];

/// Every sample of frame `t`, here and in the program.
const SAMPLE: &str = "((t * 37 + i * 11) % 29) as f32 / 4.0 - 3.5";

fn sample(t: usize, i: usize) -> f32 {
    ((t * 37 + i * 11) % 29) as f32 / 4.0 - 3.5
}

/// The program so far, and what it has to print.
#[derive(Default)]
struct Program {
    /// Models in integers, and those that have none.
    integers: usize,
    refused: usize,
    modules: String,
    calls: String,
    expected: String,
}

impl Program {
    /// The model in floats, and in samples of 16 bits.
    fn add(&mut self, name: &str, model: Model, shape: Shape) -> foveola::Result<()> {
        let model = model.with_precision(Precision::Reproducible);
        self.add_as_it_is(name, model.clone(), shape)?;
        let mut integers = model;
        integers.set_samples(Samples::Q15 { full_scale: 8.0 })?;
        match self.add_as_it_is(&format!("{name}_q15"), integers, shape) {
            Err(Error::Integers { .. }) => self.refused += 1, // tests of `integers` tell which
            other => {
                self.integers += 1;
                other?;
            }
        }
        Ok(())
    }

    fn add_as_it_is(&mut self, name: &str, mut model: Model, shape: Shape) -> foveola::Result<()> {
        let (exported, scales) = (model.to_rust(shape)?, model.output_scales(shape)?);
        let mut digest = Digest::new();
        for t in 0..FRAMES {
            let frame: Vec<f32> = (0..shape.len()).map(|i| sample(t, i)).collect();
            let frame = ArrayView5::from_shape((1, shape.channels, 1, shape.rows, shape.cols), &frame);
            let output = model.process(frame.expect("a frame"))?;
            for frame in output.axis_iter(Axis(2)) {
                match &scales {
                    // What comes out are numbers: samples times the full scale.
                    Some(scales) => {
                        frame.iter().for_each(|y| digest.add(&[Q15::from_f64(f64::from(*y) / scales[0])]));
                    }
                    None => frame.iter().for_each(|y| digest.add(&[*y])),
                }
            }
        }
        write!(self.modules, "mod {name} {{\n{}}}\n\n", exported.source).expect("a String grows");
        writeln!(self.calls, "    run({name:?}, {name}::MODEL);").expect("a String grows");
        writeln!(self.expected, "{name} {digest} {:?}", exported.ram).expect("a String grows");
        Ok(())
    }

    /// What the compiled program prints.
    fn run(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exported");
        std::fs::create_dir_all(folder.join("src")).expect("a folder");
        std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
        let manifest = format!(
            "[package]\nname = \"exported\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nfoveola-core = {{ path = {:?} }}\n",
            root.join("core")
        );
        let Self { modules, calls, .. } = self;
        let program = format!(
            "use foveola_core::{{Digest, Filter, Graph, Sample}};\n\n\
             fn run<T: Sample>(name: &str, model: Graph<'_, T>) {{\n    \
                 let signature = model.signature();\n    \
                 let junk = T::from_f64(f64::NAN);\n    \
                 let mut state = vec![junk; signature.state];\n    \
                 let mut scratch = vec![junk; signature.scratch.len(1)];\n    \
                 let mut output = vec![junk; signature.output.len() * (1 + signature.lead)];\n    \
                 let mut digest = Digest::new();\n    \
                 for t in 0..{FRAMES} {{\n        \
                     let sample = |x: f32| T::from_f64(f64::from(x) / if size_of::<T>() == 2 {{ 8.0 }} else {{ 1.0 }});\n        \
                     let input: Vec<T> = (0..signature.input.len()).map(|i| sample({SAMPLE})).collect();\n        \
                     let frames = model.run(t as u64, &mut state, &mut scratch, &input, &mut output).expect(name);\n        \
                     digest.add(&output[..frames * signature.output.len()]);\n    \
                 }}\n    \
                 let [input, output] = [signature.input, signature.output].map(|shape| size_of::<T>() * shape.len());\n    \
                 let ram = [input, output, size_of::<T>() * state.len(), size_of::<T>() * scratch.len()];\n    \
                 println!(\"{{name}} {{digest}} {{ram:?}}\");\n\
             }}\n\n\
             fn main() {{\n{calls}}}\n\n{modules}"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
        std::fs::write(folder.join("src/main.rs"), program).expect("written");
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--target-dir", "target"])
            .env("RUSTFLAGS", "-Dwarnings")
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(&folder)
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

#[test]
fn exported_source_computes_the_same_bits() {
    let mut program = Program::default();
    for (name, layers) in KINDS {
        let mut runner = TestRunner::new(foveola_seeds::config(1, name));
        for case in 0..CASES {
            let (spec, shape, _) = trial(layers).new_tree(&mut runner).expect("a layer").current();
            let model = spec.layer().map(Model::of).unwrap_or_else(|error| panic!("{spec:?}: {error}"));
            let added = program.add(&format!("{name}_{case}"), model, shape);
            added.unwrap_or_else(|error| panic!("{spec:?}: {error}"));
        }
    }
    // What no layer above is: joins by name, a second output, a receptive field without weight.
    let shape = Shape::new(2, 5, 6);
    let low_pass = LowPass::new(0.004, Resolution::DEFAULT).expect("good");
    let high_pass = HighPass::new(0.02, 0.5, Resolution::DEFAULT).expect("good");
    let joined = Model::new()
        .named("slow", low_pass)
        .named("fast", high_pass)
        .reading("input")
        .named("product", Diff)
        .reading(Inputs::product(["slow", "fast"]))
        .named("all", Diff)
        .reading(Inputs::concat(["product", "slow", "input"]))
        .with_output("all", "all")
        .with_output("product", "product");
    program.add("joined", joined, shape).expect("good");
    let uniform = RF::new(2, 3, 4).expect("good");
    program.add("uniform", Model::of(uniform), shape).expect("good");

    assert!(program.integers >= 30 && program.refused <= 12, "{} of {}", program.integers, program.refused);
    let printed = program.run();
    let wrong: Vec<_> =
        printed.lines().zip(program.expected.lines()).filter(|(found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "(exported, host): {wrong:#?}");
    assert_eq!(printed.lines().count(), program.expected.lines().count());
}

/// The layer that takes the most is named.
#[test]
fn a_model_that_does_not_fit_is_refused() {
    let low_pass = LowPass::new(0.004, Resolution::DEFAULT).expect("good");
    let weight = Array2::from_shape_fn((9, 9), |(r, c)| (r * 9 + c) as f32);
    let blur = Conv2d::new(1, 1, [9, 9]).and_then(|blur| blur.with_weight(weight)).expect("good");
    let model = Model::new().named("filter", low_pass).named("blur", blur);
    let exported = model.to_rust(Shape::new(1, 16, 16)).expect("good");
    let ram: usize = exported.ram.iter().sum();
    exported.must_fit(ram, exported.tables).expect("exactly");
    let error = exported.must_fit(ram - 1, exported.tables).expect_err("a byte less").to_string();
    assert!(error.contains(&format!("{ram} bytes of RAM, but there are {}; layer \"filter\"", ram - 1)), "{error}");
    let error = exported.must_fit(ram, exported.tables - 1).expect_err("a byte less").to_string();
    assert!(
        error.contains(&format!("{} bytes of flash", exported.tables)) && error.contains("layer \"blur\""),
        "{error}"
    );
}
