//! Text: an event a line, four numbers or more, with commas, semicolons, tabs or spaces between.
//!
//! ```text
//! # comment, also with %
//! 346 260                     columns and rows of the sensor, as some data sets have; optional
//! t,x,y,p                     names, optional; any order
//! 0.003811000,96,133,0        time in s, ms, us or ns; polarity 0, 1, -1, true, false, on, off
//! ```
//! The order of the columns and the unit of time are the caller's, or found in the first lines ([`Layout::detect`]).
//! Times are rounded to microseconds; whole numbers and decimal fractions exactly, up to 19 digits.
//!
//! **Damage**: a line that is no event, or longer than 512 bytes, is garbage, and the next one is read.
//! Cost: some operations a byte. State: a line.

use super::columns::{Columns, TimeUnit, scaled};
use super::decoder::Decoder;
use foveola_core::events::{Decode, Event, Geometry, Skipped};
use std::collections::BTreeMap;

/// Bytes of a line at most.
const LINE: usize = 512;
/// Lines in which the columns are looked for, at most.
const LOOK: usize = 1000;

/// Where the numbers of an event stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    columns: Columns,
    unit: TimeUnit,
}

impl Layout {
    /// The layout of a text that begins like `head`, as far as it is not given.
    pub(super) fn detect(head: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let (mut named, mut rows) = (None, Vec::new());
        // The last line may be cut.
        let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
        if lines.len() > 1 {
            lines.pop();
        }
        for line in lines.into_iter().take(LOOK) {
            let Some(line) = content(line) else { continue };
            if geometry(line).is_some() && rows.is_empty() {
                continue;
            }
            let numbers: Option<Vec<f64>> = fields(line).map(|field| Number::read(field).map(Number::value)).collect();
            match numbers {
                Some(numbers) => rows.push(numbers),
                None if rows.is_empty() => {
                    named = named
                        .or_else(|| std::str::from_utf8(line).ok().and_then(|line| Columns::named(split_names(line))));
                }
                None => {}
            }
        }
        // Those with as many numbers as most lines have: the others are damaged.
        let mut counts = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(row.len()).or_insert(0) += 1);
        let usual = rows.iter().map(Vec::len).max_by_key(|n| counts.get(n));
        rows.retain(|row| Some(row.len()) == usual);
        let hint = "name the order of the columns (--columns)";
        let (columns, told) = match (columns, named) {
            (Some(columns), _) => (columns, named.and_then(|(_, unit)| unit)),
            (None, Some((columns, unit))) => (columns, unit),
            (None, None) => (Columns::fitting(&rows).map_err(|reason| format!("{reason}; {hint}"))?, None),
        };
        let place = usize::from(columns.places[0]);
        let times = rows.iter().filter_map(|row| row.get(place).copied());
        Ok(Self { columns, unit: unit.or(told).unwrap_or_else(|| TimeUnit::fitting(times)) })
    }

    /// The event of a line.
    fn event(&self, line: &[u8]) -> Option<Event> {
        let [t, x, y, on] = self.columns.places;
        let mut event = Event { t: 0, x: 0, y: 0, on: false };
        let mut found = 0;
        for (i, field) in (0..).zip(fields(line)) {
            if i == t {
                event.t = Number::read(field)?.scaled(self.unit.exponent())?;
            } else if i == x {
                event.x = Number::read(field)?.scaled(0)?.try_into().ok()?;
            } else if i == y {
                event.y = Number::read(field)?.scaled(0)?.try_into().ok()?;
            } else if i == on {
                let polarity = Number::read(field)?.value();
                event.on = polarity == 1.0;
                if !event.on && polarity != 0.0 && polarity != -1.0 {
                    return None;
                }
            } else {
                continue;
            }
            found += 1;
        }
        (found == 4).then_some(event)
    }
}

/// A line without its end, the mark of UTF-8 and space around; none for comments and empty lines.
fn content(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    match line {
        [] | [b'%', ..] => None,
        // Names may stand in a comment.
        [b'#', rest @ ..] => {
            let rest = rest.trim_ascii();
            std::str::from_utf8(rest).is_ok_and(|text| Columns::named(split_names(text)).is_some()).then_some(rest)
        }
        line => Some(line),
    }
}

/// The fields of a line.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b',' | b';' | b'\t' | b' ')).filter(|field| !field.is_empty())
}

/// Names of columns, which may contain spaces where commas, semicolons or tabs separate them.
fn split_names(line: &str) -> impl Iterator<Item = &str> {
    let separators: &[char] = if line.contains([',', ';', '\t']) { &[',', ';', '\t'] } else { &[' '] };
    line.split(separators).filter(|name| !name.is_empty())
}

/// A line of two whole numbers: columns and rows.
fn geometry(line: &[u8]) -> Option<Geometry> {
    let mut sides = fields(line).map(|field| Number::read(field)?.scaled(0).filter(|side| (1..=65536).contains(side)));
    let (cols, rows) = (sides.next()??, sides.next()??);
    sides.next().is_none().then_some(Geometry { cols: cols as usize, rows: rows as usize })
}

/// A decimal number: `digits * 10^exponent`.
#[derive(Clone, Copy)]
struct Number {
    negative: bool,
    digits: u64,
    exponent: i32,
}

impl Number {
    /// Reads a number, `true` or `on` as 1, `false` or `off` as 0.
    fn read(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mut number = Self { negative, digits: 0, exponent: 0 };
        let (mut fraction, mut any) = (false, false);
        for (i, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let digit = u64::from(byte - b'0');
                    match number.digits.checked_mul(10).and_then(|digits| digits.checked_add(digit)) {
                        Some(digits) => {
                            number.digits = digits;
                            number.exponent -= i32::from(fraction);
                        }
                        // Digits of a fraction that do not fit are dropped.
                        None if fraction => {}
                        None => return None,
                    }
                }
                b'.' if !fraction => fraction = true,
                b'e' | b'E' if any => {
                    let exponent = std::str::from_utf8(text.get(i + 1..)?).ok()?.parse::<i16>().ok()?;
                    number.exponent += i32::from(exponent);
                    return Some(number);
                }
                _ => {
                    let word = [
                        text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"on"),
                        text.eq_ignore_ascii_case(b"false") || text.eq_ignore_ascii_case(b"off"),
                    ];
                    return (word[0] || word[1]).then_some(Self {
                        negative: false,
                        digits: word[0].into(),
                        exponent: 0,
                    });
                }
            }
        }
        any.then_some(number)
    }

    fn value(self) -> f64 {
        let Self { mut digits, mut exponent, .. } = self;
        // A whole number that is written as a fraction is exact.
        while exponent < 0 && digits > 0 && digits % 10 == 0 {
            (digits, exponent) = (digits / 10, exponent + 1);
        }
        let scale = 10_f64.powi(exponent.saturating_abs());
        let value = if exponent < 0 { digits as f64 / scale } else { digits as f64 * scale };
        if self.negative { -value } else { value }
    }

    /// The number times `10^exponent` as a whole number, rounded; none below 0 or when it is too large.
    fn scaled(self, exponent: i32) -> Option<u64> {
        if self.negative && self.digits > 0 {
            return None;
        }
        scaled(self.digits, self.exponent.saturating_add(exponent))
    }
}

/// Streaming decoder of text; see the [format](self).
pub(super) struct Csv {
    layout: Layout,
    line: Vec<u8>,
    /// Bytes of the line begun, kept or not.
    length: usize,
    /// Where the line begins.
    position: u64,
    geometry: Option<Geometry>,
    last: Option<u64>,
    skipped: Skipped,
    damage: Option<u64>,
}

impl Csv {
    /// At the start of a text.
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            line: Vec::new(),
            length: 0,
            position: 0,
            geometry: None,
            last: None,
            skipped: Skipped::default(),
            damage: None,
        }
    }

    /// The event of the line that is complete, of `length` bytes.
    fn complete(&mut self, line: &[u8], length: usize) -> Option<Event> {
        let begun = self.position;
        self.position += length as u64;
        let line = if length > LINE { Some(line) } else { Some(content(line)?) };
        let event = line.filter(|_| length <= LINE).and_then(|line| self.layout.event(line));
        let Some(event) = event else {
            let line = line.unwrap_or_default();
            // In front of the events: names of columns, or the sensor's size.
            let text = std::str::from_utf8(line).unwrap_or_default();
            if self.last.is_none() && (Columns::named(split_names(text)).is_some() || geometry(line).is_some()) {
                self.geometry = self.geometry.or(geometry(line));
                return None;
            }
            self.damage.get_or_insert(begun);
            self.skipped.garbage = self.skipped.garbage.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
            return None;
        };
        self.skipped.backward = self.skipped.backward.saturating_add(u32::from(self.last > Some(event.t)));
        self.last = Some(event.t);
        Some(event)
    }

    /// The line that was begun.
    fn begun(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let length = std::mem::take(&mut self.length);
        let event = self.complete(&line, length);
        self.line = line;
        self.line.clear();
        event
    }
}

impl Decode for Csv {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            *bytes = rest;
            let event = if self.length == 0 && end.is_some() {
                self.complete(line, line.len()) // most lines lie in one piece
            } else {
                let room = (LINE + 1).saturating_sub(self.line.len());
                self.line.extend_from_slice(line.get(..room).unwrap_or(line));
                self.length = self.length.saturating_add(line.len());
                end.and_then(|_| self.begun())
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn finish(&mut self) {
        self.skipped.tail = self.skipped.tail.saturating_add(u32::try_from(self.length).unwrap_or(u32::MAX));
        self.position += self.length as u64;
        self.length = 0;
        self.line.clear();
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.last
    }

    fn geometry(&self) -> Option<Geometry> {
        self.geometry
    }
}

impl Decoder for Csv {
    fn damage(&self) -> Option<u64> {
        self.damage
    }

    /// The last line may lack its end.
    fn last_event(&mut self) -> Option<Event> {
        if self.length > 0 { self.begun() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Events of a text, fed in pieces of `piece` bytes.
    fn read(text: &str, piece: usize) -> Result<(Vec<Event>, Skipped, Option<Geometry>), String> {
        let mut decoder = Csv::new(Layout::detect(text.as_bytes(), None, None)?);
        let mut events = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            decoder.feed(piece, |event| events.push(event));
        }
        events.extend(decoder.last_event());
        decoder.finish();
        Ok((events, decoder.skipped(), decoder.geometry()))
    }

    #[test]
    fn layouts_in_the_field() {
        let first = Event { t: 3_811, x: 96, y: 133, on: false };
        let second = Event { t: 3_820, x: 11, y: 9, on: true };
        let cases = [
            ("names", "t,x,y,p\n3811,96,133,0\n3820,11,9,1\n"),
            ("seconds", "0.003811000 96 133 0\n0.003820 11 9 1\n"),
            ("size in front", "346 260\n0.003811000 96 133 0\n0.003820 11 9 1\n"),
            ("x first", "x;y;polarity;timestamp\r\n96;133;-1;3811\r\n11;9;1;3820\r\n"),
            ("x first, no names", "96\t133\t0\t3811\n11\t9\t1\t3820"),
            ("NumPy", "# t x y p\n3.811000000000000000e+03 9.6e+01 1.33e+02 0.0\n3.820e+03 1.1e+01 9e0 1.0\n"),
            ("words", "# a comment\n\n\u{feff}3811, 96, 133, False\n3820, 11, 9, True\n"),
            ("nanoseconds", "timestamp [ns],x,y,on\n3811000,96,133,off\n3820400,11,9,on\n"),
        ];
        for (name, text) in cases {
            for piece in [1, 2, 3, 7, 4096] {
                let (events, skipped, geometry) = read(text, piece).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!((&events[..], skipped), (&[first, second][..], Skipped::default()), "{name}");
                assert_eq!(geometry.is_some(), name == "size in front", "{name}");
            }
        }
    }

    #[test]
    fn bad_lines_are_counted() {
        let text = "1,2,3,0\n4,5\n5,6,7,nine\n6,70000,8,1\n7,-8,9,1\n8,9,10,2\n9,10,11,1\n";
        let mut decoder = Csv::new(Layout::detect(text.as_bytes(), Some(Columns::TXYP), None).expect("given"));
        let long = format!("{}{}\n10,11,12,0\n", text, "1".repeat(10_000));
        let times: Vec<u64> = decoder.events(long.as_bytes()).map(|event| event.t).collect();
        assert_eq!(times, [1, 9, 10]);
        assert_eq!((decoder.skipped().garbage as usize, decoder.damage()), (text.len() - 18 + 10_001, Some(8)));
    }

    #[test]
    fn what_is_no_table_is_told() {
        for text in ["no events here\n", "", "1,2,3\n", "\n\n", "1 2 3 4 5 6\n7 8 9 9 9 9\n"] {
            assert!(read(text, 10).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_exact() {
        let cases = [
            ("1643243628.737093", 6, Some(1_643_243_628_737_093)),
            ("0.0000005", 6, Some(1)),
            ("0.00000049999999999999999999", 6, Some(0)),
            ("1e3", 0, Some(1000)),
            ("18446744073709551615", 0, Some(u64::MAX)),
            ("18446744073709551616", 0, None),
            ("-0.0", 0, Some(0)),
            ("-1", 0, None),
            ("1499", -3, Some(1)),
            ("1e-400", 6, Some(0)),
            ("1e30000", 0, None),
        ];
        for (text, exponent, expected) in cases {
            assert_eq!(Number::read(text.as_bytes()).and_then(|number| number.scaled(exponent)), expected, "{text}");
        }
        for text in ["", ".", "-", "1-", "1.2.3", "e5", "1e", "0x1", "nan"] {
            assert!(Number::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn any_text_in_any_pieces(text in "([0-9]{1,3}[,; ]{0,2}|[a-z#%.\\-\n]){0,200}", piece in 1_usize..20) {
            let layout = Layout { columns: Columns::TXYP, unit: TimeUnit::Microseconds };
            let (mut whole, mut cut) = (Csv::new(layout), Csv::new(layout));
            let expected: Vec<Event> = whole.events(text.as_bytes()).collect();
            let mut events = Vec::new();
            text.as_bytes().chunks(piece).for_each(|piece| cut.feed(piece, |event| events.push(event)));
            prop_assert_eq!(events, expected);
            whole.finish();
            cut.finish();
            prop_assert_eq!((whole.skipped(), whole.damage()), (cut.skipped(), cut.damage()));
        }
    }
}
