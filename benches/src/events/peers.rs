//! The competitors among the crates: `evt3`, `openevt`, `aedat` (feature `peers`). `neuromorphic-types` has types of events
//! only, nothing to measure.

use super::{Entrant, Stream};
use foveola_core::events::Event;
use openevt::algorithms::EvtProcessor;
use openevt::algorithms::filters::ActivityNoiseFilter;
use openevt::hal::decoders::evt2::Evt2Decoder;
use openevt::hal::decoders::evt3::Evt3Decoder;
use openevt::hal::facilities::{EventSubscriptionFacility, RawEventStreamDecoderFacility};
use openevt::hal::types::EventCD;
use std::hint::black_box;
use std::path::Path;
use std::sync::mpsc::channel;

/// Bytes that a decoder gets at a time.
const PIECE: usize = 1 << 16;
/// The largest column and row that a decoder lets pass.
const MOST: u16 = u16::MAX;

/// Whether a peer gives the events that were written; says so where it does not.
fn agrees(who: &str, found: &[Event], stream: &Stream) -> bool {
    let same = found == stream.events;
    if !same {
        eprintln!("{who} gives other events ({} for {}): left out", found.len(), stream.events.len());
    }
    same
}

/// The words of a recording, behind its header: these decoders take no text.
fn words(recording: &[u8]) -> &[u8] {
    const END: &[u8] = b"% end\n";
    let at = recording.windows(END.len()).position(|window| window == END);
    at.map_or(recording, |at| &recording[at + END.len()..])
}

/// Decodes with `openevt`, whose decoders hand batches of events to a subscriber.
fn openevt<D: RawEventStreamDecoderFacility + EventSubscriptionFacility>(
    mut decoder: D,
    bytes: &[u8],
    look: impl FnMut(&[EventCD]) + Send + 'static,
) {
    decoder.subscribe_to_cd_events(Box::new(look)).expect("a subscriber");
    for piece in bytes.chunks(PIECE) {
        decoder.decode(piece).expect("a stream");
    }
}

fn openevt_entrant<D: RawEventStreamDecoderFacility + EventSubscriptionFacility + 'static>(
    stream: &Stream,
    workload: &'static str,
    new: fn() -> D,
    bytes: &[u8],
) -> Option<Entrant> {
    let (sender, batches) = channel();
    let event = |event: &EventCD| Event { t: event.t, x: event.x as u16, y: event.y as u16, on: event.p };
    openevt(new(), bytes, move |events| {
        // Received below, by the same thread.
        let _ = sender.send(events.iter().map(event).collect::<Vec<_>>());
    });
    let found: Vec<Event> = batches.try_iter().flatten().collect();
    let bytes = bytes.to_vec();
    agrees(&format!("openevt, {workload},"), &found, stream).then(|| {
        stream.entrant(workload, "openevt 1.0", bytes.len(), move || {
            openevt(new(), &bytes, |events| {
                black_box(events);
            });
            Ok(())
        })
    })
}

/// The crate `evt3`, into rows, as its users get them.
fn evt3(bytes: &[u8], events: &mut Vec<evt3::types::CdEvent>, mut look: impl FnMut(&[evt3::types::CdEvent])) {
    let (mut decoder, mut triggers) = (evt3::Evt3Decoder::new(), Vec::new());
    for piece in bytes.chunks(PIECE) {
        events.clear();
        decoder.decode_bytes(piece, events, &mut triggers).expect("a stream");
        look(events);
    }
}

fn evt3_entrant(stream: &Stream, bytes: &[u8]) -> Option<Entrant> {
    let (mut found, mut rows) = (Vec::new(), Vec::new());
    evt3(bytes, &mut rows, |rows| {
        found.extend(rows.iter().map(|row| Event { t: row.timestamp, x: row.x, y: row.y, on: row.polarity == 1 }));
    });
    let bytes = bytes.to_vec();
    agrees("evt3", &found, stream).then(|| {
        stream.entrant("decode evt3", "evt3 0.4", bytes.len(), move || {
            evt3(&bytes, &mut rows, |rows| {
                black_box(rows);
            });
            Ok(())
        })
    })
}

/// Decoders of recordings in EVT 2.0 and EVT 3.0.
pub(super) fn decoders(stream: &Stream, evt2: &[u8], evt3: &[u8]) -> impl Iterator<Item = Entrant> {
    let (evt2, evt3) = (words(evt2), words(evt3));
    let entrants = [
        openevt_entrant(stream, "decode evt2", || Evt2Decoder::new(MOST, MOST, false), evt2),
        openevt_entrant(stream, "decode evt3", || Evt3Decoder::new(MOST, MOST, false), evt3),
        evt3_entrant(stream, evt3),
    ];
    entrants.into_iter().flatten()
}

/// The noise filter of `openevt`: like k = 1, of the same polarity, the pixel itself included.
pub(super) fn noise_filter(stream: &Stream, tau: u64) -> Entrant {
    let event = |&Event { t, x, y, on }: &Event| EventCD::new(x.into(), y.into(), on, t);
    let events: Vec<EventCD> = stream.events.iter().map(event).collect();
    stream.entrant("noise filter, k = 1", "openevt 1.0", size_of_val(&events[..]), move || {
        // A new one: it cannot be cleared, and would take the events of the call before for those of the future.
        let mut filter = ActivityNoiseFilter::new(super::SENSOR.cols as u64, super::SENSOR.rows as u64, tau);
        black_box(filter.process_events(Box::new(black_box(&events).iter().copied())).count());
        Ok(())
    })
}

/// Reads an AEDAT 4 file with the crate `aedat` and the layout of its flat buffers.
fn read_aedat4(path: &Path, mut look: impl FnMut(Event)) -> Option<()> {
    for packet in aedat::base::Decoder::new_from_file(path).ok()? {
        let packet = packet.ok()?;
        let packet = aedat::events_generated::size_prefixed_root_as_event_packet(&packet.buffer).ok()?;
        for event in packet.elements()? {
            look(Event { t: event.t() as u64, x: event.x() as u16, y: event.y() as u16, on: event.on() });
        }
    }
    Some(())
}

/// The crate `aedat`.
pub(super) fn aedat4(stream: &Stream, workload: &'static str, bytes: usize, path: &Path) -> Option<Entrant> {
    let mut found = Vec::new();
    // What it could not read is missing.
    let _ = read_aedat4(path, |event| found.push(event));
    let path = path.to_path_buf();
    agrees("aedat", &found, stream).then(|| {
        stream.entrant(workload, "aedat 1.3", bytes, move || {
            let mut events = Vec::new();
            black_box(read_aedat4(&path, |event| events.push(event)));
            black_box(events);
            Ok(())
        })
    })
}
