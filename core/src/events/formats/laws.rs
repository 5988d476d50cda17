//! Properties of every decoder.

extern crate std;
use super::*;
use crate::events::{Decode, Event, Geometry, Header, Live, OtherState, Skipped};
use core::ops::Range;
use proptest::prelude::*;
use std::{boxed::Box, vec, vec::Vec};

/// Events, and what the decoder reports when it has finished.
type Decoded = (Vec<Event>, Skipped, Option<u64>, Option<Geometry>);

/// Polarity, pixel and, where a run gave it, the times it lay in.
type Seen = (u16, u16, bool, Option<Range<u64>>);

/// The result of bytes in chunks of the given lengths in turn.
type Cut<T> = Box<dyn Fn(&[u8], &[usize]) -> T>;

/// A decoder, as functions of bytes and the lengths of chunks.
struct Case {
    name: &'static str,
    decode: Cut<Decoded>,
    run: Cut<Vec<Seen>>,
}

fn decoders() -> Vec<Case> {
    macro_rules! list {
        ($($name:literal: $decoder:expr,)*) => {
            vec![$(Case {
                name: $name,
                decode: Box::new(|bytes, lengths| decode($decoder, bytes, lengths)),
                run: Box::new(|bytes, lengths| run($decoder, bytes, lengths)),
            }),*]
        };
    }
    list![
        "EVT 2.0": Evt2::new(),
        "EVT 2.1": Evt21::new(),
        "EVT 2.1 legacy": Evt21::with_order(Order::Legacy),
        "EVT 3.0": Evt3::new(),
        "DAT": Dat::new(),
        "AEDAT 2": Aedat2::new(),
        "AEDAT 2 of a DAVIS": Aedat2::with_camera(Camera::Davis640),
        "AEDAT 3.1": Aedat31::new(),
        "Event Stream": EventStream::new(),
        "N-MNIST": NMnist::new(),
    ]
}

/// The chunks of the given lengths in turn.
fn pieces<'a>(mut bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().copied().cycle();
    core::iter::from_fn(move || {
        let length = lengths.next()?.min(bytes.len());
        bytes.split_off(..length).filter(|piece| !piece.is_empty())
    })
}

/// Decodes chunks, each through another form of the interface.
fn decode(mut decoder: impl Decode, bytes: &[u8], lengths: &[usize]) -> Decoded {
    let mut events = Vec::new();
    for (i, mut piece) in pieces(bytes, lengths).enumerate() {
        match i % 3 {
            0 => decoder.feed(piece, |event| events.push(event)),
            1 => events.extend(decoder.events(piece)),
            _ => {
                let mut buffer = [Event { t: 0, x: 0, y: 0, on: false }; 17];
                let decoder: &mut dyn Decode = &mut decoder;
                while let n @ 1.. = decoder.fill(&mut piece, &mut buffer) {
                    events.extend_from_slice(&buffer[..n]);
                }
            }
        }
    }
    decoder.finish();
    (events, decoder.skipped(), decoder.time(), decoder.geometry())
}

/// Decodes chunks in runs of 1000 us.
fn run(mut decoder: impl Decode, bytes: &[u8], lengths: &[usize]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for mut piece in pieces(bytes, lengths) {
        loop {
            let start = decoder.time().unwrap_or(0).saturating_sub(500);
            let times = start..start.saturating_add(1000);
            let before = seen.len();
            let n = decoder.run(&mut piece, times.clone(), |x, y, on| seen.push((x, y, on, Some(times.clone()))));
            assert_eq!(seen.len() - before, n, "events of a run");
            match decoder.next_event(&mut piece) {
                Some(Event { x, y, on, .. }) => seen.push((x, y, on, None)),
                None => break,
            }
        }
    }
    seen
}

/// Words that mean something, among noise and text: for a decoder of words of `n` bytes.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let evt2 = (any::<[u8; 3]>(), prop::sample::select(vec![0x80_u8, 0x10, 0x00, 0xA0, 0x55]));
    let evt2 = evt2.prop_map(|([a, b, c], kind)| vec![a, b, c, kind]);
    let nmnist = (0_u8..34, 0_u8..34, any::<[u8; 2]>()).prop_map(|(x, y, [a, b])| vec![x, y, a & 0x80, a, b]);
    let evt3 = (prop::sample::select(vec![0x0_u16, 0, 2, 2, 2, 3, 4, 5, 6, 6, 8, 10]), 0_u16..0x1000);
    // Times high that step slowly, as sensors send them.
    let evt3 = evt3.prop_map(|(kind, low)| {
        let low = if kind == 8 { low & 3 } else { low };
        (kind << 12 | low).to_le_bytes().to_vec()
    });
    let evt21 = (prop::sample::select(vec![0_u32, 0, 1, 1, 8, 10, 14]), 0_u32..1 << 28, any::<u32>(), any::<bool>());
    let evt21 = evt21.prop_map(|(kind, upper, mask, little)| {
        let order = if little { Order::Little } else { Order::Legacy };
        order.bytes([kind << 28 | if kind == 8 { upper & 0xFF } else { upper }, mask & mask >> 1]).to_vec()
    });
    let dat = (0_u32..1 << 18, 0_u32..640, 0_u32..480, 0_u32..2)
        .prop_map(|(t, x, y, on)| [t.to_le_bytes(), (on << 28 | y << 14 | x).to_le_bytes()].concat());
    let aedat = (0_u32..1 << 18, 0_u32..1 << 16).prop_map(|(t, a)| [a.to_be_bytes(), t.to_be_bytes()].concat());
    let several = |piece: BoxedStrategy<Vec<u8>>| prop::collection::vec(piece, 0..60).prop_map(|all| all.concat());
    let packet = prop::collection::vec((any::<u32>(), 0_i32..1 << 20), 1..30).prop_map(|events| {
        let n = events.len() as i32;
        let header = [1, 8, 4, 0, n, n, n].map(i32::to_le_bytes).concat();
        let event = |(data, t): (u32, i32)| [data.to_le_bytes(), t.to_le_bytes()].concat();
        [header, events.into_iter().flat_map(event).collect()].concat()
    });
    let other = (0_i32..4, 0_i32..20).prop_map(|(kind, n)| {
        [[kind * 2, 2, 1, 0, n, n, n].map(i32::to_le_bytes).concat(), vec![3; 2 * n as usize]].concat()
    });
    let es = (0_u8..255, 0_u16..330, 0_u16..250)
        .prop_map(|(first, x, y)| [&[first][..], &x.to_le_bytes(), &y.to_le_bytes()].concat());
    let es = prop_oneof![8 => es, 1 => Just(vec![0xFF]), 1 => Just(vec![0xFE; 6])];
    let es_header = Just(b"Event Stream\x02\0\0\x01\x40\x01\xF0\0".to_vec());
    let text = "[%#] ?(geometry [0-9]{1,4}x[0-9]{1,4}|evt 2.0|end|Width 640|AEChip: DAVIS240|[ -~]{0,90})\r?\n";
    let part = prop_oneof![
        4 => several(evt2.boxed()),
        4 => several(nmnist.boxed()),
        4 => several(evt3.boxed()),
        4 => several(evt21.boxed()),
        4 => several(dat.boxed()),
        4 => several(aedat.boxed()),
        4 => packet,
        2 => other,
        4 => several(es.boxed()),
        1 => es_header.clone(),
        2 => prop::collection::vec(any::<u8>(), 0..20),
        3 => text.prop_map(Into::into),
    ];
    // Some with the header that Event Stream requires.
    let front = prop_oneof![2 => Just(vec![]), 1 => es_header];
    (front, prop::collection::vec(part, 0..8)).prop_map(|(front, parts)| [front, parts.concat()].concat())
}

/// Bytes, and the events in them.
type Encoded = (Vec<u8>, Vec<Event>);

/// An encoder and its decoder.
struct Codec {
    name: &'static str,
    /// A whole recording of the events that are accepted.
    encode: fn(&[Event]) -> Encoded,
    decode: fn(&[u8]) -> Decoded,
    /// Damage may shift times by a multiple of this.
    unsure: u64,
}

const SENSOR: Geometry = Geometry { cols: 640, rows: 480 };

/// Those of `events` that `encode` accepts and writes to `bytes`.
fn accepted<E>(events: &[Event], bytes: &mut Vec<u8>, mut encode: E) -> Vec<Event>
where
    E: FnMut(Event, &mut Vec<u8>) -> Result<(), Event>,
{
    let accepts = |event: &&Event| {
        let before = bytes.len();
        let result = encode(**event, bytes);
        assert!(result == Ok(()) || result == Err(**event) && bytes.len() == before, "nothing is written");
        result.is_ok()
    };
    events.iter().filter(accepts).copied().collect()
}

fn evt21(events: &[Event], order: Order) -> Encoded {
    let (mut encoder, mut bytes) = (Evt21Encoder::new(order), Vec::new());
    Evt21Encoder::header(order, SENSOR, |piece| bytes.extend_from_slice(piece));
    let events = accepted(events, &mut bytes, |event, bytes| encoder.encode(event, |word| bytes.extend(word)));
    encoder.finish(|word| bytes.extend(word));
    (bytes, events)
}

/// AEDAT 2 of a DAVIS640, whose times go as those of DAT.
fn aedat2(events: &[Event]) -> Encoded {
    let (mut dat, mut bytes) = (DatEncoder::new(), b"#!AER-DAT2.0\r\n# AEChip: Davis640\r\n".to_vec());
    let events = accepted(events, &mut bytes, |event, bytes| {
        dat.encode(event, |_| ())?;
        let [x, y] = [639 - u32::from(event.x), 479 - u32::from(event.y)];
        bytes.extend((y << 22 | x << 12 | u32::from(event.on) << 11).to_be_bytes());
        bytes.extend((event.t as u32).to_be_bytes());
        Ok(())
    });
    (bytes, events)
}

/// AEDAT 3.1 in packets of up to 40 events, without overflows inside.
fn aedat31(events: &[Event]) -> Encoded {
    let mut bytes = b"#!AER-DAT3.1\r\n#Source 1: DAVIS640\r\n#!END-HEADER\r\n".to_vec();
    let mut last = 0;
    let events = accepted(events, &mut Vec::new(), |event, _| {
        if event.t >> 62 > 0 || event.t + 1_000_000 <= last {
            return Err(event);
        }
        last = event.t;
        Ok(())
    });
    for packet in events.chunk_by(|a, b| a.t >> 31 == b.t >> 31).flat_map(|events| events.chunks(40)) {
        let n = packet.len() as u32;
        bytes.extend([1, 8, 4, (packet[0].t >> 31) as u32, n, n, n].map(u32::to_le_bytes).as_flattened());
        for Event { t, x, y, on } in packet {
            let data = u32::from(*x) << 17 | u32::from(*y) << 2 | u32::from(*on) << 1 | 1;
            bytes.extend([data, *t as u32 & 0x7FFF_FFFF].map(u32::to_le_bytes).as_flattened());
        }
    }
    (bytes, events)
}

fn codecs() -> [Codec; 9] {
    [
        Codec {
            name: "EVT 2.0",
            encode: |events| {
                let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
                Evt2Encoder::header(SENSOR, |piece| bytes.extend_from_slice(piece));
                let events =
                    accepted(events, &mut bytes, |event, bytes| encoder.encode(event, |word| bytes.extend(word)));
                (bytes, events)
            },
            decode: |bytes| decode(Evt2::new(), bytes, &[usize::MAX]),
            unsure: 1 << 34,
        },
        Codec {
            name: "EVT 2.1",
            encode: |events| evt21(events, Order::Little),
            decode: |bytes| decode(Evt21::new(), bytes, &[usize::MAX]),
            unsure: 1 << 34,
        },
        Codec {
            name: "EVT 2.1 legacy",
            encode: |events| evt21(events, Order::Legacy),
            decode: |bytes| decode(Evt21::new(), bytes, &[usize::MAX]),
            unsure: 1 << 34,
        },
        Codec {
            name: "EVT 3.0",
            encode: |events| {
                let (mut encoder, mut bytes) = (Evt3Encoder::new(), Vec::new());
                Evt3Encoder::header(SENSOR, |piece| bytes.extend_from_slice(piece));
                let events =
                    accepted(events, &mut bytes, |event, bytes| encoder.encode(event, |word| bytes.extend(word)));
                encoder.finish(|word| bytes.extend(word));
                (bytes, events)
            },
            decode: |bytes| decode(Evt3::new(), bytes, &[usize::MAX]),
            unsure: 1 << 24,
        },
        Codec {
            name: "DAT",
            encode: |events| {
                let (mut encoder, mut bytes) = (DatEncoder::new(), Vec::new());
                DatEncoder::header(SENSOR, |piece| bytes.extend_from_slice(piece));
                let events =
                    accepted(events, &mut bytes, |event, bytes| encoder.encode(event, |word| bytes.extend(word)));
                (bytes, events)
            },
            decode: |bytes| decode(Dat::new(), bytes, &[usize::MAX]),
            unsure: 1 << 32,
        },
        Codec {
            name: "AEDAT 2",
            encode: aedat2,
            decode: |bytes| decode(Aedat2::new(), bytes, &[usize::MAX]),
            unsure: 1 << 32,
        },
        Codec {
            name: "AEDAT 3.1",
            encode: aedat31,
            decode: |bytes| decode(Aedat31::new(), bytes, &[usize::MAX]),
            unsure: 1 << 31,
        },
        Codec {
            name: "Event Stream",
            encode: |events| {
                let (mut encoder, mut bytes) = (EventStreamEncoder::new(640, 480), Vec::new());
                encoder.header(|piece| bytes.extend_from_slice(piece));
                let events = accepted(events, &mut bytes, |event, bytes| {
                    encoder.encode(event, |piece| bytes.extend_from_slice(piece))
                });
                (bytes, events)
            },
            decode: |bytes| decode(EventStream::new(), bytes, &[usize::MAX]),
            unsure: 1,
        },
        Codec {
            name: "N-MNIST",
            encode: |events| {
                let (mut encoder, mut bytes) = (NMnistEncoder::new(), Vec::new());
                let events =
                    accepted(events, &mut bytes, |event, bytes| encoder.encode(event, |word| bytes.extend(word)));
                (bytes, events)
            },
            decode: |bytes| decode(NMnist::new(), bytes, &[usize::MAX]),
            unsure: 1 << 13,
        },
    ]
}

/// Events from `start` on, often in bunches: in order, but for the times back that `back` allows.
fn events(start: impl Strategy<Value = u64>, back: bool) -> impl Strategy<Value = Vec<Event>> {
    let step = prop_oneof![20 => Just(0_i64), 10 => 0_i64..300, 2 => 0_i64..100_000, 1 => 0_i64..20_000_000];
    let step = if back { prop_oneof![10 => step, 1 => -30_000_000_i64..0].boxed() } else { step.boxed() };
    let pixel = (0_u16..40, prop::sample::select(vec![0_u16, 3, 33]), any::<bool>());
    (start, prop::collection::vec((step, pixel), 0..120)).prop_map(|(mut t, raw)| {
        let event = |(step, (x, y, on))| {
            t = t.saturating_add_signed(step);
            Event { t, x, y, on }
        };
        raw.into_iter().map(event).collect()
    })
}

/// `n` events in bunches, about 100 us an event, over all of a sensor that every format has. They start where no byte
/// of a time high looks like the kind of another word: EVT 2.1 has times where its damage goes unseen for longer.
fn steady(n: u64) -> Vec<Event> {
    let hash = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let event = |i: u64| {
        let (bunch, place) = (hash(i / 8), (i % 8) as u16);
        let t = 600_000 + i / 8 * 800 + bunch % 500;
        Event {
            t,
            x: (bunch % 220) as u16 + 3 * place + (hash(i) % 3) as u16,
            y: (bunch >> 8) as u16 % 240,
            on: bunch % 3 == 0,
        }
    };
    (0..n).map(event).collect()
}

proptest! {
    #![proptest_config(foveola_seeds::config(256, module_path!()))]

    /// What an encoder accepts is decoded again, whatever it is; and events in order are accepted, over all wraps.
    #[test]
    fn decoding_inverts_encoding(
        ordered in events(prop_oneof![0_u64..1000, (1_u64 << 24) - 20_000..1 << 24, (1 << 32) - 60_000_000..(1_u64 << 32) - 20_000_000], false),
        wild in events(prop_oneof![0_u64..1 << 35, any::<u64>()], true),
    ) {
        for Codec { name, encode, decode, .. } in codecs() {
            let (bytes, accepted) = encode(&ordered);
            let far = ordered.iter().any(|event| event.t >= 1 << 30);
            prop_assert!(accepted == ordered || far && name == "Event Stream", "{}", name);
            let (decoded, skipped, ..) = decode(&bytes);
            prop_assert_eq!((decoded, skipped), (accepted, Skipped::default()), "{}", name);

            // EVT 2.0 is written modulo 2^34 us.
            if name != "EVT 2.0" {
                let (bytes, accepted) = encode(&wild);
                let (decoded, skipped, ..) = decode(&bytes);
                let backward = skipped.backward;
                prop_assert_eq!((decoded, skipped), (accepted, Skipped { backward, ..Skipped::default() }), "{}", name);
            }
        }
    }

    /// Bytes lost and foreign bytes inserted: what came before is whole, and the alignment is found again.
    #[test]
    fn damage_is_survived(
        at in any::<prop::sample::Index>(),
        lost in 0_usize..20,
        foreign in prop::collection::vec(any::<u8>(), 0..40),
        flipped in prop::option::of(0_u32..8),
    ) {
        let events = steady(3000);
        for Codec { name, encode, decode, unsure } in codecs() {
            let (mut bytes, _) = encode(&events);
            let front = encode(&[]).0.len();
            let at = front + at.index(bytes.len() / 2);
            let (before, ..) = decode(&bytes[..at]);
            match flipped {
                Some(bit) => bytes[at] ^= 1 << bit,
                None => drop(bytes.splice(at..at + lost, foreign.iter().copied())),
            }
            let (decoded, skipped, ..) = decode(&bytes);
            prop_assert!(decoded.starts_with(&before), "{}: what came before the damage", name);
            let same = |(a, b): &(&Event, &Event)| Event { t: a.t % unsure, ..**a } == Event { t: b.t % unsure, ..**b };
            let after = events.iter().rev().zip(decoded.iter().rev()).take_while(same).count();
            prop_assert!(before.len() + after + 1100 > events.len(), "{}: {} + {}, {:?}", name, before.len(), after, skipped);
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000), length in 1_usize..100) {
        for Case { name, decode, run } in decoders() {
            let (events, skipped, ..) = decode(&bytes, &[length]);
            prop_assert!(skipped.bytes() <= bytes.len() as u64, "{}: {:?}", name, skipped);
            prop_assert_eq!(run(&bytes, &[length]).len(), events.len(), "{}", name);
        }
    }
}

/// Saves a decoder after `before`, and compares it with the restored one, also in the middle of a vector.
fn goes_on<D: Live>(mut decoder: D, before: &[u8], after: &[u8], lost: bool) -> Result<(), TestCaseError> {
    let (mut left, mut events) = (before, 0);
    while decoder.next_event(&mut left).is_some() {
        events += 1;
        same(&decoder, left)?;
    }
    if lost {
        decoder.lost();
    }
    let counted = decoder.understood(events) + decoder.skipped().bytes() + decoder.held() as u64;
    prop_assert_eq!(counted, before.len() as u64, "{:?}", &decoder);
    same(&decoder, after)
}

/// A restored copy of `decoder` gives what it gives for `bytes`.
fn same<D: Live>(decoder: &D, bytes: &[u8]) -> Result<(), TestCaseError> {
    let (mut words, mut decoder) = (Vec::new(), decoder.clone());
    decoder.save(&mut |word| words.push(word));
    prop_assert_eq!((words.len(), words[0]), (D::SAVED, D::FORM));
    let mut words = words.into_iter();
    let mut restored = D::restore(&mut || words.next().expect("as many words")).expect("the same decoder");
    let bytes = &bytes[..bytes.len().min(64)];
    let (events, expected): (Vec<_>, Vec<_>) = (restored.events(bytes).collect(), decoder.events(bytes).collect());
    prop_assert_eq!(events, expected);
    prop_assert_eq!(std::format!("{restored:?}"), std::format!("{decoder:?}"));
    Ok(())
}

/// A recording of each format, saved at every byte.
#[test]
fn a_decoder_is_saved_at_every_cut() {
    fn check<D: Live>(decoder: &D, bytes: &[u8]) {
        let expected: Vec<Event> = decoder.clone().events(bytes).collect();
        assert!(expected.len() > 100, "{} events", expected.len());
        for at in 0..=bytes.len() {
            let mut before = decoder.clone();
            let mut events: Vec<Event> = before.events(&bytes[..at]).collect();
            let mut words = Vec::new();
            before.save(&mut |word| words.push(word));
            let mut words = words.into_iter();
            let mut after = D::restore(&mut || words.next().expect("as many words")).expect("the same decoder");
            events.extend(after.events(&bytes[at..]));
            assert!(events == expected, "cut at {at}");
        }
    }
    let events = steady(150);
    let bytes = |name| codecs().into_iter().find(|codec| codec.name == name).map(|codec| (codec.encode)(&events).0);
    check(&Evt2::new(), &bytes("EVT 2.0").expect("a codec"));
    check(&Evt21::new(), &bytes("EVT 2.1").expect("a codec"));
    check(&Evt21::new(), &bytes("EVT 2.1 legacy").expect("a codec"));
    check(&Evt3::new(), &bytes("EVT 3.0").expect("a codec"));
}

/// Without a header to read, words are the same; text is damage that a decoder recovers from.
#[test]
fn a_live_sensor_sends_no_text() {
    fn check<D: Live, L: Live>(decoder: &D, live: &L, front: usize, bytes: &[u8]) {
        let expected: Vec<Event> = decoder.clone().events(bytes).collect();
        for length in [1, 7, bytes.len()] {
            let mut live = live.clone();
            let events: Vec<Event> =
                bytes[front..].chunks(length).flat_map(|piece| live.events(piece).collect::<Vec<_>>()).collect();
            assert!(events == expected && live.geometry().is_none(), "pieces of {length}");
            assert_eq!(live.skipped(), Skipped::default(), "pieces of {length}");
        }
        let mut live = live.clone();
        let bytes = [b"% evt of a recording\n", &bytes[front..]].concat();
        let events: Vec<Event> = live.events(&bytes).collect();
        // Words that the text looks like may have turned the clock of EVT 3 round.
        let late = |events: &[Event]| {
            let late = events.iter().rev().take(300);
            late.map(|event| Event { t: event.t % (1 << 24), ..*event }).collect::<Vec<_>>()
        };
        assert_eq!(late(&events), late(&expected), "{} events", events.len());
        let counted = live.understood(events.len() as u64) + live.skipped().bytes() + live.held() as u64;
        assert_eq!(counted as usize, bytes.len(), "{:?}", live.skipped());
    }
    let events = steady(2000);
    for Codec { name, encode, .. } in codecs() {
        let (bytes, front) = (encode(&events).0, encode(&[]).0.len());
        match name {
            "EVT 2.0" => check(&Evt2::new(), &LiveEvt2::new(), front, &bytes),
            "EVT 2.1" => check(&Evt21::new(), &LiveEvt21::new(), front, &bytes),
            // Told, as the order that text looks like would be kept.
            "EVT 2.1 legacy" => check(&Evt21::new(), &LiveEvt21::with_order(Order::Legacy), front, &bytes),
            "EVT 3.0" => check(&Evt3::new(), &LiveEvt3::new(), front, &bytes),
            _ => {}
        }
    }
    let text = b"% evt 2.0\n\x01\0\0\x80";
    assert_eq!((Evt2::front(text), LiveEvt2::front(text)), (Some(10), Some(0)));
    assert_ne!(Evt2::FORM, LiveEvt2::FORM);
}

/// What another decoder saved is refused, and nothing but its first word is taken.
#[test]
fn the_state_of_another_decoder_is_refused() {
    let mut words = Vec::new();
    Evt2::new().save(&mut |word| words.push(word));
    let mut taken = 0;
    let restored = Evt3::restore(&mut || {
        taken += 1;
        words[taken - 1]
    });
    let error = OtherState { found: Evt2::FORM, expected: Evt3::FORM };
    assert_eq!((restored.err(), taken), (Some(error), 1));
    assert!(std::format!("{error}").contains("02000001, expected 03000001"), "{error}");
}

/// After lost bytes, all three formats of live sensors find alignment and time again, and count what they skip.
#[test]
fn lost_bytes_are_survived() {
    fn check<D: Live>(mut decoder: D, bytes: &[u8], events: &[Event]) {
        for cut in 0..16 {
            let mut decoder = decoder.clone();
            let (before, after) = bytes.split_at(bytes.len() / 2 + cut);
            let mut decoded: Vec<Event> = decoder.events(before).collect();
            decoder.lost();
            let after = &after[37..];
            let found: Vec<Event> = decoder.events(after).collect();
            assert!(events.starts_with(&decoded) && events.ends_with(&found), "cut {cut}: right events");
            assert!(found.len() * 3 > events.len(), "cut {cut}: {} of {} after it", found.len(), events.len());
            decoded.extend(&found);
            let counted = decoder.understood(decoded.len() as u64) + decoder.skipped().bytes() + decoder.held() as u64;
            assert_eq!(counted, (before.len() + after.len()) as u64, "cut {cut}: {:?}", decoder.skipped());
            assert!(decoder.skipped().garbage > 0, "cut {cut}");
        }
        decoder.lost();
        assert_eq!((decoder.skipped(), decoder.held()), (Skipped::default(), 0), "nothing was held");
    }
    let events = steady(3000);
    let bytes = |name| codecs().into_iter().find(|codec| codec.name == name).map(|codec| (codec.encode)(&events).0);
    check(Evt2::new(), &bytes("EVT 2.0").expect("a codec"), &events);
    check(Evt21::new(), &bytes("EVT 2.1").expect("a codec"), &events);
    check(Evt21::new(), &bytes("EVT 2.1 legacy").expect("a codec"), &events);
    check(Evt3::new(), &bytes("EVT 3.0").expect("a codec"), &events);
}

proptest! {
    #![proptest_config(foveola_seeds::config(256, module_path!()))]

    #[test]
    fn any_cutting_gives_the_same(bytes in stream(), lengths in prop::collection::vec(1_usize..40, 1..8)) {
        for Case { name, decode, .. } in decoders() {
            let whole = decode(&bytes, &[usize::MAX]);
            prop_assert_eq!(decode(&bytes, &lengths), whole, "{}", name);
        }
    }

    #[test]
    fn a_run_gives_events_of_its_times(bytes in stream(), length in 1_usize..400) {
        for Case { name, decode, run } in decoders() {
            let (events, ..) = decode(&bytes, &[usize::MAX]);
            let seen = run(&bytes, &[length]);
            prop_assert_eq!(events.len(), seen.len(), "{}", name);
            for (&Event { t, x, y, on }, seen) in events.iter().zip(seen) {
                prop_assert_eq!((x, y, on), (seen.0, seen.1, seen.2), "{}", name);
                prop_assert!(seen.3.clone().is_none_or(|times| times.contains(&t)), "{}: {} in {:?}", name, t, seen.3);
            }
        }
    }

    /// Wherever a stream is split, every byte is accounted for, and a decoder that was saved there continues as if it
    /// had not been saved.
    #[test]
    fn no_byte_is_left_over_and_a_saved_decoder_goes_on(bytes in stream(), at in any::<prop::sample::Index>(), lost in any::<bool>()) {
        let (before, after) = bytes.split_at(at.index(bytes.len() + 1));
        goes_on(Evt2::new(), before, after, lost)?;
        goes_on(Evt21::new(), before, after, lost)?;
        goes_on(Evt21::with_order(Order::Legacy), before, after, lost)?;
        goes_on(Evt3::new(), before, after, lost)?;
        goes_on(LiveEvt2::new(), before, after, lost)?;
        goes_on(LiveEvt21::new(), before, after, lost)?;
        goes_on(LiveEvt3::new(), before, after, lost)?;
    }

    /// Without text before the words, events and what is skipped are whole words and all of the bytes, except for words
    /// without either.
    #[test]
    fn noise_is_counted_to_the_byte(bytes in prop::collection::vec(128_u8..=255, 0..2000)) {
        let length = bytes.len() as u64;
        for (Case { name, decode, .. }, word, silent) in decoders().into_iter().zip(WORDS).map(|(case, (word, silent))| (case, word, silent)) {
            let (events, skipped, ..) = decode(&bytes, &[7]);
            prop_assert!(skipped.bytes() <= length, "{}: {:?}", name, skipped);
            let rest = length - skipped.bytes() - word * u64::from(skipped.outside);
            prop_assert!(rest.is_multiple_of(word), "{}: {} bytes, {:?}", name, length, skipped);
            prop_assert!(silent || rest == word * events.len() as u64, "{}: {} bytes, {:?}", name, length, skipped);
        }
    }
}

/// How to make a word of a format implausible: bytes of a word, whether it carries events and nothing else, and what
/// damages it.
type Wrong = (usize, fn(&[u8]) -> bool, fn(&mut [u8]));

/// For the codecs with words, by their name.
const WRONG: [(&str, Wrong); 8] = [
    ("EVT 2.0", (4, |word| word[3] >> 4 <= 1, |word| word[3] |= 0x90)),
    ("EVT 2.1", (8, |word| word[7] >> 4 <= 1, |word| word[7] |= 0x90)),
    ("EVT 2.1 legacy", (8, |word| word[3] >> 4 <= 1, |word| word[3] |= 0x90)),
    ("EVT 3.0", (2, |word| matches!(word[1] >> 4, 2 | 4 | 5), |word| word[1] = word[1] & 0xF | 0xB0)),
    ("DAT", (8, |_| true, |word| word[7] |= 0xF0)),
    ("DAT", (8, |_| true, |word| word[..4].fill(0))),
    ("AEDAT 2", (8, |_| true, |word| word[..3].copy_from_slice(&[0x7F, 0xFF, 0xF0]))),
    ("N-MNIST", (5, |_| true, |word| word[1] = 0xFF)),
];

/// Where the alignment did not change, an implausible word costs its own events and no others, wherever it lies: with
/// one word in a hundred damaged, all others are read.
#[test]
fn a_wrong_word_costs_itself() {
    let late: Vec<Event> = steady(3000).into_iter().map(|event| Event { t: event.t + 3_000_000, ..event }).collect();
    for (name, (size, is_event, damage)) in WRONG {
        let codec = codecs().into_iter().find(|codec| codec.name == name).unwrap();
        let (whole, _) = (codec.encode)(&late);
        let front = (codec.encode)(&[]).0.len();
        for first in [50, 51, 97] {
            let (mut damaged, mut without, mut wrong) = (whole[..front].to_vec(), whole[..front].to_vec(), 0);
            for (i, word) in whole[front..].chunks(size).enumerate() {
                let at = damaged.len();
                damaged.extend_from_slice(word);
                if i % 101 == first && is_event(word) {
                    damage(&mut damaged[at..]);
                    wrong += 1;
                } else {
                    without.extend_from_slice(word);
                }
            }
            let (expected, none, ..) = (codec.decode)(&without);
            let (events, skipped, ..) = (codec.decode)(&damaged);
            assert_eq!(events, expected, "{name}, {skipped:?}");
            let counted = skipped.garbage as usize + size * skipped.outside as usize;
            assert!(wrong > 3 && counted == size * wrong && none.bytes() == 0, "{name}: {wrong}, {skipped:?}");
        }
    }
}

/// A clock that restarts, without a header between, costs nothing in all formats but one: the step back is counted. In
/// formats with words for the time, the second word confirms the restart; events before it have the time before.
#[test]
fn a_reset_costs_nothing() {
    let early = steady(3000);
    let late: Vec<Event> = early.iter().map(|event| Event { t: event.t + 3_000_000, ..*event }).collect();
    for Codec { name, encode, decode, .. } in codecs() {
        if name == "Event Stream" {
            continue; // its times are differences: only a header shows that time restarts
        }
        let front = encode(&[]).0.len();
        let bytes = [&encode(&late).0, &encode(&early).0[front..]].concat();
        let (events, skipped, ..) = decode(&bytes);
        // Words of N-MNIST in a bunch are plausible at other alignments, too: then 20 of them are needed.
        let lost = if name == "N-MNIST" { 20 } else { 0 };
        // A bunch, or those of 4 ms.
        let most = [("EVT 2", 8), ("EVT 3", 24)].into_iter().find(|(format, _)| name.starts_with(format));
        let untold = skipped.early;
        assert!(untold <= most.map_or(0, |(_, most)| most), "{name}: {untold} events");
        let expected = Skipped { backward: 1, garbage: 5 * lost as u32, early: untold, ..Skipped::default() };
        assert_eq!(skipped, expected, "{name}");
        let mut all = [&late[..], &early[lost..]].concat();
        for (event, decoded) in all.iter_mut().zip(&events).skip(late.len()).take(untold as usize) {
            assert!(decoded.t.abs_diff(late[late.len() - 1].t) < 4_096, "{name}: {decoded:?}");
            event.t = decoded.t;
        }
        assert!(events == all, "{name}: {} events", events.len());
    }
}

/// Bytes of a word of each decoder, and whether words come without an event, or with more than one.
const WORDS: [(u64, bool); 10] =
    [(4, true), (8, true), (8, true), (2, true), (8, false), (8, false), (8, false), (1, true), (1, true), (5, true)];

#[test]
fn nothing_gives_nothing() {
    for Case { name, decode, .. } in decoders() {
        let (events, skipped, time, _) = decode(&[], &[1]);
        assert_eq!((events, skipped, time), (vec![], Skipped::default(), None), "{name}");
    }
}

#[test]
fn an_iterator_left_early_tells_what_is_left() {
    let mut decoder = NMnist::new();
    let mut events = decoder.events(&[1; 12]);
    assert!(events.next().is_some() && events.rest().len() == 7, "one word of five bytes was taken");
}

/// The line buffer is the header's.
#[test]
fn a_decoder_is_small() {
    macro_rules! sizes {
        ($($decoder:ty),*) => {
            [$((stringify!($decoder), size_of::<$decoder>())),*]
        };
    }
    for (name, size) in sizes![Evt2, Evt21, Evt3, Dat, Aedat2, Aedat31] {
        let state = size - size_of::<Header>();
        assert!(state <= 104, "{name}: {state} bytes");
    }
    for (name, size) in sizes![NMnist, EventStream] {
        assert!(size <= 80, "{name}: {size} bytes");
    }
}
