//! The golden cases of all filters on an emulated microcontroller: close to the expected outputs, and the host's bits.
//!
//! Exit code 1 when one case fails. What it prints is kept in `golden.out`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use foveola_golden::{Room, run};
use foveola_qemu::{exit, text};
use static_cell::ConstStaticCell;

static ROOM: ConstStaticCell<Room> = ConstStaticCell::new(Room::new());

#[entry]
fn main() -> ! {
    let passed = run(ROOM.take(), &mut |line| text!("{}", line));
    text!("{}", if passed { "passed" } else { "FAILED" });
    exit(passed)
}
