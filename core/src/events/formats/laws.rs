//! The laws that every decoder keeps.

extern crate std;
use super::{Aedat2, Camera, Dat, Evt2, Evt3, Evt21, NMnist, Order};
use crate::events::{Decode, Event, Geometry, Header, Skipped};
use core::ops::Range;
use proptest::prelude::*;
use std::{boxed::Box, format, vec, vec::Vec};

/// Events, and what the decoder tells when it has finished.
type Decoded = (Vec<Event>, Skipped, Option<u64>, Option<Geometry>);

/// Polarity, pixel and, where a run gave it, the times it lay in.
type Seen = (u16, u16, bool, Option<Range<u64>>);

/// What comes of bytes in pieces of the given lengths in turn.
type Cut<T> = Box<dyn Fn(&[u8], &[usize]) -> T>;

/// A decoder, as functions of bytes and the lengths of pieces.
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
        "N-MNIST": NMnist::new(),
    ]
}

/// The pieces of the given lengths in turn.
fn pieces<'a>(mut bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().copied().cycle();
    core::iter::from_fn(move || {
        let length = lengths.next()?.min(bytes.len());
        bytes.split_off(..length).filter(|piece| !piece.is_empty())
    })
}

/// Decodes pieces, each through another form of the interface.
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

/// Decodes pieces in runs of 1000 us.
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
    let text = "[%#] ?(geometry [0-9]{1,4}x[0-9]{1,4}|evt 2.0|end|Width 640|AEChip: DAVIS240|[ -~]{0,90})\r?\n";
    let part = prop_oneof![
        4 => several(evt2.boxed()),
        4 => several(nmnist.boxed()),
        4 => several(evt3.boxed()),
        4 => several(evt21.boxed()),
        4 => several(dat.boxed()),
        4 => several(aedat.boxed()),
        2 => prop::collection::vec(any::<u8>(), 0..20),
        3 => text.prop_map(Into::into),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same(bytes in stream(), lengths in prop::collection::vec(1_usize..40, 1..8)) {
        for Case { name, decode, .. } in decoders() {
            let whole = decode(&bytes, &[bytes.len().max(1)]);
            prop_assert_eq!(decode(&bytes, &lengths), whole, "{}", name);
        }
    }

    #[test]
    fn a_run_gives_events_of_its_times(bytes in stream(), length in 1_usize..400) {
        for Case { name, decode, run } in decoders() {
            let (events, ..) = decode(&bytes, &[bytes.len().max(1)]);
            let seen = run(&bytes, &[length]);
            prop_assert_eq!(events.len(), seen.len(), "{}", name);
            for (&Event { t, x, y, on }, seen) in events.iter().zip(seen) {
                prop_assert_eq!((x, y, on), (seen.0, seen.1, seen.2), "{}", name);
                prop_assert!(seen.3.clone().is_none_or(|times| times.contains(&t)), "{}: {} in {:?}", name, t, seen.3);
            }
        }
    }

    /// Wherever a stream is cut, every byte is accounted for, and a decoder that was saved there goes on as if it had not been.
    #[test]
    fn no_byte_is_left_over_and_a_saved_decoder_goes_on(bytes in stream(), at in any::<prop::sample::Index>(), lost in any::<bool>()) {
        let (before, after) = bytes.split_at(at.index(bytes.len() + 1));
        let mut decoder = Evt2::new();
        let events = decoder.events(before).count() as u64;
        if lost {
            decoder.lost();
        }
        let counted = 4 * events + decoder.silent() + decoder.skipped().bytes() + decoder.held() as u64;
        prop_assert_eq!(counted, before.len() as u64);

        let mut words = Vec::new();
        decoder.save(&mut |word| words.push(word));
        prop_assert_eq!(words.len(), Evt2::SAVED);
        let mut words = words.into_iter();
        let mut restored = Evt2::restore(&mut || words.next().expect("as many words"));
        let (events, expected): (Vec<_>, Vec<_>) = (restored.events(after).collect(), decoder.events(after).collect());
        prop_assert_eq!(events, expected);
        let state = |decoder: &Evt2| (decoder.skipped(), decoder.silent(), decoder.held(), decoder.time(), decoder.geometry());
        prop_assert_eq!(state(&restored), state(&decoder));
    }

    /// Without text in front, events and what is skipped are whole words and all of the bytes, but for words without either.
    #[test]
    fn noise_is_counted_to_the_byte(bytes in prop::collection::vec(128_u8..=255, 0..2000)) {
        let length = bytes.len() as u64;
        for (Case { name, decode, .. }, word, silent) in decoders().into_iter().zip(WORDS).map(|(case, (word, silent))| (case, word, silent)) {
            let (events, skipped, ..) = decode(&bytes, &[7]);
            prop_assert!(skipped.bytes() <= length, "{}: {:?}", name, skipped);
            let rest = length - skipped.bytes();
            prop_assert!(rest.is_multiple_of(word), "{}: {} bytes, {:?}", name, length, skipped);
            prop_assert!(silent || rest == word * events.len() as u64, "{}: {} bytes, {:?}", name, length, skipped);
        }
    }
}

/// Bytes of a word of each decoder, and whether words come without an event, or with more than one.
const WORDS: [(u64, bool); 8] =
    [(4, true), (8, true), (8, true), (2, true), (8, false), (8, false), (8, false), (5, true)];

#[test]
fn nothing_gives_nothing() {
    for Case { name, decode, .. } in decoders() {
        assert_eq!(decode(&[], &[1]), (vec![], Skipped::default(), None, None), "{name}");
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
    for (name, size) in sizes![Evt2, Evt21, Evt3, Dat, Aedat2] {
        let state = size - size_of::<Header>();
        assert!(state <= 64, "{name}: {state} bytes");
    }
    assert!(size_of::<NMnist>() <= 64, "{}", format!("{} bytes", size_of::<NMnist>()));
}
