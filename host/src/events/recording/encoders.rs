//! Encodes events in each format that can be written. An error states what the format can hold.

use super::table::{Columns, ROLES, Role, TimeUnit};
use crate::npy::header;
use foveola_core::events::{
    DatEncoder, Event, EventStreamEncoder, Evt2Encoder, Evt3Encoder, Evt21Encoder, Geometry, NMnistEncoder, Order,
};

/// Options for writing a recording, where its format allows a choice.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// Order of the columns of text. If time is in parts, the part with the smallest unit contains the remainder.
    pub columns: Columns,
    /// Unit of times in text, if they are in one column.
    pub unit: TimeUnit,
    /// Byte order of words in EVT 2.1.
    pub order: Order,
}

impl Default for WriteOptions {
    /// `t,x,y,p`, microseconds, and little-endian words.
    fn default() -> Self {
        Self { columns: Columns::TXYP, unit: TimeUnit::Microseconds, order: Order::Little }
    }
}

/// Encodes events as bytes.
pub(super) trait Encoder: Send {
    /// Appends the bytes of `event` to `bytes`.
    ///
    /// # Errors
    /// The values that the format can hold, if it cannot hold this event; nothing is appended then.
    fn encode(&mut self, event: Event, bytes: &mut Vec<u8>) -> Result<(), String>;

    /// Appends the final bytes of the recording.
    fn finish(&mut self, _: &mut Vec<u8>) {}

    /// The first bytes of a recording with `events` events, if they contain that number.
    fn patch(&self, _events: u64) -> Option<Vec<u8>> {
        None
    }
}

/// Builds an encoder and appends its header to the bytes.
pub(super) type NewEncoder = fn(Option<Geometry>, &WriteOptions, &mut Vec<u8>) -> Result<Box<dyn Encoder>, String>;

/// The geometry, which the header needs, with at most `most` pixels per side.
fn needed_up_to(most: usize, geometry: Option<Geometry>) -> Result<Geometry, String> {
    let geometry =
        geometry.ok_or("its header tells the size of the sensor, which is not known; give --geometry COLSxROWS")?;
    if geometry.cols.max(geometry.rows) > most {
        let Geometry { cols, rows } = geometry;
        return Err(format!("{cols} x {rows} pixels; expected at most {most} x {most} in this format"));
    }
    Ok(geometry)
}

/// An encoder of core and its properties.
struct Core<E> {
    encoder: E,
    encode: fn(&mut E, Event, &mut Vec<u8>) -> Result<(), Event>,
    finish: fn(&mut E, &mut Vec<u8>),
    /// The sensor size in the header.
    sensor: Option<Geometry>,
    /// The values that it can hold.
    expected: &'static str,
}

impl<E: Send> Encoder for Core<E> {
    fn encode(&mut self, event: Event, bytes: &mut Vec<u8>) -> Result<(), String> {
        if let Some(sensor) = self.sensor
            && !sensor.contains(&event)
        {
            let Geometry { cols, rows } = sensor;
            return Err(format!("one inside of the {cols} x {rows} pixels that its header tells (--geometry)"));
        }
        (self.encode)(&mut self.encoder, event, bytes).map_err(|_| self.expected.into())
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) {
        (self.finish)(&mut self.encoder, bytes);
    }
}

/// EVT 2.0.
pub(super) fn evt2(
    geometry: Option<Geometry>,
    _: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    let sensor = needed_up_to(2048, geometry)?;
    Evt2Encoder::header(sensor, |text| bytes.extend(text));
    Ok(Box::new(Core {
        encoder: (Evt2Encoder::new(), false),
        encode: |(encoder, began), event, bytes| {
            // The first time is written as it is, without hundreds of wraps before it.
            if event.t >> 34 > 0 && !*began || !encoder.lead(event.t, |word| bytes.extend(word)) {
                return Err(event);
            }
            *began = true;
            encoder.encode(event, |word| bytes.extend(word))
        },
        finish: |_, _| (),
        sensor: Some(sensor),
        expected: "columns and rows up to 2047, times below 2^34 us (4.8 h) at first, and none that runs back over a \
                   multiple of it",
    }))
}

/// EVT 2.1.
pub(super) fn evt21(
    geometry: Option<Geometry>,
    options: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    let sensor = needed_up_to(2048, geometry)?;
    Evt21Encoder::header(options.order, sensor, |text| bytes.extend(text));
    Ok(Box::new(Core {
        encoder: Evt21Encoder::new(options.order),
        encode: |encoder, event, bytes| encoder.encode(event, |word| bytes.extend(word)),
        finish: |encoder, bytes| encoder.finish(|word| bytes.extend(word)),
        sensor: Some(sensor),
        expected: "columns and rows up to 2047, and no time that runs back over 2^34 us or is 71 years ahead",
    }))
}

/// EVT 3.0.
pub(super) fn evt3(
    geometry: Option<Geometry>,
    _: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    let sensor = needed_up_to(2048, geometry)?;
    Evt3Encoder::header(sensor, |text| bytes.extend(text));
    Ok(Box::new(Core {
        encoder: Evt3Encoder::with_width(sensor.cols as u16), // 2048 at most
        encode: |encoder, event, bytes| encoder.encode(event, |word| bytes.extend(word)),
        finish: |encoder, bytes| encoder.finish(|word| bytes.extend(word)),
        sensor: Some(sensor),
        expected: "columns and rows up to 2047, and no time that runs back by 16.7 s or is 25 days ahead",
    }))
}

/// DAT.
pub(super) fn dat(
    geometry: Option<Geometry>,
    _: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    let sensor = needed_up_to(16384, geometry)?;
    DatEncoder::header(sensor, |text| bytes.extend(text));
    Ok(Box::new(Core {
        encoder: DatEncoder::new(),
        encode: |encoder, event, bytes| encoder.encode(event, |word| bytes.extend(word)),
        finish: |_, _| (),
        sensor: Some(sensor),
        expected: "columns and rows up to 16383, times below 2^32 us (71.6 min) at first, and none 1 s back",
    }))
}

/// Event Stream.
pub(super) fn event_stream(
    geometry: Option<Geometry>,
    _: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    let Geometry { cols, rows } = needed_up_to(65535, geometry)?;
    let encoder = EventStreamEncoder::new(cols as u16, rows as u16);
    encoder.header(|header| bytes.extend(header));
    Ok(Box::new(Core {
        encoder,
        encode: |encoder, event, bytes| encoder.encode(event, |words| bytes.extend(words)),
        finish: |_, _| (),
        sensor: Some(Geometry { cols, rows }),
        expected: "one in order of time, less than 17.9 min behind the one before (or behind 0)",
    }))
}

/// N-MNIST.
pub(super) fn nmnist(_: Option<Geometry>, _: &WriteOptions, _: &mut Vec<u8>) -> Result<Box<dyn Encoder>, String> {
    Ok(Box::new(Core {
        encoder: NMnistEncoder::new(),
        encode: |encoder, event, bytes| encoder.encode(event, |word| bytes.extend(word)),
        finish: |_, _| (),
        sensor: None,
        expected: "columns up to 255, rows up to 239, and no time 1 s back or 71.6 min ahead",
    }))
}

/// Text.
pub(super) fn csv(
    _: Option<Geometry>,
    options: &WriteOptions,
    bytes: &mut Vec<u8>,
) -> Result<Box<dyn Encoder>, String> {
    // The unit is part of the name, so that readers need not guess.
    let t = match options.unit {
        TimeUnit::Microseconds => "t",
        TimeUnit::Seconds => "t_s",
        TimeUnit::Milliseconds => "t_ms",
        TimeUnit::Nanoseconds => "t_ns",
    };
    let part = |(_, role)| if let Role::Time(part) = role { Some(part.unwrap_or(options.unit)) } else { None };
    let encoder =
        Csv { columns: options.columns, unit: options.unit, parts: options.columns.roles().filter_map(part).collect() };
    let names = encoder.line(|(letter, role)| Some(if role == Role::Time(None) { t } else { letter }.into()));
    bytes.extend(names.unwrap_or_default().bytes());
    Ok(Box::new(encoder))
}

struct Csv {
    columns: Columns,
    unit: TimeUnit,
    /// The units of the parts of a time, the largest first; one for a time in one column.
    parts: Vec<TimeUnit>,
}

impl Csv {
    /// A line with the value of each of [`ROLES`] in its column, and 0 in other columns; none if a value is missing.
    fn line(&self, value: impl Fn((&'static str, Role)) -> Option<String>) -> Option<String> {
        let columns = self.columns.indices().map(|index| index.and_then(|index| ROLES.get(index)));
        let values: Option<Vec<_>> =
            columns.map(|column| column.map_or_else(|| Some("0".into()), |column| value(*column))).collect();
        Some(values?.join(",") + "\n")
    }

    /// The part of a time in microseconds that is in this unit: whole, except for the last part.
    fn part(&self, unit: TimeUnit, t: u64) -> Option<String> {
        let whole = |unit: TimeUnit| 10_u64.pow(unit.exponent().unsigned_abs()); // of s, ms or us
        let larger = self.parts.iter().rev().find(|part| part.exponent() > unit.exponent());
        let rest = larger.map_or(t, |larger| t % whole(*larger));
        if self.parts.last() == Some(&unit) { unit.decimal(rest) } else { Some((rest / whole(unit)).to_string()) }
    }
}

impl Encoder for Csv {
    fn encode(&mut self, event: Event, bytes: &mut Vec<u8>) -> Result<(), String> {
        let Event { t, x, y, on } = event;
        let line = self.line(|(_, role)| match role {
            Role::Time(part) => self.part(part.unwrap_or(self.unit), t),
            Role::X => Some(x.to_string()),
            Role::Y => Some(y.to_string()),
            Role::Polarity => Some(u8::from(on).to_string()),
        });
        bytes.extend(line.ok_or("times below 2^64 ns (584 years)")?.bytes());
        Ok(())
    }
}

/// A `NumPy` array: `t`, `x`, `y`, `on` in records of 13 bytes.
pub(super) fn npy(_: Option<Geometry>, _: &WriteOptions, bytes: &mut Vec<u8>) -> Result<Box<dyn Encoder>, String> {
    bytes.extend(npy_header(0));
    Ok(Box::new(Npy))
}

fn npy_header(events: u64) -> Vec<u8> {
    header::write("[('t', '<u8'), ('x', '<u2'), ('y', '<u2'), ('on', '|b1')]", &format!("({events},)"), 192)
}

struct Npy;

impl Encoder for Npy {
    fn encode(&mut self, event: Event, bytes: &mut Vec<u8>) -> Result<(), String> {
        bytes.extend(event.t.to_le_bytes());
        bytes.extend(event.x.to_le_bytes());
        bytes.extend(event.y.to_le_bytes());
        bytes.push(event.on.into());
        Ok(())
    }

    fn patch(&self, events: u64) -> Option<Vec<u8>> {
        Some(npy_header(events))
    }
}
