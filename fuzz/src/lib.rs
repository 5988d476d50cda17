//! What must hold for any bytes: no panic, no hang, no memory beyond the bound (libFuzzer watches these three), and the same
//! events for any cutting.

use foveola_core::events::{Decode, Event, Skipped};

/// All that a decoder tells of a stream.
type Told = (Vec<Event>, Skipped, Option<u64>);

/// Lengths of pieces, from bytes: short ones, mostly.
fn lengths(from: &[u8]) -> Vec<usize> {
    let length = |byte: &u8| match byte {
        0..=223 => usize::from(byte % 32) + 1,
        _ => usize::from(byte - 223) * 100,
    };
    from.iter().map(length).collect()
}

/// Decodes `bytes` in pieces of these lengths, in turn; whole where there are none.
fn told(mut decoder: impl Decode, mut bytes: &[u8], lengths: &[usize]) -> Told {
    let mut events = Vec::new();
    let mut lengths = lengths.iter().copied().cycle();
    while !bytes.is_empty() {
        let length = lengths.next().unwrap_or(bytes.len()).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        decoder.feed(piece, |event| events.push(event));
        bytes = rest;
    }
    decoder.finish();
    (events, decoder.skipped(), decoder.time())
}

/// The property of every decoder. The last bytes of the input say how it is cut, so that its first ones are a file's.
///
/// # Panics
/// Where it does not hold.
pub fn decoder<D: Decode>(new: impl Fn() -> D, input: &[u8]) {
    let (bytes, cuts) = input.split_at(input.len() - input.len().min(4));
    let whole = told(new(), bytes, &[]);
    assert_eq!(told(new(), bytes, &lengths(cuts)), whole, "cut into pieces of {:?}", lengths(cuts));
    let skipped = whole.1.bytes();
    assert!(skipped <= bytes.len() as u64, "{skipped} of {} bytes skipped", bytes.len());
}
