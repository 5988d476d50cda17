//! The camera of AEDAT 2: the given one, or the one in the header, or the one whose addresses match the first words.
//!
//! A word **fits** a camera if it is the address of one of its pixels, and no bit is set that such an address does not have;
//! words that are not events for a camera are ignored. A camera fits if 99 of 100 words of the first 64 kB do. Of several
//! that fit, it must be the only one whose edges the words reach, within a sixteenth of the columns and of the rows: sensors
//! of one layout differ only in size, and the smaller ones lie inside the larger ones. Otherwise the recording is rejected.
//!
//! Later words do not change the choice: those that do not fit are counted as outside or as garbage. More than 1 % of them
//! is an error.

use super::ReadOptions;
use super::assumption::Assumption;
use super::text_header;
use foveola_core::events::{Aedat2, Camera, CameraWord, Decode, Geometry};

/// Bytes per word.
const WORD: usize = 8;

/// How well the first words fit a camera.
struct Fit {
    camera: Camera,
    size: Geometry,
    good: usize,
    bad: usize,
    /// Largest column and row, in the coordinates of the addresses.
    largest: (usize, usize),
}

impl Fit {
    fn new(camera: Camera, addresses: impl Iterator<Item = u32>) -> Option<Self> {
        let size = camera.geometry()?;
        let mut fit = Self { camera, size, good: 0, bad: 0, largest: (0, 0) };
        for address in addresses {
            match camera.word(address) {
                CameraWord::Pixel { x, y, .. } if address & camera.spare_bits() == 0 => {
                    let (col, row) = (size.cols - 1 - usize::from(x), size.rows - 1 - usize::from(y));
                    fit.largest = (fit.largest.0.max(col), fit.largest.1.max(row));
                    fit.good += 1;
                }
                CameraWord::Other => {}
                _ => fit.bad += 1,
            }
        }
        Some(fit)
    }

    fn holds(&self) -> bool {
        self.good > 0 && self.bad * 99 <= self.good
    }

    fn reaches_its_edges(&self) -> bool {
        let near = |largest: usize, side: usize| largest + side.div_ceil(16) >= side;
        near(self.largest.0, self.size.cols) && near(self.largest.1, self.size.rows)
    }
}

/// A decoder for the camera of a recording that begins with `head`, and the assumptions made.
///
/// # Errors
/// The reason why the camera is unknown, and the advice to name it.
pub(super) fn decoder(head: &[u8], options: &ReadOptions) -> Result<(Aedat2, Vec<Assumption>), String> {
    if let Some(camera) = options.camera {
        return Ok((Aedat2::with_camera(camera), Vec::new()));
    }
    let data = head.get(Aedat2::front(head).unwrap_or(head.len())..).unwrap_or_default();
    let words = data.as_chunks::<WORD>().0;
    let addresses = || words.iter().map(|&[a, b, c, d, ..]| u32::from_be_bytes([a, b, c, d]));
    let fits: Vec<Fit> = Camera::KNOWN.iter().filter_map(|(_, camera)| Fit::new(*camera, addresses())).collect();
    let holding: Vec<&Fit> = fits.iter().filter(|fit| fit.holds()).collect();
    let names = |fits: &[&Fit]| fits.iter().map(|fit| fit.camera.name()).collect::<Vec<_>>().join(", ");
    let first = format!("its first {} words", words.len());
    let name_it = "name the camera (--camera)";
    match text_header::header(head).camera() {
        Some(Camera::Unknown) => {
            let all: Vec<_> = Camera::KNOWN.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "the camera that its header names{} is not known; expected one of: {}; {name_it}",
                chip(head),
                all.join(", ")
            ));
        }
        Some(named) => {
            let fit = fits.iter().find(|fit| fit.camera == named);
            // Damage is counted; a wrong header is an error.
            if fit.is_some_and(|fit| fit.good < fit.bad) && !holding.is_empty() {
                let (named, all) = (named.name(), names(&holding));
                return Err(format!("its header names the camera {named}, but {first} are those of {all}; {name_it}"));
            }
            return Ok((Aedat2::new(), Vec::new()));
        }
        None if words.is_empty() => return Ok((Aedat2::new(), Vec::new())),
        None => {}
    }
    let reaching: Vec<&&Fit> = holding.iter().filter(|fit| fit.reaches_its_edges()).collect();
    let (camera, reason) = match (&holding[..], &reaching[..]) {
        ([], _) => return Err(format!("its header names no camera, and {first} are those of none; {name_it}")),
        ([only], _) => (only.camera, format!("{first} fit no other")),
        (_, [only]) => {
            let (col, row) = only.largest;
            (only.camera, format!("{first} reach column {col}, row {row}"))
        }
        _ => {
            let all = names(&holding);
            return Err(format!("its header names no camera, and {first} fit several: {all}; {name_it}"));
        }
    };
    Ok((Aedat2::with_camera(camera), vec![Assumption::new("camera", camera.name(), reason)]))
}

/// The camera name in the header.
fn chip(head: &[u8]) -> String {
    let lines = text_header::text(head).split(|byte| *byte == b'\n');
    let mut chip =
        lines.filter_map(|line| String::from_utf8_lossy(line).split_once("AEChip:").map(|(_, chip)| chip.to_owned()));
    chip.next_back().map_or_else(String::new, |chip| format!(", '{}',", chip.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"#!AER-DAT2.0\r\n# made by a simulator\r\n";

    /// A recording of `n` events spread over `cols` x `rows` pixels; `address` encodes a pixel.
    fn recording(n: u32, cols: u32, rows: u32, address: fn(u32, u32, u32) -> u32) -> Vec<u8> {
        let word = |i: u32| {
            let address = address(i * 7919 % cols, i * 104_729 % rows, i % 2);
            [address.to_be_bytes(), (100 * i).to_be_bytes()].concat()
        };
        [HEAD, &(0..n).flat_map(word).collect::<Vec<u8>>()].concat()
    }

    fn davis(x: u32, y: u32, on: u32) -> u32 {
        y << 22 | x << 12 | on << 11
    }

    #[test]
    fn words_tell_their_camera() {
        type Case = (&'static str, u32, u32, fn(u32, u32, u32) -> u32);
        let cases: [Case; 6] = [
            ("dvs128", 128, 128, |x, y, on| y << 8 | x << 1 | on),
            ("davis128", 128, 128, davis),
            ("davis240", 240, 180, davis),
            ("davis346", 346, 260, davis),
            ("davis640", 640, 480, davis),
            ("dvs640", 640, 480, |x, y, on| y << 11 | x << 1 | on),
        ];
        for (name, cols, rows, address) in cases {
            let mut bytes = recording(1000, cols, rows, address);
            let (_, assumed) = decoder(&bytes, &ReadOptions::default()).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(
                assumed.iter().map(|found| (found.what, &found.value[..])).collect::<Vec<_>>(),
                [("camera", name)]
            );
            // A damaged word and frame samples change nothing.
            bytes.extend([0xFF; WORD]);
            bytes[HEAD.len()] |= 0x60;
            let (_, again) = decoder(&bytes, &ReadOptions::default()).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!(again.first().map(|found| &found.value), assumed.first().map(|found| &found.value), "{name}");
        }
    }

    /// One word in twenty outside a camera's pixels is not damage: it is another camera.
    #[test]
    fn more_than_one_bad_word_in_a_hundred_tells_against_a_camera() {
        let bytes = recording(
            1000,
            346,
            260,
            |x, y, on| {
                if x % 10 == 0 { davis(x, y, on) } else { davis(x % 240, y % 180, on) }
            },
        );
        let (_, assumed) = decoder(&bytes, &ReadOptions::default()).expect("one camera");
        assert_eq!(assumed.first().map(|found| &found.value[..]), Some("davis346"));
    }

    #[test]
    fn what_words_do_not_tell_is_refused() {
        let some = recording(1000, 100, 100, davis);
        let noise: Vec<u8> = (0..8000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let named = [&b"#!AER-DAT2.0\r\n# AEChip: a.Cochlea\r\n"[..], &some[HEAD.len()..]].concat();
        let wrong =
            [&b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n"[..], &recording(1000, 346, 260, davis)[HEAD.len()..]].concat();
        let cases = [
            (some.clone(), "fit several: davis128, davis208, davis240, davis346, davis640"),
            ([HEAD, &noise].concat(), "are those of none"),
            (named, "'a.Cochlea', is not known"),
            (wrong, "its header names the camera dvs128, but its first 1000 words are those of davis"),
        ];
        for (bytes, expected) in cases {
            let why = decoder(&bytes, &ReadOptions::default()).err().unwrap_or_else(|| panic!("{expected}: found"));
            assert!(why.contains(expected) && why.contains("--camera"), "{why}");
            let options = ReadOptions { camera: Some(Camera::Davis346), ..ReadOptions::default() };
            assert!(decoder(&bytes, &options).is_ok_and(|(_, assumed)| assumed.is_empty()), "{expected}: named");
        }
    }
}
