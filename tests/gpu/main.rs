//! Models on a GPU: they compute what the processor does, keep both laws, and lose nothing when they are moved, refused, or when
//! the device goes away.
//!
//! `FOVEOLA_GPU=NAME` chooses the device, else it is the first GPU, else `llvmpipe`, which computes in software. Without any the
//! trials are skipped and say why; `FOVEOLA_REQUIRE_GPU=1` makes them fail instead.

mod golden;
mod laws;
mod limits;
mod lost;
mod streams;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    if let (false, Ok(device)) = (arguments.list, foveola_tests::device::under_test()) {
        println!("on {}", device.info().map_or_else(String::new, ToString::to_string));
    }
    let all: Vec<fn() -> Vec<Trial>> =
        vec![golden::trials, laws::trials, limits::trials, lost::trials, streams::trials];
    libtest_mimic::run(&arguments, all.iter().flat_map(|trials| trials()).collect()).exit();
}

/// An error as text.
fn text(error: impl ToString) -> String {
    error.to_string()
}
