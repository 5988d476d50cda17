//! What a discrete card is meant to reach.

/// A number to reach.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// Share of multiply-adds in registers.
    Peak(f64),
    /// Share of a copy.
    Copy(f64),
    /// Frames a second, with transfers.
    Frames(f64),
    /// Times as fast as a peer of this name, on the device.
    Beside(&'static str, f64),
}

const TARGETS: [(&str, Target); 11] = [
    ("conv3d_10x10x10@512x512", Target::Peak(0.45)),
    ("conv3d_16x16x16@512x512", Target::Peak(0.45)),
    ("conv3d_3x3x3_8to8@512x512", Target::Peak(0.40)),
    ("conv3d_3x3x3_16to16@512x512", Target::Peak(0.40)),
    ("low_pass@512x512", Target::Copy(0.80)),
    ("low_pass@1280x720", Target::Copy(0.80)),
    ("rectify@512x512", Target::Copy(0.80)),
    ("rectify@1280x720", Target::Copy(0.80)),
    ("retina@1280x720", Target::Frames(2000.0)),
    ("conv3d_10x10x10@512x512", Target::Beside("FP32", 5.0)),
    ("conv3d_16x16x16@512x512", Target::Beside("FP32", 5.0)),
];

/// What a workload reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    pub(crate) workload: String,
    pub(crate) of_peak: Option<f64>,
    pub(crate) of_copy: Option<f64>,
    /// Frames a second, with transfers.
    pub(crate) frames: f64,
    /// Peers, and how many times as long they take.
    pub(crate) peers: Vec<(String, f64)>,
}

/// Each target of which something was measured, as a table.
pub(crate) fn table(all: &[Reached]) -> String {
    let rows: String = TARGETS
        .iter()
        .filter_map(|(name, target)| row(all.iter().find(|reached| reached.workload == *name)?, *target))
        .collect();
    if rows.is_empty() {
        return rows;
    }
    format!("\n### Targets\n\n| workload | reached | target | |\n| --- | --: | --: | --- |\n{rows}")
}

fn row(reached: &Reached, target: Target) -> Option<String> {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let (found, least, [found_text, least_text]) = match target {
        Target::Peak(least) => {
            let found = reached.of_peak?;
            (found, least, [percent(found), format!("{} of peak", percent(least))])
        }
        Target::Copy(least) => {
            let found = reached.of_copy?;
            (found, least, [percent(found), format!("{} of a copy", percent(least))])
        }
        Target::Frames(least) => {
            let found = reached.frames;
            (found, least, [format!("{found:.0}"), format!("{least:.0} frames/s with transfers")])
        }
        Target::Beside(name, least) => {
            let (peer, found) = reached.peers.iter().find(|(peer, _)| peer.contains(name))?;
            (*found, least, [format!("{found:.1}"), format!("{least:.0} times as fast as {peer}")])
        }
    };
    let verdict = if found >= least { "met" } else { "**missed**" };
    Some(format!("| {} | {found_text} | {least_text} | {verdict} |\n", reached.workload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_stands_beside_its_target() {
        let workload = |name: &str| Reached { workload: name.into(), ..Reached::default() };
        let peers = vec![("PyTorch TF32".into(), 1.0), ("PyTorch FP32".into(), 6.0)];
        let conv = Reached { of_peak: Some(0.3), peers, ..workload("conv3d_10x10x10@512x512") };
        let low_pass = Reached { of_copy: Some(0.8), ..workload("low_pass@512x512") };
        let text = table(&[conv, low_pass, workload("rectify@512x512")]);
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("@")).collect();
        let expected = [
            "| conv3d_10x10x10@512x512 | 30 % | 45 % of peak | **missed** |",
            "| low_pass@512x512 | 80 % | 80 % of a copy | met |",
            "| conv3d_10x10x10@512x512 | 6.0 | 5 times as fast as PyTorch FP32 | met |",
        ];
        assert_eq!(rows, expected);
        assert_eq!(table(&[workload("diff")]), "", "nothing to reach");
    }
}
