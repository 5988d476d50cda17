//! The report as Markdown.

use crate::run::{Entry, Measured};
use crate::targets;
use foveola_benches::Who;
use foveola_benches::peers::Peer;
use foveola_cli::bench::{Bound, Limits, Machine, grouped};
use std::fmt::Write as _;

/// What stands above the table.
pub(crate) struct Head {
    /// The machine.
    pub(crate) machine: Machine,
    /// The compiler.
    pub(crate) compiler: String,
    /// What made the report.
    pub(crate) command: String,
    /// What the machine can do at most.
    pub(crate) limits: Vec<Limits>,
}

/// The whole report.
pub(crate) fn report(head: &Head, all: &[Measured], peers: &[Peer]) -> String {
    let mut text = format!(
        "# Performance\n\n\
         {}; {}. Made by\n\n```sh\n{}\n```\n\n\
         All implementations of a workload take turns of a few milliseconds, and so do the measurements of the machine's limits. Numbers are medians;\n\
         a limit is what the best quarter of its turns reached. Python implementations were measured in a separate run\n\
         (`benches/peers`).\n\n\
         - **plan**: the algorithm that was used. A second row shows direct convolution where the cost model chose another algorithm.\n\
         - **GFLOP/s**: operations of the definition in a second. A plan that saves operations can exceed 100 % of the limit.\n\
         - **of limit**: the share of the hardware limit. FMA: multiply-adds in registers. copy, read: memory traffic of about the size of a\n  \
         chunk's input and output.\n\
         - **target**: with one thread, for the share of the limit; with two threads, for the speed relative to one thread, where a frame takes\n  \
         more than 200 us with one.\n\
         - **seed**: speed with two threads, relative to the PyTorch implementation that foveola started from, and the target.\n\
         - **times as fast as**: speed relative to reproducible precision (tiles of `wide`), plain loops and `imageproc` with one thread,\n  \
         and to other implementations with the same number of threads.\n\n\
         [missed-targets.md](missed-targets.md) gives the reasons for missed targets, and what was tried.\n\n",
        head.machine, head.compiler, head.command
    );
    text += &limits(&head.limits);
    text.push('\n');
    let heads = ["workload", "threads", "plan", "frames/s", "us a frame (quartiles)", "GFLOP/s", "of limit", "target"];
    text += &row(heads.into_iter().chain(["seed", "times as fast as"]).map(str::to_owned).collect());
    text += &row("--- --: --- --: --: --: --: --: --: ---".split(' ').map(str::to_owned).collect());
    for measured in all {
        for entry in measured.entries.iter().filter(|entry| matches!(entry.who, Who::Ours | Who::Direct)) {
            text += &row(cells(measured, entry, peers));
        }
    }
    text
}

fn row(cells: Vec<String>) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn cells(measured: &Measured, entry: &Entry, peers: &[Peer]) -> Vec<String> {
    let (workload, timing) = (&measured.workload, &entry.timing);
    let seconds = timing.median;
    let (operations, bound) = (workload.operations(), workload.operation.bound());
    let fraction = measured.fraction(entry, bound).map(|share| format!("{} {}", percent(share), bound.name()));
    vec![
        workload.name.clone(),
        entry.threads.to_string(),
        entry.plan.map_or_else(String::new, |plan| plan.to_string()),
        count(1.0 / seconds),
        format!("{:.1} ({:.1}-{:.1})", 1e6 * seconds, 1e6 * timing.lower, 1e6 * timing.upper),
        if operations > 0.0 { format!("{:.1}", operations / seconds / 1e9) } else { String::new() },
        fraction.unwrap_or_default(),
        target(measured, entry).unwrap_or_default(),
        seed(measured, entry, peers).unwrap_or_default(),
        others(measured, entry, peers),
    ]
}

/// How many times as fast as everybody else an entry is.
fn others(measured: &Measured, entry: &Entry, peers: &[Peer]) -> String {
    let names = [(Who::Reproducible, "reproducible"), (Who::Plain, "plain loops"), (Who::Imageproc, "imageproc")];
    let ours = names.into_iter().filter_map(|(who, name)| {
        // Those who have no threads of their own stand beside one thread.
        Some((name, measured.entry(who, entry.threads)?.timing.median))
    });
    let theirs = peers.iter().filter(|peer| !is_seed(peer) && is(peer, measured, entry.threads));
    let all = ours.chain(theirs.map(|peer| (&peer.name[..], peer.seconds)));
    let all = all.map(|(name, seconds)| format!("{name} {}", times(seconds / entry.timing.median)));
    all.collect::<Vec<_>>().join("; ")
}

/// The target of an entry, and whether it is met.
fn target(measured: &Measured, entry: &Entry) -> Option<String> {
    if entry.threads > 1 {
        let (multiple, longer_than) = targets::SCALING;
        let one = measured.entry(entry.who, 1)?.timing.median;
        let found = one / entry.timing.median;
        let wanted = entry.threads == 2 && one > longer_than;
        return Some(if wanted {
            format!("{} of {multiple}: {}", times(found), met(found >= multiple))
        } else {
            times(found)
        });
    }
    let fractions = targets::fractions(&measured.workload.name);
    // The limit is one of the definition's operations: other plans are beside the point.
    if fractions.is_empty() || (entry.who == Who::Ours && measured.entry(Who::Direct, entry.threads).is_some()) {
        return None;
    }
    let reached = |(bound, least): &(Bound, f64)| measured.fraction(entry, *bound).is_some_and(|share| share >= *least);
    let wanted: Vec<String> = fractions
        .iter()
        .map(|(bound, least)| {
            let share = measured.fraction(entry, *bound).map_or_else(String::new, percent);
            format!("{share} of {} {}", percent(*least), bound.name())
        })
        .collect();
    Some(format!("{}: {}", wanted.join(" or "), met(fractions.iter().any(reached))))
}

/// Beside the seed.
fn seed(measured: &Measured, entry: &Entry, peers: &[Peer]) -> Option<String> {
    if entry.threads != targets::SEED_THREADS {
        return None;
    }
    let name = &measured.workload.name;
    // Measured here, or else as noted.
    let here = peers.iter().find(|peer| is_seed(peer) && is(peer, measured, entry.threads));
    let seconds = here.map(|peer| peer.seconds).or(targets::seed(name).map(|frames| 1.0 / frames))?;
    let found = seconds / entry.timing.median;
    Some(match targets::multiple(name, entry.who == Who::Direct) {
        Some(least) => format!("{} of {least}: {}", times(found), met(found >= least)),
        None => times(found),
    })
}

fn is(peer: &Peer, measured: &Measured, threads: usize) -> bool {
    peer.workload == measured.workload.name && peer.threads == threads
}

fn is_seed(peer: &Peer) -> bool {
    peer.name.to_lowercase().contains("seed")
}

fn met(yes: bool) -> &'static str {
    if yes { "met" } else { "**missed**" }
}

fn times(ratio: f64) -> String {
    if ratio < 100.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// `12,345`.
fn count(n: f64) -> String {
    grouped(&format!("{n:.0}"))
}

fn limits(all: &[Limits]) -> String {
    let mut text = String::new();
    for limits in all {
        let levels = limits.multiply_add.iter().map(|(level, rate)| format!("{level} {:.0}", rate / 1e9));
        let _ = writeln!(
            text,
            "- Limits, {}: multiply-adds {} GFLOP/s; copy {:.0} GB/s of 128 kB, {:.0} of 8 MB, {:.0} of 256 MB; read \
             {:.0}, {:.0} and {:.0}.",
            if limits.threads == 1 { "1 thread".into() } else { format!("{} threads", limits.threads) },
            levels.collect::<Vec<_>>().join(", "),
            limits.copy[0] / 1e9,
            limits.copy[1] / 1e9,
            limits.copy[2] / 1e9,
            limits.read[0] / 1e9,
            limits.read[1] / 1e9,
            limits.read[2] / 1e9,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola::Plan;
    use foveola_cli::bench::{Timing, find};

    fn entry(who: Who, threads: usize, seconds: f64, plan: Plan) -> Entry {
        let timing = Timing { median: seconds, lower: seconds, upper: seconds, slices: 3 };
        Entry { who, threads, plan: Some(plan), timing }
    }

    #[test]
    fn a_table_stands_beside_its_targets() {
        let workload = find("conv3d_10x10x10").expect("a workload");
        // 100 GFLOP/s a thread, at 85 % of it term by term; another plan is four times as fast.
        let direct = workload.operations() / 85e9;
        let fft = Plan::Fft { rows: 144, cols: 144 };
        let entries = vec![
            entry(Who::Ours, 1, direct / 4.0, fft),
            entry(Who::Direct, 1, direct, Plan::Direct),
            entry(Who::Ours, 2, direct / 8.0, fft),
            entry(Who::Direct, 2, direct / 1.5, Plan::Direct),
            entry(Who::Plain, 1, 10.0 * direct, Plan::Direct),
        ];
        let limits = vec![(Bound::MultiplyAdd, 1, 100e9), (Bound::MultiplyAdd, 2, 200e9)];
        let measured = Measured { workload, entries, limits };
        let peer = |name: &str, threads, seconds| Peer {
            name: name.into(),
            workload: "conv3d_10x10x10".into(),
            threads,
            seconds,
        };
        let peers = [peer("JAX", 1, 2.0 * direct), peer("the seed, PyTorch", 2, 8.0 * direct)];
        let head = Head {
            machine: Machine { cpu: "CPU".into(), cores: 2, os: "OS".into() },
            compiler: "rustc".into(),
            command: "report".into(),
            limits: Vec::new(),
        };
        let text = report(&head, &[measured], &peers);
        let rows: Vec<Vec<&str>> = (text.lines().filter(|line| line.starts_with('|')))
            .map(|line| line.split('|').map(str::trim).skip(1).collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
        let column = |name: &str| rows[0].iter().position(|head| *head == name).unwrap_or_else(|| panic!("{name}"));
        let of = |name: &str| rows[2..].iter().map(|row| row[column(name)]).collect::<Vec<_>>();
        assert_eq!(of("of limit"), ["340 % FMA", "85 % FMA", "340 % FMA", "64 % FMA"]);
        assert_eq!(of("target"), ["", "85 % of 80 % FMA: met", "2.0", "1.5 of 1.8: **missed**"]);
        assert_eq!(of("seed"), ["", "", "64.0 of 50: met", "12.0 of 16: **missed**"]);
        assert_eq!(of("times as fast as"), ["plain loops 40.0; JAX 8.0", "plain loops 10.0; JAX 2.0", "", ""]);
    }
}
