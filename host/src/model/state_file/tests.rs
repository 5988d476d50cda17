use super::*;
use crate::{Algorithm, Branches, Conv1d, Conv3d, Delay, Diff, LowPass, NLRectify, Precision, Resolution, SmoothConv};
use ndarray::{Array3, Array5, s};
use tempfile::TempDir;

fn low_pass(tau: f64) -> LowPass {
    LowPass::new(tau, Resolution::DEFAULT).expect("a time constant")
}

fn model(tau: f64, weight: f32, algorithm: Algorithm) -> Model {
    let conv = Conv3d::new(1, 2, [3, 3, 3]).expect("a kernel").with_weight([[weight, 0.5], [0.25, 0.125]]);
    let smooth = SmoothConv::gaussian(2, 0.005, 0.05, Resolution::DEFAULT).expect("good").with_algorithm(algorithm);
    let branches = Branches::new().plus(smooth).minus(low_pass(tau));
    Model::new().then(conv.expect("a weight")).then(branches).then(Delay::new(2)).then(NLRectify)
}

fn movie(frames: usize) -> Array3<f32> {
    Array3::from_shape_fn((frames, 4, 5), |(t, r, c)| ((7 * t + 3 * r + c * t) % 11) as f32)
}

fn process(model: &mut Model, movie: &Array3<f32>) -> Array5<f32> {
    model.process(movie).expect("a good chunk").to_owned()
}

/// A folder with the state of a small model after 5 frames, its bytes, and the model.
fn saved() -> (TempDir, PathBuf, Vec<u8>, Model) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.state");
    let mut model = Model::of(Conv1d::new(1, 1, 3).expect("a kernel")).then(low_pass(0.01));
    model.process(movie(5).slice(s![.., ..2, ..2])).expect("a good chunk");
    model.save_state_with(&path, "at 5 ms").expect("written");
    let bytes = fs::read(&path).expect("read");
    (folder, path, bytes, model)
}

/// The problem with a file of these bytes. The state is as it was.
fn problem(path: &Path, bytes: &[u8], model: &mut Model) -> StateFileError {
    fs::write(path, bytes).expect("written");
    let before = (model.time(), model.memory.stream.state.read().expect("on the host").into_owned());
    let error = model.load_state(path).expect_err("a bad file");
    let after = (model.time(), model.memory.stream.state.read().expect("on the host").into_owned());
    assert_eq!(before, after, "the state is unchanged");
    assert!(error.to_string().contains("a.state: "), "{error}");
    match error {
        Error::StateFile { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

/// The bytes with another checksum of all before it.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - SUM;
    let sum = Checksum::new().bytes(&bytes[..end]).value();
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn a_stream_goes_on_with_its_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.state");
    let movie = movie(40);
    for precision in [Precision::Fast, Precision::Reproducible] {
        let new = || model(0.02, 1.0, Algorithm::Auto).with_precision(precision);
        let whole = new().run(&movie, 40).expect("a good movie");
        for at in [1, 5, 23] {
            let mut first = new();
            first.run(movie.slice(s![..at, .., ..]), 40).expect("a good movie");
            first.save_state(&path).expect("written");
            // Neither the threads nor the chunks matter, nor what was fed before.
            let mut second = new().with_threads(1);
            second.process(Array3::<f32>::ones((3, 4, 5))).expect("a good chunk");
            second.load_state(&path).expect("its state");
            assert_eq!(second.time(), at as u64);
            let rest = second.run(movie.slice(s![at.., .., ..]), 7).expect("a good movie");
            assert_eq!(rest, whole.slice(s![.., .., at.., .., ..]), "{precision:?} from {at}");
        }
    }
}

#[test]
fn the_model_is_known_by_what_it_computes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.state");
    let mut there = model(0.02, 1.0, Algorithm::Auto);
    process(&mut there, &movie(9));
    there.save_state(&path).expect("written");
    let named = {
        let conv = there.layer::<Conv3d>(0).expect("the layer").clone();
        let branches = there.layer::<Branches>(1).expect("the layer").clone();
        Model::new().named("conv", conv).named("sum", branches).then(Delay::new(2)).named("out", NLRectify)
    };
    let same = [
        model(0.02, 1.0, Algorithm::Direct),
        model(0.02, 1.0, Algorithm::Separable).with_precision(Precision::Reproducible),
        named.with_output("on", "out").with_output("all", "sum"),
    ];
    for (i, mut model) in same.into_iter().enumerate() {
        model.load_state(&path).unwrap_or_else(|error| panic!("model {i}: {error}"));
        assert_eq!(model.time(), 9);
    }
    let others = [
        model(0.021, 1.0, Algorithm::Auto),
        model(0.02, 1.000_001, Algorithm::Auto),
        model(0.02, 1.0, Algorithm::Auto).then(NLRectify),
        Model::of(Diff),
    ];
    for (i, mut model) in others.into_iter().enumerate() {
        let error = model.load_state(&path).expect_err("another model");
        let foreign = matches!(error, Error::StateFile { problem: StateFileError::Model { .. }, .. });
        assert!(foreign && model.time() == 0, "model {i}: {error}");
    }
    // A model whose layers do not take these frames.
    let mut model = Model::of(Conv3d::new(3, 1, [1, 1, 1]).expect("a kernel").with_time_pad(true));
    let error = model.load_state(&path).expect_err("other frames");
    assert!(matches!(error, Error::StateFile { problem: StateFileError::Frames { .. }, .. }), "{error}");
}

#[test]
fn frames_of_another_size_are_refused_after_it() {
    let (_folder, path, _, _) = saved();
    let mut model = Model::of(Conv1d::new(1, 1, 3).expect("a kernel")).then(low_pass(0.01));
    model.load_state(&path).expect("its state");
    assert!(matches!(model.process(movie(1)), Err(Error::FrameSize { .. })));
    assert_eq!(model.time(), 5);
}

#[test]
fn every_damaged_byte_is_found() {
    let (_folder, path, bytes, mut model) = saved();
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xFF] {
            let mut bad = bytes.clone();
            bad[at] ^= mask;
            let problem = problem(&path, &bad, &mut model);
            let expected = match at {
                0..8 => matches!(problem, StateFileError::Magic { .. }),
                8..12 => matches!(problem, StateFileError::Version { .. }),
                56..80 => matches!(problem, StateFileError::Length { .. }),
                _ => matches!(problem, StateFileError::Damaged { .. }),
            };
            assert!(expected, "byte {at}, mask {mask:x}: {problem:?}");
        }
    }
    fs::write(&path, &bytes).expect("written");
    let file = StateFile::read(&path).expect("the good bytes");
    assert_eq!((file.note(), file.time(), file.shape()), ("at 5 ms", 5, Shape::new(1, 2, 2)));
    model.set_state_from(file).expect("its state");
}

#[test]
fn a_file_of_another_length_is_refused() {
    let (_folder, path, bytes, mut model) = saved();
    for len in 0..bytes.len() {
        let problem = problem(&path, &bytes[..len], &mut model);
        let expected = if len < 8 {
            matches!(problem, StateFileError::Magic { .. })
        } else {
            matches!(problem, StateFileError::Length { found, .. } if found == len as u64)
        };
        assert!(expected, "{len} bytes: {problem:?}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(problem(&path, &longer, &mut model), StateFileError::Length { .. }));
    let newer = signed([&bytes[..8], &2_u32.to_le_bytes(), &bytes[12..]].concat());
    assert_eq!(problem(&path, &newer, &mut model), StateFileError::Version { found: 2, expected: 1 });
    let movie = [b"\x93NUMPY".to_vec(), vec![0; 200]].concat();
    let told = problem(&path, &movie, &mut model).to_string();
    assert!(
        told.contains(
            "no saved state: it begins with \"\\x93NUMPY\\x00\\x00\"; expected \"\\x8ffoveola\", as save_state"
        ),
        "{told}"
    );
}

/// Numbers that nobody saved, with a good checksum: nothing is allocated for them.
#[test]
fn hostile_sizes_are_refused() {
    let (_folder, path, bytes, mut model) = saved();
    let with = |at: usize, number: u64| {
        let mut bad = bytes.clone();
        bad[at..at + 8].copy_from_slice(&number.to_le_bytes());
        signed(bad)
    };
    for number in [0, 1, 1 << 20, 1 << 40, u64::MAX / 4, u64::MAX] {
        for at in [56, 64, 72] {
            let problem = problem(&path, &with(at, number), &mut model);
            assert!(matches!(problem, StateFileError::Length { .. }), "{number} at {at}: {problem:?}");
        }
        for at in [24, 32, 40, 48] {
            if number == 1 && at < 40 {
                continue; // as it is
            }
            let problem = problem(&path, &with(at, number), &mut model);
            let expected = match number {
                0 => matches!(problem, StateFileError::Head { .. }),
                _ if at == 24 => matches!(problem, StateFileError::Samples { .. }),
                _ => matches!(problem, StateFileError::Model { .. } | StateFileError::Frames { .. }),
            };
            assert!(expected, "{number} at {at}: {problem:?}");
        }
    }
    assert!(matches!(problem(&path, &with(16, 0), &mut model), StateFileError::Head { what: "number of frames", .. }));
    let mut note = bytes.clone();
    let first = note.len() - SUM - "at 5 ms".len();
    note[first] = 0xFF;
    assert!(matches!(problem(&path, &signed(note), &mut model), StateFileError::Head { .. }), "no UTF-8");
}

/// The state of inputs near the end of the range is checked as the running one is.
#[test]
fn bounds_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.state");
    let new = || Model::of(Conv1d::new(1, 1, 3).expect("a kernel").with_weight([1.0; 3]).expect("finite"));
    let mut there = new();
    there.process(Array3::from_elem((4, 2, 2), 1e38_f32)).expect("within the range");
    there.save_state(&path).expect("written");
    let mut back = new();
    back.load_state(&path).expect("its state");
    let large = Array3::from_elem((1, 2, 2), 3e38_f32);
    for model in [&mut there, &mut back] {
        assert!(matches!(model.process(&large), Err(Error::Overflow { .. })), "the sum leaves the range");
        assert_eq!(model.time(), 4);
    }
}

#[test]
fn what_cannot_be_saved_is_told() {
    let (folder, path, bytes, mut model) = saved();
    let refused = Model::of(Diff).save_state(&path).expect_err("no frames");
    assert!(matches!(refused, Error::StateFile { problem: StateFileError::NoFrames, .. }), "{refused}");
    let refused = model.save_state_with(&path, &"a".repeat(MOST_NOTE + 1)).expect_err("a long note");
    assert!(matches!(refused, Error::StateFile { problem: StateFileError::Note { .. }, .. }), "{refused}");
    *model.layer_mut::<Conv1d>(0).expect("the layer") = Conv1d::new(1, 1, 5).expect("a kernel");
    assert!(matches!(model.save_state(&path), Err(Error::StateChanged { .. })), "the state is not that of its layers");
    assert_eq!(fs::read(&path).expect("read"), bytes, "the file is as it was");
    let missing = folder.path().join("no").join("a.state");
    assert!(matches!(model.load_state(&missing), Err(Error::Io { .. })));
}
