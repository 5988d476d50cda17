//! Bytes of a Prophesee EVT 2.0 stream, in chunks of any length, become frames of counts.
//! `cargo run -p foveola-core --example events_to_frames`

use foveola_core::events::{Accumulator, Decode, Event, Evt2, Evt2Encoder, Polarity, Push};

const COLS: usize = 16;
const ROWS: usize = 8;

fn main() {
    // A sensor would send these: a dot that goes round in row 3, an event every 250 us.
    let (mut encoder, mut bytes) = (Evt2Encoder::new(), Vec::new());
    for i in 0..40_u64 {
        let event = Event { t: 250 * i, x: (i % COLS as u64) as u16, y: 3, on: i % 3 != 0 };
        encoder.encode(event, |word| bytes.extend(word)).expect("a column and a row that EVT 2.0 can hold");
    }

    let mut decoder = Evt2::new();
    let mut bins =
        Accumulator::new(ROWS, COLS, Polarity::Signed, 2_000).expect("a sensor of some pixels, a bin of some time");
    let mut frame = [0.0_f32; ROWS * COLS];
    for chunk in bytes.chunks(7) {
        for event in decoder.events(chunk) {
            while let Push::FrameComplete { .. } = bins.push(event, &mut frame) {
                let row: Vec<String> = frame[3 * COLS..4 * COLS].iter().map(|count| format!("{count:2}")).collect();
                println!("row 3, ON minus OFF in 2 ms: {}", row.join(" "));
            }
        }
    }
    println!("{} bytes were skipped; {:?}", decoder.skipped().bytes(), bins.dropped());
}
