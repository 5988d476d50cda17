//! The table, as Markdown and as JSON.

use crate::targets::{self, Reached};
use crate::turns::Row;
use foveola::DeviceInfo;
use foveola_benches::MEASURED;
use foveola_benches::peers::Peer;
use foveola_cli::bench::Machine;
use serde_json::{Value, json};

/// What stands above the table.
pub(crate) struct Head {
    pub(crate) device: DeviceInfo,
    pub(crate) machine: Machine,
    /// Operations a second in registers, and bytes a second of a copy, as measured; none without a clock.
    pub(crate) peaks: Option<(f64, f64)>,
    /// Whether frames are tiny, so that no speed is claimed.
    pub(crate) quick: bool,
    pub(crate) command: String,
}

/// The page, which grows by a row a workload.
pub(crate) struct Page {
    head: Head,
    peers: Vec<Peer>,
    text: String,
    rows: Vec<Value>,
    reached: Vec<Reached>,
}

impl Page {
    pub(crate) fn new(head: Head, peers: Vec<Peer>) -> Self {
        let text = heading(&head);
        Self { head, peers, text, rows: Vec::new(), reached: Vec::new() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a row, and returns its text.
    pub(crate) fn push(&mut self, row: Row) -> String {
        let shares = self.shares(&row);
        let peers: Vec<&Peer> = self.peers.iter().filter(|peer| peer.workload == row.case.name).collect();
        let (wall, processor) = (row.wall.0, row.processor.0);
        let device = row.device.map(|(median, _)| median);
        let best = device.unwrap_or(wall);
        let beside =
            peers.iter().map(|peer| format!("{} {} ({:.2})", peer.name, micros(peer.seconds), peer.seconds / best));
        let (operations, copy) = shares.map_or_else(Default::default, |(operations, copy)| {
            (if row.case.operations > 0.0 { percent(operations) } else { String::new() }, percent(copy))
        });
        let cells = [
            row.case.name.clone(),
            device.map(micros).unwrap_or_default(),
            operations,
            copy,
            micros(wall),
            device.map(|device| micros((wall - device).max(0.0))).unwrap_or_default(),
            micros(processor),
            format!("{:.1}", processor / wall),
            beside.collect::<Vec<_>>().join("; "),
        ];
        let text = format!("| {} |\n", cells.join(" | "));
        self.reached.push(Reached {
            workload: row.case.name.clone(),
            of_peak: shares.map(|(operations, _)| operations),
            of_copy: shares.map(|(_, copy)| copy),
            frames: 1.0 / wall,
            peers: peers.iter().map(|peer| (peer.name.clone(), peer.seconds / best)).collect(),
        });
        self.rows.push(json!({
            "workload": row.case.name,
            "frames": row.case.frames[0],
            "operations": row.case.operations,
            "bytes": row.case.bytes,
            "device_seconds": device,
            "wall_seconds": wall,
            "processor_seconds": processor,
            "best_seconds": { "device": row.device.map(|(_, best)| best), "wall": row.wall.1, "processor": row.processor.1 },
            "of_peak": shares.map(|(operations, _)| operations),
            "of_copy": shares.map(|(_, copy)| copy),
            "peers": peers.iter().map(|peer| json!({ "peer": peer.name, "seconds": peer.seconds })).collect::<Vec<_>>(),
        }));
        self.text.push_str(&text);
        text
    }

    /// Adds what was to be reached, where a speed is claimed, and returns its text.
    pub(crate) fn finish(&mut self) -> String {
        let text = if self.head.quick { String::new() } else { targets::table(&self.reached) };
        self.text.push_str(&text);
        text
    }

    /// Shares of the peaks that the device reaches.
    fn shares(&self, row: &Row) -> Option<(f64, f64)> {
        let ((operations, bytes), (seconds, _)) = (self.head.peaks?, row.device?);
        Some((row.case.operations / seconds / operations, row.case.bytes / seconds / bytes))
    }

    pub(crate) fn as_json(&self) -> Value {
        let Head { device, machine, peaks, quick, .. } = &self.head;
        json!({
            "device": { "name": device.name, "kind": device.kind.name(), "interface": device.interface, "driver": device.driver },
            "machine": machine.to_string(),
            "peak_flops": peaks.map(|(operations, _)| operations),
            "peak_bytes_per_second": peaks.map(|(_, bytes)| bytes),
            "quick": quick,
            "workloads": self.rows,
        })
    }
}

fn heading(head: &Head) -> String {
    let Head { device, machine, peaks, quick, command } = head;
    let claim = match (device.kind.is_hardware(), quick) {
        (false, _) => {
            "**This device is software on the CPU: no speed is claimed.** Frames are tiny; the table shows that everything runs.\n\n"
        }
        (true, true) => "**Frames are tiny: no speed is claimed.** The table shows that everything runs.\n\n",
        (true, false) => "",
    };
    let peaks = match peaks {
        Some((operations, bytes)) => format!(
            "Measured in the same run: multiply-adds in registers {:.2} TFLOP/s, a copy {:.0} GB/s, read and written.",
            operations * 1e-12,
            bytes * 1e-9
        ),
        None => "The device has no readable clock, so its time without transfers is not known.".into(),
    };
    format!(
        "{MEASURED}\n\n{device}, driver {}; {machine}. Made by\n\n```sh\n{command}\n```\n\n{claim}{peaks}\n\n\
         Medians, in microseconds a frame. Sizes are columns x rows, 128 x 128 unless the name states another. A chunk on the device\n\
         has at most 256 MB or 1024 frames; a chunk on the CPU is that of `foveola bench`. Before each measurement, the output of the\n\
         workload is compared with the CPU's.\n\n\
         - **device**: time on the device's clock, without transfers. The passes run often enough to keep its clock rate high. Blocks of\n  \
         small frames may stay in the card's cache.\n\
         - **of peak, of copy**: operations of the definition, and bytes that every algorithm has to move, as `foveola bench` counts\n  \
         them, relative to the two limits above. A plan that saves operations, or a cache, can exceed 100 %.\n\
         - **with transfers**: frames from host memory, output to host memory. **transfers, host**: that time minus the device time.\n\
         - **CPU**: the same model on the CPU, with all its threads; then that time divided by the time with transfers.\n\
         - **peers**: PyTorch on the same card, without transfers; in brackets, that time divided by our device time.\n\n\
         | workload | device | of peak | of copy | with transfers | transfers, host | CPU | CPU / with transfers | peers |\n\
         | --- | --: | --: | --: | --: | --: | --: | --: | --- |\n",
        device.driver
    )
}

fn micros(seconds: f64) -> String {
    match 1e6 * seconds {
        us if us < 10.0 => format!("{us:.2}"),
        us if us < 1000.0 => format!("{us:.1}"),
        us => format!("{us:.0}"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
