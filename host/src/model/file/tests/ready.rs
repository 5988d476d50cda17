//! The files of `models/`: read, changed and run.

use super::{models, outputs, parse};
use crate::ModelFile;
use ndarray::{Array3, Axis};

#[test]
fn values_are_set_by_their_paths() {
    let mut file = ModelFile::read(models().join("motion_energy.toml")).expect("good");
    for (path, value, expected) in [
        ("squares.scale", "0.5", "scale = 0.5\n"),
        ("squares.bias", "-1", "bias = -1\n"),
        ("wavelength", "8px", "wavelength = \"8px\"\n"),
        ("parameters.sigma", "\"3px\"", "sigma = \"3px\"\n"),
        ("input.dt", "2ms", "dt = \"2ms\"\n"),
        ("outputs.motion", "energy", "motion = \"energy\"\n"),
        ("energy.from", "[\"squares\", \"-0.5 * squares\"]", "from = [\"squares\", \"-0.5 * squares\"]\n"),
        (
            "gratings.weight",
            "{ noise = { seed = 4, size = [8, 1, 3, 3, 3] } }",
            "weight = { noise = { seed = 4, size = [8, 1, 3, 3, 3] } }",
        ),
        ("gratings.weight.noise.std", "2", "size = [8, 1, 3, 3, 3], std = 2 }"),
    ] {
        file.set(path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(file.to_toml().contains(expected), "{path}: {}", file.to_toml());
    }
    let before = file.clone();
    for (path, value, expected) in [
        ("squares.scal", "1", "layer \"squares\": unknown key \"scal\" (did you mean \"scale\"?)"),
        ("parameters.sigm", "2px", "unknown parameter \"sigm\" (did you mean \"sigma\"?)"),
        ("square.scale", "1", "unknown layer or table \"square\" (did you mean \"squares\"?)"),
        ("wavelenght", "1px", "unknown parameter \"wavelenght\" (did you mean \"wavelength\"?)"),
        ("", "1", "unknown parameter \"\""),
        ("squares.scale.x", "1", "unknown layer or table \"squares\""),
        ("squares.scale", "1px", "layer \"squares\": scale: \"1px\"; expected a number"),
        ("squares.scale", "inf", "inf; expected a finite number"),
        ("squares.name", "energy", "a second layer called \"energy\""),
        ("squares.from", "energy", "a cycle: energy reads squares reads energy"),
    ] {
        let error = file.set(path, value).expect_err(path).to_string();
        assert!(error.contains(expected), "{path}: {error}");
        assert_eq!(file, before, "{path}");
    }
}

/// A weight of `from` may be a parameter: it is set, written back, and counts as used.
#[test]
fn weights_of_inputs_are_parameters() {
    let text = "version = 1\n[parameters]\nw = 0.9\nv = 2\n[[layer]]\nname = \"a\"\nkind = \"Diff\"\n\
        [[layer]]\nname = \"b\"\nkind = \"Identity\"\nfrom = [\"input\", \" -$w *a\", \"$v * a\"]\n";
    let mut file = parse(text).expect("good");
    let weights = |file: &ModelFile| {
        let layers = file.build(file.resolution()).expect("good");
        layers[1].inputs.terms.iter().map(|(_, weight)| *weight).collect::<Vec<_>>()
    };
    assert_eq!(weights(&file), [1.0, -0.9, 2.0]);
    assert_eq!(file.unused_parameters(), Vec::<&str>::new());
    assert!(file.to_toml().contains("from = [\"input\", \"-$w * a\", \"$v * a\"]\n"), "{}", file.to_toml());
    assert_eq!(parse(&file.to_toml()).expect("good"), file);
    file.set("w", "0.5").expect("a number");
    assert_eq!(weights(&file), [1.0, -0.5, 2.0]);
    assert_ne!(parse(&text.replace("-$w *", "-0.9 *")).expect("good"), parse(text).expect("good"), "not a parameter");
    let product = text.replace("Identity", "Product").replace("\" -$w *a\", ", "");
    let error = parse(&product).expect_err("a weight").to_string();
    assert!(error.contains("\"$v * a\"; expected a name without a number: Product takes no weights"), "{error}");
}

/// A later layer may be read; the layers come in an order in which they can be computed.
#[test]
fn layers_are_ordered_by_what_they_read() {
    let entry = |name: &str, from: &str| format!("[[layer]]\nname = \"{name}\"\nkind = \"Diff\"\n{from}\n");
    let text = [
        "version = 1\n".into(),
        entry("a", "from = [\"d\", \"c\"]"),
        entry("b", ""),
        entry("c", "from = \"input\""),
        entry("d", ""),
    ]
    .concat();
    let file = parse(&text).expect("good");
    let layers = file.build(file.resolution()).expect("good");
    let order: Vec<_> = layers.iter().map(|layer| format!("{}: {}", layer.name, layer.inputs)).collect();
    assert_eq!(order, ["c: input", "d: c", "a: d, c", "b: a"]);
    assert!(file.outputs().eq([("d", "d")]), "the last in the file");
}

/// Each file of `models/` is read, written, read back and run: as a network, it computes what its layers compute one
/// by one.
#[test]
fn ready_files_run() {
    let movie =
        Array3::from_shape_fn((60, 24, 28), |(t, r, c)| ((t + 2 * c) as f32 / 5.0).sin() + (r as f32 / 3.0).cos());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(models()).expect("models/") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let file = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(Some(file.name()), path.file_stem().and_then(|stem| stem.to_str()), "named as its file");
        assert!(!file.about().is_empty(), "{}", file.name());
        let again =
            ModelFile::parse(&file.to_toml(), models()).unwrap_or_else(|error| panic!("{error}\n{}", file.to_toml()));
        assert_eq!(again, file);
        let outputs = outputs(&file, &movie);
        let mut model = file.model().unwrap_or_else(|error| panic!("{error}"));
        let all = model.process_all(&movie).unwrap_or_else(|error| panic!("{}: {error}", file.name()));
        assert_eq!(all.len(), outputs.len(), "{}", file.name());
        for ((name, _), found) in file.outputs().zip(all) {
            let expected = &outputs[name];
            let scale = expected.iter().fold(0.0_f32, |most, y| most.max(y.abs()));
            let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-5 * scale);
            assert!(close && found.len() == expected.len(), "{}: {name} is not that of its layers alone", file.name());
        }
        for (name, out) in outputs {
            let (least, most) = out.iter().fold((f32::MAX, f32::MIN), |(least, most), x| (least.min(*x), most.max(*x)));
            assert!(most - least > 1e-3, "{}: {name} is constant", file.name());
        }
        names.push(file.name().to_owned());
    }
    names.sort();
    let expected = [
        "centre_surround",
        "direction_selective",
        "edges",
        "ln",
        "ln_cascade",
        "mcintosh",
        "motion_energy",
        "retina",
        "smooth",
        "transient",
    ];
    assert_eq!(names, expected);
}

/// The ready files do what their comments say.
#[test]
fn ready_files_do_what_they_say() {
    let run = |name: &str, movie: &Array3<f32>| outputs(&ModelFile::read(models().join(name)).expect("good"), movie);
    // A bright spot on grey: ON in its place, OFF beside it; uniform light: nothing.
    let spot = Array3::from_shape_fn((200, 31, 31), |(_, r, c)| if (r, c) == (15, 15) { 1.0 } else { 0.2 });
    let retina = run("retina.toml", &spot);
    let at = |name: &str, r, c| retina[name][[0, 0, 199, r, c]];
    assert!(at("on", 15, 15) > 0.05 && at("off", 15, 15) == 0.0, "{}", at("on", 15, 15));
    assert!(at("off", 15, 19) > 1e-3 && at("on", 15, 19) == 0.0, "{}", at("off", 15, 19));
    assert!(at("on", 2, 2).abs() < 1e-4, "far away");
    let grey = Array3::from_elem((300, 12, 12), 1.0_f32);
    for name in ["retina", "centre_surround", "transient", "edges"] {
        for (_, out) in run(&format!("{name}.toml"), &grey) {
            assert!(out.index_axis(Axis(2), 299).iter().all(|y| y.abs() < 3e-3), "{name}");
        }
    }
    // A grating of 6 pixels at 40 Hz moves right, left, down, up.
    let moving = |dx: f64, dy: f64| {
        Array3::from_shape_fn((150, 25, 25), |(t, r, c)| {
            let x = dx * c as f64 + dy * r as f64;
            (std::f64::consts::TAU * (x / 6.0 - 0.04 * t as f64)).cos() as f32
        })
    };
    for (channel, (dx, dy)) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)].into_iter().enumerate() {
        let energy = &run("motion_energy.toml", &moving(dx, dy))["energy"];
        let times: Vec<f32> = (100..150).map(|t| energy[[0, channel, t, 12, 12]]).collect();
        let (least, most) = times.iter().fold((f32::MAX, 0.0_f32), |(least, most), x| (least.min(*x), most.max(*x)));
        assert!(least > 0.5 && most < 1.5 * least, "direction {channel}: {least} to {most}, whatever the phase");
        let others = (0..4).filter(|other| *other != channel).map(|other| energy[[0, other, 120, 12, 12]]);
        assert!(others.fold(0.0, f32::max) < 0.1 * least, "direction {channel}");
        let motion = &run("direction_selective.toml", &moving(dx, dy))["motion"];
        let mean = (100..150).map(|t| motion[[0, 0, t, 12, 12]]).sum::<f32>() / 50.0;
        assert!(if dx == 0.0 { mean.abs() < 1e-3 } else { mean * dx as f32 > 0.02 }, "direction {channel}: {mean}");
    }
    // Twice as steep an edge has four times the energy.
    let ramp = |slope: f32| Array3::from_shape_fn((3, 9, 9), |(_, r, c)| slope * (c as f32 + 2.0 * r as f32));
    let energy = |slope| run("edges.toml", &ramp(slope))["energy"][[0, 0, 2, 4, 4]];
    assert!((energy(1.0) - 5.0).abs() < 1e-4 && (energy(2.0) / energy(1.0) - 4.0).abs() < 1e-4, "{}", energy(1.0));
}
