//! Text and arrays as people hand them over: what their columns, units and polarities are taken for, what is told of that, and
//! what is refused.

use foveola::{Columns, Error, EventWriter, Format, ReadOptions, Recording, TimeUnit, WriteOptions};
use foveola_core::events::Event;
use std::io::Write;
use tempfile::NamedTempFile;

/// Opens a file of these bytes.
fn open(bytes: &[u8], options: ReadOptions) -> (NamedTempFile, foveola::Result<Recording>) {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let recording = Recording::open_with(file.path(), options);
    (file, recording)
}

/// The events of such a file, none of it skipped.
fn read_with(bytes: &[u8], options: ReadOptions) -> foveola::Result<Vec<Event>> {
    let (_file, recording) = open(bytes, options);
    let mut events = Vec::new();
    let summary = recording?.scan(|event| events.push(*event))?;
    assert_eq!((summary.skipped.bytes(), summary.damage), (0, None), "{}", bytes.escape_ascii());
    Ok(events)
}

fn read(bytes: &[u8]) -> foveola::Result<Vec<Event>> {
    read_with(bytes, ReadOptions::default())
}

/// What is assumed, as `what value`.
fn assumed(bytes: &[u8]) -> Vec<String> {
    let (_file, recording) = open(bytes, ReadOptions::default());
    let recording = recording.unwrap_or_else(|error| panic!("{error}"));
    recording.assumed().iter().map(|a| format!("{} {} ({})", a.what, a.value, a.reason)).collect()
}

/// Why such a file is refused.
fn refused(bytes: &[u8], options: ReadOptions) -> String {
    match read_with(bytes, options) {
        Err(Error::Data { reason, .. }) => reason,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

fn columns(order: &str) -> ReadOptions {
    ReadOptions { columns: Some(order.parse().expect("an order")), ..ReadOptions::default() }
}

fn event(t: u64, x: u16, y: u16, on: bool) -> Event {
    Event { t, x, y, on }
}

/// What most cases hold.
fn two() -> [Event; 2] {
    [event(3_811, 96, 133, false), event(3_820, 11, 9, true)]
}

#[test]
fn a_column_keeps_its_place() {
    let cases = [
        ("row numbers, without a name", ",t,x,y,p\n0,3811,96,133,0\n1,3820,11,9,1\n"),
        ("an unknown name", "id,t,x,y,note,p\n7,3811,96,133,,0\n8,3820,11,9,5,1\n"),
        ("a column of words", "t,label,x,y,p\n3811,a b,96,133,0\n3820,,11,9,1\n"),
        ("an empty column", "t;;x;y;p\n3811;;96;133;0\n3820;;11;9;1\n"),
        ("tabs", "t\t\tx\ty\tp\n3811\t\t96\t133\t0\n3820\t\t11\t9\t1\n"),
        ("separators behind the last column", "t,x,y,p,\n3811,96,133,0,\n3820,11,9,1,\n"),
        ("separators behind the last number", "t,x,y,p\n3811,96,133,0,\n3820,11,9,1,\n"),
        ("separators behind, without names", "3811,96,133,0,\n3820,11,9,1,\n"),
        ("names in quotes", "\"t\",\"x\",\"y\",\"p\"\n3811,96,133,0\n3820,11,9,1\n"),
        ("numbers in quotes", "\"3811\",\"96\",\"133\",\"0\"\n\"3820\",\"11\",\"9\",\"1\"\n"),
        ("a separator in quotes", "note,t,x,y,p\n\"a,b\",3811,96,133,0\n\"c\",3820,11,9,1\n"),
        ("the mark of UTF-8", "\u{feff}t,x,y,p\n3811,96,133,0\n3820,11,9,1\n"),
        ("the mark of UTF-8 before a number", "\u{feff}3811,96,133,0\n3820,11,9,1\n"),
        ("comments and blank lines", "# made by hand\n\nt,x,y,p\n\n3811,96,133,0\n% then\n3820,11,9,1\n\n"),
        ("names in a comment, in another style", "# t, x, y, p\n3811 96 133 0\n3820 11 9 1\n"),
        ("CR LF", "t,x,y,p\r\n3811,96,133,0\r\n3820,11,9,1\r\n"),
        ("no end of the last line", "t,x,y,p\n3811,96,133,0\n3820,11,9,1"),
        ("spaces of any number", "  3811   96 133 0 \n  3820   11   9 1 \n"),
        ("spaces around", " 3811 , 96 , 133 , 0\n 3820 , 11 , 9 , 1\n"),
        ("unknown names", "a,b,c,d\n3811,96,133,0\n3820,11,9,1\n"),
        ("a micro sign", "timestamp [\u{b5}s],x,y,p\n3811,96,133,0\n3820,11,9,1\n"),
        ("seconds and nanoseconds", "secs,nsecs,x,y,polarity\n0,3811000,96,133,False\n0,3820499,11,9,True\n"),
        ("parts of a message", "ts.secs,ts.nsecs,x,y,p\n0,3811000,96,133,0\n0,3820499,11,9,1\n"),
        ("milliseconds and microseconds", "x,y,p,ms,us\n96,133,0,3,811\n11,9,1,3,820\n"),
        ("decimal commas between semicolons", "t_ms;x;y;p\n3,811;96;133;0\n3,820;11;9;1\n"),
        ("decimal commas between tabs", "t_ms\tx\ty\tp\n3,811\t96\t133\t0\n3,820\t11\t9\t1\n"),
        ("decimal commas between spaces", "0,003811 96 133 0\n0,003820 11 9 1\n"),
        ("decimal commas in quotes", "\"0,003811\",96,133,0\n\"0,003820\",11,9,1\n"),
    ];
    for (name, text) in cases {
        assert_eq!(read(text.as_bytes()).map_err(|error| error.to_string()), Ok(two().to_vec()), "{name}");
    }
}

#[test]
fn times_that_are_equal_or_go_back_are_read() {
    assert_eq!(
        read(b"5000,3,2,1\n5000,4,2,0\n").expect("times that are equal"),
        [event(5000, 3, 2, true), event(5000, 4, 2, false)]
    );
    let place = |i: u64| (i * 7919 % 240, i * 104_729 % 180);
    let line = |i: u64, t: u64| format!("{t},{},{},{}\n", place(i).0, place(i).1, i % 3 % 2);
    let time = |i: u64| if i == 50 { 1_902_000 } else { 2_000_000 + 10 * i };
    let text: String = (0..400).map(|i| line(i, time(i))).collect();
    let (_file, recording) = open(text.as_bytes(), ReadOptions::default());
    let summary = recording.and_then(|recording| recording.scan(|_| ())).expect("one event from before");
    assert_eq!((summary.events, summary.skipped.backward, summary.skipped.bytes()), (400, 1, 0));
    assert_eq!(summary.span, Some((1_902_000, 2_003_990)));
}

#[test]
fn what_was_assumed_is_told() {
    let cases: [(&str, &[&str]); 7] = [
        (
            "t_ns,x,y,p\n3811000,96,133,0\n3820000,11,9,1\n",
            &[
                "columns t,x,y,p (by their names)",
                "unit ns (by the name)",
                "polarity 0 is OFF, 1 is ON (by the values found)",
            ],
        ),
        (
            "96,133,-1,0.003811\n11,9,1,0.003820\n",
            &[
                "columns x,y,p,t (fits the first 2 rows)",
                "unit s (more than a quarter have fractions)",
                "polarity -1 is OFF, 1 is ON (by the values found)",
            ],
        ),
        (
            "500,3,2,1\n500,4,2,1\n",
            &[
                "columns t,x,y,p (fits the first 2 rows; or x,y,t,p)",
                "unit us (whole numbers)",
                "polarity 1 is ON (the only value; OFF may be 0 or -1)",
            ],
        ),
        (
            "s;ns;x;y;p\n1;5000;2;3;2\n",
            &["columns s,ns,x,y,p (by their names)", "polarity 2 is ON (the only value; OFF may be 1)"],
        ),
        (
            "t_s;x;y;p\n0,5;2;3;0\n",
            &[
                "columns t,x,y,p (by their names)",
                "unit s (by the name)",
                "polarity 0 is OFF (the only value; ON may be 1 or 255)",
                "decimals , (no comma separates the fields)",
            ],
        ),
        ("t,x,y,p\n", &["columns t,x,y,p (by their names)", "unit us (the usual unit)"]),
        (
            "1700000000123456789,3,4,255\n1700000000123457789,3,4,1\n",
            &[
                "columns t,x,y,p (fits the first 2 rows)",
                "unit ns (whole numbers, too large for us)",
                "polarity 255 (-1) is OFF, 1 is ON (by the values found)",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(assumed(text.as_bytes()), expected, "{text}");
    }
    let options = ReadOptions { unit: Some(TimeUnit::Milliseconds), ..columns("x,y,t,p") };
    let (_file, recording) = open(b"96,133,3.811,0\n", options);
    let recording = recording.expect("given");
    let told: Vec<_> = recording.assumed().iter().map(|a| format!("{} {} {}", a.what, a.value, a.reason)).collect();
    assert_eq!(told[..2], ["columns x,y,t,p given", "unit ms given"]);
    let binary = Recording::from_reader("evt2", b"% evt 2.0\n\x01\x00\x00\x80".as_slice(), ReadOptions::default());
    assert_eq!(binary.expect("a header").assumed().iter().filter(|a| a.what == "columns").count(), 0);
}

#[test]
fn text_that_cannot_be_understood_is_refused() {
    let none = ReadOptions::default();
    let cases = [
        ("t,x,y\n1,2,3\n", "columns named t, x, y without polarity (p)"),
        ("t,x,x,y,p\n1,2,3,4,0\n", "columns named x and x, which mean the same"),
        ("t,time,x,y,p\n1,1,3,4,0\n", "columns named t and time, which mean the same"),
        ("t,nsecs,x,y,p\n1,1,3,4,0\n", "columns named t and nsecs, which mean the same"),
        ("secs,nsecs,x,y,p\n1,1500000000,3,4,0\n", "column 2 ('nsecs') holds 1500000000 ns, which is no part of 1 s"),
        ("t,x,y,p\n0,5,2,3,0\n0,6,2,3,0\n", "4 names of columns, but 5 fields in a line"),
        ("t,x,y,p\n0,5,2,3,0\n0,6,2,3,0\n", "decimal commas are read where semicolons"),
        ("0,5,2,3,0\n0,6,2,3,0\n", "decimal commas are read where semicolons"),
        ("t,x,y,p,q\n1,2,3,0\n", "5 names of columns, but 4 fields in a line"),
        ("0,3811,96,133,0\n1,3820,11,9,1\n", "5 columns without names; expected 4"),
        ("t,x,y,p\n12:00:01,3,4,on\n", "the first line below the names is '12:00:01,3,4,on'"),
        (
            "t,x,y,p\n1,2.5,3,0\n2,3.5,4,1\n",
            "column 2 ('x') holds 2.5, and 2 of the first 2 rows have no whole coordinates",
        ),
        ("t,x,y,p\n-5,2,3,0\n-4,3,4,1\n", "column 1 ('t') holds -5, and 2 of the first 2 rows have no times from 0 on"),
        ("t,x,y,p\n1,2,,0\n2,3,,1\n", "column 3 ('y') holds no number"),
        ("t,x,y,p\r1,2,3,0\r2,3,4,1\r", "lines that end in CR alone"),
        ("t,x,y,p\n1,2,3,0\n2,2,3,1\n3,2,3,2\n", "polarity has the values 0, 1, 2; expected 0 and 1, -1 and 1"),
        ("t,x,y,p\n1,2,3,-1\n2,2,3,0\n3,2,3,1\n", "polarity has the values -1, 0, 1; expected"),
        ("t,x,y,p\n1,2,3,0.5\n", "polarity has the values 0.5; expected"),
        ("2,3,4,7\n", "no usual order of columns fits"),
    ];
    for (text, words) in cases {
        let reason = refused(text.as_bytes(), none);
        assert!(reason.contains(words), "{text}: '{reason}' does not say '{words}'");
    }
    let given = [
        ("1,2,3,0\n", columns("-,t,x,y,p"), "rows of 4 columns; expected those of -,t,x,y,p"),
        ("some words\n", columns("t,x,y,p"), "no line of numbers"),
        (
            "secs,nsecs,x,y,p\n1,5,3,4,0\n",
            ReadOptions { unit: Some(TimeUnit::Seconds), ..none },
            "the columns s,ns,x,y,p tell the units of the time",
        ),
    ];
    for (text, options, words) in given {
        let reason = refused(text.as_bytes(), options);
        assert!(reason.contains(words), "{text}: '{reason}' does not say '{words}'");
    }
}

/// Text and arrays have one rule.
#[test]
fn polarities_of_every_kind() {
    let pairs: [(&str, i128, i128); 5] =
        [("{0,1}", 0, 1), ("{-1,1}", -1, 1), ("{1,2}", 1, 2), ("{0,255}", 0, 255), ("{255,1}", 255, 1)];
    let types = ["|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"];
    for (name, off, on) in pairs {
        let text = format!("t,x,y,p\n1,2,3,{off}\n2,3,4,{on}\n3,4,5,{off}\n");
        let expected = [event(1, 2, 3, false), event(2, 3, 4, true), event(3, 4, 5, false)];
        assert_eq!(read(text.as_bytes()).map_err(|e| e.to_string()), Ok(expected.to_vec()), "text of {name}");
        for kind in types {
            let size: usize = kind[2..].parse().expect("a size");
            // 255 is -1 in i1, as -1 is 255 in u1.
            let number = |value: i128| match kind {
                "<f4" => (value as f32).to_le_bytes().to_vec(),
                "<f8" => (value as f64).to_le_bytes().to_vec(),
                _ => value.to_le_bytes()[..size].to_vec(),
            };
            if (kind, off, on) == ("|i1", 0, 255) {
                continue; // 0 and -1 are no pair
            }
            let row = |i: usize| {
                [&(i as u64 + 1).to_le_bytes()[..], &[i as u8 + 2, i as u8 + 3], &number([off, on, off][i])].concat()
            };
            let data: Vec<u8> = (0..3).flat_map(row).collect();
            let descr = format!("[('t', '<u8'), ('x', '|u1'), ('y', '|u1'), ('p', '{kind}')]");
            let array = npy(&descr, false, "(3,)", &data);
            assert_eq!(read(&array).map_err(|e| e.to_string()), Ok(expected.to_vec()), "{kind} of {name}");
        }
    }
    let words = b"t,x,y,p\n1,2,3,Off\n2,3,4,ON\n3,4,5,false\n4,4,5,True\n";
    let on: Vec<bool> = read(words).expect("words").iter().map(|event| event.on).collect();
    assert_eq!(on, [false, true, false, true]);
}

/// An error, not events of the wrong polarity.
#[test]
fn a_polarity_that_is_found_late_ends_the_reading() {
    let line = |i: u64, p: u8| format!("{i},{},{},{p}\n", i % 300, i * 7 % 200);
    let text = |last: u8| -> Vec<u8> {
        let first: String = (0..20_000).map(|i| line(i, 1)).collect();
        format!("t,x,y,p\n{first}{}", line(20_000, last)).into()
    };
    let events = read(&text(0)).expect("0 and 1");
    assert_eq!(events.iter().filter(|event| event.on).count(), 20_000);
    let (_file, recording) = open(&text(2), ReadOptions::default());
    let mut events = recording.and_then(|recording| recording.events()).expect("1 only, so far");
    let good = events.by_ref().take_while(|event| event.is_ok()).count();
    assert_eq!((good, events.next().is_none()), (20_000, true));
    let reason = refused(&text(2), ReadOptions::default());
    assert!(reason.contains("polarity has the values 1, 2;") && reason.ends_with("(line 20002)"), "{reason}");

    let row = |i: u64, p: u8| [&i.to_le_bytes()[..], &[3, 4, p]].concat();
    let data: Vec<u8> = (0..5_000).flat_map(|i| row(i, if i < 3_000 { i % 2 } else { i % 7 } as u8)).collect();
    let array = npy("[('t', '<u8'), ('x', '|u1'), ('y', '|u1'), ('p', '|u1')]", false, "(5000,)", &data);
    let reason = refused(&array, ReadOptions::default());
    assert!(reason.contains("polarity has the values 0, 1, 2, 3, 4, 5, 6;") && reason.contains("(row 30"), "{reason}");
}

#[test]
fn times_at_the_limits() {
    let one = |t: &str, unit: TimeUnit| {
        let options = ReadOptions { unit: Some(unit), ..columns("t,x,y,p") };
        read_with(format!("{t},1,2,1\n").as_bytes(), options).map(|events| events[0].t)
    };
    let cases = [
        ("18446744073709551615", TimeUnit::Microseconds, Some(u64::MAX)),
        ("18446744073709551615", TimeUnit::Nanoseconds, Some(18_446_744_073_709_552)),
        ("9007199254740993", TimeUnit::Microseconds, Some(9_007_199_254_740_993)),
        ("1643243628.737093", TimeUnit::Seconds, Some(1_643_243_628_737_093)),
        ("18446744073709551615", TimeUnit::Seconds, None),
        ("18446744073709551616", TimeUnit::Microseconds, None),
        ("-9223372036854775808", TimeUnit::Microseconds, None),
        ("1e400", TimeUnit::Microseconds, None),
        ("nan", TimeUnit::Microseconds, None),
        ("inf", TimeUnit::Seconds, None),
    ];
    for (text, unit, expected) in cases {
        let (_file, recording) =
            open(format!("{text},1,2,1\n").as_bytes(), ReadOptions { unit: Some(unit), ..columns("t,x,y,p") });
        let found = recording.and_then(|recording| recording.scan(|_| ()));
        let found = found.ok().and_then(|summary| {
            assert!(summary.events == 1 || summary.skipped.garbage > 0, "{text}: lost in silence");
            summary.span
        });
        assert_eq!(found.map(|(first, _)| first), expected, "{text} in {unit:?}");
    }
    assert_eq!(one("0.5", TimeUnit::Seconds).ok(), Some(500_000));
    // Parts whose sum is too large are damage, not another time.
    let text = b"s,us,x,y,p\n18446744073709,551615,1,2,1\n18446744073709,551616,1,2,1\n1,5,1,2,0\n";
    let (_file, recording) = open(text, ReadOptions { damaged: true, ..ReadOptions::default() });
    let summary = recording.and_then(|recording| recording.scan(|_| ())).expect("names");
    assert_eq!((summary.events, summary.span, summary.skipped.garbage), (2, Some((1_000_005, u64::MAX)), 28));
}

/// A `.npy` file.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
    let len = (text.len() + 11).next_multiple_of(64);
    let head = [b"\x93NUMPY\x01\x00".as_slice(), &((len - 10) as u16).to_le_bytes()].concat();
    [&head[..], format!("{text:0$}\n", len - 11).as_bytes(), data].concat()
}

/// Numbers of one type, row by row.
fn table<const N: usize>(rows: &[[f64; N]], write: impl Fn(f64) -> Vec<u8>) -> Vec<u8> {
    rows.iter().flatten().flat_map(|number| write(*number)).collect()
}

#[test]
fn arrays_of_every_kind() {
    let records = |pack: &dyn Fn(&Event) -> Vec<u8>| two().iter().flat_map(pack).collect::<Vec<u8>>();
    let be = |x: u16| x.to_be_bytes();
    let rows = [[3_811.0, 96.0, 133.0, 0.0], [3_820.0, 11.0, 9.0, 1.0]];
    let cases = [
        (
            "fields within fields",
            "[('ts', [('secs', '<u4'), ('nsecs', '<u4')]), ('x', '<u2'), ('y', '<u2'), ('polarity', '|b1')]",
            "(2,)",
            records(&|e| {
                [
                    &[0; 4][..],
                    &(e.t as u32 * 1000).to_le_bytes(),
                    &e.x.to_le_bytes(),
                    &e.y.to_le_bytes(),
                    &[e.on.into()],
                ]
                .concat()
            }),
        ),
        (
            "several numbers in another field",
            "[('ids', '<u2', (3,)), ('t', '>i8'), ('x', '>u2'), ('y', '>u2'), ('p', '>f4')]",
            "(2,)",
            records(&|e| {
                let p = if e.on { 1.0_f32 } else { -1.0 };
                [&[9; 6][..], &(e.t as i64).to_be_bytes(), &be(e.x), &be(e.y), &p.to_be_bytes()].concat()
            }),
        ),
        (
            "text and a date in other fields",
            "[('note', '<U2'), ('day', '<M8[us]'), ('t', '<f8'), ('x', '|u1'), ('y', '|u1'), ('p', '|i1')]",
            "(2,)",
            records(&|e| [&[7; 16][..], &(e.t as f64).to_le_bytes(), &[e.x as u8, e.y as u8, e.on.into()]].concat()),
        ),
        ("a table of floats", "'<f4'", "(2, 4)", table(&rows, |x| (x as f32).to_le_bytes().to_vec())),
        ("a table of big-endian numbers", "'>i4'", "(2, 4)", table(&rows, |x| (x as i32).to_be_bytes().to_vec())),
    ];
    for (name, descr, shape, data) in cases {
        let array = npy(descr, false, shape, &data);
        assert_eq!(read(&array).map_err(|error| error.to_string()), Ok(two().to_vec()), "{name}");
    }
    // Six columns as the module of a camera gives them.
    let rows = [[0.0, 0.0, 3.0, 811.0, 96.0, 133.0], [1.0, 0.0, 3.0, 820.0, 11.0, 9.0]];
    let six = npy("'<u2'", false, "(2, 6)", &table(&rows, |x| (x as u16).to_le_bytes().to_vec()));
    assert_eq!(read_with(&six, columns("p,s,ms,us,x,y")).map_err(|error| error.to_string()), Ok(two().to_vec()));
    let (_file, recording) = open(&six, columns("p,s,ms,us,x,y"));
    let mut events = recording.and_then(|recording| recording.events()).expect("six columns");
    events.seek(3_815).expect("found");
    assert_eq!(events.next().transpose().expect("read"), Some(two()[1]), "by the sum of the parts");
}

#[test]
fn arrays_that_cannot_be_understood_are_refused() {
    let zeros = vec![0; 256];
    let named = |kind: &str| format!("[('t', '<i8'), ('x', '{kind}'), ('y', '<u2'), ('p', '|u1')]");
    let cases: [(String, bool, &str, &str); 16] = [
        (named("<f2"), false, "(2,)", "column 2 ('x') is of type '<f2'; expected b1, i1 to i8, u1 to u8, f4 or f8"),
        (named("|O"), false, "(2,)", "column 2 ('x') is of type '|O', objects of Python"),
        (named("<c8"), false, "(2,)", "column 2 ('x') is of type '<c8'"),
        (named("<M8[us]"), false, "(2,)", "column 2 ('x') is of type '<M8'"),
        (
            "[('t', '<i8'), ('xy', '<u2', (2,)), ('p', '|u1')]".into(),
            false,
            "(2,)",
            "columns named t, xy, p without column (x)",
        ),
        (
            "[('t', '<i8'), ('time', '<i8'), ('x', '<u2'), ('y', '<u2'), ('p', '|u1')]".into(),
            false,
            "(2,)",
            "t and time, which mean the same",
        ),
        ("'|O'".into(), false, "(2, 4)", "it is of type '|O', objects of Python"),
        ("'<f2'".into(), false, "(2, 4)", "it is of type '<f2'"),
        ("'<f8'".into(), true, "(2, 4)", "Fortran order"),
        ("'<f8'".into(), false, "(0, 4)", "it has no rows"),
        ("'<f8'".into(), false, "(2, 3)", "3 columns without names"),
        ("'<f8'".into(), false, "(2, 5)", "5 columns without names"),
        ("'<f8'".into(), false, "(4, 8)", "numpy.ascontiguousarray(a.T)"),
        ("'<f8'".into(), false, "(8,)", "expected records, or a table of rows"),
        (named("<u2"), false, "(2, 2)", "expected one axis of records"),
        ("'<f8'".into(), false, "(2, 2, 2)", "foveola run takes it as a movie"),
    ];
    for (descr, fortran, shape, words) in cases {
        let reason = refused(&npy(&descr, fortran, shape, &zeros), ReadOptions::default());
        assert!(reason.contains(words), "{descr} of {shape}: '{reason}' does not say '{words}'");
    }
    let none = npy(&named("<u2"), false, "(0,)", &[]);
    assert_eq!(read(&none).map_err(|error| error.to_string()), Ok(Vec::new()), "no rows, with names");
    let float = |x: f64| [&5_i64.to_le_bytes()[..], &x.to_le_bytes(), &[1, 0, 1]].concat();
    for (x, words) in
        [(f64::NAN, "holds no number"), (f64::INFINITY, "holds inf"), (1.5, "holds 1.5"), (65536.0, "holds 65536")]
    {
        let reason = refused(&npy(&named("<f8"), false, "(1,)", &float(x)), ReadOptions::default());
        assert!(reason.contains(&format!("column 2 ('x') {words}")), "{x}: {reason}");
    }
}

/// Floating-point times that hold too few digits are read, and it is told how far apart they are.
#[test]
fn coarse_times_are_told() {
    let array = |kind: &str, t: f64| {
        let t = if kind == "<f4" { (t as f32).to_le_bytes().to_vec() } else { t.to_le_bytes().to_vec() };
        let descr = format!("[('t_s', '{kind}'), ('x', '|u1'), ('y', '|u1'), ('p', '|u1')]");
        npy(&descr, false, "(1,)", &[&t[..], &[1, 2, 1]].concat())
    };
    let told = |bytes: &[u8]| assumed(bytes).into_iter().find(|told| told.starts_with("rounding"));
    assert_eq!(
        told(&array("<f4", 1_700_000_000.0)),
        Some("rounding to 128000000 us (times are floats of 4 bytes)".into())
    );
    assert_eq!(told(&array("<f4", 0.5)), None);
    assert_eq!(told(&array("<f8", 1_700_000_000.25)), None);
}

/// Parts of a time are written as they are read.
#[test]
fn parts_of_a_time_are_written() {
    let events = [event(0, 1, 2, false), event(1_643_243_628_737_093, 3, 4, true), event(u64::MAX, 3, 4, true)];
    let cases = [
        ("p,s,ms,us,x,y", "0,0,0,0,1,2\n1,1643243628,737,93,3,4\n1,18446744073709,551,615,3,4\n"),
        ("s,ns,x,y,p", "0,0,1,2,0\n1643243628,737093000,3,4,1\n18446744073709,551615000,3,4,1\n"),
        ("x,y,p,ms", "1,2,0,0.000\n3,4,1,1643243628737.093\n3,4,1,18446744073709551.615\n"),
    ];
    for (order, expected) in cases {
        let file = NamedTempFile::with_suffix(".csv").expect("a file");
        let columns: Columns = order.parse().expect("an order");
        let options = WriteOptions { columns, ..WriteOptions::default() };
        let mut writer = EventWriter::create_with(file.path(), Format::Csv, None, options).expect("text");
        events.iter().for_each(|event| writer.push(*event).expect("any event"));
        writer.finish().expect("written");
        let text = std::fs::read(file.path()).expect("read");
        assert_eq!(String::from_utf8_lossy(&text), format!("{order}\n{expected}"));
        assert_eq!(read(&text).map_err(|error| error.to_string()), Ok(events.to_vec()), "{order}");
    }
}
