//! Events in a `.npy` array: a structured type with fields for time, column, row and polarity, or a table of such columns.
//!
//! Fields may have any order, any padding, and any integer or floating-point type (`b1`, `i1` to `i8`, `u1` to `u8`, `f4`,
//! `f8`); a table (`N x 4`, or more columns) has one type. The order of the columns, the unit of time and the polarity
//! values are given by the caller, or detected in the names and the first rows, as in text.
//!
//! **Damage**: a record with a time below 0 or a coordinate outside 0 to 65535 is garbage. Missing records, by the number in
//! the header, count as damage at the end; bytes after the last record are garbage. Cost: about 30 operations per event.
//! State: a record.
//! Reference: `NumPy` documentation, `numpy.lib.format`.

use super::assumption::Assumption;
use super::decoder::Decoder;
use super::table::{self, Columns, LOOK, Polarity, Role, Stray, Table, TimeUnit, scaled};
use crate::npy::header::{self, Element, Header, Kind, NUMBERS, Scalar};
use foveola_core::events::{Decode, Event, Skipped};

/// The largest record in bytes.
const RECORD: usize = 1 << 12;

/// The offset of a number in a record, and its type.
type Place = (usize, Scalar);

/// The offsets and meanings of the numbers of an event.
#[derive(Clone, Debug)]
struct Layout {
    /// The time or its parts, with their units.
    times: Vec<(Place, TimeUnit)>,
    x: Place,
    y: Place,
    on: Place,
    polarity: Polarity,
    /// Bytes per record.
    size: usize,
    assumed: Vec<Assumption>,
}

/// The columns of an array: their names, if any, their offsets, and the size of a record in bytes.
type Record = (Option<Vec<String>>, Vec<Place>, usize);

/// The record of an array with this header; `given` states whether the order of the columns is given.
fn record(header: &Header, given: bool) -> Result<Record, String> {
    let shape = format!("a .npy array of shape {:?}, not events", header.shape);
    let (names, places, size): Record = match (&header.element, &header.shape[..]) {
        (Element::Record(fields, size), [_] | []) => {
            let fields = fields.iter().filter(|field| !field.name.is_empty());
            let names = fields.clone().map(|field| field.name.clone()).collect();
            (Some(names), fields.map(|field| (field.offset, field.scalar)).collect(), *size)
        }
        (_, [_, _, _, ..]) => return Err(format!("{shape}; foveola run takes it as a movie")),
        (Element::Record(..), _) => return Err(format!("{shape}; expected one axis of records")),
        (Element::Scalar(scalar), [_, _]) if matches!(scalar.kind, Kind::Other(_)) => {
            return Err(format!("{shape}; it {}", unread(*scalar)));
        }
        (Element::Scalar(_), [0, _]) => return Err(format!("{shape}; it has no rows")),
        (Element::Scalar(_), [4, n]) if *n > 4 && !given => {
            return Err(format!(
                "{shape}; expected a row for each, as of a transposed table numpy.ascontiguousarray(a.T)"
            ));
        }
        (Element::Scalar(scalar), [_, n]) if !header.fortran_order => {
            let n = usize::try_from(*n).unwrap_or(usize::MAX);
            let places = (0..n.min(RECORD)).map(|i| (i.saturating_mul(scalar.size), *scalar)).collect();
            (None, places, scalar.size.saturating_mul(n))
        }
        (Element::Scalar(_), [_, _]) => {
            return Err("a table in Fortran order; expected C order, as numpy.ascontiguousarray gives".into());
        }
        (Element::Scalar(_), _) => return Err(format!("{shape}; expected records, or a table of rows")),
    };
    if !(1..=RECORD).contains(&size) {
        return Err(format!("records of {size} bytes; expected 1 to {RECORD}"));
    }
    Ok((names, places, size))
}

/// Why numbers of this type are not supported.
fn unread(scalar: Scalar) -> String {
    let objects = if scalar.kind == Kind::Other(b'O') { ", objects of Python" } else { "" };
    format!("is of type {scalar}{objects}; expected {NUMBERS}")
}

impl Layout {
    fn detect(header: &Header, data: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let (names, fields, size) = record(header, columns.is_some())?;
        let number = |record, field: &Place| number(record, *field).unwrap_or(f64::NAN);
        let records = data.chunks_exact(size).take(LOOK);
        let rows = records.map(|record| fields.iter().map(|field| number(record, field)).collect()).collect();
        let others = fields.iter().enumerate().filter(|(_, (_, scalar))| matches!(scalar.kind, Kind::Other(_)));
        let others = others.map(|(i, (_, scalar))| (i, unread(*scalar))).collect();
        let table = Table { names, rows, others };
        let found = table::Layout::find(&table, columns, unit).map_err(|reason| match (&header.element, columns) {
            (Element::Scalar(_), None) => {
                format!(
                    "a .npy array of shape {:?}: {reason}; a movie has 3 axes (time, row, column) or more",
                    header.shape
                )
            }
            _ => reason,
        })?;
        let table::Layout { columns, unit, polarity, mut assumed } = found;
        let (mut times, mut places) = (Vec::new(), [None; 3]);
        for (column, role) in columns.roles() {
            let place = fields.get(column).copied();
            match role {
                Role::Time(part) => times.extend(place.map(|place| (place, part.unwrap_or(unit)))),
                Role::X => places[0] = place,
                Role::Y => places[1] = place,
                Role::Polarity => places[2] = place,
            }
            if let (Role::Time(part), Some((_, scalar))) = (role, place) {
                assumed.extend(rounding(scalar, table.largest(column), part.unwrap_or(unit)));
            }
        }
        let [Some(x), Some(y), Some(on)] = places else {
            return Err(format!("{} columns; expected {columns}", fields.len()));
        };
        Ok(Self { times, x, y, on, polarity, size, assumed })
    }

    /// The event of a record without its polarity, and the polarity value.
    #[inline]
    fn event(&self, record: &[u8]) -> Option<(Event, f64)> {
        let mut t = 0_u64;
        for (place, unit) in &self.times {
            let part = match whole(record, *place) {
                Some(t) if *unit == TimeUnit::Microseconds => t.try_into().ok()?,
                Some(t) => scaled(t.try_into().ok()?, unit.exponent())?,
                None => unit.microseconds(number(record, *place)?)?,
            };
            t = t.checked_add(part)?;
        }
        let coordinate = |place| match whole(record, place) {
            Some(x) => x.try_into().ok(),
            None => number(record, place).filter(|x| (0.0..65536.0).contains(x) && x.fract() == 0.0).map(|x| x as u16),
        };
        let event = Event { t, x: coordinate(self.x)?, y: coordinate(self.y)?, on: false };
        Some((event, number(record, self.on)?))
    }
}

/// The resolution of floating-point times, reported if large times are more than a microsecond apart.
fn rounding(scalar: Scalar, largest: f64, unit: TimeUnit) -> Option<Assumption> {
    let digit = if scalar.size == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let step = (largest.log2().floor().exp2() * digit * 10_f64.powi(unit.exponent())).round();
    let coarse = scalar.kind == Kind::Float && largest > 0.0 && step > 1.0;
    let reason = || format!("times are floats of {} bytes", scalar.size);
    coarse.then(|| Assumption::new("rounding", format!("to {step} us"), reason()))
}

fn number(record: &[u8], (at, scalar): Place) -> Option<f64> {
    scalar.number(record.get(at..)?)
}

#[inline]
fn whole(record: &[u8], (at, scalar): Place) -> Option<i128> {
    scalar.whole(record.get(at..)?)
}

/// Length of the header of an array that begins with `head`; none if it is longer than `head`.
pub(super) fn front(head: &[u8]) -> Option<usize> {
    let Some([major, _, a, b, rest @ ..]) = head.strip_prefix(header::MAGIC) else { return Some(0) };
    let len = match (major, rest) {
        (1, _) => 10 + usize::from(u16::from_le_bytes([*a, *b])),
        (_, [c, d, ..]) => 12 + u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => return None,
    };
    // An impossibly long header is reported when it is read.
    (len <= head.len() || len > 12 + header::MOST).then_some(len.min(head.len()))
}

/// Streaming decoder of arrays; see the [format](self).
pub(super) struct Npy {
    layout: Layout,
    /// Header bytes still to come.
    header: usize,
    /// Records still to come, and their total number.
    records: u64,
    all: u64,
    /// Bytes of an incomplete record.
    held: Vec<u8>,
    position: u64,
    last: Option<u64>,
    skipped: Skipped,
    damage: Option<u64>,
    /// Why reading stopped.
    refused: Option<String>,
}

impl Npy {
    /// The state at the start of an array that begins with `head`.
    pub(super) fn new(head: &[u8], columns: Option<Columns>, unit: Option<TimeUnit>) -> Result<Self, String> {
        let header = Header::read(head)?;
        let layout = Layout::detect(&header, head.get(header.len..).unwrap_or_default(), columns, unit)?;
        let all = header.shape.first().copied().unwrap_or(1);
        Ok(Self {
            layout,
            header: header.len,
            records: all,
            all,
            held: Vec::new(),
            position: 0,
            last: None,
            skipped: Skipped::default(),
            damage: None,
            refused: None,
        })
    }

    /// Bytes per record, for a search; records follow the header.
    pub(super) fn record_len(&self) -> usize {
        self.layout.size
    }

    /// Length of the header.
    pub(super) fn header_len(&self) -> usize {
        self.header
    }

    fn garbage(&mut self, from: u64, n: usize) {
        self.damage.get_or_insert(from);
        self.skipped.garbage = self.skipped.garbage.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
    }

    /// The event of a complete record.
    #[inline]
    fn record(&mut self, event: Option<(Event, f64)>) -> Option<Event> {
        let begun = self.position;
        self.position += self.layout.size as u64;
        self.records -= 1; // not called without one
        let event = event.and_then(|(event, polarity)| match self.layout.polarity.read(polarity) {
            Ok(on) => Some(Event { on, ..event }),
            Err(Stray::Damage) => None,
            Err(Stray::Refused(reason)) => {
                self.refused = Some(format!("{reason} (row {})", self.all - self.records));
                None
            }
        });
        let Some(event) = event else {
            if self.refused.is_none() {
                self.garbage(begun, self.layout.size);
            }
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
        while !bytes.is_empty() && self.refused.is_none() {
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

    fn assumed(&self) -> Vec<Assumption> {
        self.layout.assumed.clone()
    }

    fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    fn omit(&mut self, records: u64) {
        self.records = self.records.saturating_sub(records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = header::write(descr, shape, 192);
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
            // Truncated, and with extra bytes after the end.
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
            ("[('t', '<u8'), ('x', '<u2')]", "(2,)", "columns named t, x without row (y)"),
            (
                "[('t', '|S8'), ('x', '<u2'), ('y', '<u2'), ('p', '|b1')]",
                "(2,)",
                "column 1 ('t') is of type '|S8'; expected b1",
            ),
            ("[]", "(2,)", "records of 0 bytes"),
            ("'|V99999'", "(2, 4)", "it is of type '|V99999'"),
            ("'<f8'", "(2, 4000)", "records of 32000 bytes"),
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
