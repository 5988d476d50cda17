use crate::events::recording::{archive, members};
use crate::{Conv2d, Delay, Error, LowPass, Model, NLRectify, NLRectifyScale, Resolution};
use ndarray::{Array1, Array2, Array4, ArrayD, arr0};
use ndarray_npy::{ReadNpyExt, WriteNpyExt};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn model(tau: f64, weight: f32) -> Model {
    let blur = Conv2d::new(1, 2, [3, 2]).expect("a kernel").with_bias(&[0.1, -0.2]).expect("finite");
    Model::new()
        .named("slow", LowPass::new(tau, Resolution::DEFAULT).expect("a time constant"))
        .named("blur", blur.with_weight(weight).expect("finite"))
        .named("on", NLRectifyScale::new(1.0 / 3.0, 0.0).expect("finite"))
        .reading([("blur", 0.7), ("blur", 0.3)])
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("w.npz");
    (folder, path)
}

#[test]
fn weights_come_back_with_their_bits() {
    let (_folder, path) = file();
    let (there, mut back) = (model(0.012_3, 0.1), model(0.5, 9.0));
    there.save_weights(&path).expect("written");
    let bytes = fs::read(&path).expect("read");
    there.save_weights(&path).expect("written again");
    assert_eq!(fs::read(&path).expect("read"), bytes, "the same bytes");
    back.load_weights(&path).expect("read");
    assert_eq!(back.parameters(), there.parameters());
    let movie = ndarray::Array3::from_shape_fn((9, 4, 5), |(t, r, c)| ((t + 3 * r + c) % 5) as f32);
    let [mut there, mut back] = [there, back];
    assert_eq!(back.run(&movie, 3).expect("good"), there.run(&movie, 9).expect("good"));
}

/// Another reader of arrays gets the same numbers.
#[test]
fn other_readers_read_them() {
    let (_folder, path) = file();
    let there = model(0.012_3, 0.1);
    there.save_weights(&path).expect("written");
    let members = members(&path).expect("an archive");
    assert_eq!(members.len(), there.parameters().len());
    for (member, parameter) in members.iter().zip(there.parameters()) {
        let array = ArrayD::<f64>::read_npy(member.checked(&path).expect("there")).expect("an array");
        assert_eq!((member.name(), array), (&parameter.name[..], parameter.value));
    }
}

fn npy<A: ndarray_npy::WritableElement>(array: impl Into<ArrayD<A>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.into().write_npy(&mut bytes).expect("memory");
    bytes
}

fn number(number: f64) -> Vec<u8> {
    npy(arr0(number).into_dyn())
}

/// What others write: `f32` and `f64`, whole numbers, any order, deflated or not. One array is left out, and one added.
fn write(path: &Path, left_out: &str, added: Option<(&str, Vec<u8>)>) {
    let mut arrays = vec![
        ("on.scale", npy(arr0(2_i64).into_dyn())),
        ("on.bias", number(0.5)),
        ("blur.bias", npy(Array1::from(vec![1.0_f32, 2.0]).into_dyn())),
        ("blur.weight", npy(Array4::<f32>::from_elem((2, 1, 3, 2), 0.3).into_dyn())),
        ("slow.tau", number(0.04)),
        ("on.inputs", npy(Array1::from(vec![-0.5, 0.25]).into_dyn())),
    ];
    arrays.retain(|(name, _)| *name != left_out);
    arrays.extend(added);
    // The helper takes a name with a dot for a whole one.
    let arrays: Vec<_> = arrays.into_iter().map(|(name, bytes)| (format!("{name}.npy"), bytes)).collect();
    let arrays: Vec<_> = arrays.iter().map(|(name, bytes)| (&name[..], bytes.clone())).collect();
    fs::write(path, archive(&arrays)).expect("written");
}

#[test]
fn archives_of_others_are_read() {
    let (_folder, path) = file();
    write(&path, "", None);
    let mut model = model(0.5, 9.0);
    model.load_weights(&path).expect("good");
    assert_eq!(model.parameter("on.scale").expect("there").value, arr0(2.0).into_dyn());
    assert_eq!(model.layer::<LowPass>("slow").expect("the layer").tau(), 0.04);
    assert_eq!(model.layer::<Conv2d>("blur").expect("the layer").bias(), [1.0, 2.0]);
    assert!(model.layer::<Conv2d>("blur").expect("the layer").weight().iter().all(|w| *w == 0.3));
}

#[test]
fn archives_that_do_not_fit_change_nothing() {
    let (_folder, path) = file();
    let mut model = model(0.5, 9.0);
    let before = model.parameters();
    let mut refused = |told: &str| {
        let error = model.load_weights(&path).expect_err(told).to_string();
        assert!(error.contains(told), "{error}");
        assert_eq!(model.parameters(), before, "{told}");
    };
    for name in ["on.scale", "blur.weight", "slow.tau"] {
        write(&path, name, None);
        refused(&format!("there is no array {name}"));
    }
    let cases = [
        (
            "slow.tau",
            ("slow.tua", number(1.0)),
            "unknown parameter 'slow.tua'; expected one of: slow.tau (the nearest)",
        ),
        ("", ("slow.tau", number(1.0)), "there are several arrays slow.tau; expected one"),
        (
            "slow.tau",
            ("slow.tau", npy(Array1::from(vec![1.0]).into_dyn())),
            "slow.tau: an array of shape [1]; expected []",
        ),
        (
            "blur.weight",
            ("blur.weight", npy(Array2::<f64>::ones((3, 2)).into_dyn())),
            "blur.weight: an array of shape [3, 2]; expected [2, 1, 3, 2]",
        ),
        ("slow.tau", ("slow.tau", number(-0.5)), "parameter slow.tau: LowPass: "),
        ("on.bias", ("on.bias", number(f64::NAN)), "parameter on.bias: "),
        ("on.bias", ("on.bias", b"no array".to_vec()), "on.bias: not a .npy array"),
        ("on.bias", ("on.bias", [number(1.0), vec![0]].concat()), "on.bias: more bytes than its header tells of"),
        ("on.bias", ("on.bias", number(1.0)[..100].to_vec()), "on.bias: not a .npy array: it ends before"),
    ];
    for (left_out, added, told) in cases {
        write(&path, left_out, Some(added));
        refused(told);
    }
    fs::write(&path, b"no archive").expect("written");
    refused("w.npz: ");
    fs::remove_file(&path).expect("removed");
    refused("w.npz: ");
}

/// A byte of the numbers, one after another: none of them gives other weights.
#[test]
fn damaged_archives_are_refused() {
    let (_folder, path) = file();
    let there = model(0.012_3, 0.1);
    there.save_weights(&path).expect("written");
    let bytes = fs::read(&path).expect("read");
    let expected = there.parameters();
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        fs::write(&path, &bad).expect("written");
        let mut model = model(0.5, 9.0);
        match model.load_weights(&path) {
            Err(_) => refused += 1,
            // Dates, versions and flags of the archive, which nobody reads.
            Ok(()) => assert_eq!(model.parameters(), expected, "byte {at}"),
        }
    }
    assert!(refused > bytes.len() / 2, "{refused} of {} bytes", bytes.len());
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).expect("written");
        assert!(model(0.5, 9.0).load_weights(&path).is_err(), "{len} bytes");
    }
}

#[test]
fn what_cannot_be_saved_is_told() {
    let (folder, path) = file();
    let error = Model::of(NLRectify).save_weights(&path).expect_err("nothing to save").to_string();
    assert!(error.contains("no layer has any") && !path.exists(), "{error}");
    let missing = folder.path().join("no").join("w.npz");
    assert!(matches!(Model::of(Delay::new(1)).save_weights(missing), Err(Error::Io { .. })));
}
