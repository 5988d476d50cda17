//! `foveola devices`: where models can compute.

use super::units::plural;
use super::{Lines, print};
use clap::Args;
use foveola::bench::{Machine, level_name};
use foveola::{Device, DeviceInfo, SimdLevel};
use serde_json::{Value, json};

const HELP: &str = "\
Examples:
  foveola devices
  foveola devices --json
  foveola run a.raw --device gpu       the first GPU
  foveola run a.raw --device gpu:nvidia
                                       part of a name

GPUs in software are listed too; --device gpu takes none of
them, but they can be named.";

/// Whether this build knows GPUs.
const BUILT: bool = cfg!(feature = "gpu");

#[derive(Args, Clone)]
#[command(after_help = HELP)]
pub(super) struct DevicesArgs {
    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    json: bool,
}

pub(super) fn devices(args: &DevicesArgs) {
    let (machine, found) = (Machine::this(), Device::list());
    let levels = SimdLevel::available().into_iter().map(level_name).collect::<Vec<_>>();
    // The list has the order in which `--device gpu` looks.
    let taken = found.iter().position(|info| info.kind.is_hardware());
    if args.json {
        let devices = found.iter().enumerate().map(|(i, info)| as_json(info, taken == Some(i)));
        let value = json!({
            "processor": { "name": machine.cpu, "cores": machine.cores, "vectors": levels },
            "gpu_support": BUILT,
            "devices": devices.collect::<Vec<_>>(),
        });
        return print(&format!("{value:#}\n"));
    }
    let mut lines = Lines::default();
    lines.push("cpu", machine.cpu);
    lines.push("", format!("{}, vectors: {}", plural(machine.cores as u64, "core"), levels.join(", ")));
    for (i, info) in found.iter().enumerate() {
        lines.push("gpu", &info.name);
        let taken = if taken == Some(i) { "; --device gpu takes it" } else { "" };
        lines.push("", format!("{}, {}{taken}", info.kind.name(), info.interface));
        lines.push("", &info.driver);
    }
    match (BUILT, taken) {
        (false, _) => {
            let how = ["not in this build, but in that of", "cargo install --path host --features gpu"];
            lines.push_all("gpu", how.map(str::to_owned));
        }
        (true, None) if found.is_empty() => lines.push("gpu", "none was found through Vulkan or Metal"),
        (true, None) => lines.push("", "not for --device gpu; name one: gpu:NAME"),
        (true, Some(_)) => {}
    }
    print(&lines.0);
}

fn as_json(info: &DeviceInfo, taken: bool) -> Value {
    json!({
        "name": info.name,
        "kind": info.kind.name(),
        "interface": info.interface,
        "driver": info.driver,
        "taken": taken,
    })
}
