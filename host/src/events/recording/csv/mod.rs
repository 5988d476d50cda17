//! Text: one event per line, with four fields or more, separated by commas, semicolons, tabs or spaces.
//!
//! ```text
//! # comment, also with %
//! 346 260                     columns and rows of the sensor, in some data sets; optional
//! t,x,y,p                     names, optional; any order, also in a comment
//! 0.003811000,96,133,0        time in s, ms, us or ns, or in parts; polarity also true, false, on, off
//! ```
//! The order of the columns, the unit of time and the polarity values are given by the caller, or detected in the first
//! lines ([`Layout::detect`]). The decimal mark is a point, or a comma if another character separates. Fields may be quoted;
//! an empty field counts as a column. Lines end in LF or CRLF. Times are rounded to microseconds; whole numbers and decimal
//! fractions are exact up to 19 digits.
//!
//! **Damage**: a line that is not an event, has more fields than the first lines, or is longer than 512 bytes, is garbage;
//! reading continues with the next line. Cost: some operations per byte. State: a line.

mod dialect;
mod front;
mod number;

use super::assumption::Assumption;
use super::decoder::Decoder;
use super::table::{self, Columns, MOST, Polarity, Role, Stray, TimeUnit};
use dialect::Dialect;
use foveola_core::events::{Decode, Event, Geometry, Skipped};
use front::Front;
use number::Number;

/// The largest line in bytes.
const LINE: usize = 512;

/// The positions and meanings of the numbers of an event.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    dialect: Dialect,
    /// The content of each column.
    fields: [Option<Field>; MOST],
    /// The number of columns read.
    needed: usize,
    /// The largest number of fields per line.
    width: usize,
    polarity: Polarity,
    /// Byte position of the line with the names.
    names_at: Option<u64>,
    assumed: Vec<Assumption>,
}

/// The content of a column.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// A time, or a part of one; the power of ten that converts it to microseconds.
    Time(i32),
    X,
    Y,
    Polarity,
}

/// The outcome of reading a line.
enum Read {
    Event(Event),
    Damage,
    /// The reason to stop reading.
    Refused(String),
}

impl Layout {
    /// The layout of a text that begins with `head`; given parts are not detected.
    pub(super) fn detect(head: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let Front { dialect, table, names_at, width } = Front::read(head, columns.is_some())?;
        let found = table::Layout::find(&table, columns, unit).map_err(|reason| {
            let hint = columns.is_none() && table.names.is_none() && width > Some(4);
            format!("{reason}{}", if hint { dialect.comma_hint() } else { "" })
        })?;
        let mut fields = [None; MOST];
        for (column, role) in found.columns.roles() {
            if let Some(field) = fields.get_mut(column) {
                *field = Some(match role {
                    Role::Time(part) => Field::Time(part.unwrap_or(found.unit).exponent()),
                    Role::X => Field::X,
                    Role::Y => Field::Y,
                    Role::Polarity => Field::Polarity,
                });
            }
        }
        let mut assumed = found.assumed;
        if dialect.decimal_comma() {
            assumed.push(Assumption::new("decimals", ",", dialect.comma_reason()));
        }
        let (needed, width) = (found.columns.roles().count(), width.unwrap_or(usize::MAX));
        Ok(Self { dialect, fields, needed, width, polarity: found.polarity, names_at, assumed })
    }

    /// The event of a line.
    fn event(&mut self, line: &[u8]) -> Read {
        match self.numbers(line) {
            Some((event, polarity)) => match self.polarity.read(polarity) {
                Ok(on) => Read::Event(Event { on, ..event }),
                Err(Stray::Damage) => Read::Damage,
                Err(Stray::Refused(reason)) => Read::Refused(reason),
            },
            None => Read::Damage,
        }
    }

    /// The numbers of a line: an event without its polarity, and the polarity value.
    fn numbers(&self, line: &[u8]) -> Option<(Event, f64)> {
        let (mut event, mut polarity, mut found) = (Event { t: 0, x: 0, y: 0, on: false }, 0.0, 0);
        for (i, field) in self.dialect.fields(line).enumerate() {
            let Some(Some(role)) = self.fields.get(i) else {
                if i >= self.width && !field.is_empty() {
                    return None;
                }
                continue;
            };
            let number = self.dialect.number(field)?;
            match role {
                Field::Time(exponent) => event.t = event.t.checked_add(number.scaled(*exponent)?)?,
                Field::X => event.x = number.whole()?.try_into().ok()?,
                Field::Y => event.y = number.whole()?.try_into().ok()?,
                Field::Polarity => polarity = number.value(),
            }
            found += 1;
        }
        (found == self.needed).then_some((event, polarity))
    }
}

/// A line without its end, the UTF-8 mark and surrounding spaces; none for empty lines.
fn content(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    (!line.is_empty()).then_some(line)
}

/// A line of two whole numbers: columns and rows.
fn geometry(line: &[u8]) -> Option<Geometry> {
    let separators = [b',', b';', b'\t', b' '];
    let fields = line.split(|byte| separators.contains(byte)).filter(|field| !field.is_empty());
    let mut sides = fields.map(|field| Number::read(field, b'.')?.whole().filter(|side| (1..=65536).contains(side)));
    let (cols, rows) = (sides.next()??, sides.next()??);
    sides.next().is_none().then_some(Geometry { cols: cols as usize, rows: rows as usize })
}

/// Streaming decoder of text; see the [format](self).
pub(super) struct Csv {
    layout: Layout,
    line: Vec<u8>,
    /// Bytes of the current line, stored or not.
    length: usize,
    /// Position of the start of the line, and the number of complete lines before it.
    position: u64,
    lines: u64,
    /// Number of damaged lines, and the number of the first one, counted from 1.
    bad: [u64; 2],
    geometry: Option<Geometry>,
    last: Option<u64>,
    skipped: Skipped,
    damage: Option<u64>,
    /// Why reading stopped.
    refused: Option<String>,
}

impl Csv {
    /// The state at the start of a text.
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            line: Vec::new(),
            length: 0,
            position: 0,
            lines: 0,
            bad: [0; 2],
            geometry: None,
            last: None,
            skipped: Skipped::default(),
            damage: None,
            refused: None,
        }
    }

    /// The event of a complete line of `length` bytes.
    fn complete(&mut self, line: &[u8], length: usize) -> Option<Event> {
        let begun = self.position;
        self.position += length as u64;
        self.lines += 1;
        let read = if length > LINE {
            Read::Damage
        } else {
            match content(line)? {
                [b'#' | b'%', ..] => return None,
                line => self.layout.event(line),
            }
        };
        match read {
            Read::Event(event) => {
                self.skipped.backward = self.skipped.backward.saturating_add(u32::from(self.last > Some(event.t)));
                self.last = Some(event.t);
                Some(event)
            }
            Read::Refused(reason) => {
                self.refused = Some(format!("{reason} (line {})", self.lines));
                None
            }
            // Before the events: the sensor size.
            Read::Damage if self.last.is_none() && geometry(line.trim_ascii()).is_some() => {
                self.geometry = self.geometry.or(geometry(line.trim_ascii()));
                None
            }
            Read::Damage if self.layout.names_at == Some(begun) => None,
            Read::Damage => {
                if self.damage.is_none() {
                    (self.damage, self.bad[1]) = (Some(begun), self.lines);
                }
                self.bad[0] += 1;
                self.skipped.garbage = self.skipped.garbage.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
                None
            }
        }
    }

    /// The event of the line that was started.
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
        while !bytes.is_empty() && self.refused.is_none() {
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

    fn lines(&self) -> Option<[u64; 3]> {
        Some([self.bad[0], self.lines, self.bad[1]])
    }

    fn assumed(&self) -> Vec<Assumption> {
        self.layout.assumed.clone()
    }

    fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// The last line may have no line end.
    fn last_event(&mut self) -> Option<Event> {
        if self.length > 0 { self.begun() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Events of a text, fed in chunks of `piece` bytes.
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
        // Too few fields, not a number, invalid coordinates, too many fields, no pixel.
        let bad = ["4,5", "5,6,7,nine", "6,70000,8,1", "7,-8,9,1", "8,9,10,1,1", "8.5,9.5,10,1", "", "# 1,2,3,4"];
        let text = format!("1,2,3,0\n{}\n{}", bad.join("\n"), "9,10,11,1\n".repeat(5));
        let mut decoder = Csv::new(Layout::detect(text.as_bytes(), Some(Columns::TXYP), None).expect("given"));
        let long = format!("{}{}\n10,11,12,0\n", text, "1".repeat(10_000));
        let times: Vec<u64> = decoder.events(long.as_bytes()).map(|event| event.t).collect();
        assert_eq!(times, [1, 9, 9, 9, 9, 9, 10]);
        let garbage: usize = bad[..6].iter().map(|line| line.len() + 1).sum();
        assert_eq!((decoder.skipped().garbage as usize, decoder.damage()), (garbage + 10_001, Some(8)));
        assert_eq!(decoder.refused(), None);
    }

    #[test]
    fn a_value_that_is_no_polarity_ends_the_reading() {
        let (front, rows) = ("t,x,y,p\n", |from: u64, to: u64| -> String {
            (from..to).map(|i| format!("{i},{},9,1\n", i % 300)).collect()
        });
        let text = [front, &rows(0, 2000), "2000,1,1,2\n", &rows(2001, 2010)].concat();
        for piece in [1, 7, 4096] {
            let mut decoder = Csv::new(Layout::detect(text.as_bytes(), None, None).expect("one value"));
            let mut events = 0;
            text.as_bytes().chunks(piece).for_each(|piece| decoder.feed(piece, |_| events += 1));
            let reason = decoder.refused().expect("1 was ON so far");
            assert!(reason.contains("values 1, 2; ") && reason.ends_with("(line 2002)"), "{reason}");
            assert_eq!((events, decoder.skipped()), (2000, Skipped::default()), "{piece}");
        }
        let text = [front, "0,1,1,0\n", &rows(1, 2000), "2000,1,1,7\n", &rows(2001, 2010)].concat();
        let (events, skipped, _) = read(&text, 100).expect("one stray value");
        assert_eq!((events.len(), skipped.garbage), (2009, 11));
    }

    #[test]
    fn what_is_no_table_is_told() {
        for text in ["no events here\n", "", "1,2,3\n", "\n\n", "1 2 3 4 5 6\n7 8 9 9 9 9\n"] {
            assert!(read(text, 10).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(foveola_seeds::config(256, module_path!()))]

        #[test]
        fn any_text_in_any_pieces(text in "([0-9]{1,3}[,; ]{0,2}|[a-z#%.\\-\n]){0,200}", piece in 1_usize..20) {
            let layout = Layout::detect(b"t,x,y,p\n", None, None).expect("names");
            let (mut whole, mut cut) = (Csv::new(layout.clone()), Csv::new(layout));
            let expected: Vec<Event> = whole.events(text.as_bytes()).collect();
            let mut events = Vec::new();
            text.as_bytes().chunks(piece).for_each(|piece| cut.feed(piece, |event| events.push(event)));
            prop_assert_eq!(events, expected);
            whole.finish();
            cut.finish();
            prop_assert_eq!((whole.skipped(), whole.damage(), whole.refused()), (cut.skipped(), cut.damage(), cut.refused()));
        }
    }
}
