//! Files of other kinds that are passed as recordings: their kind, and how to proceed.

/// The bytes at a position near the start, and the kind of file that contains them.
const KNOWN: [(usize, &[u8], &str); 30] = [
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        "the pointer of a Git LFS file, not its content; git lfs pull fetches that",
    ),
    (0, b"/annex/objects/", "the pointer of a git-annex file, not its content; git annex get fetches that"),
    (
        0,
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file, which is not read; docs/events.md, section HDF5, describes how to convert it with h5py",
    ),
    (0, b"MATLAB 7.3 MAT-file", "a MATLAB 7.3 file, which is HDF5 and not read; convert it with h5py and numpy.save"),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file, which is not read; convert it with scipy.io.loadmat and numpy.save"),
    (0, b"#ROSBAG V", ROS_BAG),
    (
        0,
        b"\x89MCAP0\r\n",
        "an MCAP file, as of ROS 2, which is not read; write its events as text or .npy, with t, x, y and p",
    ),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database, as of a ROS 2 bag, which is not read; write its events as text or .npy, with t, x, y and p",
    ),
    (0, b"PAR1", "a Parquet table, which is not read; convert it with pandas.read_parquet and to_csv"),
    (0, b"ARROW1", "an Arrow table, which is not read; convert it with pandas.read_feather and to_csv"),
    (0, b"%PDF-", "a PDF document, not events"),
    (
        0,
        b"\x1f\x8b\x08",
        "compressed by gzip; unpack it (gunzip, or tar xf for .tar.gz), or read it from a pipe: gunzip -c FILE | foveola info -",
    ),
    (
        0,
        b"\xfd7zXZ\0",
        "compressed by xz; unpack it (unxz, or tar xf for .tar.xz), or read it from a pipe: xz -dc FILE | foveola info -",
    ),
    (
        0,
        b"\x28\xb5\x2f\xfd",
        "compressed by Zstandard; unpack it (unzstd), or read it from a pipe: zstd -dc FILE | foveola info -",
    ),
    (
        0,
        b"\x04\x22\x4d\x18",
        "compressed by LZ4; unpack it (unlz4), or read it from a pipe: lz4 -dc FILE | foveola info -",
    ),
    (
        4,
        b"1AY&SY",
        "compressed by bzip2; unpack it (bunzip2, or tar xf for .tar.bz2), or read it from a pipe: bunzip2 -c FILE | foveola info -",
    ),
    (257, b"ustar", "a tar archive; unpack it (tar xf) and give a file of events"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it and give a file of events"),
    (0, b"Rar!\x1a\x07", "a RAR archive; unpack it and give a file of events"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture, not events; foveola run takes a folder of PNGs as a movie"),
    (0, b"GIF8", "a GIF, not events; foveola run takes it as a movie, and foveola record --movie makes events of it"),
    (0, b"\xff\xd8\xff", "a JPEG picture, not events; foveola run takes a folder of PNGs as a movie"),
    (0, b"II*\0", "a TIFF picture, not events; foveola run takes a folder of PNGs as a movie"),
    (0, b"MM\0*", "a TIFF picture, not events; foveola run takes a folder of PNGs as a movie"),
    (8, b"AVI ", VIDEO),
    (4, b"ftyp", VIDEO),
    (4, b"moov", VIDEO),
    (0, b"\x1a\x45\xdf\xa3", VIDEO),
    (0, b"RIFF", "an audio file, not events"),
    (0, b"#!AER-DAT", "an AEDAT recording of a version that is not read; expected 2.0, 3.1 or 4.0"),
];
const ROS_BAG: &str = "a ROS bag, which is not read; write its events as text or .npy, with t, x, y and p";
const VIDEO: &str = "a video, not events; foveola run takes it as a folder of PNGs: ffmpeg -i FILE frames/%06d.png";

/// The kind of a file that begins with `head`, and how to proceed; none if it is unknown.
pub(super) fn describe(head: &[u8]) -> Option<&'static str> {
    let is = |(at, magic, _): &&(usize, &[u8], _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((_, _, what)) = KNOWN.iter().find(is) {
        return Some(what);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|front| front.eq_ignore_ascii_case(with));
    match () {
        () if begins(b"<!doctype html") || begins(b"<html") => Some(
            "a web page, not a recording, as a server sends it to those who are not signed in; download the file again",
        ),
        () if begins(b"<?xml") => {
            Some("an XML document, not a recording, as a server sends it with an error; download the file again")
        }
        () if begins(b"{\"") => Some("JSON, which is not read; write the events as text, one a line, or .npy"),
        () if matches!(head, [0xff, 0xfe, 1..=255, 0, ..] | [0xfe, 0xff, 0, 1..=255, ..]) => {
            Some("text in UTF-16; save it as UTF-8")
        }
        // Protocol 4 or 5, and the length of a frame below 4 GB.
        () if matches!(head, [0x80, 4 | 5, 0x95, _, _, _, _, 0, 0, 0, 0, ..]) => {
            Some("a pickle of Python, which is not read; save the events with numpy.save")
        }
        () => None,
    }
}
