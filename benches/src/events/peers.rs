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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a decoder gets at a time.
const PIECE: usize = 1 << 16;

/// Decodes with `openevt`, whose decoders hand batches of events to a subscriber.
fn openevt<D: RawEventStreamDecoderFacility + EventSubscriptionFacility>(mut decoder: D, bytes: &[u8]) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&count);
    let look = move |events: &[EventCD]| {
        seen.fetch_add(black_box(events).len() as u64, Ordering::Relaxed);
    };
    decoder.subscribe_to_cd_events(Box::new(look)).expect("a subscriber");
    for piece in bytes.chunks(PIECE) {
        decoder.decode(piece).expect("a stream");
    }
    count.load(Ordering::Relaxed)
}

/// The crate `evt3`, into rows, as its users get them.
fn evt3(bytes: &[u8], events: &mut Vec<evt3::types::CdEvent>) -> usize {
    let (mut decoder, mut triggers, mut count) = (evt3::Evt3Decoder::new(), Vec::new(), 0);
    for piece in bytes.chunks(PIECE) {
        events.clear();
        decoder.decode_bytes(piece, events, &mut triggers).expect("a stream");
        count += black_box(&*events).len();
    }
    count
}

/// Decoders of streams, each of which must find as many events as were written.
pub(super) fn decoders(stream: &Stream, evt2: &[u8], evt3_stream: &[u8]) -> Vec<Entrant> {
    let expected = stream.events.len();
    let check = |who: &str, found: usize| {
        if found != expected {
            eprintln!("{who} finds {found} events instead of {expected}: left out");
        }
        found == expected
    };
    let mut entrants = Vec::new();
    let corner = (u16::MAX, u16::MAX);
    if check("openevt, EVT 2.0", openevt(Evt2Decoder::new(corner.0, corner.1, false), evt2) as usize) {
        let bytes = evt2.to_vec();
        entrants.push(stream.entrant("decode evt2", "openevt 1.0", bytes.len(), move || {
            black_box(openevt(Evt2Decoder::new(corner.0, corner.1, false), &bytes));
            Ok(())
        }));
    }
    if check("openevt, EVT 3.0", openevt(Evt3Decoder::new(corner.0, corner.1, false), evt3_stream) as usize) {
        let bytes = evt3_stream.to_vec();
        entrants.push(stream.entrant("decode evt3", "openevt 1.0", bytes.len(), move || {
            black_box(openevt(Evt3Decoder::new(corner.0, corner.1, false), &bytes));
            Ok(())
        }));
    }
    let mut events = Vec::new();
    if check("evt3", evt3(evt3_stream, &mut events)) {
        let bytes = evt3_stream.to_vec();
        entrants.push(stream.entrant("decode evt3", "evt3 0.4", bytes.len(), move || {
            black_box(evt3(&bytes, &mut events));
            Ok(())
        }));
    }
    entrants
}

/// The noise filter of `openevt`: like k = 1, of the same polarity, the pixel itself included.
pub(super) fn noise_filter(stream: &Stream, tau: u64) -> Entrant {
    let event = |&Event { t, x, y, on }: &Event| EventCD::new(x.into(), y.into(), on, t);
    let events: Vec<EventCD> = stream.events.iter().map(event).collect();
    let mut filter = ActivityNoiseFilter::new(super::SENSOR.cols as u64, super::SENSOR.rows as u64, tau);
    stream.entrant("noise filter, k = 1", "openevt 1.0", size_of_val(&events[..]), move || {
        black_box(filter.process_events(Box::new(black_box(&events).iter().copied())).count());
        Ok(())
    })
}

/// Events of an AEDAT 4 file, read by the crate `aedat` with the layout of its flat buffers.
pub(super) fn aedat4(path: &Path) -> Option<usize> {
    let mut count = 0;
    for packet in aedat::base::Decoder::new_from_file(path).ok()? {
        let packet = packet.ok()?;
        let packet = aedat::events_generated::size_prefixed_root_as_event_packet(&packet.buffer).ok()?;
        for event in packet.elements()? {
            black_box((event.t(), event.x(), event.y(), event.on()));
            count += 1;
        }
    }
    Some(count)
}
