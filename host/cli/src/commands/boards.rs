//! What a model takes on a board, as lines of text and as JSON.

use crate::units::thousands;
use foveola::Exported;
use serde_json::{Value, json};

/// Clocks of a Cortex-M4 and a Cortex-M7, in Hz.
const CLOCKS: [(&str, f64); 2] = [("M4", 168e6), ("M7", 480e6)];

/// Memory and instructions on a Cortex-M4 or M7.
pub(super) fn on_boards(exported: &Exported) -> String {
    let row = |name: &str, number: usize, rest: &str| format!("{name:<10}{:>10}  {rest}\n", thousands(number as u64));
    let flash = exported.tables;
    let mut text = "on a Cortex-M4 or M7, predicted, with a pipeline around it:\n".to_owned();
    text += &row("RAM", ram(exported), "bytes, beside 2 to 5 kB of stack");
    text +=
        &row("flash", flash + exported.program.flash, &format!("bytes, {} of them tables", thousands(flash as u64)));
    if exported.event_filters > 0 {
        text += &format!("{:20}  and the code of the event filters\n", "");
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
    exported.ram_in_all() + exported.program.ram
}

/// The same as a value.
pub(super) fn as_json(exported: &Exported) -> Value {
    let layers = exported.layers.iter().map(|layer| {
        json!({ "name": layer.name, "flash": layer.tables, "state": layer.state, "instructions": layer.instructions })
    });
    json!({
        "ram": ram(exported),
        "flash": exported.tables + exported.program.flash,
        "instructions": exported.instructions,
        "layers": layers.collect::<Vec<_>>(),
    })
}
