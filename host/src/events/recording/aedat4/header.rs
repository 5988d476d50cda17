//! The header of AEDAT 4: the streams of the file, and the size of the sensor.
//!
//! A `FlatBuffer` `IOHE` with the compression, the position of the table at the end, and XML text, of which this is read:
//!
//! ```text
//! <node name="outInfo"> <node name="ID">
//!     <attr key="typeIdentifier">EVTS</attr>
//!     <node name="info"> <attr key="sizeX">346</attr> <attr key="sizeY">260</attr> </node>
//! </node> </node>
//! ```

use super::flatbuffer::Table;
use foveola_core::events::Geometry;

/// The content of a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// The first stream of events.
    pub(super) events: Option<i32>,
    /// All streams.
    pub(super) streams: Vec<i32>,
    /// The content types of the streams.
    kinds: Vec<String>,
    /// Sensor size of the event stream.
    pub(super) geometry: Option<Geometry>,
}

impl Header {
    /// Reads the `FlatBuffer`; none if it is invalid.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let table = Table::root(bytes, b"IOHE")?;
        // A header without text is accepted: packets carry their own type.
        let text = table.vector(2, 1).and_then(|text| std::str::from_utf8(bytes.get(text)?).ok()).unwrap_or_default();
        Some(Self::read_text(text))
    }

    /// The content types of the streams, if none holds events.
    pub(super) fn without_events(&self) -> Option<String> {
        let name = |kind: &String| match &kind[..] {
            "FRME" => "frames".to_owned(),
            "IMUS" => "samples of an inertial sensor".to_owned(),
            "TRIG" => "triggers".to_owned(),
            other => format!("'{other}'"),
        };
        let kinds: Vec<_> = self.kinds.iter().map(name).collect();
        (self.events.is_none() && !kinds.is_empty()).then(|| kinds.join(", "))
    }

    fn read_text(text: &str) -> Self {
        let mut header = Self::default();
        // Names of the enclosing nodes, and the values for the current stream.
        let (mut nodes, mut size): (Vec<&str>, _) = (Vec::new(), (None, None));
        for tag in text.split('<').skip(1) {
            let Some((tag, value)) = tag.split_once('>') else { break };
            if tag.starts_with("node") && !tag.ends_with('/') {
                nodes.push(attribute(tag, "name").unwrap_or_default());
            } else if tag.starts_with("/node") {
                nodes.pop();
                if nodes.len() == 1 {
                    size = (None, None);
                }
            } else if tag.starts_with("attr") {
                let stream = nodes.get(1).and_then(|name| name.parse::<i32>().ok());
                let (Some(stream), Some(key)) = (stream, attribute(tag, "key")) else { continue };
                match (key, value.trim()) {
                    ("typeIdentifier", kind) => {
                        header.streams.push(stream);
                        header.kinds.push(kind.into());
                        if kind == "EVTS" {
                            header.events.get_or_insert(stream);
                        }
                    }
                    ("sizeX", cols) => size.0 = side(cols),
                    ("sizeY", rows) => size.1 = side(rows),
                    _ => {}
                }
                if let (true, (Some(cols), Some(rows))) = (header.events == Some(stream), size) {
                    header.geometry = Some(Geometry { cols, rows });
                }
            }
        }
        header
    }
}

/// The value of `name="value"` in a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}

/// A number of pixels that fits into coordinates of 15 bits.
fn side(text: &str) -> Option<usize> {
    text.parse().ok().filter(|side| (1..=1 << 15).contains(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stream_of_events_counts() {
        let stream = |id: &str, kind: &str, size: &str| {
            format!(
                "<node name=\"{id}\" path=\"/{id}/\"><attr key=\"typeIdentifier\" type=\"string\">{kind}</attr>\
                 <node name=\"info\"><attr key=\"sizeX\" type=\"int\">{size}</attr>\n<attr key=\"sizeY\">90</attr></node></node>"
            )
        };
        let all = [stream("3", "FRME", "640"), stream("7", "EVTS", "120"), stream("9", "EVTS", "320")].concat();
        let header = Header::read_text(&format!("<dv version=\"2.0\">\n<node name=\"outInfo\">{all}</node></dv>"));
        let expected = Header {
            events: Some(7),
            streams: vec![3, 7, 9],
            geometry: Some(Geometry { cols: 120, rows: 90 }),
            ..header.clone()
        };
        assert_eq!((header.without_events(), header), (None, expected));
        let others = [stream("0", "FRME", "640"), stream("1", "IMUS", ""), stream("2", "ABCD", "")].concat();
        let header = Header::read_text(&format!("<dv version=\"2.0\"><node name=\"outInfo\">{others}</node></dv>"));
        assert_eq!(header.without_events().as_deref(), Some("frames, samples of an inertial sensor, 'ABCD'"));
        let cut: Vec<Header> = (0..all.len()).map(|end| Header::read_text(&all[..end])).collect();
        assert!(cut.iter().all(|header| header.events.is_none()), "outside of outInfo");
        assert_eq!(Header::read(b"\x00\x00\x00\x00FTAB"), None, "another table");
    }
}
