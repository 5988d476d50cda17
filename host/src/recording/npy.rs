//! Events in a `.npy` array: a structured type with fields for time, column, row and polarity, or a table of four columns.
//!
//! Fields may have any order, any padding, and any whole or floating type; a table (`N x 4`) has one type. The order of the
//! columns and the unit of time are the caller's, or found in the names and the first rows, as in text.
//!
//! **Damage**: a record with a time below 0 or a coordinate outside 0 to 65535 is garbage; records that the header tells of
//! and that are missing count as damage at the end, and bytes behind the last record are garbage.
//! Cost: about 30 operations an event. State: a record.
//! Reference: `NumPy` documentation, `numpy.lib.format`.

use super::columns::{Columns, TimeUnit, scaled};
use super::decoder::Decoder;
use crate::npy::header::{Element, Header, Kind, Scalar};
use foveola_core::events::{Decode, Event, Skipped};

/// Bytes of a record at most.
const RECORD: usize = 1 << 12;
/// Records in which the columns are looked for, at most.
const LOOK: usize = 1000;

/// Where the numbers of an event lie in a record.
#[derive(Clone, Debug)]
struct Layout {
    /// Offset and type of time, column, row and polarity.
    fields: [(usize, Scalar); 4],
    /// Bytes of a record.
    size: usize,
    unit: TimeUnit,
}

impl Layout {
    fn detect(header: &Header, data: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let no_events = |shape: &[u64]| format!("a .npy array of shape {shape:?}, not events");
        let hint = "name the order of the columns (--columns)";
        let (fields, size): (Vec<(usize, Scalar)>, usize) = match (&header.element, &header.shape[..]) {
            (Element::Record(fields, size), [_] | []) => {
                (fields.iter().map(|field| (field.offset, field.scalar)).collect(), *size)
            }
            (Element::Scalar(scalar), [_, 4]) if !header.fortran_order => {
                ((0..4).map(|i| (i * scalar.size, *scalar)).collect(), 4 * scalar.size)
            }
            (Element::Scalar(_), [_, 4]) => {
                return Err("a table in Fortran order; expected C order, as numpy.ascontiguousarray gives".into());
            }
            (_, shape @ [_, _, _, ..]) => return Err(format!("{}; foveola run takes it as a movie", no_events(shape))),
            (_, shape) => return Err(format!("{}; expected records, or a table of 4 columns", no_events(shape))),
        };
        if !(1..=RECORD).contains(&size) {
            return Err(format!("records of {size} bytes; expected 1 to {RECORD}"));
        }
        let rows: Vec<Vec<f64>> = data
            .chunks_exact(size)
            .take(LOOK)
            .map(|record| fields.iter().map(|(at, scalar)| number(record, *at, *scalar).unwrap_or(f64::NAN)).collect())
            .collect();
        let (columns, told) = match (&header.element, columns) {
            (_, Some(columns)) => (columns, None),
            (Element::Record(fields, _), None) => {
                let names: Vec<&str> = fields.iter().map(|field| &field.name[..]).collect();
                Columns::named(names.iter().copied())
                    .ok_or_else(|| format!("records of {}; expected fields t, x, y and p; {hint}", names.join(", ")))?
            }
            (Element::Scalar(_), None) => {
                (Columns::fitting(&rows).map_err(|reason| format!("{reason}; {hint}"))?, None)
            }
        };
        let places = columns.places.map(usize::from);
        let chosen = places.map(|place| fields.get(place).copied().filter(|(_, scalar)| scalar.kind != Kind::Opaque));
        let [Some(t), Some(x), Some(y), Some(on)] = chosen else {
            return Err(format!("{} columns of numbers; expected those of {columns}", fields.len()));
        };
        let times = rows.iter().filter_map(|row| row.get(places[0]).copied());
        let unit = unit.or(told).unwrap_or_else(|| TimeUnit::fitting(times));
        Ok(Self { fields: [t, x, y, on], size, unit })
    }

    /// The event of a record.
    #[inline]
    fn event(&self, record: &[u8]) -> Option<Event> {
        let [t, x, y, on] = self.fields;
        let t = match whole(record, t) {
            Some(t) if self.unit == TimeUnit::Microseconds => t.try_into().ok()?,
            Some(t) => scaled(t.try_into().ok()?, self.unit.exponent())?,
            None => self.unit.microseconds(number(record, t.0, t.1)?)?,
        };
        let coordinate = |field| match whole(record, field) {
            Some(x) => x.try_into().ok(),
            None => number(record, field.0, field.1).filter(|x| (0.0..65536.0).contains(x)).map(|x| x as u16),
        };
        Some(Event { t, x: coordinate(x)?, y: coordinate(y)?, on: number(record, on.0, on.1)? > 0.0 })
    }
}

fn number(record: &[u8], at: usize, scalar: Scalar) -> Option<f64> {
    scalar.number(record.get(at..)?)
}

#[inline]
fn whole(record: &[u8], (at, scalar): (usize, Scalar)) -> Option<i128> {
    scalar.whole(record.get(at..)?)
}

/// Streaming decoder of arrays; see the [format](self).
pub(super) struct Npy {
    layout: Layout,
    /// Bytes of the header that are still to come.
    header: usize,
    /// Records that are still to come.
    records: u64,
    /// Bytes of a record that was begun.
    held: Vec<u8>,
    position: u64,
    last: Option<u64>,
    skipped: Skipped,
    damage: Option<u64>,
}

impl Npy {
    /// At the start of an array that begins like `head`.
    pub(super) fn new(head: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let header = Header::read(head)?;
        let layout = Layout::detect(&header, head.get(header.len..).unwrap_or_default(), columns, unit)?;
        Ok(Self {
            layout,
            header: header.len,
            records: header.shape.first().copied().unwrap_or(1),
            held: Vec::new(),
            position: 0,
            last: None,
            skipped: Skipped::default(),
            damage: None,
        })
    }

    /// Bytes of a record, for those who look for one: they follow the header.
    pub(super) fn record_len(&self) -> usize {
        self.layout.size
    }

    /// Bytes of the header.
    pub(super) fn header_len(&self) -> usize {
        self.header
    }

    fn garbage(&mut self, from: u64, n: usize) {
        self.damage.get_or_insert(from);
        self.skipped.garbage = self.skipped.garbage.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
    }

    /// The event of a record that is complete.
    #[inline]
    fn record(&mut self, event: Option<Event>) -> Option<Event> {
        let begun = self.position;
        self.position += self.layout.size as u64;
        self.records -= 1; // not called without one
        let Some(event) = event else {
            self.garbage(begun, self.layout.size);
            return None;
        };
        self.skipped.backward = self.skipped.backward.saturating_add(u32::from(self.last > Some(event.t)));
        self.last = Some(event.t);
        Some(event)
    }
}

impl Decode for Npy {
    fn next_event(&mut self, bytes: &mut &[u8]) -> Option<Event> {
        if self.header > 0 {
            let (header, rest) = bytes.split_at(self.header.min(bytes.len()));
            *bytes = rest;
            self.header -= header.len();
            self.position += header.len() as u64;
        }
        while !bytes.is_empty() {
            if self.records == 0 {
                self.garbage(self.position, bytes.len());
                self.position += bytes.len() as u64;
                *bytes = &[];
                break;
            }
            let size = self.layout.size;
            let event = if self.held.is_empty()
                && let Some((record, rest)) = bytes.split_at_checked(size)
            {
                *bytes = rest;
                self.layout.event(record)
            } else {
                let missing = size - self.held.len(); // fewer than a record are held
                let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
                self.held.extend_from_slice(taken);
                *bytes = rest;
                if self.held.len() < size {
                    break;
                }
                let event = self.layout.event(&self.held);
                self.held.clear();
                event
            };
            if let event @ Some(_) = self.record(event) {
                return event;
            }
        }
        None
    }

    fn finish(&mut self) {
        let held = self.held.len();
        if self.records > 0 {
            self.damage.get_or_insert(self.position);
        }
        self.skipped.tail = self.skipped.tail.saturating_add(held as u32); // less than a record
        self.position += held as u64;
        self.held.clear();
    }

    fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn time(&self) -> Option<u64> {
        self.last
    }
}

impl Decoder for Npy {
    fn damage(&self) -> Option<u64> {
        self.damage
    }

    fn omit(&mut self, records: u64) {
        self.records = self.records.saturating_sub(records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = crate::npy::header::write(descr, shape, 192);
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> Result<(Vec<Event>, Skipped, Option<u64>), String> {
        let mut decoder = Npy::new(bytes, None, None)?;
        let mut events = Vec::new();
        bytes.chunks(piece).for_each(|piece| decoder.feed(piece, |event| events.push(event)));
        decoder.finish();
        Ok((events, decoder.skipped(), decoder.damage()))
    }

    #[test]
    fn layouts_in_the_field() {
        let events = [Event { t: 3_811, x: 96, y: 133, on: false }, Event { t: 3_820, x: 11, y: 9, on: true }];
        let pack = |record: &dyn Fn(&Event) -> Vec<u8>| events.iter().flat_map(record).collect::<Vec<u8>>();
        let be = |x: u16| x.to_be_bytes();
        let f64s = |values: [f64; 4]| values.map(f64::to_le_bytes).concat();
        let cases = [
            (
                "[('t', '<u8'), ('x', '<u2'), ('y', '<u2'), ('on', '|b1')]",
                "(2,)",
                pack(&|e| [&e.t.to_le_bytes()[..], &e.x.to_le_bytes(), &e.y.to_le_bytes(), &[e.on.into()]].concat()),
            ),
            (
                "[('x', '>u2'), ('', '|V3'), ('y', '>u2'), ('polarity', '|i1'), ('timestamp', '<f8')]",
                "(2,)",
                pack(&|e| {
                    let p = if e.on { 1 } else { 255 };
                    [&be(e.x)[..], b"pad", &be(e.y), &[p], &(e.t as f64 * 1e-6).to_le_bytes()].concat()
                }),
            ),
            ("'<f8'", "(2, 4)", pack(&|e| f64s([e.x.into(), e.y.into(), e.t as f64, f64::from(u8::from(e.on))]))),
            (
                "'<i4'",
                "(2, 4)",
                pack(&|e| [e.t as i32, e.x.into(), e.y.into(), e.on.into()].map(i32::to_le_bytes).concat()),
            ),
        ];
        for (descr, shape, data) in cases {
            let bytes = array(descr, shape, &data);
            for piece in [1, 2, 3, 7, 4096] {
                assert_eq!(read(&bytes, piece), Ok((events.to_vec(), Skipped::default(), None)), "{descr}");
            }
            // Cut off, and with bytes behind.
            let (cut, skipped, damage) = read(&bytes[..bytes.len() - 1], 5).expect("a header");
            let record = data.len() / 2;
            assert_eq!((&cut[..], skipped.tail as usize), (&events[..1], record - 1), "{descr}");
            assert_eq!(damage, Some((bytes.len() - record) as u64), "{descr}");
            let (more, skipped, damage) = read(&[&bytes[..], b"abc"].concat(), 5).expect("a header");
            assert_eq!((more, skipped.garbage, damage), (events.to_vec(), 3, Some(bytes.len() as u64)), "{descr}");
        }
    }

    #[test]
    fn what_holds_no_events_is_told() {
        let cases = [
            ("'<f4'", "(10, 20, 30)", "movie"),
            ("'<f4'", "(10,)", "not events"),
            ("[('t', '<u8'), ('x', '<u2')]", "(2,)", "records of t, x; expected fields"),
            ("[('t', '|S8'), ('x', '<u2'), ('y', '<u2'), ('p', '|b1')]", "(2,)", "columns of numbers"),
            ("[]", "(2,)", "records of 0 bytes"),
            ("'|V99999'", "(2, 4)", "records of 399996 bytes"),
        ];
        for (descr, shape, word) in cases {
            let error = read(&array(descr, shape, &[0; 64]), 9).expect_err(descr);
            assert!(error.contains(word), "{descr}: {error}");
        }
    }

    #[test]
    fn impossible_records_are_counted() {
        let record = |t: i64, x: i32| [&t.to_le_bytes()[..], &x.to_le_bytes(), &[5, 1]].concat();
        let data = [record(5, 1), record(-1, 1), record(6, 65536), record(7, -1), record(8, 2)].concat();
        let bytes = array("[('t', '<i8'), ('x', '<i4'), ('y', '|u1'), ('p', '|u1')]", "(5,)", &data);
        let (events, skipped, damage) = read(&bytes, 4).expect("a header");
        assert_eq!(events.iter().map(|event| event.t).collect::<Vec<_>>(), [5, 8]);
        assert_eq!((skipped.garbage, damage), (3 * 14, Some(192 + 14)));
    }
}
