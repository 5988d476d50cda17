//! The byte order of words in EVT 2.1: the given one, or the one in the header, or the one in which the first words are
//! valid.
//!
//! In the wrong order, bits of a mask are taken for the type of a word, of which 10 in 16 are impossible. An order fits if
//! 99 of 100 words of the first 64 kB are possible in it. A header with an order that does not fit, while the other does, is
//! an error. After the loss of half a word, words of one order look like those of the other; so the first 64 words must
//! confirm this, too.

use super::ReadOptions;
use super::assumption::Assumption;
use super::text_header;
use foveola_core::events::{Decode, Evt21, Order};

/// The number of first words, of which few are lost.
const FIRST: usize = 64;

fn name(order: Order) -> &'static str {
    if order == Order::Little { "little" } else { "legacy" }
}

/// A decoder for the byte order of a recording that begins with `head`, and the assumptions made.
///
/// # Errors
/// The header's order is wrong; the message says how to give another.
pub(super) fn decoder(head: &[u8], options: &ReadOptions) -> Result<(Evt21, Vec<Assumption>), String> {
    if let Some(order) = options.order {
        return Ok((Evt21::with_order(order), Vec::new()));
    }
    let data = head.get(Evt21::front(head).unwrap_or(head.len())..).unwrap_or_default();
    let words = data.as_chunks::<8>().0;
    let fit = |order: Order, words: &[[u8; 8]]| {
        words.iter().filter(|word| order.is_possible(**word)).count() * 100 >= words.len() * 99
    };
    let fits = |order: Order| fit(order, words);
    let begins = |order: Order| fit(order, words.get(..FIRST).unwrap_or(words));
    let other = |order| if order == Order::Little { Order::Legacy } else { Order::Little };
    let first = format!("its first {} words", words.len());
    match text_header::header(head).order() {
        Some(told) if !fits(told) && !begins(told) && fits(other(told)) => Err(format!(
            "its header tells the order of bytes {}, but {first} make sense in the order {} only; name it (--order)",
            name(told),
            name(other(told))
        )),
        Some(told) => Ok((Evt21::with_order(told), Vec::new())),
        // Too few words are ambiguous; then the first time-high word decides.
        None => Ok(match (fits(Order::Little), fits(Order::Legacy)) {
            (true, false) => assumed(Order::Little, first),
            (false, true) => assumed(Order::Legacy, first),
            _ => (Evt21::new(), Vec::new()),
        }),
    }
}

fn assumed(order: Order, first: String) -> (Evt21, Vec<Assumption>) {
    let reason = format!("{first} make sense so");
    (Evt21::with_order(order), vec![Assumption::new("order", name(order), reason)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_core::events::{Event, Evt21Encoder};

    fn words(order: Order) -> Vec<u8> {
        let (mut encoder, mut bytes) = (Evt21Encoder::new(order), Vec::new());
        for i in 0..1000_u64 {
            let (x, y) = ((i * 7919 % 640) as u16, (i * 31 % 480) as u16);
            let event = Event { t: 50 * i, x, y, on: i % 2 == 0 };
            encoder.encode(event, |word| bytes.extend(word)).expect("inside");
        }
        encoder.finish(|word| bytes.extend(word));
        bytes
    }

    /// The header is trusted if the first words fit it, regardless of later words.
    #[test]
    fn a_header_is_believed_that_the_first_words_fit() {
        // Time-high words without a lower half are valid in either order.
        let time = [0, 0, 0, 0, 1, 0, 0, 0x80];
        let header = &b"% evt 2.1\n% endianness legacy\n"[..];
        for (times, believed) in [(FIRST, true), (FIRST / 2, false)] {
            let bytes = [header, &time.repeat(times), &words(Order::Little)].concat();
            let found = decoder(&bytes, &ReadOptions::default());
            assert_eq!(found.is_ok_and(|(found, _)| found.order() == Some(Order::Legacy)), believed, "{times} words");
        }
    }

    #[test]
    fn words_tell_their_order() {
        for (order, other) in [(Order::Little, Order::Legacy), (Order::Legacy, Order::Little)] {
            let mut bytes = [&b"% evt 2.1\n"[..], &words(order)].concat();
            let (found, assumed) = decoder(&bytes, &ReadOptions::default()).expect("they tell it");
            assert_eq!((found.order(), assumed.len()), (Some(order), 1));
            bytes[100] ^= 0x70;
            bytes[107] ^= 0x70;
            let (found, _) = decoder(&bytes, &ReadOptions::default()).expect("a damaged word changes nothing");
            assert_eq!(found.order(), Some(order));

            let header = format!("% evt 2.1\n% endianness {}\n", name(other));
            let wrong = [header.as_bytes(), &words(order)].concat();
            let why = decoder(&wrong, &ReadOptions::default()).map(|_| ()).expect_err("the header is wrong");
            assert!(why.contains(name(order)) && why.contains("--order"), "{why}");
            let options = ReadOptions { order: Some(order), ..ReadOptions::default() };
            assert!(decoder(&wrong, &options).is_ok_and(|(found, _)| found.order() == Some(order)), "given");
        }
    }
}
