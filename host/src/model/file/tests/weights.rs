//! Weights, and arrays in files.

use super::{layer, outputs, parse};
use crate::{ModelFile, Resolution, Weight};
use ndarray::{Array3, Axis};

/// After a temporal stride a kernel of 20 ms has half as many frames, and a delay, too.
#[test]
fn times_are_those_of_the_layer() {
    let text = "version = 1\n[[layer]]\nname = \"a\"\nkind = \"Conv3d\"\nstride = [2, 1, 1]\n\
        [[layer]]\nname = \"b\"\nkind = \"Conv1d\"\nweight = { exponential = { tau = \"20ms\" } }\n\
        [[layer]]\nname = \"c\"\nkind = \"Delay\"\ndelay = \"10ms\"\n";
    let file = parse(text).expect("good");
    let layers = file.build(file.resolution()).expect("good");
    let half = Resolution { steps_per_second: 500.0, ..Resolution::DEFAULT };
    let kernel =
        crate::kernels::exponential_filter_1d(&crate::kernels::ExponentialFilter::new(0.02), half).expect("good");
    let conv = layers[1].layer.as_any().downcast_ref::<crate::Conv1d>().expect("a Conv1d");
    assert_eq!(conv.weight().iter().copied().collect::<Vec<_>>(), kernel.to_vec());
    assert_eq!(layers[2].layer.as_any().downcast_ref::<crate::Delay>().map(|delay| delay.delay()), Some(5));
}

/// A weight in a file is that of the same call in Rust.
#[test]
fn weights_are_those_of_rust() {
    let conv3d = |weight: &str| {
        let file =
            parse(&layer(&format!("kind = \"Conv3d\"\nweight = {weight}"))).unwrap_or_else(|error| panic!("{error}"));
        let layers = file.build(file.resolution()).unwrap_or_else(|error| panic!("{error}"));
        layers[0].layer.as_any().downcast_ref::<crate::Conv3d>().expect("a Conv3d").weight()
    };
    let expected = |weight: Weight| {
        crate::Conv3d::new(1, 1, [1; 3]).and_then(|conv| conv.with_weight(weight)).expect("good").weight()
    };
    let gauss = crate::kernels::gauss_filter_2d(&crate::kernels::GaussFilter::new(0.05, 0.05), Resolution::DEFAULT)
        .expect("good");
    assert_eq!(conv3d("{ gaussian = { sigma = \"0.05deg\" } }"), expected(gauss.clone().into()));
    assert_eq!(conv3d("{ gaussian = { sigma = \"0.5px\" } }"), expected(gauss.into()));
    let values = Array3::from_shape_fn((1, 2, 3), |(_, r, c)| (3 * r + c) as f32);
    let text = "{ values = [[[0, 1, 2], [3, 4, 5]]], no_flip = true, normalize = true }";
    assert_eq!(conv3d(text), expected(Weight::from(values).no_flip().normalize()));
    assert_eq!(conv3d("0.5"), expected(0.5.into()));
    // The product of time and space.
    let product = conv3d("{ delta = { size = [2, 2] }, values = [1, 2, 4] }");
    assert_eq!(product.shape(), [1, 1, 3, 2, 2]);
    let mut nonzero: Vec<f32> = product.iter().copied().filter(|weight| *weight != 0.0).collect();
    nonzero.sort_by(f32::total_cmp);
    assert_eq!(nonzero, [1.0, 2.0, 4.0]);
    // One kernel for each output channel.
    let stack = conv3d("[{ uniform = { size = [2, 3] } }, { delta = { size = [2, 3], at = [0, 0] } }]");
    assert_eq!(stack.shape(), [2, 1, 1, 2, 3]);
    assert_eq!(stack.index_axis(Axis(0), 1).iter().copied().collect::<Vec<_>>(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert!((stack.index_axis(Axis(0), 0).sum() - 1.0).abs() < 1e-6, "uniform");
}

/// A delta repeats the input, for all sizes.
#[test]
fn a_delta_is_the_identity() {
    let movie = Array3::from_shape_fn((6, 5, 7), |(t, r, c)| ((t * 35 + r * 7 + c) as f32).sin());
    for (kind, size) in [
        ("Conv3d", "[4]"),
        ("Conv3d", "[3, 4]"),
        ("Conv3d", "[2, 3, 2]"),
        ("Conv2d", "[1, 2]"),
        ("Conv2d", "[5, 4]"),
        ("Conv1d", "[3]"),
    ] {
        let file =
            parse(&layer(&format!("kind = \"{kind}\"\nweight = {{ delta = {{ size = {size} }} }}"))).expect("good");
        let out = outputs(&file, &movie).remove("a").expect("an output");
        let off = out.iter().zip(&movie).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "{kind} {size}: {off}");
    }
}

/// What the cut at `filter_epsilon` leaves of a kernel: enough, or an error with the key that sets its size.
#[test]
fn kernels_that_are_cut_off_are_refused() {
    let built = |kind: &str, weight: &str| {
        let file = parse(&layer(&format!("kind = \"{kind}\"\nweight = {{ {weight} }}")))?;
        file.model()
    };
    for (weight, expected) in [
        (
            "exponential = { tau = \"1s\" }",
            "exponential: a kernel cut off to 10 frames, where it falls below the filter_epsilon 0.001: 1.0 % of it; expected 95 % or more: the key \"length\" sets its size, such as length = \"5000 frames\"",
        ),
        ("highpass = { tau = \"1s\" }", "highpass: a kernel cut off to 10 frames"),
        (
            "cascade = { tau = \"1ms\", n = 5 }",
            "cascade: a kernel cut off to 1 frame, where it falls below the filter_epsilon 0.001: 38.4 % of it",
        ),
        ("cascade = { tau = \"3ms\", n = 20 }", "cascade: a kernel cut off to 1 frame"),
        (
            "exponential = { tau = \"0ms\", amplification = 2 }",
            "exponential: a curve of 0 frames as one tap of 1, with an amplification of 2",
        ),
        ("exponential = { tau = \"5ms\", length = \"0 frames\" }", "length is 0"),
        ("exponential = { tau = \"5ms\", length = \"2.5ms\" }", "length: \"2.5ms\" is 2.5 frames"),
    ] {
        let error = built("Conv1d", weight).expect_err(weight).to_string();
        assert!(error.contains(expected), "{weight}: {error}");
    }
    let error = built("Conv2d", "gaussian = { sigma = \"150px\" }").expect_err("too wide").to_string();
    assert!(
        error.contains("gaussian: a kernel cut off to 419 x 419 pixels") && error.contains("size = [901, 901]"),
        "{error}"
    );
    for weight in [
        "exponential = { tau = \"0ms\" }",
        "exponential = { tau = \"50ms\" }",
        "exponential = { tau = \"1s\", amplification = 0 }",
        "cascade = { tau = \"20ms\", n = 3 }",
        "highpass = { tau = \"20ms\" }",
    ] {
        assert!(built("Conv1d", weight).is_ok(), "{weight}");
    }
}

/// With a length, a kernel has it, and the area that it should have.
#[test]
fn kernels_have_the_length_that_is_given() {
    for (weight, len, area) in [
        ("exponential = { tau = \"1s\", length = \"5s\" }", 5000, 1.0),
        ("exponential = { tau = \"5ms\", amplification = 2, length = \"7 frames\" }", 7, 2.0 * (1.0 - f32::exp(-1.4))),
        ("cascade = { tau = \"30ms\", n = 20, length = \"101 frames\" }", 101, 1.0),
        ("highpass = { tau = \"1s\", length = \"8s\" }", 8001, 0.0),
    ] {
        let text = layer(&format!("kind = \"Conv1d\"\nweight = {{ {weight} }}"));
        let layers = parse(&text).and_then(|file| file.build(file.resolution())).expect("good");
        let weight = layers[0].layer.as_any().downcast_ref::<crate::Conv1d>().expect("a Conv1d").weight();
        assert_eq!(weight.len(), len, "{text}");
        assert!((weight.sum() - area).abs() < 0.02 * area.max(1.0), "{text}: {}", weight.sum());
    }
}

#[test]
fn arrays_come_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let array = ndarray::arr2(&[[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    ndarray_npy::write_npy(folder.path().join("w.npy"), &array).expect("written");
    ndarray_npy::write_npy(folder.path().join("f.npy"), &array.t().to_owned().reversed_axes()).expect("written");
    ndarray_npy::write_npy(folder.path().join("d.npy"), &array.mapv(f64::from)).expect("written");
    ndarray_npy::write_npy(folder.path().join("cube.npy"), &ndarray::Array4::<f32>::zeros((1, 1, 1, 1)))
        .expect("written");
    let npy = std::fs::read(folder.path().join("w.npy")).expect("read");
    std::fs::write(folder.path().join("cut.npy"), &npy[..npy.len() - 1]).expect("written");
    std::fs::write(folder.path().join("text.npy"), "weights").expect("written");
    std::fs::write(folder.path().join("one.npz"), crate::events::recording::archive(&[("w.npy", npy.clone())]))
        .expect("written");
    let two = crate::events::recording::archive(&[("v.npy", npy.clone()), ("weights.npy", npy)]);
    std::fs::write(folder.path().join("two.npz"), two).expect("written");
    let built = |weight: &str| {
        let file = ModelFile::parse(&layer(&format!("kind = \"Conv2d\"\nweight = {weight}")), folder.path())?;
        let layers = file.build(file.resolution())?;
        Ok::<_, crate::Error>(layers[0].layer.as_any().downcast_ref::<crate::Conv2d>().expect("a Conv2d").weight())
    };
    for weight in [
        "file = \"w.npy\"",
        "file = \"f.npy\"",
        "file = \"d.npy\"",
        "file = \"./one.npz\"",
        "file = \"two.npz\", array = \"weights\"",
    ] {
        let found = built(&format!("{{ {weight} }}")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.iter().copied().collect::<Vec<_>>(), array.iter().copied().collect::<Vec<_>>(), "{weight}");
    }
    for (weight, expected) in [
        ("file = \"two.npz\"", "an archive of 2 arrays; expected the key \"array\" with one of: v, weights"),
        ("file = \"two.npz\", array = \"weight\"", "(did you mean \"weights\"?)"),
        ("file = \"w.npy\", array = \"w\"", "one array, not an archive with \"w\"; expected"),
        ("file = \"cube.npy\", normalize = true", "the weight's sum is 0"),
        ("file = \"cut.npy\"", "cut off, 23 of 24 bytes; expected an array of shape [2, 3]"),
        ("file = \"text.npy\"", "not a .npy array"),
    ] {
        let error = built(&format!("{{ {weight} }}")).expect_err(weight).to_string();
        assert!(error.contains(expected), "{weight}: {error}");
    }
    let error = ModelFile::parse(&layer("kind = \"Conv1d\"\nweight = { file = \"w.npy\" }"), folder.path())
        .expect_err("rank 2");
    assert!(
        error.to_string().contains("5:10: layer \"a\": weight: a weight of rank 2; expected a weight of rank 0"),
        "{error}"
    );
}
