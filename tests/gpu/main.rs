//! Models on a GPU: they compute what the processor does, keep both laws, and lose nothing when they are moved, refused, or when
//! the device goes away.
//!
//! `FOVEOLA_GPU=NAME` chooses the device, else it is the first GPU, else `llvmpipe`, which computes in software. Without any the
//! trials are skipped and say why; `FOVEOLA_REQUIRE_GPU=1` makes them fail instead, and `FOVEOLA_GPU=none` leaves them out.

mod compensated;
mod cuts;
mod golden;
mod laws;
mod limits;
mod lost;
mod nodes;
mod outputs;
mod streams;

use foveola_tests::naive;
use foveola_tests::stream::bits;
use libtest_mimic::{Arguments, Trial};
use ndarray::{Array5, ArrayRef5};

fn main() {
    let arguments = Arguments::from_args();
    if std::env::var("FOVEOLA_GPU").is_ok_and(|name| name == "none") {
        println!("left out: FOVEOLA_GPU=none");
        libtest_mimic::run(&arguments, Vec::new()).exit();
    }
    if !arguments.list {
        match foveola_tests::device::under_test() {
            Ok(device) => println!("on {}", device.info().map_or_else(String::new, ToString::to_string)),
            Err(reason) => println!("no device: {reason}"),
        }
    }
    let all: Vec<fn() -> Vec<Trial>> = vec![
        compensated::trials,
        cuts::trials,
        golden::trials,
        laws::trials,
        limits::trials,
        lost::trials,
        nodes::trials,
        outputs::trials,
        streams::trials,
    ];
    libtest_mimic::run(&arguments, all.iter().flat_map(|trials| trials()).collect()).exit();
}

/// An error as text.
fn text(error: impl ToString) -> String {
    error.to_string()
}

/// An error where `found` is further than `tolerance` from `expected`.
fn close(what: &str, found: &ArrayRef5<f32>, expected: &ArrayRef5<f32>, tolerance: f64) -> Result<(), String> {
    let (expected, tolerance) = (expected.mapv(f64::from), Array5::from_elem(expected.dim(), tolerance));
    naive::close(found, &expected, &tolerance).map_err(|error| format!("{what}: {error}"))
}

/// An error where they differ in any bit.
fn same(what: &str, found: &Array5<f32>, expected: &Array5<f32>) -> Result<(), String> {
    close(what, found, expected, 0.0)?;
    if bits(&found.view()) == bits(&expected.view()) { Ok(()) } else { Err(format!("{what}: another sign of zero")) }
}
