//! Files that are given as recordings and are something else: each is named, with what to do about it.

use foveola::{Error, Format, Recording};
use std::io::Write;
use tempfile::NamedTempFile;

/// Why a file of these bytes is not opened.
fn refused(bytes: &[u8]) -> String {
    let mut file = NamedTempFile::with_suffix(".raw").expect("a temporary file");
    file.write_all(bytes).expect("written");
    match Recording::open(file.path()) {
        Err(Error::Data { reason, .. }) => reason,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

#[test]
fn files_that_are_known() {
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 123456\n";
    let tar = [&b"a.csv"[..], &[0; 252], b"ustar\x0000"].concat();
    let utf16: Vec<u8> = "\u{feff}t,x,y,p\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pickle = b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05numpy\x94";
    let cases: [(&[u8], &str, &str); 34] = [
        (lfs, "the pointer of a Git LFS file", "git lfs pull"),
        (b"/annex/objects/SHA256E-s1--aa.raw\n", "the pointer of a git-annex file", "git annex get"),
        (b"<!DOCTYPE html><html><head><title>Sign in</title>", "a web page", "download the file again"),
        (b"\n <HTML>\n", "a web page", "download the file again"),
        (
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
            "an XML document",
            "download the file again",
        ),
        (b"{\"error\": \"not found\"}", "JSON", "text, one a line"),
        (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file", "docs/events.md, section HDF5"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64", "a MATLAB 7.3 file", "h5py"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file", "scipy.io.loadmat"),
        (b"#ROSBAG V2.0\n", "a ROS bag", "as text or .npy"),
        (b"\x89MCAP0\r\n\x01", "an MCAP file", "as text or .npy"),
        (b"SQLite format 3\0\x10\0", "an SQLite database", "as text or .npy"),
        (b"PAR1\x15\x04", "a Parquet table", "to_csv"),
        (b"ARROW1\0\0", "an Arrow table", "to_csv"),
        (b"%PDF-1.7\n", "a PDF document", "not events"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "compressed by gzip", "gunzip -c FILE | foveola info -"),
        (b"\xfd7zXZ\0\0\x04", "compressed by xz", "xz -dc"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "compressed by Zstandard", "zstd -dc"),
        (b"\x04\x22\x4d\x18\x64", "compressed by LZ4", "lz4 -dc"),
        (b"BZh91AY&SY\0\0", "compressed by bzip2", "bunzip2 -c"),
        (&tar, "a tar archive", "tar xf"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7-Zip archive", "unpack it"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive", "unpack it"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture", "folder of PNGs as a movie"),
        (b"GIF89a\x01\0\x01\0", "a GIF", "foveola run takes it as a movie"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture", "folder of PNGs as a movie"),
        (b"II*\0\x08\0\0\0", "a TIFF picture", "folder of PNGs as a movie"),
        (b"RIFF\x24\0\0\0AVI LIST", "a video", "ffmpeg -i FILE frames/%06d.png"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", "a video", "ffmpeg -i FILE frames/%06d.png"),
        (b"\x1a\x45\xdf\xa3\x9f\x42", "a video", "ffmpeg -i FILE frames/%06d.png"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "an audio file", "not events"),
        (&utf16, "text in UTF-16", "save it as UTF-8"),
        (pickle, "a pickle of Python", "numpy.save"),
        (b"#!AER-DAT1.0\r\n# comment\r\n", "an AEDAT recording of a version", "expected 2.0, 3.1 or 4.0"),
    ];
    for (bytes, what, cure) in cases {
        let reason = refused(bytes);
        assert!(reason.starts_with(what) && reason.contains(cure), "{}: {reason}", bytes.escape_ascii());
        assert!(!reason.contains("expected one of"), "the list of formats does not help: {reason}");
    }
}

#[test]
fn files_without_content_and_folders() {
    assert!(refused(b"").starts_with("it is empty; expected events"), "{}", refused(b""));
    let folder = tempfile::tempdir().expect("a folder");
    let error = Recording::open(folder.path()).expect_err("a folder").to_string();
    assert!(
        error.contains("a folder; expected a file of events (foveola run takes a folder of PNGs as a movie)"),
        "{error}"
    );
    let missing = Recording::open(folder.path().join("no.raw")).expect_err("no file");
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

/// Bytes of no known kind: here the list of formats helps.
#[test]
fn unknown_bytes_get_the_list_of_formats() {
    let noise: Vec<u8> = (0..1000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let reason = refused(&noise);
    assert!(reason.starts_with("of no format that is known; expected one of: "), "{reason}");
    for (name, _) in Format::NAMES {
        assert!(reason.contains(&format!("({name})")), "{name}: {reason}");
    }
    assert!(reason.contains("--format"), "{reason}");
    let text = refused(b"Dear reader,\nhere are no events.\n");
    assert!(
        text.starts_with("text, but not read as events: no line of numbers") && !text.contains("expected one of"),
        "{text}"
    );
}

/// A `FlatBuffer` of the header of AEDAT 4 with this text.
fn aedat4(text: &str) -> Vec<u8> {
    let vtable = [10_u16, 8, 0, 0, 4, 0].map(u16::to_le_bytes).concat();
    let len = (text.len() as u32).to_le_bytes();
    let root = (8 + vtable.len() as u32).to_le_bytes();
    let table = [&(vtable.len() as u32).to_le_bytes()[..], &4_u32.to_le_bytes(), &len, text.as_bytes()].concat();
    let header = [&root[..], b"IOHE", &vtable, &table].concat();
    [b"#!AER-DAT4.0\r\n", &(header.len() as u32).to_le_bytes()[..], &header].concat()
}

#[test]
fn aedat4_without_events_says_what_it_holds() {
    let stream = |i: u32, kind: &str| {
        format!("<node name=\"{i}\" path=\"/{i}/\"><attr key=\"typeIdentifier\" type=\"string\">{kind}</attr></node>")
    };
    let file = |kinds: &[&str]| {
        let streams: String = (0..).zip(kinds).map(|(i, kind)| stream(i, kind)).collect();
        aedat4(&format!("<dv version=\"2.0\"><node name=\"outInfo\" path=\"/\">{streams}</node></dv>"))
    };
    let reason = refused(&file(&["FRME", "IMUS", "TRIG"]));
    let expected = "AEDAT 4 without events: it holds frames, samples of an inertial sensor, triggers; expected";
    assert!(reason.starts_with(expected), "{reason}");
    let mut with = NamedTempFile::new().expect("a file");
    with.write_all(&file(&["FRME", "EVTS"])).expect("written");
    assert!(Recording::open(with.path()).is_ok(), "there may be events");
}
