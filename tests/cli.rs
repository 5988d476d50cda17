//! The command line as a user runs it: what it prints, writes and refuses, and its exit codes.
//!
//! Every run is checked for traces of a panic.

#[path = "shell.rs"]
mod shell;

use foveola_core::events::Event;
use ndarray::{Array2, Array3, Array4, Array5};
use ndarray_npy::{read_npy, write_npy};
use serde_json::Value;
use sha3::{Digest, Sha3_224};
use shell::{HEADER, Ran, Shell, events, evt2};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Width and height of a PNG, decoded whole.
fn png_size(path: &Path) -> (u32, u32) {
    let mut reader =
        png::Decoder::new(BufReader::new(File::open(path).expect("a picture"))).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut pixels).expect("a whole PNG");
    assert!(pixels.iter().any(|byte| *byte != pixels[0]), "{} is empty", path.display());
    (info.width, info.height)
}

/// Width, height and number of frames of a GIF, decoded whole.
fn gif_size(path: &Path) -> (u16, u16, usize) {
    let mut reader = gif::DecodeOptions::new().read_info(File::open(path).expect("an animation")).expect("a GIF");
    let mut frames = 0;
    while reader.read_next_frame().expect("a whole GIF").is_some() {
        frames += 1;
    }
    (reader.width(), reader.height(), frames)
}

#[test]
fn without_arguments_it_shows_what_it_can_do() {
    let shell = Shell::new();
    let text = shell.good(&[]);
    for word in ["built-in scene", "128 x 96", "retina", "frames/s", "real time", "nothing", "foveola-out"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 60, "too long for a narrow terminal: {line}");
    }
    let out = shell.path("foveola-out");
    for name in ["stages.png", "traces.png"] {
        let (width, height) = png_size(&out.join(name));
        assert!((400..4000).contains(&width) && (200..4000).contains(&height), "{name}: {width} x {height}");
        assert!(text.contains(name), "{name} is named");
    }
    let (width, height, frames) = gif_size(&out.join("stages.gif"));
    assert!((128..2000).contains(&width) && (96..2000).contains(&height), "{width} x {height}");
    assert!((20..500).contains(&frames), "{frames} frames");
    for name in ["on.npy", "off.npy"] {
        let output: Array3<f32> = read_npy(out.join(name)).expect("an array (time, row, column)");
        assert_eq!(output.dim(), (200, 96, 128), "{name}");
        assert!(output.iter().all(|y| *y >= 0.0 && y.is_finite()), "{name} is rectified");
        let active = output.iter().filter(|y| **y > 0.0).count();
        assert!(active > output.len() / 100, "{active} of {} samples of {name} are above 0", output.len());
    }
}

/// Two precisions, one scene: the last bits may differ, and nothing else.
#[test]
fn reproducible_bits_are_close_to_the_fast_ones() {
    let shell = Shell::new();
    let output = |args: &[&str]| {
        let common = ["run", "--geometry", "40x30", "--dt", "4ms", "--every", "1"];
        shell.good(&[&common[..], args].concat());
        read_npy::<_, Array3<f32>>(shell.path("foveola-out/on.npy")).expect("frames")
    };
    let (fast, reproducible) = (output(&[]), output(&["--reproducible"]));
    assert_eq!(fast.dim(), reproducible.dim());
    let largest = fast.iter().fold(0.0_f32, |max, y| max.max(*y));
    let apart = fast.iter().zip(&reproducible).fold(0.0_f32, |max, (a, b)| max.max((a - b).abs()));
    // 363 taps of the larger branch, each off by half a unit in the last place at most, and two branches of up to twice the output.
    assert!(largest > 0.0 && apart <= 4.0 * 363.0 * f32::EPSILON * largest, "{apart} apart, the largest {largest}");
}

#[test]
fn devices_are_listed() {
    let shell = Shell::new();
    let json = shell.json(&["devices", "--json"]);
    let processor = &json["processor"];
    assert!(processor["cores"].as_u64() >= Some(1) && processor["vectors"][0] == "baseline", "{processor}");
    assert_eq!(json["gpu_support"], foveola::Device::HAS_GPU_SUPPORT);
    let devices = json["devices"].as_array().expect("a list");
    assert!(devices.iter().filter(|device| device["taken"] == true).count() <= 1, "one at most: {json}");
    let text = shell.good(&["devices"]);
    let mut words = vec![processor["name"].as_str().expect("a name"), "vectors: baseline"];
    for device in devices {
        words.extend(["name", "kind", "interface", "driver"].map(|key| device[key].as_str().expect("a word")));
        assert_eq!(device["taken"] == true, text.contains("--device gpu takes it"), "{text}");
    }
    words.push(if foveola::Device::HAS_GPU_SUPPORT { "gpu  " } else { "--features gpu" });
    for word in words {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let said = text
        .lines()
        .filter(|line| !devices.iter().any(|device| line.ends_with(device["driver"].as_str().unwrap_or("?"))));
    assert!(said.skip(1).all(|line| line.chars().count() <= 60), "too long for a narrow terminal: {text}");
}

/// Every device yields what the processor does, up to rounding; without one, what is missing is said.
#[test]
fn a_device_runs_a_model() {
    let shell = Shell::new();
    let output = |device: &str| {
        let args = ["run", "--geometry", "40x30", "--dt", "4ms", "--every", "1", "--model", "transient", "--json"];
        let json = shell.json(&[&args[..], &["--device", device]].concat());
        let frames: Array3<f32> = read_npy(shell.path("foveola-out/output.npy")).expect("frames");
        (json["device"].as_str().expect("a name").to_owned(), frames)
    };
    let (name, expected) = output("cpu");
    assert_eq!(name, "cpu");
    let largest = expected.iter().fold(0.0_f32, |max, y| max.max(y.abs()));
    let json = shell.json(&["devices", "--json"]);
    let devices = json["devices"].as_array().expect("a list");
    for device in devices {
        let wanted = device["name"].as_str().expect("a name");
        let (name, found) = output(&format!("gpu:{}", wanted.to_uppercase()));
        assert_eq!(name, wanted);
        // Three operations a frame of a low-pass that halves an error in three frames or more, and the difference of two.
        let apart = expected.iter().zip(&found).fold(0.0_f32, |max, (a, b)| max.max((a - b).abs()));
        assert!(largest > 0.0 && apart <= 64.0 * f32::EPSILON * largest, "{apart} apart, the largest {largest}");
    }
    let found =
        if foveola::Device::HAS_GPU_SUPPORT { "found: " } else { "this build has no GPU support (feature gpu)" };
    shell.bad(&["run", "--device", "gpu:none of this name"], 1, &["'none of this name' was not found", found]);
    if devices.iter().all(|device| device["taken"] == false) {
        shell.bad(&["run", "--device", "gpu"], 1, &["a GPU was not found", found]);
    }
    for device in devices {
        let args = ["run", "--reproducible", "--device", &format!("gpu:{}", device["name"].as_str().expect("a name"))];
        shell.bad(&args, 1, &["the bits of the processor alone"]);
    }
}

#[test]
fn a_seed_gives_the_same_bytes() {
    let shell = Shell::new();
    let output = |seed: &str, out: &str| {
        shell.good(&["run", "--geometry", "24x16", "--dt", "4ms", "--every", "1", "--seed", seed, "--out", out]);
        ["on.npy", "stages.png", "stages.gif"].map(|name| std::fs::read(shell.path(out).join(name)).expect("written"))
    };
    let first = output("7", "a");
    assert!(first == output("7", "b"), "the same seed");
    assert!(first[0] != output("8", "c")[0], "another seed");
}

#[test]
fn json_stands_alone_on_stdout() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(2_000)));
    let run = shell.json(&["run", "a.raw", "--json", "--out", "new/folder"]);
    assert_eq!((&run["input"], &run["model"], &run["device"]), (&"a.raw".into(), &"retina".into(), &"cpu".into()));
    assert_eq!((&run["events"], &run["frames"], &run["dt_us"]), (&2_000.into(), &200.into(), &1_000.into()));
    assert_eq!(run["recorded_seconds"], 0.2);
    for key in ["seconds", "frames_per_second", "real_time_factor"] {
        assert!(run[key].as_f64() > Some(0.0), "{key}: {run}");
    }
    let wrote: Vec<&str> = run["wrote"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(wrote.len(), 5, "two outputs and three pictures: {wrote:?}");
    for file in wrote {
        assert!(shell.path(file).is_file(), "{file} was written");
    }
    let keys: Vec<&String> = run["skipped"].as_object().expect("counts").keys().collect();
    let all = "backward early_events garbage_bytes jumps late_events other_bytes outside_events tail_bytes unconfirmed untimed_bytes";
    assert_eq!(keys, all.split(' ').collect::<Vec<_>>());
    assert!(run["skipped"].as_object().is_some_and(|counts| counts.values().all(|count| *count == 0)), "{run}");
}

#[test]
fn info_describes() {
    let shell = Shell::new();
    let events = events(2_000);
    shell.write("a.raw", &evt2(HEADER, &events));
    let text = shell.good(&["info", "a.raw"]);
    for word in ["evt2", "24 x 16", "header", "199.900 ms", "2,000, 66.", "10,005 events/s", "nothing"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let text = shell.good(&["info", "a.raw", "--digest"]);
    assert!(text.lines().all(|line| line.len() <= 60), "too long for a narrow terminal: {text}");

    let info = shell.json(&["info", "a.raw", "--json", "--digest"]);
    let on = events.iter().filter(|event| event.on).count();
    assert_eq!((&info["n"], &info["on"]), (&2_000.into(), &on.into()));
    assert_eq!((&info["t"][0], &info["t"][1]), (&5_000.into(), &204_900.into()));
    assert_eq!((&info["cols"], &info["rows"], &info["format"]), (&24.into(), &16.into(), &"evt2".into()));
    let column = |bytes: Vec<u8>| -> Value {
        Sha3_224::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    };
    assert_eq!(info["digest"]["t"], column(events.iter().flat_map(|event| event.t.to_le_bytes()).collect()));
    assert_eq!(info["digest"]["x"], column(events.iter().flat_map(|event| event.x.to_le_bytes()).collect()));
    assert_eq!(info["digest"]["y"], column(events.iter().flat_map(|event| event.y.to_le_bytes()).collect()));
    assert_eq!(info["digest"]["on"], column(events.iter().map(|event| u8::from(event.on)).collect()));
    assert!(shell.json(&["info", "a.raw", "--json"]).get("digest").is_none(), "only when asked for");

    // Without a header, the geometry is inferred; it may be given.
    shell.write("b.raw", &evt2("% evt 2.0\n", &events[..150]));
    let info = shell.json(&["info", "b.raw", "--json"]);
    assert_eq!((&info["cols"], &info["geometry_from"]), (&15.into(), &"from the events".into()));
    let info = shell.json(&["info", "b.raw", "--json", "--geometry", "10x16"]);
    assert_eq!((&info["cols"], &info["skipped"]["outside_events"]), (&10.into(), &50.into()));
}

/// The recording of the firmware's `retina` is what the command in its source writes, and the digest is the firmware's.
#[test]
fn a_recording_of_the_scene_has_the_digest_of_a_microcontroller() {
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware/qemu/src/bin");
    let shell = Shell::new();
    let text = shell.good(&["record", "retina.raw", "--geometry", "64x64", "--duration", "200ms"]);
    for word in ["retina.raw, 34,142 bytes", "64 x 64", "5,993 events in 200 ms"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let recorded = std::fs::read(shell.path("retina.raw")).expect("written");
    assert!(recorded == std::fs::read(firmware.join("retina.raw")).expect("committed"), "the same bytes");

    let args = ["run", "retina.raw", "--reproducible", "--digest", "--every", "0", "--chunk", "13"];
    let text = shell.good(&args);
    let printed = std::fs::read_to_string(firmware.join("retina.out")).expect("committed");
    let digest = printed.lines().find_map(|line| line.strip_prefix("digest of all bits ")).expect("a digest");
    assert!(text.contains(&format!("digest    {digest} (FNV-1a")), "{digest} there, but: {text}");
    assert_eq!(shell.json(&[&args[..], &["--json"]].concat())["digest"]["on"], digest);
    assert!(shell.json(&["run", "retina.raw", "--json"]).get("digest").is_none(), "only when asked for");
    shell.bad(&["record", "no/folder.raw"], 1, &["folder.raw: No such file"]);
    shell.bad(
        &["record", "a.raw", "--geometry", "2049x1"],
        1,
        &["a.raw: 2049 x 1 pixels; expected at most 2048 x 2048"],
    );
}

/// A bar that moves over a movie, and the simulated sensor in front of it.
#[test]
fn a_movie_becomes_events() {
    let shell = Shell::new();
    let movie = Array3::from_shape_fn((50, 12, 10), |(t, row, _)| if t % 12 == row { 255_u8 } else { 20 });
    write_npy(shell.path("a.npy"), &movie).expect("written");
    let movie = ["record", "a.raw", "--movie", "a.npy", "--rate", "100", "--refractory", "0us"];
    let text = shell.good(&[&movie[..], &["--shot", "0"]].concat());
    for word in ["10 x 12 (columns x rows)", "in 490 ms", "0 of leak, 0 of shot noise"] {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    let info = shell.json(&["info", "a.raw", "--json"]);
    let events = info["n"].as_u64().expect("a number");
    // Every frame, a row of 10 pixels goes up and another one down by ln((1 + 0.02) / (20 / 255 + 0.02)) = 2.3, 9 thresholds.
    assert!((49 * 2 * 80..49 * 2 * 95).contains(&events), "{events} events");
    let noisy = shell.good(&[&movie[..], &["--shot", "50", "--leak", "5", "--duration", "200ms"]].concat());
    assert!(noisy.contains("in 200 ms") && !noisy.contains(" 0 of "), "{noisy}");
    shell.bad(&["record", "b.raw", "--movie", "a.npy", "--rate", "0"], 1, &["film: rate is 0"]);
    shell.bad(&["record", "b.raw", "--movie", "a.npy", "--threshold", "0"], 1, &["threshold_on is 0"]);
    shell.bad(&["record", "b.raw", "--rate", "30"], 2, &["--movie"]);
}

#[test]
fn filters_of_events_are_measured() {
    let shell = Shell::new();
    let small = ["bench", "denoise", "--size", "40x30", "--duration", "60ms", "--shot", "2,20"];
    let json = shell.json(&[&small[..], &["--json", "--out", "out"]].concat());
    let cases = json["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 4, "two scenes, two rates");
    for case in cases {
        for filter in case["filters"].as_array().expect("a list") {
            let auc = filter["auc"].as_f64().expect("a number");
            assert!((0.0..=1.0).contains(&auc), "{filter}");
        }
    }
    let page = std::fs::read_to_string(shell.path("out/denoise.md")).expect("written");
    assert!(page.contains("| AUC at 2 Hz | AUC at 20 Hz |") && page.contains("--size 40x30"), "{page}");
    assert!(shell.path("out/denoise.png").exists(), "a picture");
    shell.good(&["record", "clean.raw", "--geometry", "40x30", "--duration", "60ms", "--shot", "0"]);
    let text = shell.good(&[&small[..], &["--recording", "clean.raw"]].concat());
    assert!(text.contains("clean.raw, 40 x 30 pixels"), "{text}");
    let long = text.lines().find(|line| line.chars().count() > 60);
    assert_eq!(long, None, "fits a narrow terminal");
    shell.bad(&["bench", "denoise", "--shot", "-1"], 2, &["--shot", "from 0 on"]);
}

#[test]
fn a_movie_is_an_input() {
    let shell = Shell::new();
    let movie = Array3::from_shape_fn((50, 12, 10), |(t, row, _)| f32::from(u8::from(t % 12 == row)));
    write_npy(shell.path("a.npy"), &movie).expect("written");
    write_npy(shell.path("b.npy"), &movie.mapv(f64::from)).expect("written");
    write_npy(shell.path("c.npy"), &movie.mapv(|x| x as u8)).expect("written");
    let five: Array5<f32> = movie.clone().into_shape_with_order((1, 1, 50, 12, 10)).expect("as many samples");
    write_npy(shell.path("d.npy"), &five).expect("written");
    let mut outputs = Vec::new();
    for (name, scale) in [("a.npy", &[][..]), ("b.npy", &[]), ("c.npy", &["--scale", "raw"]), ("d.npy", &[])] {
        let run = shell.json(&[&["run", name, "--json", "--every", "1", "--out", "out"], scale].concat());
        assert_eq!(
            (&run["frames"], &run["events"], &run["skipped"]),
            (&50.into(), &Value::Null, &serde_json::json!({}))
        );
        outputs.push(read_npy::<_, Array3<f32>>(shell.path("out/on.npy")).expect("frames"));
    }
    assert_eq!(outputs[0].dim(), (50, 12, 10));
    assert!(outputs.iter().all(|output| *output == outputs[0]), "the same movie");
    // Pieces change nothing; every 20th of 50 frames are three; none are none.
    // `--piece` is the former name of `--chunk`.
    shell.good(&["run", "a.npy", "--every", "1", "--piece", "7", "--out", "out"]);
    assert!(read_npy::<_, Array3<f32>>(shell.path("out/on.npy")).is_ok_and(|output| output == outputs[0]), "pieces");
    assert!(shell.good(&["run", "a.npy", "--every", "20", "--out", "out"]).contains("3 of 50 frames"), "every 20th");
    shell.good(&["run", "a.npy", "--every", "0", "--out", "none"]);
    assert!(!shell.path("none/on.npy").exists(), "--every 0 saves none");
    // Whole numbers are parts of the largest of their type, as those of pictures are; an archive holds the same array.
    write_npy(shell.path("e.npy"), &movie.mapv(|x| 255 * x as u8)).expect("written");
    shell.write("f.npz", &archive("movie", &std::fs::read(shell.path("e.npy")).expect("written")));
    for name in ["e.npy", "f.npz"] {
        let text = shell.good(&["run", name, "--every", "1", "--out", "out"]);
        assert!(text.contains("50 of 1 ms (the model's)"), "{text}");
        let output = read_npy::<_, Array3<f32>>(shell.path("out/on.npy")).expect("frames");
        assert!(output == outputs[0], "{name} is the same movie");
    }
}

/// A `.npz` archive of one array, stored.
fn archive(name: &str, npy: &[u8]) -> Vec<u8> {
    let (name, len) = (format!("{name}.npy"), (npy.len() as u32).to_le_bytes());
    let common = [&[0; 10], &[0; 4][..2], &len[..], &len, &(name.len() as u16).to_le_bytes(), &[0; 2]].concat();
    let local = [b"PK\x03\x04\x14\0", &[0; 2][..], &common[2..], name.as_bytes(), npy].concat();
    let directory = [b"PK\x01\x02\x14\0\x14\0", &[0; 2][..], &common[2..], &[0; 14], name.as_bytes()].concat();
    let end = [(directory.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    [&local[..], &directory, b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &end, &[0, 0]].concat()
}

/// A GIF of 10 x 12 pixels, in which a white row moves down by one in each picture, with a delay for each.
fn gif(path: &Path, delays: &[u16]) {
    let mut animation =
        gif::Encoder::new(File::create(path).expect("a file"), 10, 12, &[0, 0, 0, 255, 255, 255]).expect("a GIF");
    for (t, delay) in delays.iter().enumerate() {
        let pixels: Vec<u8> = (0..120).map(|i| u8::from(i / 10 == t % 12)).collect();
        let frame = gif::Frame { delay: *delay, ..gif::Frame::from_indexed_pixels(10, 12, pixels, None) };
        animation.write_frame(&frame).expect("written");
    }
}

#[test]
fn a_gif_has_its_own_time() {
    let shell = Shell::new();
    let cases: [(&[u16], u64, u64, &str); 5] = [
        (&[4; 9], 40_000, 9, "9 of 40 ms (the GIF's own)"),
        (&[3, 7, 20], 10_000, 30, "30 of 10 ms (the GIF's own)"),
        (&[4, 4, 100], 40_000, 27, "27 of 40 ms (the GIF's own)"),
        (&[0, 1, 0], 100_000, 3, "3 of 100 ms (the GIF's own)\n          3 delays of 0 or 10 ms count as 100 ms"),
        (&[1, 5], 50_000, 3, "1 delay of 0 or 10 ms count as 100 ms"),
    ];
    for (delays, dt, frames, words) in cases {
        gif(&shell.path("a.gif"), delays);
        let run = shell.json(&["run", "a.gif", "--json", "--every", "0"]);
        assert_eq!(
            (&run["dt_us"], &run["frames"], &run["dt_from"]),
            (&dt.into(), &frames.into(), &"the GIF's own".into())
        );
        let text = shell.good(&["run", "a.gif", "--every", "0"]);
        assert!(text.contains(words), "no '{words}' in: {text}");
        // With a time given, each picture is one frame.
        let run = shell.json(&["run", "a.gif", "--dt", "5ms", "--json", "--every", "0"]);
        let pictures = delays.len() as u64;
        assert_eq!(
            (&run["dt_us"], &run["frames"], &run["dt_from"]),
            (&5_000.into(), &pictures.into(), &"given".into())
        );
    }
    gif(&shell.path("a.gif"), &[3, 7, 20]);
    let text = shell.good(&["record", "a.raw", "--movie", "a.gif", "--shot", "0"]);
    assert!(text.contains("movie     100 frames/s (the GIF's own)") && text.contains("in 290 ms"), "{text}");
    let text = shell.good(&["record", "a.raw", "--movie", "a.gif", "--rate", "12.5", "--shot", "0"]);
    assert!(text.contains("movie     12.5 frames/s (given)") && text.contains("in 160 ms"), "{text}");
}

/// Times of a movie count from its first frame, at 0; a frame belongs to the part if it begins there.
#[test]
fn a_part_of_a_movie() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path("frames")).expect("made");
    gif(&shell.path("a.gif"), &[4; 20]);
    let movie = Array3::from_shape_fn((20, 12, 10), |(t, row, _)| if t % 12 == row { 1.0_f32 } else { 0.0 });
    write_npy(shell.path("a.npy"), &movie).expect("written");
    shell.write("a.npz", &archive("a", &std::fs::read(shell.path("a.npy")).expect("written")));
    for (t, frame) in movie.outer_iter().enumerate() {
        let file = File::create(shell.path(&format!("frames/{t}.png"))).expect("a file");
        let mut picture = png::Encoder::new(file, 10, 12);
        picture.set_color(png::ColorType::Grayscale);
        let bytes: Vec<u8> = frame.iter().map(|x| (255.0 * x) as u8).collect();
        picture.write_header().and_then(|mut writer| writer.write_image_data(&bytes)).expect("a PNG");
    }
    let cases: [(&[&str], std::ops::Range<usize>); 9] = [
        (&[], 0..20),
        (&["--from", "0s"], 0..20),
        (&["--from", "40ms"], 1..20),
        (&["--from", "41ms"], 2..20),
        (&["--to", "40ms"], 0..1),
        (&["--to", "41ms"], 0..2),
        (&["--from", "200ms", "--to", "0.4s"], 5..10),
        (&["--to", "1h0s"], 0..0),
        (&["--from", "760ms", "--to", "999s"], 19..20),
    ];
    for (args, part) in cases {
        for name in ["a.npy", "a.npz", "frames", "a.gif"] {
            let run = ["run", name, "--dt", "40ms", "--model", "smooth", "--every", "1"];
            if part.is_empty() {
                shell.bad(&[&run, args].concat(), 2, &["'1h0s'"]);
                continue;
            }
            assert_eq!(shell.json(&[&run, args, &["--json"]].concat())["frames"], part.len() as u64, "{name} {args:?}");
            let output: Array3<f32> = read_npy(shell.path("foveola-out/output.npy")).expect("frames");
            write_npy(shell.path("part.npy"), &movie.slice(ndarray::s![part.clone(), .., ..])).expect("written");
            shell.good(&["run", "part.npy", "--dt", "40ms", "--model", "smooth", "--every", "1", "--out", "part"]);
            let expected: Array3<f32> = read_npy(shell.path("part/output.npy")).expect("frames");
            let apart = output.iter().zip(&expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
            assert!(output.dim() == expected.dim() && apart < 1e-6, "{name} {args:?}: {apart} apart");
        }
    }
    for name in ["a.npy", "a.npz", "frames", "a.gif"] {
        let run = ["run", name, "--dt", "40ms"];
        for from in ["800ms", "99s"] {
            shell.bad(
                &[&run[..], &["--from", from]].concat(),
                1,
                &[name, "20 frames of 40 ms end at 800 ms", "earlier --from"],
            );
        }
        shell.bad(
            &[&run[..], &["--from", "41ms", "--to", "79ms"]].concat(),
            1,
            &[name, "no frame of 40 ms begins between"],
        );
        for (from, to, told) in [("2s", "1s", "2.00 s is not before --to 1.00 s"), ("1s", "1s", "1.00 s is not before")]
        {
            shell.bad(&[&run[..], &["--from", from, "--to", to]].concat(), 2, &[told]);
        }
    }
}

/// Every option against every kind of input that it does not fit.
#[test]
fn options_that_do_not_apply_are_refused() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(100)));
    shell.good(&["convert", "a.raw", "a.csv"]);
    gif(&shell.path("a.gif"), &[4; 3]);
    std::fs::create_dir(shell.path("frames")).expect("made");
    let file = File::create(shell.path("frames/1.png")).expect("a file");
    let mut picture = png::Encoder::new(file, 2, 2);
    picture.set_color(png::ColorType::Grayscale);
    picture.write_header().and_then(|mut writer| writer.write_image_data(&[1, 2, 3, 4])).expect("a PNG");
    write_npy(shell.path("a.npy"), &Array3::<u8>::ones((3, 4, 5))).expect("written");
    let inputs = [
        ("", "the built-in scene"),
        ("a.raw", "(evt2)"),
        ("a.csv", "(csv)"),
        ("a.gif", "a GIF"),
        ("frames", "a folder of PNGs"),
        ("a.npy", "an array of frames"),
    ];
    // Options, what they are for, and the inputs that they fit.
    let options: [(&[&str], &str, &[&str]); 12] = [
        (&["--geometry", "24x16"], "events", &["", "a.raw", "a.csv"]),
        // With a format, a file is no movie.
        (&["--format", "evt2"], "recordings of events", &["a.raw", "a.csv", "a.gif", "frames", "a.npy"]),
        (&["--columns", "t,x,y,p"], "text and arrays of events", &["a.csv"]),
        (&["--unit", "us"], "text and arrays of events", &["a.csv"]),
        (&["--order", "little"], "EVT 2.1", &[]),
        (&["--from", "1ms"], "recordings and movies", &["a.raw", "a.csv", "a.gif", "frames", "a.npy"]),
        (&["--to", "1ms"], "recordings and movies", &["a.raw", "a.csv", "a.gif", "frames", "a.npy"]),
        (&["--filter", "on"], "events", &["", "a.raw", "a.csv"]),
        (&["--polarity", "signed"], "events", &["", "a.raw", "a.csv"]),
        (&["--seed", "0"], "the built-in scene", &[""]),
        (&["--scale", "raw"], "movies that are arrays", &["a.npy"]),
        (&["--scale", "unit"], "movies that are arrays", &["a.npy"]),
    ];
    for (option, what, fits) in options {
        for (input, about) in inputs {
            let input_arg: &[&str] = if input.is_empty() { &[] } else { &[input] };
            if !fits.contains(&input) {
                let words = [&format!("{} is for {what}", option[0])[..], about, "--help"];
                shell.bad(&[&["run"], input_arg, option].concat(), 2, &words);
            } else if option[0] != "--format" && (option[0], input) != ("--from", "frames") {
                shell.good(&[&["run", "--every", "0", "--dt", "1ms", "--out", "out"], input_arg, option].concat());
            }
        }
    }
    assert!(!shell.path("foveola-out").exists(), "nothing is written");

    let cases: [(&[&str], &[&str]); 16] = [
        (&["info", "a.raw", "--columns", "t,x,y,p"], &["--columns is for text and arrays of events", "evt2"]),
        (&["info", "a.raw", "--unit", "s"], &["--unit is for"]),
        (&["info", "a.raw", "--order", "legacy"], &["--order is for EVT 2.1"]),
        (&["info", "a.raw", "--from", "2s", "--to", "1ms"], &["--from 2.00 s is not before --to 1 ms"]),
        (&["convert", "a.raw", "b.csv", "--unit", "s"], &["--unit is for"]),
        (&["convert", "a.csv", "b.raw", "--to-unit", "s"], &["--to-unit is for text (csv)", "Prophesee EVT 2.0"]),
        (&["convert", "a.csv", "b.raw", "--to-columns", "t,x,y,p"], &["--to-columns is for text (csv)"]),
        (&["convert", "a.csv", "b.csv", "--to-order", "legacy"], &["--to-order is for EVT 2.1"]),
        (&["record", "b.raw", "--rate", "3"], &["--movie"]),
        (&["record", "b.raw", "--scale", "raw"], &["--movie"]),
        (
            &["record", "b.raw", "--movie", "a.gif", "--scale", "raw"],
            &["--scale is for movies that are arrays", "a GIF"],
        ),
        (&["record", "b.raw", "--movie", "a.gif", "--geometry", "2x2"], &["--geometry", "--movie"]),
        (&["run", "--pixel", "1,1", "--no-pictures"], &["--pixel", "--no-pictures"]),
        (&["bench", "--list", "--threads", "1"], &["--list", "--threads"]),
        (&["bench", "low_pass", "--baseline"], &["--plan and --baseline are for convolutions"]),
        (&["bench", "low_pass", "--plan", "fft"], &["--plan and --baseline are for convolutions"]),
    ];
    for (args, words) in cases {
        shell.bad(args, 2, words);
    }
    for name in ["b.raw", "b.csv"] {
        assert!(!shell.path(name).exists(), "{name} is not written");
    }
}

/// One pixel of many flickers, late and off every grid: its time course is drawn, from a file and from a pipe.
#[test]
fn the_most_variable_pixel_of_all_is_drawn() {
    let shell = Shell::new();
    let flicker = |t: usize, row: usize, col: usize| t > 150 && t % 20 < 10 && (row, col) == (5, 71);
    let movie = Array3::from_shape_fn((300, 60, 80), |(t, row, col)| if flicker(t, row, col) { 250_u8 } else { 50 });
    write_npy(shell.path("a.npy"), &movie).expect("written");
    for model in ["retina", "smooth"] {
        let text = shell.good(&["run", "a.npy", "--model", model, "--every", "0"]);
        assert!(text.contains("traces.png  row 5, column 71: most variable\n"), "{text}");
    }
    let text = shell.good(&["run", "a.npy", "--pixel", "59,0", "--every", "0"]);
    assert!(text.contains("traces.png  row 59, column 0\n"), "{text}");
    shell.bad(&["run", "a.npy", "--pixel", "60,0"], 1, &["--pixel is 60,0 of 60 rows and 80 columns", "of the output"]);
    shell.bad(&["run", "a.npy", "--pixel", "1"], 2, &["--pixel", "'1' is no pixel", "such as 20,31"]);

    let at = |t| Event { t, x: 17, y: 3, on: true };
    let events: Vec<Event> = (0..40).flat_map(|i| [at(1_000 * i), Event { x: 2, ..at(1_000 * i + i / 39) }]).collect();
    let events: Vec<Event> = events.into_iter().filter(|event| event.x == 17 || event.t % 10_000 < 2_000).collect();
    shell.write("a.raw", &evt2(HEADER, &events));
    assert!(shell.good(&["run", "a.raw", "--model", "transient"]).contains("row 3, column "), "a file");
    #[cfg(unix)]
    {
        let file = shell.script("foveola run a.raw --model transient --every 0").out;
        let pipe = shell.script("cat a.raw | foveola run - --model transient --every 0").out;
        let line = |text: &str| text.lines().find(|line| line.contains("traces.png")).map(str::to_owned);
        assert!(line(&pipe).is_some() && line(&pipe) == line(&file), "{pipe} is not {file}");
        let given = shell.script("cat a.raw | foveola run - --pixel 1,2 --every 0").out;
        assert!(given.contains("traces.png  row 1, column 2\n"), "{given}");
    }
}

/// More events than are kept: a file is read twice, and of a pipe it is known early which pixel is drawn.
#[test]
fn of_a_long_pipe_the_pixel_is_that_of_the_beginning() {
    let shell = Shell::new();
    let busy = |i: u64| if i < 300_000 { (3, 4) } else { (20, 10) };
    let event = |i: u64| if i.is_multiple_of(8) { busy(i) } else { ((i % 24) as u16, (i / 24 % 16) as u16) };
    let events: Vec<Event> =
        (0..1_200_000).map(|i| Event { t: i / 4, x: event(i).0, y: event(i).1, on: i / 40_000 % 2 == 0 }).collect();
    shell.write("a.raw", &evt2(HEADER, &events));
    let text = shell.good(&["run", "a.raw", "--model", "smooth", "--every", "0"]);
    assert!(text.contains("traces.png  row 10, column 20: most variable\n"), "{text}");
    #[cfg(unix)]
    {
        let text = shell.script("cat a.raw | foveola run - --model smooth --every 0").out;
        assert!(text.contains("traces.png  row 4, column 3: most variable in the first 100 ms\n"), "{text}");
    }
}

#[test]
fn without_pictures_only_the_outputs_are_written() {
    let shell = Shell::new();
    let args = ["run", "--geometry", "24x16", "--dt", "4ms"];
    let text = shell.good(&[&args[..], &["--no-pictures"]].concat());
    assert!(text.contains("on.npy") && !text.contains("stages") && !text.contains("pictures"), "{text}");
    let files: Vec<_> = std::fs::read_dir(shell.path("foveola-out")).expect("a folder").collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let alone = std::fs::read(shell.path("foveola-out/on.npy")).expect("written");
    shell.good(&[&args[..], &["--out", "with"]].concat());
    assert!(alone == std::fs::read(shell.path("with/on.npy")).expect("written"), "pictures change no sample");
    let text = shell.good(&[&args[..], &["--no-pictures", "--every", "0", "--out", "none"]].concat());
    assert!(text.contains("wrote     in none: nothing"), "{text}");
}

/// Frames of a usual sensor fill the width of the sheet instead of being thumbnails.
#[test]
fn a_large_sensor_is_drawn_large() {
    let shell = Shell::new();
    let event =
        |i: u64| Event { t: 1_000 * i, x: (17 * i % 640) as u16, y: (31 * i % 480) as u16, on: i.is_multiple_of(2) };
    shell.write("a.raw", &evt2("% evt 2.0\n% geometry 640x480\n", &(0..40).map(event).collect::<Vec<_>>()));
    shell.good(&["run", "a.raw", "--model", "smooth", "--every", "0"]);
    let (width, height) = png_size(&shell.path("foveola-out/stages.png"));
    // Five columns of 320 x 240 pixels, and two rows.
    assert!((1950..=2160).contains(&width) && (580..700).contains(&height), "{width} x {height}");
}

#[test]
fn every_model_runs_over_both_polarities() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(500)));
    for (model, output) in
        [("retina", "on"), ("centre_surround", "output"), ("transient", "output"), ("smooth", "output")]
    {
        let path = shell.path(&format!("foveola-out/{output}.npy"));
        let text = shell.good(&["run", "a.raw", "--model", model]);
        let about = foveola::models::file(model).expect("a model").about().to_owned();
        assert!(text.contains(&format!("{model}: {about}")), "{model}: {text}");
        let output: Array3<f32> = read_npy(&path).expect("frames");
        assert_eq!(output.dim(), (5, 16, 24), "{model}");
        let split = ["run", "a.raw", "--model", model, "--polarity", "split", "--every", "1"];
        if foveola::models::file(model).expect("a model").input().channels == Some(1) {
            shell.bad(&split, 1, &["channel", "the frames have 2"]);
            continue;
        }
        shell.good(&split);
        let output: Array4<f32> = read_npy(&path).expect("frames of two channels");
        assert_eq!(output.dim(), (50, 2, 16, 24), "{model}");
        assert!(output.iter().any(|y| *y != 0.0), "{model}");
    }
    let help = shell.good(&["run", "--help"]);
    assert!(foveola::models::names().all(|name| help.contains(name)), "the help names all models: {help}");
}

#[test]
fn help_is_worth_reading() {
    let shell = Shell::new();
    let cases: [(&[&str], &[&str]); 8] = [
        (&["devices", "--help"], &["--json", "Examples:", "--device gpu"]),
        (
            &["convert", "--help"],
            &["--to-format", "evt3, ", "--zero-time", "--columns", "Examples:", "- - --to-format csv"],
        ),
        (
            &["bench", "--help"],
            &["--threads", "--plan", "--kernel", "--baseline", "--json", "Examples:", "share of the limit"],
        ),
        (&["--help"], &["run", "info", "bench", "built-in scene", "Examples:", "foveola run recording.raw --dt 5ms"]),
        (&["help"], &["Examples:"]),
        (
            &["run", "--help"],
            &[
                "--model",
                "--dt",
                "--device",
                "--digest",
                "--json",
                "Exit codes",
                ".npy",
                "evt2, ",
                "--filter",
                "--pixel",
            ],
        ),
        (&["record", "--help"], &["--geometry", "--duration", "--seed", "Examples:"]),
        (&["info", "--help"], &["--digest", "--json", "SHA3-224", "Examples:"]),
    ];
    for (args, words) in cases {
        let text = shell.good(args);
        for word in words {
            assert!(text.contains(word), "{args:?}: no '{word}' in: {text}");
        }
        // What stands as it is, the examples, is for narrow terminals too; clap wraps the rest.
        let examples = text.lines().skip_while(|line| !line.starts_with("Examples:"));
        assert!(
            examples.clone().all(|line| line.chars().count() <= 60),
            "{args:?}: too long for a narrow terminal: {text}"
        );
    }
    assert_eq!(shell.good(&["--version"]), concat!("foveola ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// Quick and rough: what is printed counts here, not the numbers.
const QUICK: [&str; 3] = ["bench", "--seconds", "0.001"];

#[test]
fn bench_measures() {
    let shell = Shell::new();
    let args = ["conv3d_5x5x5@16x16", "low_pass@16x16", "delay_100", "--threads", "1", "--json"];
    let bench = shell.json(&[&QUICK[..], &args].concat());
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&bench), "algorithm limits machine precision threads workloads");
    assert_eq!(
        (&bench["threads"], &bench["precision"], &bench["algorithm"]),
        (&1.into(), &"fast".into(), &"auto".into())
    );
    assert_eq!(keys(&bench["machine"]), "cores cpu os");
    let limits = &bench["limits"][0];
    assert_eq!(keys(limits), "copy_gbytes_per_second fma_gflops read_gbytes_per_second threads");
    assert!(limits["fma_gflops"]["baseline"].as_f64() > Some(0.0), "{limits}");
    assert_eq!(keys(&limits["copy_gbytes_per_second"]), "128kB 256MB 8MB");
    let workloads = bench["workloads"].as_array().expect("a list");
    assert_eq!(workloads.len(), 3, "in the order given");
    for workload in workloads {
        let all = "bound bytes channels cols fraction frames frames_per_second gbytes_per_second gflops name operations plan \
                   quartiles rows seconds_per_frame slices";
        assert_eq!(keys(workload), all);
        for key in ["seconds_per_frame", "frames_per_second", "gbytes_per_second", "fraction"] {
            assert!(workload[key].as_f64() > Some(0.0), "{key}: {workload}");
        }
    }
    let [conv, low_pass, delay] = &workloads[..] else { panic!("three") };
    assert_eq!(
        (&conv["name"], &conv["bound"], &conv["rows"]),
        (&"conv3d_5x5x5@16x16".into(), &"FMA".into(), &16.into())
    );
    assert!(conv["plan"].is_string() && low_pass["plan"].is_null(), "a convolution has a plan");
    assert_eq!((&low_pass["bound"], &delay["gflops"]), (&"copy".into(), &0.0.into()));
}

#[test]
fn bench_takes_any_convolution() {
    let shell = Shell::new();
    let small = ["--size", "20x15", "--frames", "5", "--plan", "direct"];
    let bench =
        |args: &[&str]| shell.json(&[&QUICK[..], args, &small, &["--json", "--precision", "baseline"]].concat());
    let report = bench(&["conv3d", "--kernel", "2,3,4", "--channels", "2,4", "--threads", "2"]);
    assert_eq!((&report["algorithm"], &report["precision"]), (&"direct".into(), &"baseline".into()));
    let conv = &report["workloads"][0];
    assert_eq!((&conv["name"], &conv["plan"]), (&"conv3d_2x3x4_2to4@20x15".into(), &"direct".into()));
    assert_eq!((&conv["rows"], &conv["cols"], &conv["frames"]), (&15.into(), &20.into(), &5.into()));
    assert_eq!(conv["operations"], f64::from(2 * 2 * 4 * 24 * 300));
    for (args, name) in [
        (&["conv2d", "--kernel", "3,5"][..], "conv2d_3x5@20x15"),
        (&["conv1d", "--kernel", "7"], "conv1d_7@20x15"),
        (&["variable_delay", "conv2d_3x3"], "variable_delay@20x15"),
        (&["conv2d_9x9@1280x720"], "conv2d_9x9@20x15"),
    ] {
        assert_eq!(bench(args)["workloads"][0]["name"], name);
    }
    // The same size twice is one workload; the ratio to the baseline stands beside convolutions.
    let bench = bench(&["conv2d_9x9", "conv2d_9x9@16x16", "diff", "--baseline"]);
    let workloads = bench["workloads"].as_array().expect("a list");
    assert_eq!(workloads.len(), 2, "{workloads:?}");
    assert!(
        workloads[0]["baseline"]["ratio"].as_f64() > Some(0.0) && workloads[1].get("baseline").is_none(),
        "{bench}"
    );
}

#[test]
fn bench_fits_a_narrow_terminal() {
    let shell = Shell::new();
    let text = shell.good(&[&QUICK[..], &["conv2d_3x3", "rectify", "conv3d", "--kernel", "1,3,3"]].concat());
    for word in ["limit", "FMA, baseline", "copy, 128 kB", "read, 256 MB", "frames/s", "conv3d_1x3x3", "copy", "direct"]
    {
        assert!(text.contains(word), "no '{word}' in: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 60), "too long for a narrow terminal: {text}");
    let list = shell.good(&["bench", "--list"]);
    assert!(list.lines().all(|line| line.chars().count() <= 60), "too long for a narrow terminal: {list}");
    let names = list.lines().filter_map(|line| line.split(' ').next());
    assert!(names.eq(foveola_cli::bench::table().iter().map(|workload| &workload.name[..])), "{list}");
    let json = shell.json(&["bench", "--list", "--json"]);
    assert_eq!(json.as_array().map(Vec::len), Some(foveola_cli::bench::table().len()));
    assert_eq!((&json[0]["name"], &json[0]["operations"]), (&"conv3d_10x10x10".into(), &32_768_000.0.into()));
}

#[test]
fn bench_says_what_is_too_large() {
    let shell = Shell::new();
    let args = ["conv3d", "--kernel", "100000,100000,100000"];
    shell.bad(&[&QUICK[..], &args, &["--json"]].concat(), 1, &["the weight", "cannot be had"]);
    let args = ["low_pass", "--size", "8192x8192", "--frames", "1000000", "--json"];
    shell.bad(&[&QUICK[..], &args].concat(), 1, &["a piece of the input", "cannot be had"]);
}

#[test]
fn wrong_arguments_exit_with_2() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(10)));
    let cases: [(&[&str], &[&str]); 42] = [
        (&["run", "--device", "cuda"], &["'cuda' is no device", "cpu, gpu or gpu:NAME"]),
        (&["run", "--device", "gpu:"], &["'gpu:' is no device"]),
        (&["devices", "cpu"], &["'cpu'"]),
        (&["frobnicate"], &["frobnicate", "--help"]),
        (&["a.raw"], &["foveola run a.raw"]),
        (&["--bogus"], &["--bogus"]),
        (&["info"], &["<FILE>"]),
        (&["info", "a.raw", "b.raw"], &["b.raw"]),
        (&["run", "--bogus"], &["--bogus"]),
        (
            &["run", "--model", "x"],
            &["unknown model 'x'", "retina, centre_surround, transient, smooth, edges", "a file such as ./x"],
        ),
        (&["run", "--format", "x"], &["unknown format 'x'", "evt2, evt21, evt3"]),
        (&["info", "a.raw", "--format", "x"], &["unknown format 'x'", "evt2, evt21, evt3"]),
        (&["run", "--polarity", "x"], &["'x'", "signed or split"]),
        (&["run", "--dt", "5"], &["--dt", "'5'", "such as 500us, 1ms or 0.02s"]),
        (&["run", "--dt", "0ms"], &["--dt", "from 1us to 1e6s"]),
        (&["run", "--dt", "-1ms"], &["--dt", "'-1ms'", "from 1us to 1e6s"]),
        (&["run", "--dt", "nanms"], &["--dt"]),
        (&["run", "--geometry", "640"], &["--geometry", "'640'", "such as 640x480"]),
        (&["run", "--geometry", "0x480"], &["--geometry", "from 1 to 65536"]),
        (&["run", "--geometry", "65536x65536"], &["--geometry", "67,108,864 pixels"]),
        (&["run", "--chunk", "0"], &["--chunk", "whole number from 1 on"]),
        (&["run", "--every", "-1"], &["--every", "whole number from 0 on"]),
        (&["run", "--every", "x"], &["--every", "whole number from 0 on"]),
        (&["run", "--seed", "1.5"], &["--seed", "whole number from 0 on"]),
        (&["run", "--out"], &["--out"]),
        (
            &["bench", "conv4d"],
            &["unknown workload 'conv4d'", "conv3d_10x10x10, ", "low_pass, ", "conv3d, conv2d, conv1d"],
        ),
        (&["bench", "--plan", "x"], &["unknown plan 'x'", "auto, direct, separable, fft"]),
        (&["bench", "--precision", "x"], &["unknown precision 'x'", "fast, reproducible, baseline"]),
        (&["bench", "--threads", "-1"], &["--threads", "from 0 to 1024"]),
        (&["bench", "--threads", "1000000"], &["--threads", "from 0 to 1024"]),
        (&["bench", "--seconds", "0"], &["--seconds", "above 0"]),
        (&["bench", "--seconds", "-1"], &["--seconds", "above 0"]),
        (&["bench", "--seconds", "inf"], &["--seconds", "above 0"]),
        (&["bench", "--size", "0x0"], &["--size", "from 1 to 65536"]),
        (&["bench", "--frames", "0"], &["--frames", "from 1 on"]),
        (&["bench", "conv3d", "--kernel", "0,9,9"], &["--kernel", "from 1 on"]),
        (&["bench", "conv3d", "--kernel", "9,9"], &["--kernel has 2 axes", "conv3d takes 3: time,rows,columns"]),
        (&["bench", "conv2d", "--kernel", "9"], &["--kernel has 1 axis", "conv2d takes 2: rows,columns"]),
        (&["bench", "conv1d", "--kernel", "9,9,9"], &["--kernel has 3 axes", "conv1d takes 1: time"]),
        (&["bench", "conv3d", "--channels", "2"], &["--channels has 1 number;", "IN,OUT"]),
        (&["bench", "low_pass", "--kernel", "3"], &["--kernel", "conv3d, conv2d and conv1d"]),
        (&["bench", "--kernel", "3,3"], &["--kernel", "name one of them"]),
    ];
    for (args, words) in cases {
        shell.bad(args, 2, words);
    }
    assert!(!shell.path("foveola-out").exists(), "nothing is written");
}

#[test]
fn foreign_files_are_refused() {
    let shell = Shell::new();
    shell.write("empty.raw", b"");
    shell.write("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0\x08\x06\0\0\0");
    shell.write("a.txt", b"t,x,y\n1,2,3\n");
    shell.write("a.aedat4", b"#!AER-DAT4.0\r\n\x01\x02\x03");
    shell.write("evt3.raw", b"% evt 3.0\n% geometry 640x480\n\0\x80");
    shell.write("header.raw", HEADER.as_bytes());
    let noise: Vec<u8> = (0..1000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    shell.write("noise.bin", &noise);
    write_npy(shell.path("a.npy"), &Array3::<f32>::ones((2, 3, 4))).expect("written");
    std::fs::create_dir(shell.path("folder")).expect("made");
    let known = "expected one of: ";
    let cases: [(&str, &[&str]); 9] = [
        ("missing.raw", &["missing.raw: "]),
        ("empty.raw", &["empty.raw: it is empty"]),
        ("folder", &["folder: a folder; expected a file", "PNGs"]),
        ("a.png", &["a.png: a PNG picture", "foveola run takes a folder"]),
        ("a.txt", &["a.txt: text, but not read as events: columns named t, x, y without polarity", "--columns"]),
        ("a.aedat4", &["a.aedat4: no events in 17 bytes"]),
        ("evt3.raw", &["evt3.raw: no events in"]),
        ("header.raw", &["header.raw: no events in 27 bytes"]),
        ("noise.bin", &["noise.bin: of no format that is known", known, "(nmnist)", "--format"]),
    ];
    for (file, words) in cases {
        shell.bad(&["info", file], 1, words);
        shell.bad(&["info", file, "--json"], 1, words);
        shell.bad(&["run", file], 1, words);
    }
    shell.bad(&["info", "a.npy"], 1, &["a.npy: a .npy array of shape [2, 3, 4], not events", "as a movie"]);
    // Whoever names the format gets what there is of it: nothing.
    shell.bad(&["info", "a.png", "--format", "evt2"], 1, &["no events in", "skipped"]);
    shell.bad(&["run", "a.png", "--format", "evt2"], 1, &["no events in"]);
}

#[test]
fn info_tells_what_was_assumed() {
    let shell = Shell::new();
    shell.write("a.txt", b"3,811;96;133;2\n3,820;11;9;1\n");
    let text = shell.good(&["info", "a.txt"]);
    let lines = [
        "columns   t,x,y,p (fits the first 2 rows)",
        "unit      s (more than a quarter have fractions)",
        "polarity  1 is OFF, 2 is ON (by the values found)",
        "decimals  , (no comma separates the fields)",
    ];
    for line in lines {
        assert!(text.lines().any(|other| other == line), "no '{line}' in: {text}");
    }
    assert!(text.lines().all(|line| line.len() <= 60), "too long for a narrow terminal: {text}");
    let info = shell.json(&["info", "a.txt", "--unit", "ms", "--json"]);
    assert_eq!(info["t"], serde_json::json!([3_811, 3_820]));
    let unit = serde_json::json!({ "what": "unit", "value": "ms", "reason": "given" });
    assert_eq!((&info["assumed"][1], info["assumed"].as_array().map(Vec::len)), (&unit, Some(4)));
    // The parts of a time are written, and read again.
    shell.good(&["convert", "a.txt", "b.csv", "--unit", "ms", "--to-columns", "p,s,ms,us,x,y"]);
    let text = std::fs::read_to_string(shell.path("b.csv")).expect("written");
    assert_eq!(text, "p,s,ms,us,x,y\n1,0,3,811,96,133\n0,0,3,820,11,9\n");
    assert_eq!(shell.json(&["info", "b.csv", "--json"])["t"], info["t"]);
    shell.bad(&["info", "b.csv", "--unit", "ms"], 1, &["b.csv: ", "the columns p,s,ms,us,x,y tell the units"]);
    shell.bad(&["info", "b.csv", "--columns", "p,t,ms,us,x,y"], 2, &["no order of columns", "s,ns,x,y,p"]);
    shell.write("a.mp4", b"\0\0\0\x20ftypisom");
    shell.bad(&["run", "a.mp4"], 1, &["a.mp4: a video, not events", "ffmpeg -i FILE frames/%06d.png"]);
    shell.bad(&["record", "b.raw", "--movie", "a.mp4"], 1, &["a.mp4: no movie", "ffmpeg -i FILE frames/%06d.png"]);
}

#[test]
fn movies_that_cannot_be_used_are_refused() {
    let shell = Shell::new();
    let path = |name: &str| shell.path(name);
    write_npy(path("rank2.npy"), &Array2::<f32>::ones((3, 5))).expect("written");
    write_npy(path("batch.npy"), &Array5::<f32>::ones((2, 1, 3, 4, 5))).expect("written");
    write_npy(path("i32.npy"), &Array3::<i32>::ones((2, 3, 4))).expect("written");
    write_npy(path("none.npy"), &Array3::<f32>::ones((0, 3, 4))).expect("written");
    write_npy(path("flat.npy"), &Array3::<f32>::ones((2, 0, 4))).expect("written");
    let mut movie = Array3::<f32>::ones((30, 3, 4));
    write_npy(path("whole.npy"), &movie).expect("written");
    movie[[17, 1, 2]] = f32::NAN;
    write_npy(path("nan.npy"), &movie).expect("written");
    write_npy(path("big.npy"), &Array3::from_elem((2, 3, 4), 1e300_f64)).expect("written");
    let whole = std::fs::read(path("whole.npy")).expect("written above");
    shell.write("cut.npy", &whole[..whole.len() - 3]);
    shell.write("long.npy", &[&whole[..], b"xyz"].concat());
    shell.write("head.npy", &whole[..20]);
    shell.write("text.npy", b"no array");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3000000, 30000, 4000), }";
    shell.write("liar.npy", &[&whole[..10], format!("{header:117}\n").as_bytes(), b"0123"].concat());
    let cases: [(&str, &[&str]); 13] = [
        ("missing.npy", &["missing.npy: "]),
        ("rank2.npy", &["rank2.npy: a .npy array of shape [3, 5]", "a movie has 3 axes (time, row, column)"]),
        ("batch.npy", &["batch.npy: a batch of 2 movies", "expected one"]),
        ("i32.npy", &["i32.npy: numbers of type '<i4'", "expected --scale raw"]),
        ("none.npy", &["none.npy: ", "no samples"]),
        ("flat.npy", &["flat.npy: ", "no samples"]),
        ("nan.npy", &["nan.npy: the sample at channel 0, frame 17, row 1, column 2 is NaN", "finite"]),
        ("big.npy", &["frame 0, row 0, column 0 is inf", "finite"]),
        ("cut.npy", &["cut.npy: cut off"]),
        ("long.npy", &["long.npy: 3 bytes more"]),
        ("head.npy", &["head.npy: not a .npy array"]),
        ("text.npy", &["text.npy: not a .npy array"]),
        ("liar.npy", &["liar.npy: cut off", "360000000000000 samples", "132 bytes"]),
    ];
    for (file, words) in cases {
        shell.bad(&["run", file, "--chunk", "10", "--every", "1"], 1, words);
    }
    let late = ["run", "nan.npy", "--from", "5ms", "--chunk", "10"];
    shell.bad(&late, 1, &["nan.npy: the sample at channel 0, frame 17, row 1, column 2"]);
    // What came before the NaN was written, and is whole.
    shell.bad(&["run", "nan.npy", "--chunk", "10", "--every", "1", "--out", "nan"], 1, &["frame 17"]);
    assert_eq!(read_npy::<_, Array3<f32>>(path("nan/on.npy")).map(|output| output.dim()).ok(), Some((10, 3, 4)));
}

/// Every format that is written, from the first to the last and back: the same events.
#[test]
fn a_chain_of_conversions_keeps_the_digest() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(2_000)));
    let digest = |name: &str| shell.json(&["info", name, "--digest", "--json"])["digest"].clone();
    let (first, mut last) = (digest("a.raw"), "a.raw".to_owned());
    for (i, format) in foveola::Format::written().enumerate() {
        // By the ending where it tells the format, else by name.
        let next = format!("{i}.{}", format.extensions()[0]);
        let named: &[&str] =
            if foveola::Format::by_name(&next) == Some(format) { &[] } else { &["--to-format", format.name()] };
        let args = [&["convert", &last, &next, "--geometry", "24x16"], named].concat();
        let text = shell.good(&args);
        for word in [&next[..], "24 x 16", "2,000 events in 199.900 ms", "nothing"] {
            assert!(text.contains(word), "{args:?}: no '{word}' in: {text}");
        }
        let info = shell.json(&["info", &next, "--json"]);
        assert_eq!((&info["format"], &info["n"]), (&format.name().into(), &2_000.into()), "{next}");
        assert_eq!(digest(&next), first, "{next}");
        last = next;
    }
    shell.good(&["convert", &last, "z.raw", "--geometry", "24x16"]);
    assert!(std::fs::read(shell.path("z.raw")).expect("written") == evt2_whole(&events(2_000)), "the same bytes");

    // Columns and units of one's own; a text that names nothing has to be told.
    for (columns, unit) in [("x,y,t,p", "s"), ("p,t,y,x", "ms"), ("-,t,x,y,p", "ns")] {
        shell.good(&["convert", "a.raw", "b.txt", "--to-columns", columns, "--to-unit", unit]);
        assert_eq!(digest("b.txt"), first, "{columns} in {unit}");
        let text = std::fs::read_to_string(shell.path("b.txt")).expect("text");
        let bare: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        shell.write("bare.txt", bare.as_bytes());
        let args = ["info", "bare.txt", "--columns", columns, "--unit", unit, "--digest", "--json"];
        assert_eq!(shell.json(&args)["digest"], first, "{columns} in {unit}, without names");
    }
}

/// What `foveola convert` writes as EVT2.
fn evt2_whole(events: &[Event]) -> Vec<u8> {
    evt2("% evt 2.0\n% format EVT2;height=16;width=24\n% geometry 24x16\n% end\n", events)
}

#[test]
fn what_cannot_be_converted_is_told() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2("% evt 2.0\n", &events(100)));
    shell.write("far.csv", b"t,x,y,p\n1643243628737093,3,2,1\n1643243628737193,4,2,0\n");
    shell.bad(&["convert", "a.raw", "b.xyz"], 1, &["b.xyz: a name that tells no format", ".csv", "--to-format"]);
    shell.bad(&["convert", "a.raw", "a.raw"], 1, &["a.raw: this is what is read"]);
    shell.bad(&["convert", "a.raw", "no/b.csv"], 1, &["no/b.csv: "]);
    shell.bad(&["convert", "a.raw", "b.aedat4", "--to-format", "aedat4"], 1, &["AEDAT 4 is only read", "evt2, "]);
    let event = "the event at 1643243628737093 us, column 3, row 2 does not fit evt2; expected";
    shell.bad(&["convert", "far.csv", "b.raw"], 1, &["b.raw: ", event, "2^34 us"]);
    shell.good(&["convert", "far.csv", "b.raw", "--zero-time"]);
    assert_eq!(shell.json(&["info", "b.raw", "--json"])["t"], serde_json::json!([0, 100]));
    shell.bad(&["convert", "a.raw", "b.csv", "--to-columns", "x,y"], 2, &["each of t, x, y and p once"]);
    shell.bad(&["convert", "a.raw", "b.csv", "--to-unit", "h"], 2, &["s, ms, us, ns"]);
}

/// A pipe is read once, in pieces of whatever length it gives.
#[cfg(unix)]
#[test]
fn pipes_are_inputs_and_outputs() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(30_000)));
    shell.write("bare.raw", &evt2("% evt 2.0\n", &events(1_000)));
    let info = shell.json(&["info", "a.raw", "--digest", "--json"]);
    for format in foveola::Format::written() {
        let name = format!("b.{}", format.name());
        shell.good(&["convert", "a.raw", &name, "--to-format", format.name()]);
        let ran = shell.script(&format!("cat {name} | foveola info --digest --json -"));
        let piped: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{name}: {error}: {}", ran.err));
        assert_eq!((&piped["format"], &piped["digest"]), (&format.name().into(), &info["digest"]), "{name}");
        let file = shell.json(&["info", &name, "--json"]);
        assert_eq!((&piped["bytes"], &piped["n"]), (&file["bytes"], &file["n"]), "{name}");
    }
    let ran = shell.script(
        "cat a.raw | foveola convert - - --to-format csv | foveola convert - - --format csv --to-format evt3 \
                            --geometry 24x16 | foveola info - --digest --json",
    );
    let piped: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    assert_eq!((&piped["format"], &piped["digest"]), (&"evt3".into(), &info["digest"]));
    let ran = shell.script("cat a.raw | foveola run - --json --every 0");
    let run: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    assert_eq!(run["events"], 30_000);
    // What needs to be read twice says so.
    shell.script("cat bare.raw | foveola run -").failed(1, &["a pipe whose header tells no size", "--geometry"]);
    assert_eq!(shell.script("cat bare.raw | foveola run - --geometry 24x16 --every 0").code, Some(0));
    shell.script("cat a.raw | foveola convert - - --to-format npy").failed(1, &["a pipe", "needs a file"]);
    shell.script("foveola info - < /dev/null").failed(1, &["standard input: it is empty"]);
    let ran = shell.script("foveola convert a.raw - --to-format csv | head -2");
    assert_eq!((ran.code, &ran.out[..]), (Some(0), "t,x,y,p\n5000,0,0,0\n"));
}

#[test]
fn a_part_of_a_recording() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(2_000)));
    let info = shell.json(&["info", "a.raw", "--from", "50ms", "--to", "60ms", "--json"]);
    assert_eq!((&info["n"], &info["t"]), (&100.into(), &serde_json::json!([55_000, 64_900])));
    let run = shell.json(&["run", "a.raw", "--from", "100ms", "--json", "--every", "0"]);
    assert_eq!((&run["events"], &run["frames"]), (&1_000.into(), &100.into()));
    shell.good(&["convert", "a.raw", "b.csv", "--to", "1ms"]);
    assert_eq!(shell.json(&["info", "b.csv", "--json"])["n"], 10);
    shell.bad(&["info", "a.raw", "--from", "10s"], 1, &["no events in"]);
    for zero in ["0s", "0us", "0"] {
        assert_eq!(shell.json(&["info", "a.raw", "--from", zero, "--json"])["n"], 2_000, "{zero}");
        shell.bad(&["info", "a.raw", "--to", zero], 1, &["no events in"]);
    }
    shell.bad(&["info", "a.raw", "--from", "0h"], 2, &["'0h' is no time"]);
}

#[test]
fn filters_report_what_they_dropped() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(2_000)));
    let on = events(2_000).iter().filter(|event| event.on).count();
    let filters = ["--filter", "on", "--filter", "region:0,0,12,16"];
    for command in [&["info", "a.raw"][..], &["run", "a.raw", "--every", "0"], &["convert", "a.raw", "b.csv"]] {
        let report = shell.json(&[command, &["--json"], &filters].concat());
        let dropped: Vec<u64> = (0..2).filter_map(|i| report["filtered"][i]["dropped"].as_u64()).collect();
        assert_eq!(dropped.first().copied(), Some((2_000 - on) as u64), "{command:?}: {report}");
        let kept = report["n"].as_u64().or(report["events"].as_u64()).expect("a count");
        assert_eq!(dropped.iter().sum::<u64>() + kept, 2_000, "{command:?}: {report}");
        let text = shell.good(&[command, &filters].concat());
        assert!(text.contains(&format!("filtered  {} events by on", 2_000 - on)), "{command:?}: {text}");
    }
    let info = shell.json(&["info", "a.raw", "--json", "--filter", "region:0,0,12,16"]);
    assert_eq!((&info["cols"], &info["geometry_from"]), (&12.into(), &"behind the filters".into()));
    assert_eq!(shell.json(&["info", "a.raw", "--json"])["filtered"], serde_json::json!([]));
    shell.bad(&["info", "a.raw", "--filter", "stcf:k=9"], 2, &["stcf:k=9"]);
    write_npy(shell.path("a.npy"), &Array3::<f32>::ones((2, 3, 4))).expect("written");
    shell.bad(&["run", "a.npy", "--filter", "on"], 2, &["--filter is for events, and 'a.npy' is an array of frames"]);
    let scene = shell.json(&["run", "--json", "--geometry", "24x16", "--dt", "4ms", "--every", "0", "--filter", "off"]);
    assert!(scene["filtered"][0]["dropped"].as_u64() > Some(0), "{scene}");
}

#[test]
fn damage_has_a_place() {
    let shell = Shell::new();
    let mut bytes = evt2(HEADER, &events(1_000));
    let at = bytes.len() / 8 * 4 + 27 % 4;
    bytes[at + 3] = 0x50;
    shell.write("a.raw", &bytes);
    let info = shell.json(&["info", "a.raw", "--json"]);
    assert!(info["damage_at"].as_u64().is_some_and(|damage| damage.abs_diff(at as u64) < 4), "{at}: {info}");
    assert_eq!(info["skipped_bytes"], info["skipped"]["garbage_bytes"]);
    assert!(shell.good(&["info", "a.raw"]).contains("damage    from byte "), "in words");
}

/// Pictures that others made: PNGs in a folder, and an animation.
#[test]
fn movies_of_pictures_run() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path("frames")).expect("made");
    let file = File::create(shell.path("a.gif")).expect("a file");
    let mut animation = gif::Encoder::new(file, 10, 12, &[0, 0, 0, 255, 255, 255]).expect("a GIF");
    let mut movie = Array3::<f32>::zeros((20, 12, 10));
    for t in 0..20 {
        let pixels: Vec<u8> = (0..120).map(|i| u8::from(i / 10 == t % 12)).collect();
        movie.slice_mut(ndarray::s![t, t % 12, ..]).fill(1.0);
        let file = File::create(shell.path(&format!("frames/{t}.png"))).expect("a file");
        let mut picture = png::Encoder::new(file, 10, 12);
        picture.set_color(png::ColorType::Grayscale);
        let white: Vec<u8> = pixels.iter().map(|pixel| pixel * 255).collect();
        picture.write_header().and_then(|mut writer| writer.write_image_data(&white)).expect("a PNG");
        animation.write_frame(&gif::Frame::from_indexed_pixels(10, 12, pixels, None)).expect("written");
    }
    drop(animation);
    write_npy(shell.path("a.npy"), &movie).expect("written");
    let output = |name: &str| {
        let run = shell.json(&["run", name, "--dt", "1ms", "--json", "--every", "1", "--out", "out"]);
        assert_eq!((&run["frames"], &run["events"]), (&20.into(), &Value::Null), "{name}");
        read_npy::<_, Array3<f32>>(shell.path("out/on.npy")).expect("frames")
    };
    let expected = output("a.npy");
    for name in ["frames", "a.gif"] {
        let apart = output(name).iter().zip(&expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        // White is the sum of three weights, within a rounding of 1.
        assert!(apart < 1e-5, "{name}: {apart} apart");
    }
}

#[test]
fn output_that_cannot_be_written_is_told() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(100)));
    shell.write("file", b"in the way");
    shell.bad(&["run", "a.raw", "--out", "file"], 1, &["file: cannot be made a folder for the output"]);
    shell.bad(&["run", "a.raw", "--out", "file/out"], 1, &["out: cannot be made a folder for the output"]);
    for name in ["on.npy", "stages.png", "traces.png", "stages.gif"] {
        let folder = format!("no-{name}");
        std::fs::create_dir_all(shell.path(&folder).join(name)).expect("a folder in the way");
        shell.bad(&["run", "a.raw", "--out", &folder], 1, &[name]);
    }
    // A disk that is full.
    #[cfg(target_os = "linux")]
    for name in ["on.npy", "stages.png", "traces.png", "stages.gif"] {
        let folder = shell.path(&format!("full-{name}"));
        std::fs::create_dir(&folder).expect("made");
        std::os::unix::fs::symlink("/dev/full", folder.join(name)).expect("linked");
        let folder = folder.display().to_string();
        shell.bad(&["run", "a.raw", "--every", "1", "--out", &folder], 1, &[name, "No space left"]);
    }
}

#[test]
fn what_is_damaged_is_counted_and_the_rest_used() {
    let shell = Shell::new();
    let whole = evt2(HEADER, &events(1_000));
    shell.write("cut.raw", &whole[..whole.len() - 3]);
    let info = shell.json(&["info", "cut.raw", "--json"]);
    assert_eq!((&info["n"], &info["skipped"]["tail_bytes"]), (&999.into(), &1.into()));
    assert!(shell.good(&["info", "cut.raw"]).contains("1 bytes of an unfinished last word"), "in words");
    let mut middle = whole.clone();
    middle.splice(4_000..4_003, [0x55; 10]);
    shell.write("middle.raw", &middle);
    let run = shell.json(&["run", "middle.raw", "--json"]);
    assert!(run["skipped"]["garbage_bytes"].as_u64() > Some(7), "{run}");
    assert!(run["events"].as_u64() > Some(800), "{run}");
    assert!(shell.good(&["run", "middle.raw"]).contains("bytes of garbage"), "in words");
    // An N-MNIST recording whose last word is cut is still recognised.
    let nmnist: Vec<u8> =
        (0..500_u32).flat_map(|i| [(i % 34) as u8, (i % 30) as u8, 0x80, (i >> 3) as u8, i as u8]).collect();
    shell.write("cut.bin", &nmnist[..nmnist.len() - 2]);
    let ordered = shell.json(&["info", "cut.bin", "--format", "nmnist", "--json"]);
    assert_eq!(ordered["skipped"]["tail_bytes"], 3);
}

#[test]
fn time_that_runs_backwards_is_counted() {
    let shell = Shell::new();
    let mut events = events(1_000);
    events[700].t -= 30_000;
    shell.write("back.raw", &evt2(HEADER, &events));
    let info = shell.json(&["info", "back.raw", "--json"]);
    assert_eq!((&info["n"], &info["skipped"]["backward"]), (&1_000.into(), &1.into()));
    let run = shell.json(&["run", "back.raw", "--json"]);
    assert_eq!((&run["skipped"]["backward"], &run["skipped"]["late_events"]), (&1.into(), &1.into()));
    assert_eq!((&run["events"], &run["frames"]), (&1_000.into(), &100.into()));
    let text = shell.good(&["run", "back.raw"]);
    assert!(text.contains("1 events behind their bin (time ran backwards)"), "{text}");
}

#[test]
fn events_outside_the_geometry_are_counted() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(240)));
    shell.write("small.raw", &evt2("% evt 2.0\n% geometry 12x16\n", &events(240)));
    for args in [&["a.raw", "--geometry", "12x16"][..], &["small.raw"]] {
        let info = shell.json(&[&["info", "--json"], args].concat());
        assert_eq!((&info["n"], &info["skipped"]["outside_events"]), (&240.into(), &120.into()), "{args:?}");
        let run = shell.json(&[&["run", "--json"], args].concat());
        assert_eq!((&run["events"], &run["skipped"]["outside_events"]), (&240.into(), &120.into()), "{args:?}");
        let text = shell.good(&[&["run"], args].concat());
        assert!(text.contains("12 x 16 pixels") && text.contains("120 events outside the geometry"), "{text}");
    }
    let outside: Vec<Event> = events(50).into_iter().map(|event| Event { x: event.x + 100, ..event }).collect();
    shell.write("outside.raw", &evt2(HEADER, &outside));
    shell.bad(&["run", "outside.raw"], 1, &["outside.raw: none of 50 events lies inside 24 x 16 pixels", "--geometry"]);
    // A header that asks for more than there is.
    shell.write("huge.raw", &evt2("% evt 2.0\n% geometry 65536x65536\n", &outside));
    shell.bad(&["run", "huge.raw"], 1, &["65536 x 65536 pixels", "at most 2^26"]);
    shell.good(&["run", "huge.raw", "--geometry", "124x16"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(100)));
    for args in
        [&["info", "a.raw"][..], &["run", "a.raw"], &["run", "a.raw", "--json"], &["--help"], &["bench", "--list"]]
    {
        let mut program = Command::new(env!("CARGO_BIN_EXE_foveola"));
        let program = program.args(args).current_dir(&shell.0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("foveola starts");
        drop(child.stdout.take());
        let ran = Ran::of(&args.join(" "), child.wait_with_output().expect("it ends"));
        assert_eq!((ran.code, &ran.err[..]), (Some(0), ""), "{args:?}");
    }
    #[cfg(unix)]
    {
        assert_eq!(shell.script("foveola info missing.raw 2>&-").code, Some(1), "stderr is closed");
        let ran = shell.script("foveola info a.raw | head -1");
        assert_eq!((ran.code, &ran.out[..], &ran.err[..]), (Some(0), "file      a.raw\n", ""));
        assert!(shell.script("cat a.raw | foveola info /dev/stdin").out.contains("100, 66"), "a pipe");
    }
}

/// A recording of a few events that are far apart in time, whose frames together are larger than the memory allowed.
#[cfg(target_os = "linux")]
#[test]
fn a_long_recording_streams() {
    let shell = Shell::new();
    // 59 s of 5 ms frames in 320 x 240 pixels are 3.6 GB; then a jump of hours, which is no gap to fill.
    let at = |t| Event { t, x: 319, y: 239, on: true };
    shell.write("gap.raw", &evt2("% evt 2.0\n", &[at(5_000), at(59_000_000), at(9_000_000_000), at(9_000_020_000)]));
    let ran = shell.script("ulimit -v 400000 && foveola run gap.raw --dt 5ms --model smooth --every 0 --json");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let run: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&run["events"], &run["frames"]), (&4.into(), &(11_800 + 5).into()), "{run}");

    // Frames that do not fit are told of.
    shell
        .script("ulimit -v 400000 && foveola run gap.raw --geometry 8192x8192")
        .failed(1, &["268 MB", "cannot be had"]);
}

#[cfg(not(target_os = "linux"))]
#[test]
#[ignore = "memory is limited through `ulimit -v`, which only Linux obeys"]
fn a_long_recording_streams() {}

/// A real recording, where there is one: see `recordings.rs`.
#[test]
fn a_real_recording_runs() {
    let folder = std::env::var_os("FOVEOLA_RECORDINGS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/events"), PathBuf::from);
    let file = folder.join("tonic_sample_nmnist.bin");
    if !file.is_file() {
        // Past the test harness, which hides what a passing test prints.
        let _ = writeln!(std::io::stderr(), "a_real_recording_runs: skipped, {} is missing", file.display());
        return;
    }
    let (shell, file) = (Shell::new(), file.display().to_string());
    let info = shell.json(&["info", &file, "--json", "--digest"]);
    assert_eq!((&info["format"], &info["n"], &info["cols"]), (&"nmnist".into(), &4_325.into(), &34.into()));
    assert_eq!(info["digest"]["t"], "fdcee39bc736f04f45131d13bd03f149c564c0c733f9bfad6b0f5912");
    let run = shell.json(&["run", &file, "--json"]);
    assert_eq!((&run["events"], &run["frames"]), (&4_325.into(), &312.into()));
    let output: Array3<f32> = read_npy(shell.path("foveola-out/on.npy")).expect("frames");
    assert!(output.dim() == (32, 34, 34) && output.iter().any(|y| *y > 0.0), "a response");
    assert!(output.iter().all(|y| *y >= 0.0), "rectified");
    png_size(&shell.path("foveola-out/stages.png"));
}
