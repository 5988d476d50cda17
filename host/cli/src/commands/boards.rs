//! What a model takes on a board, as lines of text and as JSON.

use crate::units::thousands;
use foveola::Exported;
use serde_json::{Value, json};

/// Clocks of a Cortex-M4 and a Cortex-M7, in Hz.
const CLOCKS: [(&str, f64); 2] = [("M4", 168e6), ("M7", 480e6)];

/// A board of `firmware/boards`, with its bytes of RAM and flash.
struct Board {
    name: &'static str,
    ram: usize,
    flash: usize,
}

const BOARDS: [Board; 2] = [
    Board { name: "STM32H743", ram: 512 << 10, flash: 2048 << 10 },
    Board { name: "RP2350", ram: 512 << 10, flash: 4096 << 10 },
];

/// Bytes of RAM that a program leaves for its stack.
const STACK: usize = 5 << 10;

/// The boards that have the RAM and the flash.
fn with_room(exported: &Exported) -> impl Iterator<Item = &'static str> {
    let (ram, flash) = (ram(exported).saturating_add(STACK), flash(exported));
    BOARDS.iter().filter(move |board| ram <= board.ram && flash <= board.flash).map(|board| board.name)
}

/// Memory and instructions on a Cortex-M4 or M7.
pub(super) fn on_boards(exported: &Exported) -> String {
    let row = |name: &str, number: usize, rest: &str| format!("{name:<10}{:>10}  {rest}\n", thousands(number as u64));
    let mut text = "on a Cortex-M4 or M7, predicted, with a pipeline around it:\n".to_owned();
    text += &row("RAM", ram(exported), "bytes, beside 2 to 5 kB of stack");
    let tables = thousands(exported.tables as u64);
    let of = match exported.program {
        Some(_) => format!("bytes, {tables} of them tables"),
        None => "bytes of tables, and the code, which is not predicted in 16 bits".into(),
    };
    text += &row("flash", flash(exported), &of);
    if with_room(exported).next().is_none() {
        let boards = BOARDS.map(|Board { name, ram, flash }| {
            format!("{name} with {} kB of RAM and {} kB of flash", ram >> 10, flash >> 10)
        });
        text += &format!("{:20}  too much for every board of firmware/boards: {}\n", "", boards.join(", "));
    }
    if exported.event_filters > 0 {
        text += &format!("{:20}  and the code of the event filters\n", "");
    }
    if exported.program.is_none() {
        return text + "a frame   is not predicted in 16 bits\n";
    }
    let Some(instructions) = exported.instructions else {
        let unknown = exported.layers.iter().filter(|layer| layer.instructions.is_none());
        let names: Vec<&str> = unknown.map(|layer| layer.name.as_str()).collect();
        return text + &format!("a frame   is not predicted, because of {}\n", names.join("; "));
    };
    text += &row("a frame", instructions as usize, "instructions; if each takes one cycle");
    for (core, clock) in CLOCKS {
        let time = 1e3 * instructions as f64 / clock;
        text += &format!("{:20}  {time:.2} ms on an {core} of {:.0} MHz\n", "", clock / 1e6);
    }
    text
}

/// Bytes of static variables.
fn ram(exported: &Exported) -> usize {
    exported.ram_in_all() + exported.program.as_ref().map_or(0, |program| program.ram)
}

/// Bytes of code, constants and tables; the tables alone where the code is not predicted.
fn flash(exported: &Exported) -> usize {
    exported.tables.saturating_add(exported.program.as_ref().map_or(0, |program| program.flash))
}

/// The same as a value.
pub(super) fn as_json(exported: &Exported) -> Value {
    let layers = exported.layers.iter().map(|layer| {
        json!({ "name": layer.name, "flash": layer.tables, "state": layer.state, "instructions": layer.instructions })
    });
    json!({
        "ram": ram(exported),
        "flash": flash(exported),
        "boards_with_room": with_room(exported).collect::<Vec<_>>(),
        "instructions": exported.instructions,
        "layers": layers.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes are those that the boards are linked with.
    #[test]
    fn boards_are_those_of_the_firmware() {
        for Board { name, ram, flash } in BOARDS {
            let folder = format!("{}/../../firmware/boards/{}", env!("CARGO_MANIFEST_DIR"), name.to_lowercase());
            let memory = std::fs::read_to_string(format!("{folder}/memory.x")).expect("a board of the repository");
            let kilobytes = |region: &str| {
                let line = memory.lines().find(|line| line.trim_start().starts_with(region)).expect(region);
                let length = line.rsplit("= ").next().and_then(|length| length.strip_suffix('K')).expect("a length");
                length.parse::<usize>().expect("a number") << 10
            };
            assert_eq!((kilobytes("RAM"), kilobytes("FLASH")), (ram, flash), "{name}");
        }
    }
}
