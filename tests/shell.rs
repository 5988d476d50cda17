//! The program as a user runs it, and recordings for it: shared by the tests of the command line.

use foveola_core::events::{Event, Evt2Encoder};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A program run in a folder of its own.
pub(crate) struct Shell(pub(crate) TempDir);

/// What a run printed.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("a file in the temporary folder");
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut program = Command::new(env!("CARGO_BIN_EXE_foveola"));
        // Without such a folder, drivers of Mesa complain on stderr.
        program.env("XDG_RUNTIME_DIR", self.0.path());
        Ran::of(&args.join(" "), program.args(args).current_dir(&self.0).output().expect("foveola starts"))
    }

    /// Runs a script in which `foveola` is the program.
    #[cfg(unix)]
    pub(crate) fn script(&self, script: &str) -> Ran {
        let mut shell = Command::new("sh");
        let script_with_name = format!("foveola() {{ \"$FOVEOLA\" \"$@\"; }}\n{script}");
        shell.args(["-c", &script_with_name]).env("FOVEOLA", env!("CARGO_BIN_EXE_foveola"));
        Ran::of(script, shell.current_dir(&self.0).output().expect("sh starts"))
    }

    /// Runs what has to work, and returns what it prints.
    pub(crate) fn good(&self, args: &[&str]) -> String {
        let Ran { code, out, err } = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {err}");
        assert_eq!(err, "", "{args:?} says nothing on stderr when it is no terminal");
        out
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let out = self.good(args);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: no single JSON value: {error}: {out}"))
    }

    /// Runs what has to fail, with a message that has all of `words`.
    pub(crate) fn bad(&self, args: &[&str], code: i32, words: &[&str]) {
        self.run(args).failed(code, words);
    }
}

impl Ran {
    pub(crate) fn of(what: &str, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let ran = Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for trace in ["panicked", "RUST_BACKTRACE", "stack backtrace", "memory allocation"] {
            assert!(!ran.err.contains(trace) && !ran.out.contains(trace), "{what}: {}", ran.err);
        }
        ran
    }

    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, &self.out[..]), (Some(code), ""), "expected {words:?}: {}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "no '{word}' in: {}", self.err);
        }
    }
}

/// A recording in EVT2.
pub(crate) fn evt2(header: &str, events: &[Event]) -> Vec<u8> {
    let (mut bytes, mut encoder) = (header.as_bytes().to_vec(), Evt2Encoder::new());
    for event in events {
        encoder.encode(*event, |word| bytes.extend(word)).expect("coordinates up to 2047");
    }
    bytes
}

pub(crate) const HEADER: &str = "% evt 2.0\n% geometry 24x16\n";

/// `n` events, every 100 us, in 24 x 16 pixels.
pub(crate) fn events(n: u64) -> Vec<Event> {
    let place = |i: u64| ((i / 10 % 24) as u16, (i * 7 % 16) as u16);
    (0..n).map(|i| Event { t: 5_000 + 100 * i, x: place(i).0, y: place(i).1, on: i % 3 > 0 }).collect()
}
