//! `docs/guide/your-own-model.md`, `docs/guide/fitting.md` and `docs/guide/integers.md` as a reader follows them: their files are written,
//! their commands run, and they print what the page says.
//!
//! `REGENERATE=1 cargo test -p foveola-cli --test cli_guide` writes what they print into the pages, and the pictures. What the page shows
//! of QEMU is compared by `firmware/models.sh`.

#![cfg(unix)] // the commands are those of a Unix shell

#[path = "shell.rs"]
#[allow(dead_code, reason = "shared with the other tests of the command line")]
mod shell;

use ndarray::Array2;
use ndarray_npy::{read_npy, write_npy};
use shell::Shell;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Prose, and the code between fences with its language.
enum Part<'p> {
    Prose(&'p str),
    Code(&'p str, &'p str),
}

/// The parts of a page, in order.
fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (i, part) in page.split("```").enumerate() {
        parts.push(match part.split_once('\n') {
            Some((language, code)) if i % 2 == 1 => Part::Code(language, code),
            _ => Part::Prose(part),
        });
    }
    parts
}

/// The code of a page in one language, in order.
fn code<'p>(page: &'p str, wanted: &'p str) -> impl DoubleEndedIterator<Item = &'p str> {
    parts(page).into_iter().filter_map(move |part| match part {
        Part::Code(language, code) if language == wanted => Some(code),
        _ => None,
    })
}

/// Follows the page in a folder. Returns it with what the commands printed in place of what it says.
fn follow(page: &str, shell: &Shell) -> String {
    let (mut text, mut file, mut printed) = (String::new(), String::new(), None);
    for part in parts(page) {
        let (language, code) = match part {
            Part::Prose(prose) => {
                text += prose;
                continue;
            }
            Part::Code(language, code) => (language, code),
        };
        let mut shown = code.to_owned();
        match language {
            // A block with the version is the whole file, another one goes to its end.
            "toml" => {
                file = if code.starts_with("version") { code.to_owned() } else { format!("{file}\n{code}") };
                shell.write("cell.toml", file.as_bytes());
            }
            "python" => weights(code, shell),
            "sh" => printed = (!code.contains("cargo run")).then(|| run(code, shell)),
            // What no command before it printed is left as it is.
            "text" => shown = printed.take().unwrap_or(shown),
            other => panic!("a block of {other}"),
        }
        text += &format!("```{language}\n{shown}```");
    }
    text
}

/// Runs commands. Returns what a terminal shows but for the speed, and fails where a command fails without an error message.
fn run(script: &str, shell: &Shell) -> String {
    let ran = shell.script(script);
    let terminal = ran.out + &ran.err;
    assert_eq!(ran.code == Some(0), !terminal.contains("error: "), "{script}{terminal}");
    let speed =
        |line: &&str| !["model ran", "in all"].iter().any(|label| line.starts_with(label)) && !line.contains(": loss ");
    terminal.lines().filter(speed).map(|line| format!("{line}\n")).collect()
}

/// The weights that the Python program writes, which are also those of the repository. Where Python lacks its package, they are
/// written here.
fn weights(program: &str, shell: &Shell) {
    let ring = Array2::from_shape_fn((11, 11), |(row, col)| {
        let radius = (row as f64 - 5.0).hypot(col as f64 - 5.0);
        f32::from(u8::from(radius > 2.0 && radius < 5.0))
    });
    let ring = &ring / ring.sum();
    let committed: Array2<f32> = read_npy(guide().join("your-own-model/ring.npy")).expect("committed");
    assert_eq!(ring, committed, "the weights of the repository");
    write_npy(shell.path("ring.npy"), &ring).expect("written");
    let numpy = |program: &str| Command::new("python3").args(["-c", program]).current_dir(shell.0.path()).output();
    if numpy("import numpy").is_ok_and(|output| output.status.success()) {
        fs::remove_file(shell.path("ring.npy")).expect("written before");
        let output = numpy(program).expect("Python");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(read_npy::<_, Array2<f32>>(shell.path("ring.npy")).expect("an array"), ring, "those of NumPy");
    }
}

/// Width, height and samples of a PNG.
fn picture(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("a PNG");
    let mut samples = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut samples).expect("a whole PNG");
    (info.width, info.height, samples)
}

#[test]
fn the_page_is_true() {
    let (path, shell) = (guide().join("your-own-model.md"), Shell::new());
    let page = read(&path);
    let found = follow(&page, &shell);
    let (drawn, shown) = (shell.path("foveola-out/stages.png"), guide().join("pictures/your-own-model.png"));
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&path, &found).expect("a page that can be written");
        fs::copy(&drawn, &shown).expect("a picture that can be written");
    }
    assert!(read(&path) == found, "{} should be\n{found}", path.display());

    // The last bits of samples differ between processors, and thus some colours.
    let ((width, height, drawn), (cols, rows, shown)) = (picture(&drawn), picture(&shown));
    assert_eq!((width, height, drawn.len()), (cols, rows, shown.len()));
    let apart: u64 = drawn.iter().zip(&shown).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(apart * 10 <= drawn.len() as u64, "the picture is not that of the commands: {apart} apart in all");
}

/// The same words, and the same numbers to 2 %: a search has other last digits on another processor.
fn alike(found: &str, page: &str) -> bool {
    let number = |word: &str| word.trim_end_matches([',', ';']).replace(',', "").parse::<f64>().ok();
    let near = |a: &str, b: &str| match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= 0.02 * a.abs().max(b.abs()) + 1e-6,
        _ => a == b,
    };
    // How a search ended, and how long the lines of a table are, depends on these digits.
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("ended") && !line.starts_with("+-"));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    let (found, page) = (words(found), words(page));
    found.len() == page.len() && found.iter().zip(&page).all(|(a, b)| near(a, b))
}

#[test]
fn the_page_on_fitting_is_true() {
    let (path, shell) = (guide().join("fitting.md"), Shell::new());
    let page = read(&path);
    let found = follow(&page, &shell);
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&path, &found).expect("a page that can be written");
        for name in ["kernel-field", "nonlinearity"] {
            let shown = guide().join(format!("pictures/fitting-{name}.png"));
            fs::copy(shell.path(&format!("pictures/{name}.png")), shown).expect("a picture that can be written");
        }
    }
    let page = read(&path);
    assert!(alike(&found, &page), "{} should be\n{found}", path.display());
    for name in ["kernel-field", "nonlinearity"] {
        let [(width, height, drawn), (cols, rows, shown)] =
            [shell.path(&format!("pictures/{name}.png")), guide().join(format!("pictures/fitting-{name}.png"))]
                .map(|path| picture(&path));
        assert_eq!((width, height, drawn.len()), (cols, rows, shown.len()), "{name}");
        let apart: u64 = drawn.iter().zip(&shown).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        assert!(apart * 10 <= drawn.len() as u64, "{name} is not that of the commands: {apart} apart in all");
    }
}

#[test]
fn the_page_on_integers_is_true() {
    let (path, shell) = (guide().join("integers.md"), Shell::new());
    let found = follow(&read(&path), &shell);
    if std::env::var_os("REGENERATE").is_some() {
        fs::write(&path, &found).expect("a page that can be written");
    }
    let page = read(&path);
    assert!(found == page, "{} should be\n{found}", path.display());
    // The digest is that of the file for the microcontrollers.
    let table = read(&guide().join("../../firmware/model/digests.tsv"));
    let row = table.lines().find(|row| row.starts_with("retina_q15\t")).expect("a row");
    let digests = code(&page, "text").flat_map(str::lines).filter(|line| line.starts_with("digest"));
    for digest in digests.filter_map(|line| line.split([' ', '(']).find(|word| word.len() == 16)) {
        assert!(row.contains(digest), "{digest} is not in {row}");
    }
}

/// The file that the page ends with is the one that runs on the emulated microcontrollers, over the recording of the page.
#[test]
fn the_page_ends_with_the_file_of_the_repository() {
    let page = read(&guide().join("your-own-model.md"));
    assert_eq!(code(&page, "toml").next_back(), Some(&*read(&guide().join("your-own-model/cell.toml"))));

    let shell = Shell::new();
    let record =
        code(&page, "sh").flat_map(str::lines).find(|line| line.starts_with("foveola record")).expect("a line");
    run(record, &shell);
    let recording = guide().join("../../firmware/qemu/src/bin/retina.raw");
    assert_eq!(fs::read(shell.path("scene.raw")).expect("recorded"), fs::read(recording).expect("committed"));

    // The digest of the first output, on the host and in QEMU.
    let digests: Vec<&str> = code(&page, "text")
        .flat_map(str::lines)
        .filter(|line| line.starts_with("digest") && !line.contains(" off"))
        .filter_map(|line| line.split([' ', '(']).find(|word| word.len() == 16))
        .collect();
    assert!(matches!(digests[..], [host, qemu] if host == qemu), "{digests:?}");
}
