//! Recordings that are damaged, cut, reset or leave something open, on the command line: what is used of them, what is refused
//! and with which hint, and that no half of an output stays.

#[path = "shell.rs"]
#[allow(dead_code, reason = "each program of tests uses a part of it")]
mod shell;

use foveola_core::events::Event;
use serde_json::json;
use shell::{HEADER, Shell, events, evt2};

/// Lines of text, those of which `is_bad` holds without their column.
fn text(n: u64, is_bad: impl Fn(usize) -> bool) -> String {
    let line = |(i, event): (usize, Event)| {
        let Event { t, x, y, on } = event;
        let x = if is_bad(i) { "-".into() } else { x.to_string() };
        format!("{t},{x},{y},{}\n", u8::from(on))
    };
    format!("t,x,y,p\n{}", events(n).into_iter().enumerate().map(line).collect::<String>())
}

/// AEDAT 2 whose words have an address each, 100 us apart.
fn aedat2(lines: &str, addresses: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let words = (0_u32..).zip(addresses).flat_map(|(i, address)| [address, 1_000 + 100 * i]);
    [format!("#!AER-DAT2.0\r\n{lines}").into_bytes(), words.flat_map(u32::to_be_bytes).collect()].concat()
}

/// Addresses of a DAVIS all over `cols` x `rows` pixels.
fn davis(n: u32, cols: u32, rows: u32) -> impl Iterator<Item = u32> {
    (0..n).map(move |i| (i * 104_729 % rows) << 22 | (i * 7_919 % cols) << 12 | (i % 2) << 11)
}

#[test]
fn mostly_damaged_is_an_error_with_its_place() {
    let shell = Shell::new();
    shell.write("half.csv", text(400, |i| i % 2 == 0).as_bytes());
    let mut bytes = evt2(HEADER, &events(4_000));
    let first = HEADER.len() + 8 * 10;
    (first..bytes.len() - 8).step_by(8 * 13).for_each(|at| bytes[at + 3] = 0x50);
    shell.write("garbage.raw", &bytes);
    for (file, place) in [("half.csv", "line 2, byte 8, '5000,-,0,0'"), ("garbage.raw", &format!("byte {first}, ")[..])]
    {
        let words = [file, "cannot be read, more than 1 %", place, "--damaged"];
        shell.bad(&["info", file], 1, &words);
        shell.bad(&["info", file, "--json"], 1, &words);
        shell.bad(&["convert", file, "out.csv"], 1, &words);
        shell.bad(&["convert", file, "out.raw", "--geometry", "24x16"], 1, &words);
        shell.bad(&["run", file, "--geometry", "24x16", "--every", "1"], 1, &words);
        for output in ["out.csv", "out.raw", "foveola-out/on.npy", "foveola-out/stages.png"] {
            assert!(!shell.path(output).exists(), "{output} of {file}");
        }
        // On request the rest is used.
        let info = shell.json(&["info", file, "--json", "--damaged"]);
        let n = info["n"].as_u64().expect("a count");
        assert!(n >= 200 && info["skipped"]["garbage_bytes"].as_u64() > Some(100), "{info}");
        assert_eq!(shell.json(&["convert", file, "out.csv", "--json", "--damaged"])["n"], n, "{file}");
        assert_eq!(shell.json(&["run", file, "--json", "--damaged"])["events"], n, "{file}");
        std::fs::remove_file(shell.path("out.csv")).expect("written");
        std::fs::remove_dir_all(shell.path("foveola-out")).expect("written");
    }
    #[cfg(unix)]
    shell.script("cat garbage.raw | foveola info -").failed(1, &["standard input: ", "cannot be read", "--damaged"]);
}

/// Few lines in many, and damage in the first kilobytes of a good recording, are counted and no error.
#[test]
fn a_little_damage_is_counted() {
    let shell = Shell::new();
    shell.write("few.csv", text(4_000, |i| i % 101 == 7).as_bytes());
    let info = shell.json(&["info", "few.csv", "--json"]);
    assert_eq!(info["n"], 4_000 - (0..4_000).filter(|i| i % 101 == 7).count());
    let mut bytes = evt2(HEADER, &events(60_000));
    bytes[400..1_900].fill(0x9B);
    shell.write("front.raw", &bytes);
    let info = shell.json(&["info", "front.raw", "--json"]);
    // In the word that holds the first bad byte.
    let near = info["damage_at"].as_u64().is_some_and(|at| (397..=400).contains(&at));
    assert!(info["n"].as_u64() > Some(59_000) && near, "{info}");
    #[cfg(unix)]
    assert_eq!(shell.script("cat front.raw | foveola info -").code, Some(0), "of a pipe, too");
}

#[test]
fn a_camera_that_is_not_named_is_found_or_asked_for() {
    let shell = Shell::new();
    shell.write("davis.aedat", &aedat2("# made by a simulator\r\n", davis(4_000, 346, 260)));
    let info = shell.json(&["info", "davis.aedat", "--json"]);
    assert_eq!((&info["n"], &info["cols"], &info["rows"]), (&4_000.into(), &346.into(), &260.into()));
    let assumed = info["assumed"].as_array().expect("a list");
    assert!(assumed.iter().any(|found| found["what"] == "camera" && found["value"] == "davis346"), "{info}");
    let text = shell.good(&["info", "davis.aedat"]);
    assert!(text.contains("camera    davis346 (its first 4000 words reach column 345, row 259)"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 80), "too long: {text}");
    assert_eq!(shell.json(&["run", "davis.aedat", "--json", "--every", "0"])["events"], 4_000);

    // A small object in the corner may be of any of them.
    shell.write("corner.aedat", &aedat2("", davis(400, 50, 50)));
    let words = ["corner.aedat: its header names no camera", "fit several: davis128, ", "--camera"];
    shell.bad(&["info", "corner.aedat"], 1, &words);
    shell.bad(&["run", "corner.aedat"], 1, &words);
    let info = shell.json(&["info", "corner.aedat", "--json", "--camera", "davis240"]);
    assert_eq!((&info["n"], &info["cols"], &info["assumed"]), (&400.into(), &240.into(), &json!([])));
    assert_eq!(info["geometry_from"], "of the camera");
    shell.bad(&["info", "corner.aedat", "--camera", "nikon"], 2, &["unknown camera 'nikon'", "davis240", "dvs640"]);

    // Later words that do not fit what the first ones told, and more than one in a hundred of them.
    let later = davis(20_000, 240, 180).chain(davis(20_000, 346, 260));
    shell.write("later.aedat", &aedat2("", later));
    shell.bad(&["info", "later.aedat"], 1, &["cannot be read", "the camera was taken for davis240", "--camera"]);
    assert_eq!(shell.json(&["info", "later.aedat", "--json", "--camera", "davis346"])["n"], 40_000);
}

/// Addresses outside of a named camera's sensor are counted, and cost no other event.
#[test]
fn addresses_outside_of_the_camera_are_counted() {
    let shell = Shell::new();
    let outside = |(i, address)| if i % 101 == 7 { 306 << 22 | 12 << 12 } else { address };
    let addresses = (0..).zip(davis(4_000, 240, 180)).map(outside);
    shell.write("a.aedat", &aedat2("# AEChip: DAVIS240C\r\n", addresses));
    let n = (0..4_000).filter(|i| i % 101 == 7).count();
    for command in [&["info", "a.aedat"][..], &["run", "a.aedat", "--every", "0"], &["convert", "a.aedat", "a.csv"]] {
        let report = shell.json(&[command, &["--json"]].concat());
        assert_eq!(report["skipped"]["outside_events"], n, "{command:?}: {report}");
        assert_eq!(report["skipped"]["garbage_bytes"], 0, "{command:?}: {report}");
        assert_eq!(report["n"].as_u64().or(report["events"].as_u64()), Some(4_000 - n as u64), "{command:?}: {report}");
    }
}

/// A clock that starts anew, 1 s, 5 s and 200 ms back.
#[test]
fn a_reset_is_told_and_nothing_is_dropped() {
    let shell = Shell::new();
    for back in [1_000_000, 5_000_000, 200_000] {
        let first = events(1_000).into_iter().map(|event| Event { t: event.t + back + 99_900, ..event });
        let both: Vec<Event> = first.chain(events(1_000)).collect();
        shell.write("reset.raw", &evt2(HEADER, &both));
        let info = shell.json(&["info", "reset.raw", "--json"]);
        assert_eq!((&info["n"], &info["resets"]), (&2_000.into(), &1.into()), "{back}: {info}");
        assert_eq!(info["seconds"], 0.1998, "both segments");
        assert!(shell.good(&["info", "reset.raw"]).contains("resets    1, at which"), "in words");
        let run = shell.json(&["run", "reset.raw", "--json", "--every", "1"]);
        assert_eq!((&run["events"], &run["resets"], &run["frames"]), (&2_000.into(), &1.into(), &201.into()), "{run}");
        assert_eq!((&run["skipped"]["late_events"], &run["skipped"]["jumps"]), (&0.into(), &0.into()), "{run}");
        let denoised = shell.json(&["run", "reset.raw", "--json", "--every", "0", "--filter", "refractory:1ms"]);
        let alone =
            shell.json(&["run", "reset.raw", "--json", "--every", "0", "--filter", "refractory:1ms", "--to", "99ms"]);
        let (both, one) = (denoised["events"].as_u64(), alone["events"].as_u64());
        assert!(both >= one.map(|one| 2 * one) && one > Some(100), "{back}: {both:?} and {one:?}");

        // A format whose time cannot go back says what helps, and leaves no half.
        shell.bad(&["convert", "reset.raw", "reset.es"], 1, &["reset.es: ", "does not fit es", "--zero-time"]);
        assert!(!shell.path("reset.es").exists(), "no half");
        let wrote = shell.json(&["convert", "reset.raw", "reset.es", "--zero-time", "--json"]);
        assert_eq!((&wrote["n"], &wrote["resets"]), (&2_000.into(), &1.into()), "{wrote}");
        let info = shell.json(&["info", "reset.es", "--json"]);
        assert_eq!((&info["t"], &info["resets"]), (&json!([0, 199_800]), &0.into()), "{info}");
        std::fs::remove_file(shell.path("reset.es")).expect("the last one's");

        // Times count on over the reset.
        let part = shell.json(&["info", "reset.raw", "--json", "--from", "90ms", "--to", "110ms"]);
        assert_eq!((&part["n"], &part["resets"]), (&201.into(), &1.into()), "{part}");
        let second = shell.json(&["info", "reset.raw", "--json", "--from", "150ms"]);
        assert_eq!((&second["n"], &second["t"]), (&499.into(), &json!([55_100, 104_900])), "{second}");
    }
}

/// One event from 99 ms ago, or from much longer ago alone, is disorder.
#[test]
fn an_event_that_comes_late_alone_is_no_reset() {
    let shell = Shell::new();
    for late in [99_000, 2_000_000] {
        let mut events: Vec<Event> =
            events(1_000).into_iter().map(|event| Event { t: event.t + 3_000_000, ..event }).collect();
        events[500].t -= late;
        shell.write("late.raw", &evt2(HEADER, &events));
        let info = shell.json(&["info", "late.raw", "--json"]);
        assert_eq!((&info["n"], &info["resets"], &info["skipped"]["backward"]), (&1_000.into(), &0.into(), &1.into()));
        let run = shell.json(&["run", "late.raw", "--json", "--every", "0"]);
        assert_eq!((&run["frames"], &run["skipped"]["late_events"]), (&100.into(), &1.into()), "{late}: {run}");
    }
}

/// A text in front that is longer than what is looked at changes nothing of what is found by time.
#[test]
fn a_part_behind_a_long_header() {
    let shell = Shell::new();
    for more in 0..8 {
        let lines = format!("# {}\r\n", "x".repeat(80)).repeat(900);
        let lines = format!("{lines}# {}\r\n# AEChip: DAVIS240C\r\n", "y".repeat(40 + more));
        shell.write("long.aedat", &aedat2(&lines, davis(4_000, 240, 180)));
        let info = shell.json(&["info", "long.aedat", "--json", "--from", "100ms", "--to", "200ms"]);
        assert_eq!((&info["n"], &info["skipped_bytes"], &info["damage_at"]), (&1_000.into(), &0.into(), &json!(null)));
        assert_eq!(info["t"], json!([101_000, 200_900]));
    }
}

#[test]
fn nothing_in_what_was_asked_for_is_told() {
    let shell = Shell::new();
    shell.write("a.raw", &evt2(HEADER, &events(2_000)));
    shell.write("a.csv", text(2_000, |_| false).as_bytes());
    for file in ["a.raw", "a.csv"] {
        let words = ["no events in what was asked for", "--from 10.00 s", "199.900 ms"];
        shell.bad(&["info", file, "--from", "10s"], 1, &words);
        shell.bad(&["run", file, "--from", "10s"], 1, &words);
        shell.bad(&["convert", file, "b.npy", "--from", "10s"], 1, &words);
        assert!(!shell.path("b.npy").exists(), "no empty recording");
        shell.bad(&["info", file, "--from", "20ms", "--to", "10ms"], 2, &["--from 20 ms is not before --to 10 ms"]);
    }
    // A recording without an event becomes one without an event.
    shell.write("empty.raw", HEADER.as_bytes());
    assert_eq!(shell.json(&["convert", "empty.raw", "b.npy", "--json"])["n"], 0);
    shell.bad(&["info", "b.npy"], 1, &["no events in 192 bytes"]);
}

/// What a conversion cannot finish it leaves as it was; what it can appears under its name at the end.
#[test]
fn a_failed_conversion_leaves_no_half() {
    let shell = Shell::new();
    shell.write("a.csv", text(3_000, |_| false).as_bytes());
    shell.write("late.csv", b"t,x,y,p\n1,2,3,1\n2,2,3,1\n99999999999999,2,3,1\n");
    shell.write("there.es", b"what was there");
    shell.bad(&["convert", "late.csv", "there.es"], 1, &["there.es: the event at 99999999999999 us"]);
    shell.bad(&["convert", "late.csv", "new.es"], 1, &["new.es: "]);
    assert_eq!(std::fs::read(shell.path("there.es")).ok(), Some(b"what was there".to_vec()));
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(&shell.0)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["a.csv", "late.csv", "there.es"]);
    shell.good(&["convert", "a.csv", "there.es"]);
    assert_eq!(names(), ["a.csv", "late.csv", "there.es"]);
    assert_eq!(shell.json(&["info", "there.es", "--json"])["n"], 3_000);
    // Events outside of the sensor that a header tells of are left out, and counted.
    let wrote = shell.json(&["convert", "a.csv", "a.raw", "--geometry", "12x16", "--json"]);
    let outside = events(3_000).iter().filter(|event| event.x >= 12).count();
    assert_eq!((&wrote["skipped"]["outside_events"], &wrote["n"]), (&outside.into(), &(3_000 - outside).into()));
    let info = shell.json(&["info", "a.raw", "--json"]);
    assert_eq!((&info["cols"], &info["skipped"]["outside_events"]), (&12.into(), &0.into()));
}
