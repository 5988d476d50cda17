//! A model becomes a file, and a file the same model.

use super::random::{Random, model as random_file};
use super::{models, parse, told};
use crate::model::file::kinds::KINDS;
use crate::model::file::write;
use crate::{
    Algorithm, Axis, Border, Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, Error, HighPass, Inputs, Layer, LowPass,
    Model, ModelFile, NLExponential, NLLogistic, NLPiecewiseLinear, NLRectify, NLRectifyScale, NLRectifySquare,
    NLSoftplus, NLSquare, PadMode, Resolution, Result, Rf, Shape, SmoothConv, Source, Sum, Table, TimePadding,
    VariableDelay,
};
use ndarray::{Array, Array2, Array4, ArrayView5, IntoDimension};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Frames that all layers within a random model read and yield.
const FRAME: Shape = Shape::new(2, 5, 6);

fn movie(random: &mut Random, channels: usize) -> Array4<f32> {
    weight(random, (channels, 12, FRAME.rows, FRAME.cols))
}

fn weight<D: IntoDimension>(random: &mut Random, shape: D) -> Array<f32, D::Dim> {
    Array::from_shape_simple_fn(shape, || random.below(20_001) as f32 / 1e4 - 1.0)
}

/// The frames of all outputs, as bits.
fn bits(model: &Model, movie: &Array4<f32>) -> Result<Vec<(Vec<usize>, Vec<u32>)>> {
    let mut model = model.clone().allow_non_finite();
    let outputs = model.process_all(movie)?;
    let of_output = |y: ArrayView5<'_, f32>| (y.shape().to_vec(), y.iter().map(|y| y.to_bits()).collect());
    Ok(outputs.into_iter().map(of_output).collect())
}

/// The file of a model, after the model of its text has proved to be the same.
fn comes_back(model: &Model, resolution: Resolution, movie: &Array4<f32>) -> ModelFile {
    let file = ModelFile::from_model(model, resolution).unwrap_or_else(|error| panic!("{model:?}\n{error}"));
    let text = file.to_toml();
    let read = parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(read, file, "{text}");
    let again = read.model().unwrap_or_else(|error| panic!("{text}\n{error}"));
    // The first output comes last: from then on, nothing changes.
    let second = ModelFile::from_model(&again, resolution).expect("a good model");
    let third = ModelFile::from_model(&second.model().expect("a good file"), resolution).expect("a good model");
    assert_eq!(second, third, "{text}");
    assert_eq!(file.resolution().steps_per_second.to_bits(), resolution.steps_per_second.to_bits(), "{text}");
    match (bits(model, movie), bits(&again, movie)) {
        (Ok(expected), Ok(found)) => assert!(expected == found, "other bits\n{model:?}\n{text}"),
        (Err(expected), found) => assert!(found.is_err(), "{expected}, but no error\n{text}"),
        (Ok(_), Err(error)) => panic!("{error}\n{text}"),
    }
    file
}

/// A layer that yields frames of the shape that it reads.
fn leaf(random: &mut Random, resolution: Resolution) -> Result<Box<dyn Layer>> {
    let channels = FRAME.channels;
    let tau = |random: &mut Random| 0.5 * random.number().abs() / (1.0 + random.below(3) as f64);
    let algorithm = |random: &mut Random| *random.pick(&[Algorithm::Auto, Algorithm::Direct, Algorithm::Auto]);
    let border = |random: &mut Random| random.pick(&Border::NAMES).1;
    let pad = |random: &mut Random| random.pick(&PadMode::NAMES).1;
    let size = |random: &mut Random| [1 + random.below(3), 1 + random.below(4), 1 + random.below(3)];
    let dilation = |random: &mut Random| [1 + random.below(2), 1 + random.below(3), 1];
    let bias = |random: &mut Random| {
        let len = random.below(2) * channels;
        weight(random, len).to_vec()
    };
    let [t, r, c] = size(random);
    Ok(match random.below(19) {
        0 => {
            let groups = 1 + random.below(2);
            let mut conv = Conv3d::new(channels, channels, [t, r, c])?
                .with_groups(groups)?
                .with_dilation(dilation(random))
                .with_autopad_mode(border(random))
                .with_pad_mode(pad(random))
                .with_algorithm(algorithm(random));
            if random.below(3) > 0 {
                conv.set_weight(weight(random, (channels, channels / groups, t, r, c)))?;
            }
            conv.set_bias(&bias(random))?;
            Box::new(conv)
        }
        1 => {
            let mut conv = Conv2d::new(channels, channels, [r, c])?.with_autopad_mode(border(random));
            if random.below(3) > 0 {
                conv.set_weight(weight(random, (channels, channels, r, c)))?;
            }
            Box::new(conv.with_bias(&bias(random))?.with_dilation(dilation(random)))
        }
        2 => {
            let mut conv = Conv1d::new(channels, channels, t)?.with_pad_mode(pad(random));
            if random.below(3) > 0 {
                conv.set_weight(weight(random, (channels, channels, t)))?;
            }
            Box::new(conv)
        }
        3 => {
            let n = 1 + random.below(3);
            let taus: Vec<_> = (0..n).map(|_| tau(random)).collect();
            let taus = if random.below(2) == 0 { vec![taus[0]; n] } else { taus };
            let kernel = weight(random, (r, c));
            let kernels = weight(random, (n, r, c));
            let same = kernel.broadcast((n, r, c)).map(|kernels| kernels.to_owned());
            let kernels = if random.below(2) == 0 { same.unwrap_or(kernels) } else { kernels };
            let smooth = SmoothConv::new(&taus, kernels, resolution)?;
            Box::new(smooth.with_autopad_mode(border(random)).with_algorithm(algorithm(random)))
        }
        4 => Box::new(LowPass::new(tau(random), resolution)?),
        5 => Box::new(HighPass::new(tau(random), random.number(), resolution)?),
        6 => Box::new(Delay::new(random.below(4))),
        7 => Box::new(VariableDelay::new(&Array2::from_shape_simple_fn((FRAME.rows, FRAME.cols), || {
            random.below(4) as u32
        }))),
        8 => Box::new(NLRectify),
        9 => Box::new(NLRectifyScale::new(random.number(), random.number())?),
        10 => Box::new(NLSquare::new(random.number(), random.number())?),
        11 => Box::new(NLRectifySquare::new(random.number(), random.number())?),
        12 => Box::new(Diff),
        13 => Box::new(NLExponential::new(random.number(), random.number())?),
        14 => Box::new(NLSoftplus::new(random.number(), random.number())?),
        15 => Box::new(NLLogistic::new(random.number(), random.number())?),
        16 => {
            let mut knots: Vec<f64> = (0..2 + random.below(4)).map(|_| random.number()).collect();
            knots.sort_by(f64::total_cmp);
            knots.dedup_by_key(|knot| *knot as f32);
            knots.push(knots.last().map_or(0.0, |last| last + 1.0));
            let values: Vec<f64> = knots.iter().map(|_| random.number()).collect();
            Box::new(NLPiecewiseLinear::new(&knots, &values)?)
        }
        _ => Box::new(Model::new()),
    })
}

/// A layer that need not keep the shape or rate of its frames: only outputs read it.
fn last(random: &mut Random, resolution: Resolution) -> Result<Box<dyn Layer>> {
    let (channels, rows, cols) = (FRAME.channels, FRAME.rows, FRAME.cols);
    Ok(match random.below(9) {
        0 => Box::new(Rf::new(channels, 3, 2)?.with_pad_mode(PadMode::Mean).with_bias(&[0.1, -0.0, 2.0])?),
        1 => Box::new(
            Rf::new(channels, 1, 1)?.with_weight(weight(random, (1, channels, 3, rows, cols)))?.with_time_pad(false),
        ),
        2 => Box::new(Sum::new(*random.pick(&[Axis::Channel, Axis::Row, Axis::Col]))),
        3 => Box::new(TimePadding::new(random.below(4), PadMode::Ones)),
        4 => Box::new(Delay::new(1).with_length(random.below(4))),
        5 => {
            let kernels = weight(random, (2, 3, 2));
            Box::new(SmoothConv::new(&[0.001, 0.02], kernels, resolution)?.components())
        }
        6 => {
            let stride = [1 + random.below(3), 1 + random.below(2), 1 + random.below(2)];
            let conv = Conv3d::new(channels, 1, [2, 2, 2])?.with_weight(weight(random, (3, channels, 2, 2, 2)))?;
            Box::new(conv.with_stride(stride).with_autopad(false).with_time_pad(random.below(2) == 0))
        }
        7 => Box::new(Conv3d::new(channels, 1, [2, 1, 1])?.with_time_pad(false)),
        // The low-pass behind a temporal stride keeps its time constant in seconds.
        _ => Box::new(
            Model::of(Conv2d::new(channels, 4, [1, 2])?.with_stride([2, 1, 1])).then(LowPass::new(0.01, resolution)?),
        ),
    })
}

/// A layer, branches, or a model.
fn part(random: &mut Random, resolution: Resolution, depth: usize) -> Result<Box<dyn Layer>> {
    Ok(match random.below(if depth > 0 { 5 } else { 1 }) {
        3 => {
            let mut branches = Branches::new();
            for _ in 0..1 + random.below(3) {
                let weight = *random.pick(&[1.0, -1.0, 0.3, -1e-7]);
                branches = branches.weighted(weight, part(random, resolution, depth - 1)?);
            }
            Box::new(branches)
        }
        4 => {
            let mut model = network(random, resolution, depth - 1)?;
            if random.below(3) == 0 {
                model.push_named("out", NLRectify);
                model.push(Diff);
                model.add_output("inner output", "out");
            }
            Box::new(model)
        }
        _ => leaf(random, resolution)?,
    })
}

/// Layers with and without names, which read each other.
fn network(random: &mut Random, resolution: Resolution, depth: usize) -> Result<Model> {
    let mut model = Model::new();
    let mut names = vec!["input".to_owned()];
    for name in ["a", "LowPass_2", "c-1", "_d", "e"].into_iter().take(random.below(6)) {
        let layer = part(random, resolution, depth)?;
        let is_named = random.below(3) > 0;
        if is_named {
            model.push_named(name, layer);
        } else {
            model.push(layer);
        }
        let some: Vec<_> = (0..1 + random.below(3)).map(|_| random.pick(&names).clone()).collect();
        match random.below(5) {
            0 => model.set_reading(Inputs::sum(some.into_iter().map(|name| (name, random.number())))),
            1 => model.set_reading(Inputs::product(some)),
            2 => model.set_reading(Inputs::product::<&str>([])),
            _ => {}
        }
        if is_named {
            names.push(name.into());
        }
        if random.below(6) == 0 {
            let ends = [random.pick(&names).clone(), random.pick(&names).clone()];
            model.push(Conv2d::new(2 * FRAME.channels, FRAME.channels, [1, 1])?);
            model.set_reading(Inputs::concat(ends));
        }
    }
    Ok(model)
}

/// A model with no output but the last layer, or with several.
fn random_model(random: &mut Random, resolution: Resolution) -> Result<Model> {
    let mut model = network(random, resolution, 2)?;
    let outputs = random.below(4);
    let layers: Vec<_> = model.names().map(str::to_owned).filter(|name| model.network.find(name).is_some()).collect();
    for i in 0..outputs {
        let name = format!("end-{i}");
        model.push_named(name.clone(), last(random, resolution)?);
        if !layers.is_empty() {
            model.set_reading(random.pick(&layers).as_str());
        } else if i > 0 {
            model.set_reading("input");
        }
        model.add_output(format!("out-{i}"), &name);
    }
    if outputs == 0 && random.below(2) == 0 {
        model.push(last(random, resolution)?);
    }
    Ok(model)
}

/// What a layer is and yields, whatever it reads.
fn layers_by_name(model: &Model) -> Vec<String> {
    let summary = model.summary(FRAME).expect("a good model").into_iter().filter(|layer| !layer.name.is_empty());
    let words = |layer: crate::LayerSummary| {
        format!(
            "{} {} {:?} {:?} {} {} {:?}",
            layer.name, layer.kind, layer.output, layer.rate, layer.parameters, layer.state, layer.algorithm
        )
    };
    summary.map(words).collect()
}

proptest! {
    #![proptest_config(foveola_seeds::config(400, module_path!()))]

    /// The same bits, the same names, and the same layers under them.
    #[test]
    fn models_come_back(seed in any::<u64>()) {
        let random = &mut Random(seed);
        let steps_per_second = *random.pick(&[1000.0, 500.0, 60.0, 144.0, 29.97, 1e6]);
        let resolution = Resolution { steps_per_second, ..Resolution::DEFAULT };
        let model = random_model(random, resolution).expect("good layers");
        let movie = movie(random, FRAME.channels);
        prop_assert!(bits(&model, &movie).is_ok(), "{:?}", bits(&model, &movie).err());
        let file = comes_back(&model, resolution, &movie);
        let outputs: Vec<_> = file.outputs().map(|(name, _)| name.to_owned()).collect();
        let again = file.model().expect("a good model");
        prop_assert!(again.outputs().eq(outputs.iter().map(String::as_str)));
        if model.outputs().next().is_some() {
            prop_assert!(model.outputs().eq(again.outputs()));
        }
        let [before, after] = [&model, &again].map(|model| model.summary(FRAME).expect("a good model"));
        let total = |summary: &[crate::LayerSummary]| summary.iter().map(|layer| (layer.parameters, layer.state)).fold(
            (0, 0), |(parameters, state), (more, further)| (parameters + more, state + further));
        prop_assert_eq!(total(&before), total(&after));
        // Of a model whose layers are all of a kind, each is as it was.
        let after = layers_by_name(&again);
        let composed = |layer: &&dyn Layer| layer.name() == "Branches" || layer.name() == "Model";
        if !model.layers().any(|layer| composed(&layer)) {
            for layer in layers_by_name(&model) {
                prop_assert!(after.contains(&layer), "{} is not among\n{}", layer, after.join("\n"));
            }
        }
    }

    /// A file, its model, and the file of this: the second is the first with all values written out.
    #[test]
    fn files_become_files(seed in any::<u64>()) {
        through_a_model(seed);
    }
}

/// The kinds of a random file that runs, after its model has proved to come back; none if it does not run.
fn through_a_model(seed: u64) -> Option<Vec<&'static str>> {
    let file = parse(&write::document(&random_file(seed))).expect("a good file");
    let model = file.model().ok()?;
    let movie = movie(&mut Random(seed), 1);
    bits(&model, &movie).ok()?;
    let resolution = file.resolution();
    let again = comes_back(&model, resolution, &movie);
    assert!(file.outputs().eq(again.outputs()));
    let third = ModelFile::from_model(&again.model().expect("a good file"), resolution).ok();
    assert_eq!(third.as_ref(), Some(&again), "{}", again.to_toml());
    let kinds = |file: &ModelFile| -> BTreeSet<_> {
        file.layers().iter().map(|layer| (layer.name().to_owned(), layer.kind())).collect()
    };
    assert_eq!(kinds(&file), kinds(&again));
    Some(file.layers().iter().map(|layer| layer.kind()).collect())
}

/// Random files that run have layers of most kinds, so that the test above tries them.
#[test]
fn random_files_run() {
    let seeds = 0..300;
    let kinds: Vec<_> = seeds.filter_map(through_a_model).collect();
    let different: BTreeSet<_> = kinds.iter().flatten().collect();
    assert!(kinds.len() >= 60 && different.len() + 4 >= KINDS.len(), "{} files of {different:?}", kinds.len());
}

#[test]
fn ready_files_come_back() {
    let mut count = 0;
    for entry in std::fs::read_dir(models()).expect("models/") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let model = file.model().unwrap_or_else(|error| panic!("{error}"));
        let movie = weight(&mut Random(count), (1, 30, 24, 28));
        assert!(bits(&model, &movie).is_ok(), "{}", path.display());
        let again = comes_back(&model, file.resolution(), &movie);
        assert!(file.outputs().eq(again.outputs()), "{}", path.display());
        let third = ModelFile::from_model(&again.model().expect("a good file"), file.resolution());
        assert_eq!(third.ok(), Some(again), "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 10);
}

#[test]
fn branches_are_read_where_they_were() {
    let low = |tau| LowPass::new(tau, Resolution::DEFAULT).expect("a time constant");
    let inner = Model::new().named("on", low(0.002)).then(Branches::new().weighted(0.5, Model::new()));
    let model = Model::new()
        .then(Branches::new().plus(low(0.005)).weighted(-0.25, inner).plus(Branches::new().plus(Diff).minus(NLRectify)))
        .named("on", NLRectify)
        .named("sum", Branches::new().minus(Model::new()))
        .with_output("ON", "on")
        .with_output("sum", "sum");
    let movie = movie(&mut Random(0), 1);
    let file = comes_back(&model, Resolution::DEFAULT, &movie);
    let lines: Vec<_> =
        file.layers().iter().map(|layer| format!("{}, {}: {}", layer.name(), layer.kind(), layer.inputs())).collect();
    let expected = [
        "LowPass, LowPass: ",
        "on_2, LowPass: input",
        "sum_2, Identity: 0.5 * on_2",
        "Diff, Diff: input",
        "NLRectify, NLRectify: input",
        "sum_3, Identity: Diff, -NLRectify",
        "on, NLRectify: LowPass, -0.25 * sum_2, sum_3",
        "sum, Identity: -on",
    ];
    assert_eq!(lines, expected);
    assert!(file.outputs().eq([("ON", "on"), ("sum", "sum")]));
}

#[test]
fn a_model_without_layers_is_an_identity() {
    let file = comes_back(&Model::new(), Resolution::DEFAULT, &movie(&mut Random(0), 1));
    assert_eq!((file.layers().len(), file.layers()[0].kind()), (1, "Identity"));
}

/// -0 is not 0: it is written where 0 is the default.
#[test]
fn negative_zeros_come_back() {
    let layer = NLRectifyScale::new(-0.0, -0.0).expect("finite");
    let file = comes_back(&Model::of(layer), Resolution::DEFAULT, &movie(&mut Random(0), 1));
    assert!(file.to_toml().contains("scale = -0.0\nbias = -0.0\n"), "{}", file.to_toml());
}

/// The algorithm of a layer is that for the frames of its sum, not those of the layer in front of it.
#[test]
fn algorithms_are_those_of_the_frames_read() {
    let conv = Conv2d::new(FRAME.channels, 1, [5, 5]).expect("a kernel").with_autopad(false);
    let model = Model::new()
        .named("pixel", Rf::new(FRAME.channels, 1, 1).expect("a field"))
        .named("conv", conv)
        .reading([("input", 1.0), ("input", -0.5)]);
    let summary = model.summary(FRAME).expect("a good model");
    assert!(summary[1].algorithm.is_some(), "{summary:?}");
}

/// Frame rates of cameras and screens are `1 / dt` of a number.
#[test]
fn frame_rates_come_back() {
    let file =
        |steps_per_second| ModelFile::from_model(&Model::new(), Resolution { steps_per_second, ..Resolution::DEFAULT });
    for hertz in (1..=2000).map(f64::from).chain([29.97, 59.94, 23.976, 0.1]) {
        let file = file(hertz).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parse(&file.to_toml()).expect("a good file").resolution().steps_per_second, hertz);
    }
    // No 64-bit duration is so close to 1/49.
    let error = told(file(49.0_f64.next_up()));
    assert!(error.contains("resolution: steps_per_second is 49.00000000000001; expected"), "{error}");
}

#[derive(Clone, Debug)]
struct Custom;

impl Layer for Custom {
    fn name(&self) -> &'static str {
        "Custom"
    }

    fn compile<'a>(&'a self, _: &mut Table<'a>, from: Source) -> Result<Source> {
        Ok(from)
    }
}

#[test]
fn what_no_file_has_is_refused() {
    let resolution = Resolution::DEFAULT;
    let low =
        |steps_per_second| LowPass::new(0.01, Resolution { steps_per_second, ..resolution }).expect("a time constant");
    let inner = Model::new().then(Diff).named("mine", Branches::new().plus(Diff).plus(Custom));
    let cases = [
        (Model::of(Custom), "layer 0, Custom: a custom filter or a function (Map) is a part of its program"),
        (Model::new().named("b", inner), "layer \"b\", layer \"mine\", branch 1, Custom: a custom filter"),
        (
            Model::new().named("slow", low(500.0)),
            "layer \"slow\", LowPass: steps_per_second is 500; expected the frame rate of the file",
        ),
        (Model::new().named("a", Diff).named("a", Diff), "name of a layer is \"a\""),
        (Model::new().named("a", Diff).reading("b"), "unknown layer to read 'b'"),
        (Model::of(Model::new().named("a", Diff).reading("b")), "unknown layer to read 'b'"),
        (Model::new().named("a", Diff).with_output("o", "b"), "unknown layer of the output 'o'"),
        (Model::of(Model::new().named("a", Diff).with_output("o", "b")), "unknown layer of the output 'o'"),
        (Model::new().named("outputs", Diff), "a layer called \"outputs\"; expected a name"),
        (
            Model::new().named("a", Diff).with_output("o p", "a"),
            "outputs: o p: an output called \"o p\"; expected a name",
        ),
        (
            Model::new().named("a", Diff).with_output("o", "a").with_output("o", "a"),
            "name of an output is \"o\"; expected a name of its own",
        ),
        (Model::of(Branches::new()), "Branches: branches is empty"),
        (Model::of(Branches::new().weighted(f64::NAN, Diff)), "Branches: branch weight is NaN"),
        (
            Model::new().named("a", Diff).named("b", Diff).reading([("a", f64::INFINITY)]),
            "layer \"b\": from: \"inf * a\"; expected the name of a layer, or a finite number",
        ),
        (
            Model::new()
                .named("a", Diff)
                .named("b", Model::new())
                .reading(Inputs { join: crate::Join::Product, terms: vec![("a".into(), 2.0), ("input".into(), 1.0)] }),
            "layer \"b\": from: \"2.0 * a\"; expected a name without a number: Product takes no weights",
        ),
        (
            Model::new().named("late", VariableDelay::new(&ndarray::arr2(&[[0, 16_777_217]]))),
            "layer \"late\": delays: 16777217; expected 16777216 frames at most",
        ),
    ];
    for (model, expected) in cases {
        let error = ModelFile::from_model(&model, resolution).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expected), "expected {expected}\nfound    {error}");
    }
    let endless = Resolution { steps_per_second: f64::INFINITY, ..resolution };
    assert!(matches!(ModelFile::from_model(&Model::new(), endless), Err(Error::Layer { .. })));
}
