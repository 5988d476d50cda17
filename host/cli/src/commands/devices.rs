//! `foveola devices`: the devices that can run models.

use crate::args::DevicesArgs;
use crate::text::{Lines, print};
use crate::units::plural;
use foveola::{Device, DeviceInfo, Result, SimdLevel};
use foveola_cli::bench::Machine;
use serde_json::{Value, json};

pub(crate) fn devices(args: &DevicesArgs) -> Result<()> {
    let (machine, found) = (Machine::this(), Device::list());
    let levels = SimdLevel::available().into_iter().map(|level| level.to_string()).collect::<Vec<_>>();
    // The list is in the order in which `--device gpu` searches.
    let taken = found.iter().position(|info| info.kind.is_hardware());
    if args.json {
        let devices = found.iter().enumerate().map(|(i, info)| as_json(info, taken == Some(i)));
        let value = json!({
            "processor": { "name": machine.cpu, "cores": machine.cores, "vectors": levels },
            "gpu_support": Device::HAS_GPU_SUPPORT,
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
    match (Device::HAS_GPU_SUPPORT, taken) {
        (false, _) => {
            let how = ["not in this build, but in that of", "cargo install --path host/cli --features gpu"];
            lines.push_all("gpu", how.map(str::to_owned));
        }
        (true, None) if found.is_empty() => lines.push("gpu", "none was found through Vulkan or Metal"),
        (true, None) => lines.push("", "not for --device gpu; name one: gpu:NAME"),
        (true, Some(_)) => {}
    }
    print(&lines.0)
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
