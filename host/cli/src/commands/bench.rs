//! `foveola bench`: throughput on this machine, relative to its hardware peak.

use super::denoise;
use crate::args::bench::{Accuracy, BenchArgs};
use crate::args::refuse;
use crate::text::print;
use crate::units::{plural, thousands};
use foveola::{Algorithm, Error, Geometry, Plan, Precision, Result, SimdLevel};
use foveola_cli::bench::{self, Limits, Machine, Operation, Place, Rates, Setting, Timing, Workload};
use serde_json::{Map, Value, json};

/// The operations with kernels of any size, and the axes of `--kernel`.
const CUSTOM: [(&str, &str, &[usize]); 3] =
    [("conv3d", "time,rows,columns", &[5, 5, 5]), ("conv2d", "rows,columns", &[9, 9]), ("conv1d", "time", &[100])];
/// Widths of the columns.
const NAME: usize = 21;

/// One measured workload.
struct Measured {
    workload: Workload,
    timing: Timing,
    rates: Rates,
    plan: Option<Plan>,
    /// The same with the baseline vector level.
    baseline: Option<Timing>,
}

pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    if let Some(Accuracy::Denoise(args)) = &args.accuracy {
        return denoise::denoise(args);
    }
    let workloads = chosen(args)?;
    if args.list {
        return list(args, &workloads);
    }
    let algorithms = Algorithm::NAMES.map(|(name, _)| name).join(", ");
    let algorithm = Algorithm::NAMES.into_iter().find(|(name, _)| *name == args.plan).map(|(_, algorithm)| algorithm);
    let unknown = || Error::Unknown { what: "plan", value: args.plan.clone(), expected: algorithms };
    let algorithm = algorithm.ok_or_else(unknown)?;
    let precision = args.precision.parse()?;
    let setting = Setting { threads: args.threads, precision, algorithm };
    let auto = Setting { algorithm: Algorithm::Auto, ..setting };
    if (args.baseline || algorithm != Algorithm::Auto)
        && workloads.iter().all(|one| matches!(one.plan(&auto), Ok(None)))
    {
        refuse("--plan and --baseline are for convolutions; name one of them");
    }

    let cores = bench::cores();
    let threads = if args.threads == 0 { cores } else { args.threads };
    // More threads than cores do not raise a limit.
    let most = threads.min(cores);
    let limits = Limits::measure(&[1, most][usize::from(most == 1)..], args.seconds / 4.0)?;
    if !args.json {
        print(&heading(&limits, threads, args))?;
    }
    let mut all = Vec::new();
    for workload in workloads {
        let limit = limits.last().unwrap_or_else(|| unreachable!("one is measured at least"));
        // If the whole table is measured, workloads without such a plan are omitted.
        match measured(workload, &setting, limit, args) {
            Err(_) if args.workload.is_empty() && algorithm != Algorithm::Auto => {}
            Err(error) => return Err(error),
            Ok(measured) if args.json => all.push(as_json(&measured)),
            Ok(measured) => print(&line(&measured, args.baseline))?,
        }
    }
    if args.json {
        let Machine { cpu, cores, os } = Machine::this();
        let value = json!({
            "machine": { "cpu": cpu, "cores": cores, "os": os },
            "threads": threads,
            "precision": args.precision,
            "algorithm": args.plan,
            "limits": limits.iter().map(limits_as_json).collect::<Vec<_>>(),
            "workloads": all,
        });
        print(&format!("{value:#}\n"))?;
    }
    Ok(())
}

fn measured(workload: Workload, setting: &Setting, limits: &Limits, args: &BenchArgs) -> Result<Measured> {
    let plan = workload.plan(setting)?;
    let contestant = workload.contestant(setting)?;
    let (timing, baseline) = if args.baseline && plan.is_some() {
        let baseline = Setting { precision: Precision::AtMost(SimdLevel::Baseline), ..*setting };
        let [timing, baseline] = bench::measure([contestant, workload.contestant(&baseline)?], args.seconds)?;
        (timing, Some(baseline))
    } else {
        let [timing] = bench::measure([contestant], args.seconds)?;
        (timing, None)
    };
    let rates = workload.rates(timing.median, limits);
    Ok(Measured { workload, timing, rates, plan, baseline })
}

/// The workloads that the arguments name.
fn chosen(args: &BenchArgs) -> Result<Vec<Workload>> {
    let custom = |name: &str| CUSTOM.into_iter().find(|(custom, ..)| *custom == name);
    let sized = !args.kernel.is_empty() || !args.channels.is_empty();
    if sized && !args.workload.iter().any(|name| custom(name).is_some()) {
        refuse("--kernel and --channels are for conv3d, conv2d and conv1d; name one of them");
    }
    let named = args.workload.iter().map(|name| match custom(name) {
        Some((_, axes, default)) => Ok(convolution(name, axes, default, args)),
        None => bench::find(name).map_err(|error| match error {
            Error::Unknown { what, value, expected } => {
                Error::Unknown { what, value, expected: format!("{expected}; or conv3d, conv2d, conv1d with --kernel") }
            }
            other => other,
        }),
    });
    let mut workloads = if args.workload.is_empty() { bench::table() } else { named.collect::<Result<_>>()? };
    if let Some(Geometry { cols, rows }) = args.size {
        let mut sized: Vec<Workload> = Vec::new();
        for workload in workloads {
            let name = workload.name.split('@').next().unwrap_or_default();
            let workload = Workload { name: format!("{name}@{cols}x{rows}"), ..workload.sized(rows, cols) };
            // Workloads at several sizes in the table are now equal.
            if !sized.contains(&workload) {
                sized.push(workload);
            }
        }
        workloads = sized;
    }
    if let Some(frames) = args.frames {
        workloads.iter_mut().for_each(|workload| workload.frames = frames);
    }
    Ok(workloads)
}

/// A convolution with the kernel given by the arguments.
fn convolution(name: &str, axes: &str, default: &[usize], args: &BenchArgs) -> Workload {
    let kernel = if args.kernel.is_empty() { default } else { &args.kernel[..] };
    let channels = match args.channels[..] {
        [] => [1, 1],
        [ins, out] => [ins, out],
        _ => refuse(&format!("--channels has {}; expected two, IN,OUT", plural(args.channels.len() as u64, "number"))),
    };
    let operation = match (name, kernel) {
        ("conv3d", [t, r, c]) => Operation::Conv3d { kernel: [*t, *r, *c], channels },
        ("conv2d", [r, c]) => Operation::Conv2d { kernel: [*r, *c], channels },
        ("conv1d", [frames]) => Operation::Conv1d { frames: *frames, channels },
        _ => {
            let axis = if kernel.len() == 1 { "axis" } else { "axes" };
            refuse(&format!("--kernel has {} {axis}; {name} takes {}: {axes}", kernel.len(), default.len()))
        }
    };
    let size = kernel.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
    let [ins, out] = channels;
    let channels = if channels == [1, 1] { String::new() } else { format!("_{ins}to{out}") };
    Workload::new(format!("{name}_{size}{channels}"), operation, 128, 128)
}

fn list(args: &BenchArgs, workloads: &[Workload]) -> Result<()> {
    if args.json {
        let list: Vec<Value> = workloads.iter().map(describe).collect();
        return print(&format!("{:#}\n", Value::from(list)));
    }
    for workload in workloads {
        let Workload { name, rows, cols, frames, operation } = workload;
        let channels = match operation.channels() {
            1 => String::new(),
            n => format!(" x {n}"),
        };
        let size = format!("{cols} x {rows}{channels}");
        let operations = workload.operations() / 1e6;
        print(&format!("{name:NAME$} {size:13} {frames:3} frames {operations:7.1} MFLOP\n"))?;
    }
    Ok(())
}

fn describe(workload: &Workload) -> Value {
    json!({
        "name": workload.name,
        "rows": workload.rows,
        "cols": workload.cols,
        "channels": workload.operation.channels(),
        "frames": workload.frames,
        "operations": workload.operations(),
        "bytes": workload.bytes(),
        "bound": workload.operation.bound().name(),
    })
}

fn as_json(measured: &Measured) -> Value {
    let Measured { workload, timing, rates, plan, baseline } = measured;
    let mut value = describe(workload);
    value["seconds_per_frame"] = json!(timing.median);
    value["quartiles"] = json!([timing.lower, timing.upper]);
    value["slices"] = json!(timing.slices);
    value["frames_per_second"] = json!(rates.frames);
    value["gflops"] = json!(rates.operations / 1e9);
    value["gbytes_per_second"] = json!(rates.bytes / 1e9);
    value["fraction"] = json!(rates.fraction);
    value["plan"] = json!(plan.map(|plan| plan.to_string()));
    if let Some(baseline) = baseline {
        value["baseline"] = json!({ "seconds_per_frame": baseline.median, "ratio": baseline.median / timing.median });
    }
    value
}

fn limits_as_json(limits: &Limits) -> Value {
    let places = |rates: [f64; 3]| -> Map<String, Value> {
        Place::ALL
            .into_iter()
            .zip(rates)
            .map(|(place, rate)| (place.name().replace(' ', ""), json!(rate / 1e9)))
            .collect()
    };
    let level = |(level, rate): &(SimdLevel, f64)| (level.to_string(), json!(rate / 1e9));
    let levels: Map<_, _> = limits.multiply_add.iter().map(level).collect();
    json!({
        "threads": limits.threads,
        "fma_gflops": levels,
        "copy_gbytes_per_second": places(limits.copy),
        "read_gbytes_per_second": places(limits.read),
    })
}

/// The machine, its limits, and the column headings.
fn heading(limits: &[Limits], threads: usize, args: &BenchArgs) -> String {
    let machine = Machine::this();
    let count = |threads| if threads == 1 { "1 thread".into() } else { format!("{threads} threads") };
    let mut text = format!("{}\n{}\n{}\n\n", machine.cpu, machine.os, count(threads));
    let row = |name: &str, unit: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>11}")).collect();
        format!("{name:NAME$} {unit:8}{cells}\n")
    };
    text += &row("limit", "", limits.iter().map(|limits| count(limits.threads)).collect());
    let rates = |rate: &dyn Fn(&Limits) -> f64| limits.iter().map(|of| format!("{:.1}", rate(of) / 1e9)).collect();
    for (i, (level, _)) in limits.iter().take(1).flat_map(|limits| &limits.multiply_add).enumerate() {
        let name = format!("FMA, {}", level);
        text += &row(&name, "GFLOP/s", rates(&|limits| limits.multiply_add.get(i).map_or(0.0, |(_, rate)| *rate)));
    }
    for (i, place) in Place::ALL.map(Place::name).into_iter().enumerate() {
        text += &row(&format!("copy, {place}"), "GB/s", rates(&|limits| limits.copy[i]));
        text += &row(&format!("read, {place}"), "GB/s", rates(&|limits| limits.read[i]));
    }
    let flops = if args.baseline { "speedup" } else { "GFLOP/s" };
    text += &format!("\n{:NAME$} {:>8} {flops:>7} {:>9} plan\n", "workload", "frames/s", "of limit");
    text
}

/// A line for a narrow terminal; with --baseline, the ratio replaces the operations per second.
fn line(measured: &Measured, baseline: bool) -> String {
    let Measured { workload, timing, rates, plan, baseline: other } = measured;
    let frames =
        if rates.frames < 1e6 { thousands(rates.frames as u64) } else { format!("{:.2} M", rates.frames / 1e6) };
    let second = match other {
        Some(other) => format!("{:.1} x", other.median / timing.median),
        None if baseline || rates.operations == 0.0 => String::new(),
        None => format!("{:.1}", rates.operations / 1e9),
    };
    let share = format!("{:.0}%{:>5}", 100.0 * rates.fraction, workload.operation.bound().name());
    let name = &workload.name;
    let name = if name.len() > NAME { format!("{name}\n{:NAME$}", "") } else { format!("{name:NAME$}") };
    let plan = plan.as_ref().map_or_else(String::new, short);
    format!("{name} {frames:>8} {second:>7} {share:>9} {plan}").trim_end().to_owned() + "\n"
}

/// A plan, abbreviated.
fn short(plan: &Plan) -> String {
    match plan {
        Plan::Separable { terms, .. } if *terms > 1 => format!("rank {terms}"),
        Plan::Fft { rows, cols } => format!("FFT {rows}x{cols}"),
        plan => plan.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_a_narrow_terminal() {
        let timing = Timing { median: 1e-3, lower: 1e-3, upper: 1e-3, slices: 3 };
        let rates = Rates { frames: 999_999.0, operations: 1e12, bytes: 1e12, fraction: 1.0 };
        for workload in bench::table() {
            for plan in
                [Some(Plan::Fft { rows: 192, cols: 192 }), Some(Plan::Separable { terms: 10, error: 0.0 }), None]
            {
                let measured = Measured { workload: workload.clone(), timing, rates, plan, baseline: None };
                let line = line(&measured, false);
                assert!(line.trim_end().chars().count() <= 60, "{line}");
            }
        }
        let workload = Workload { name: "conv3d_7x9x11_20to40@2000x1500".into(), ..bench::table()[0].clone() };
        let line = line(&Measured { workload, timing, rates, plan: None, baseline: Some(timing) }, true);
        assert_eq!(line.lines().count(), 2, "a long name has a line of its own: {line}");
        assert!(line.contains(" 1.0 x ") && line.contains("100%  FMA"), "{line}");
    }
}
