//! What the command line does with files and its output when they fail, never end, or have names that a terminal obeys.

#![cfg(unix)]

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use ndarray::Array3;
use ndarray_npy::write_npy;
use shell::Shell;

const MODEL: &str = r#"
version = 1
[[layer]]
name = "blur"
kind = "Conv2d"
weight = { gaussian = { sigma = "2px", size = [21, 21] } }
"#;

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("blur.toml", MODEL.as_bytes());
    write_npy(shell.path("a.npy"), &Array3::<f32>::ones((20, 12, 12))).expect("written");
    shell
}

/// A file that cannot be written as a whole is not there, and one that was there is as before.
#[test]
fn no_file_is_left_half_written() {
    let shell = shell();
    for (command, name) in [
        ("run a.npy --every 1 --no-pictures --out out", "out/output.npy"),
        ("run a.npy --every 0 --out out", "out/stages.png"),
        ("model plot blur.toml --out out", "out/response-blur.npy"),
        ("model show blur.toml --svg out/blur.svg", "out/blur.svg"),
        ("model weights blur.toml --out out/blur.npz", "out/blur.npz"),
        ("model export blur.toml --to firmware out", "out/model.rs"),
    ] {
        for before in [None, Some("before")] {
            let _ = std::fs::remove_dir_all(shell.path("out"));
            std::fs::create_dir(shell.path("out")).expect("made");
            before.into_iter().for_each(|text| shell.write(name, text.as_bytes()));
            // Files of 1 kB at most, in words of sh; a larger one is an error and no signal.
            let ran = shell.script(&format!("trap '' XFSZ; ulimit -f 2; foveola {command} 2>&1"));
            assert_eq!(ran.code, Some(1), "{command}: {}", ran.out);
            assert!(ran.out.contains("error: ") && ran.out.contains("File too large"), "{command}: {}", ran.out);
            let there = std::fs::read_dir(shell.path("out")).expect("a folder").map(|entry| entry.expect("a file"));
            let left: Vec<_> = there.map(|entry| entry.file_name().display().to_string()).collect();
            let file = std::fs::read_to_string(shell.path(name)).ok();
            assert_eq!(file.as_deref(), before, "{command}: {left:?}");
            assert_eq!(left.iter().filter(|name| name.starts_with('.')).count(), 0, "{command}: {left:?}");
        }
        let ran = shell.script(&format!("foveola {command}"));
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
        assert!(shell.path(name).exists(), "{command}");
    }
}

/// An output that cannot be written is an error, of every command; a reader who has enough is none.
#[cfg(target_os = "linux")]
#[test]
fn a_full_output_is_an_error() {
    let shell = shell();
    shell.write("a.raw", &shell::evt2(shell::HEADER, &shell::events(100)));
    for command in [
        "run a.npy --no-pictures",
        "run a.npy --no-pictures --json",
        "model check blur.toml",
        "model show blur.toml",
        "model show blur.toml --json",
        "model show blur.toml --toml",
        "model show blur.toml --svg blur.svg",
        "model plot blur.toml --size 8x8",
        "model plot blur.toml --size 8x8 --json",
        "model weights blur.toml",
        "model export blur.toml --to firmware out",
        "info a.raw",
        "info a.raw --json",
        "convert a.raw b.csv",
        "convert a.raw - --to-format csv",
        "record scene.raw --geometry 8x8 --duration 2ms",
        "bench --list",
        "bench --list --json",
        "devices",
        "devices --json",
        "--help",
        "--version",
        "help run",
    ] {
        let ran = shell.script(&format!("foveola {command} > /dev/full"));
        ran.failed(1, &["standard output", "No space left"]);
        let ran = shell.script(&format!("{{ foveola {command}; echo $? >&2; }} | true"));
        // Drivers of devices write errors of their own.
        assert!(!ran.err.contains("standard output"), "{command}: {}", ran.err);
    }
}

/// What a terminal or a source file would obey is escaped wherever a name is written: in messages, tables and sources.
#[test]
fn names_are_written_on_one_line() {
    let shell = shell();
    let name = "b\n\u{1b}[2J.toml";
    let clean = |what: &str, text: &str| {
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(obeyed) && !text.contains("b\n"), "{what}: {text:?}");
        assert!(text.contains("b\\n\\u{1b}[2J"), "{what}: {text:?}");
    };
    for args in [
        vec!["model", "check", name],
        vec!["model", "show", name],
        vec!["model", "show", name, "--svg", "b.svg"],
        vec!["model", "show", "blur.toml", "--svg", name],
        vec!["model", "plot", name, "--size", "6x6", "--out", "plots"],
        vec!["model", "weights", "blur.toml", "--out", name],
        vec!["model", "export", name, "--to", "firmware", "out"],
        vec!["run", "a.npy", "--model", name, "--no-pictures"],
    ] {
        shell.write(name, MODEL.as_bytes());
        let text = shell.good(&args);
        // Those that print the name.
        if text.contains("2J") {
            clean(&args.join(" "), &text);
        }
    }
    shell.write(name, MODEL.as_bytes());
    let source = std::fs::read_to_string(shell.path("out/model.rs")).expect("written");
    assert_eq!(source.lines().next(), Some("// b\\n\\u{1b}[2J"), "{source}");
    shell.write(name, MODEL.replace("2px", "2").as_bytes());
    for args in [
        vec!["model", "check", name],
        vec!["info", name],
        vec!["run", name],
        vec!["convert", name, "a.csv"],
        vec!["run", "a.npy", "--model", name],
    ] {
        let ran = shell.run(&args);
        assert!(ran.code == Some(1) || ran.code == Some(2), "{args:?}");
        clean(&args.join(" "), &ran.err);
    }
    // The specification of an event filter is one line of the source.
    let filter =
        ["model", "export", "blur.toml", "--to", "firmware", "out", "--set", "input.events=[\"stcf:k=2,\\ntau=5ms\"]"];
    shell.bad(&filter, 1, &["stcf:k=2,\\ntau=5ms", "a control character; expected one line of text"]);
}

/// A file that never ends is refused, whatever it is.
#[cfg(target_os = "linux")]
#[test]
fn endless_files_are_refused() {
    let shell = shell();
    for model in ["model check /dev/zero", "run --model /dev/zero", "model check /dev/stdin < /dev/zero"] {
        shell.script(&format!("foveola {model}")).failed(1, &["more than 64 MB of text; expected 64 MB at most"]);
    }
    let ran = shell.script("cat blur.toml | foveola model check /dev/stdin");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
