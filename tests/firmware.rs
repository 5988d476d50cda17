//! The emulated microcontroller and this machine compute the same bits: what `blur` and `retina` of `firmware/qemu/src/bin`
//! printed under QEMU (their `.out` files, which CI compares with a fresh run on every machine) carries the digest of the same
//! run here. For `retina` the command line prints it too: `tests/cli.rs`. `denoise` writes the bytes that the same filters of
//! events, spelled for the command line, leave here.

use foveola::{EventFilters, Frames, Geometry, ModelFile, Polarity, Precision, Recording, models};
use foveola_core::events::{Event, Evt2Encoder};
use foveola_core::kernels::{GaussFilter, Resolution};
use foveola_core::{Checksum, Conv3d, ConvOptions, Digest, Filter, Kernel, Q15, Sample, Shape};
use foveola_tests::golden::{Case, digests};
use ndarray::{Array3, Axis};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[test]
fn blur_has_the_digest_of_the_microcontroller() {
    let gauss = GaussFilter::new(0.07, 0.07);
    let [rows, cols] = gauss.size(Resolution::DEFAULT).expect("a positive width");
    let mut weights = vec![0.0_f32; rows * cols];
    gauss.write(Resolution::DEFAULT, &mut weights).expect("a buffer of its size");
    let shape = Shape::new(1, 12, 20);
    let blur = Conv3d::new(shape, Kernel::new(&weights, [1, 1, 1, rows, cols]), ConvOptions::DEFAULT)
        .expect("a kernel that fits");
    let mut scratch = vec![0.0; blur.signature().scratch.len(1)];
    let mut output = vec![0.0; shape.len()];
    let mut digest = Digest::new();
    for t in 0..10 {
        let mut input = vec![0.0_f32; shape.len()];
        input[(t + 1) * shape.cols + 2 * t] = 1.0 / (t + 1) as f32;
        blur.step(t as u64, &mut [], &mut scratch, &input, &mut output).expect("lengths that fit");
        digest.add(&output);
    }
    printed_digest(digest, include_str!("../firmware/qemu/src/bin/blur.out"));
}

/// The ready model by name, here and there.
#[test]
fn retina_has_the_digest_of_the_microcontroller() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/qemu/src/bin/retina.raw");
    let events = Recording::open(path).and_then(|recording| recording.events()).expect("a recording");
    let mut frames = Frames::new(events, Geometry { cols: 64, rows: 64 }, Polarity::Signed, 1_000).expect("frames");
    let retina = models::build("retina", Resolution::DEFAULT).expect("a model");
    let mut retina = retina.with_precision(Precision::Reproducible);
    let mut digest = Digest::new();
    while let Some(piece) = frames.next_chunk(7).expect("frames") {
        let response = retina.process(piece).expect("a response");
        // One channel: its frames lie one behind the other.
        response.iter().for_each(|y| digest.add(&[*y]));
    }
    printed_digest(digest, include_str!("../firmware/qemu/src/bin/retina.out"));
}

#[test]
fn denoise_writes_the_bytes_of_the_microcontroller() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/qemu/src/bin/retina.raw");
    let events = Recording::open(path).and_then(|recording| recording.events()).expect("a recording");
    let specs = ["refractory:1ms", "hot:most=60,window=100ms", "stcf:k=2,tau=5ms", "limit:24"];
    let specs = specs.map(|spec| spec.parse().expect("a filter"));
    let filters = EventFilters::of(Geometry { cols: 64, rows: 64 }, &specs).expect("filters that fit");
    let (mut sum, mut encoder) = (Checksum::new(), Evt2Encoder::new());
    for event in filters.filter(events) {
        let event = event.expect("events of a whole file");
        encoder.encode(event, |word| sum = sum.word(u32::from_le_bytes(word))).expect("64 x 64 pixels fit");
    }
    let printed = include_str!("../firmware/qemu/src/bin/denoise.out");
    let line = format!("checksum of the words {:08x}", sum.value());
    assert!(printed.lines().any(|printed| printed == line), "'{line}' is not in {printed}");
}

/// The same model over the frames of the program `stream`, without events: a dot whose trace is brighter than what it leaves.
#[test]
fn stream_has_the_digests_of_the_microcontroller() {
    let (frames, rows, cols) = (20, 64, 64);
    let mut movie = Array3::zeros((frames, rows, cols));
    for t in 0..frames {
        movie[[t, 20 + t, 30 + t % 3]] = 1.0_f32;
        movie[[t, 19 + t, 30 + t % 3]] = -1.0;
    }
    let retina = models::build("retina", Resolution::DEFAULT).expect("a model");
    let mut retina = retina.with_precision(Precision::Reproducible);
    let outputs = retina.process_all(&movie).expect("a response");
    let digests = outputs.iter().map(|output| {
        let mut digest = Digest::new();
        output.iter().for_each(|y| digest.add(&[*y]));
        digest.to_string()
    });
    let line = format!("frames {frames}, digests {}", digests.collect::<Vec<_>>().join(" "));
    let printed = include_str!("../firmware/qemu/src/bin/stream.out");
    assert!(printed.lines().any(|printed| printed == line), "'{line}' is not in {printed}");
}

/// `firmware/golden/digests.tsv` has the bits of the host's layers; the golden cases compare with them on every machine. When a
/// change of bits is meant: `DIGESTS=write cargo test -p foveola-tests --test firmware`.
#[test]
fn golden_cases_have_the_digests_of_the_microcontroller() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("golden"))
        .expect("a folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut table = String::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let case = Case::read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (output, digest) in digests(&case).unwrap_or_else(|error| panic!("{name}: {error}")) {
            writeln!(table, "{name}{output}\t{digest}").expect("a String grows");
        }
    }
    let path = root.join("../firmware/golden/digests.tsv");
    if std::env::var_os("DIGESTS").is_some() {
        std::fs::write(&path, &table).expect("a table that can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("a table");
    assert!(committed == table, "{} should be\n{table}", path.display());
}

/// `firmware/model/digests.tsv` has the digests of every file of `models/`, of `firmware/model/` and of the guide here, one for each
/// output; `firmware/models.sh` compares with them those of the programs that are built from these files. When a change of bits is
/// meant: `DIGESTS=write`, as above.
#[test]
fn model_files_have_the_digests_of_the_microcontroller() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("firmware/model/digests.tsv");
    let committed = std::fs::read_to_string(&path).expect("a table");
    let mut lines = committed.lines();
    let mut table = format!("{}\n", lines.next().unwrap_or_default());
    let binnings: HashMap<&str, u16> = lines
        .map(|line| line.split('\t'))
        .filter_map(|mut row| Some((row.next()?, row.next()?.parse().ok()?)))
        .collect();
    let mut files: Vec<PathBuf> = ["models", "firmware/model", "docs/guide/your-own-model"]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder"))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| path.file_name().is_some_and(|name| name != "Cargo.toml"))
        .collect();
    files.sort_by_key(|path| path.file_name().map(OsStr::to_owned));
    for file in files {
        let file = ModelFile::read(&file).unwrap_or_else(|error| panic!("{error}"));
        let binning = binnings.get(file.name()).copied().unwrap_or(1);
        let digests = digests_of_a_file(&file, binning).unwrap_or_else(|error| panic!("{}: {error}", file.name()));
        let digests: Vec<String> = digests.iter().map(Digest::to_string).collect();
        writeln!(table, "{}\t{binning}\t{}", file.name(), digests.join(" ")).expect("a String grows");
    }
    if std::env::var_os("DIGESTS").is_some() {
        std::fs::write(&path, &table).expect("a table that can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("a table");
    assert!(committed == table, "{} should be\n{table}", path.display());
}

/// The digests of the outputs of a model over the firmware's recording, in bins of `binning` x `binning` pixels.
fn digests_of_a_file(file: &ModelFile, binning: u16) -> foveola::Result<Vec<Digest>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/qemu/src/bin/retina.raw");
    let filters = EventFilters::of(Geometry { cols: 64, rows: 64 }, &file.input().events)?;
    let events = filters.filter(Recording::open(path)?.events()?);
    let events = events.map(|event| event.map(|event| Event { x: event.x / binning, y: event.y / binning, ..event }));
    let side = usize::from(64 / binning);
    let dt = (1e6 * file.input().dt).round() as u64;
    let polarity = file.input().polarity.unwrap_or(Polarity::Signed);
    let mut frames = Frames::new(events, Geometry { cols: side, rows: side }, polarity, dt)?;
    let mut model = file.model()?.with_precision(Precision::Reproducible);
    // What comes out of integers are numbers: samples times the full scale.
    let scales = model.output_scales(frames.shape())?;
    let mut digests = vec![Digest::new(); file.outputs().count()];
    // The first chunk initialises temporal padding: on a board it is a frame.
    while let Some(piece) = frames.next_chunk(1)? {
        for (i, (digest, output)) in digests.iter_mut().zip(model.process_all(piece)?).enumerate() {
            for frame in output.axis_iter(Axis(2)) {
                match &scales {
                    Some(scales) => {
                        frame.iter().for_each(|y| digest.add(&[Q15::from_f64(f64::from(*y) / scales[i])]));
                    }
                    None => frame.iter().for_each(|y| digest.add(&[*y])),
                }
            }
        }
    }
    Ok(digests)
}

/// The model of the firmware's proofs is the ready retina with event filters before it.
#[test]
fn the_denoised_retina_is_the_retina() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/model/retina_denoised.toml");
    let denoised = ModelFile::read(path).expect("a model");
    let mut retina = models::file("retina").expect("a model");
    assert_ne!(denoised.input(), retina.input());
    retina.set("input.events", "[\"stcf:k=2,tau=5ms\"]").expect("a filter");
    assert_eq!(denoised.input(), retina.input());
    assert_eq!(denoised.layers(), retina.layers());
    assert!(denoised.outputs().eq(retina.outputs()));
}

fn printed_digest(digest: Digest, printed: &str) {
    assert!(printed.contains(&format!("digest of all bits {digest}\n")), "{digest} here, but there:\n{printed}");
}
