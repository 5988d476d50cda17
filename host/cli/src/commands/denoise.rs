//! `foveola bench denoise`: signal and noise retention of event filters.

use super::chosen::{self, Chosen};
use crate::args::InputArgs;
use crate::args::denoise::DenoiseArgs;
use crate::text::print;
use crate::units::{plural, thousands};
use foveola::picture::{RocPanel, roc};
use foveola::{Error, Geometry, Result, shown, write_file};
use foveola_cli::bench::denoise::{Contestant, Counts, Curve, Mixture, Noise, Point, Varied, View, contestants, curve};
use foveola_core::events::Event;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Clean events.
struct Clean {
    name: String,
    geometry: Geometry,
    events: Vec<Event>,
}

/// The results for a scene with several noise rates.
struct Report {
    name: String,
    geometry: Geometry,
    /// Events at each rate.
    counts: Vec<Counts>,
    /// Curves of each contestant at each rate.
    curves: Vec<Vec<Curve>>,
}

pub(crate) fn denoise(args: &DenoiseArgs) -> Result<()> {
    let mut reports = Vec::new();
    for clean in clean(args)? {
        let report = measure(&clean, args)?;
        if !args.json {
            print(&text(&report, args))?;
        }
        reports.push(report);
    }
    if args.json {
        print(&format!("{:#}\n", as_json(&reports, args)))?;
    }
    if let Some(folder) = &args.out {
        write(folder, &reports, args)?;
    }
    Ok(())
}

fn duration(args: &DenoiseArgs) -> Duration {
    Duration::from_micros(args.duration)
}

/// The scenes, and the recording if there is one.
fn clean(args: &DenoiseArgs) -> Result<Vec<Clean>> {
    let view = |view: View| {
        let events = view.events(args.size, duration(args))?.collect();
        Ok(Clean { name: view.name().into(), geometry: args.size, events })
    };
    let mut clean: Vec<Clean> = View::ALL.into_iter().map(view).collect::<Result<_>>()?;
    if let Some(path) = &args.recording {
        let chosen = InputArgs { to: Some(args.duration), ..InputArgs::default() };
        let recording = chosen::open(path, &chosen)?;
        let events = Chosen::new(&recording, &chosen)?;
        let geometry = events.geometry(&recording, &chosen)?;
        let events = events.collect::<Result<_>>()?;
        let name = path.file_name().map_or_else(|| "recording".into(), |name| name.to_string_lossy().into_owned());
        clean.push(Clean { name, geometry, events });
    }
    Ok(clean)
}

fn measure(clean: &Clean, args: &DenoiseArgs) -> Result<Report> {
    let Clean { name, geometry, events } = clean;
    let (mut counts, mut curves) = (Vec::new(), vec![Vec::new(); contestants().len()]);
    for &shot in &args.shot {
        let noise = Noise { leak: args.leak, shot, seed: args.seed };
        let mixture = Mixture::new(events.iter().copied(), *geometry, duration(args), noise)?;
        counts.push(mixture.counts());
        for (contestant, curves) in contestants().iter().zip(&mut curves) {
            curves.push(curve(contestant, &mixture)?);
        }
    }
    Ok(Report { name: name.clone(), geometry: *geometry, counts, curves })
}

/// A setting with its unit.
fn setting(varied: Varied, value: u32) -> String {
    match varied {
        Varied::Distance => format!("{value} px"),
        Varied::Time if value < 1_000 => format!("{value} us"),
        Varied::Time if value < 10_000 => format!("{:.1} ms", f64::from(value) / 1e3),
        Varied::Time => format!("{:.0} ms", f64::from(value) / 1e3),
    }
}

/// Each contestant with its curves, and the best point of the last curve.
fn lines(report: &Report) -> impl Iterator<Item = (Contestant, &Vec<Curve>, Point)> {
    contestants().into_iter().zip(&report.curves).filter_map(|(contestant, curves)| {
        let best = curves.last()?.best()?;
        Some((contestant, curves, best))
    })
}

/// A table for a narrow terminal.
fn text(report: &Report, args: &DenoiseArgs) -> String {
    let Report { name, geometry: Geometry { cols, rows }, counts, .. } = report;
    let signal = counts.first().map_or(0, |counts| counts.signal);
    let mut text = format!("{name}, {cols} x {rows} pixels\n{} of signal\n", plural(signal, "event"));
    for (shot, counts) in args.shot.iter().zip(counts) {
        let _ = writeln!(text, "{} of noise at {shot} Hz + {} Hz of leak", thousands(counts.noise), args.leak);
    }
    let rates: String = args.shot.iter().map(|shot| format!(" {:>5}", format!("{shot}Hz"))).collect();
    let _ = writeln!(text, "\n{:20}{rates} {:>7} {:>5} {:>5}", "filter", "best", "TPR", "FPR");
    for (contestant, curves, best) in lines(report) {
        let areas: String = curves.iter().map(|curve| format!(" {:.3}", curve.auc())).collect();
        let best_setting = setting(contestant.varied, best.setting);
        let _ = writeln!(text, "{:20}{areas} {best_setting:>7} {:.3} {:.3}", contestant.name, best.tpr, best.fpr);
    }
    text + "\n"
}

fn as_json(reports: &[Report], args: &DenoiseArgs) -> Value {
    let point = |point: &Point| json!({ "setting": point.setting, "tpr": point.tpr, "fpr": point.fpr });
    let cases = reports.iter().flat_map(|report| {
        args.shot.iter().enumerate().map(move |(rate, shot)| {
            let filters = contestants().into_iter().zip(&report.curves).filter_map(|(contestant, curves)| {
                let curve = curves.get(rate)?;
                Some(json!({
                    "name": contestant.name,
                    "varied": contestant.varied.name(),
                    "state_bytes": state_bytes(&contestant, report.geometry),
                    "auc": curve.auc(),
                    "best": curve.best().as_ref().map(point),
                    "points": curve.points.iter().map(point).collect::<Vec<_>>(),
                }))
            });
            let counts = report.counts.get(rate).copied().unwrap_or_default();
            json!({
                "scene": report.name,
                "cols": report.geometry.cols,
                "rows": report.geometry.rows,
                "shot_hz": shot,
                "leak_hz": args.leak,
                "signal_events": counts.signal,
                "noise_events": counts.noise,
                "filters": filters.collect::<Vec<_>>(),
            })
        })
    });
    json!({ "seed": args.seed, "seconds": args.duration as f64 * 1e-6, "cases": cases.collect::<Vec<_>>() })
}

/// Bytes of state of a contestant's filters.
fn state_bytes(contestant: &Contestant, geometry: Geometry) -> Option<usize> {
    let setting = contestant.varied.settings().first().copied()?;
    let chain = contestant.chain(geometry, setting).ok()?;
    Some(chain.iter().map(|stage| 4 * stage.state_len()).sum())
}

/// The report and its picture.
fn write(folder: &Path, reports: &[Report], args: &DenoiseArgs) -> Result<()> {
    let io = |path: &Path, source| Error::Io { path: path.into(), source };
    std::fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
    let (page, picture) = (folder.join("denoise.md"), folder.join("denoise.png"));
    let contestants = contestants();
    let names: Vec<&str> = contestants.iter().map(|contestant| contestant.name).collect();
    let rows: Vec<Vec<RocPanel>> = reports.iter().map(|report| panels(report, args)).collect();
    let title = "Filters of events: signal kept over noise kept, by shot noise per pixel";
    roc(&picture, title, &names, &rows)?;
    write_file(&page, markdown(reports, args))?;
    if !args.json {
        print(&format!("wrote     {}\n          {}\n", shown(&page), shown(&picture)))?;
    }
    Ok(())
}

/// One panel per rate.
fn panels(report: &Report, args: &DenoiseArgs) -> Vec<RocPanel> {
    let panel = |(rate, shot): (usize, &f32)| {
        let curves = || report.curves.iter().filter_map(move |curves| curves.get(rate));
        RocPanel {
            title: format!("{}, {shot} Hz", report.name),
            lines: curves().map(Curve::line).collect(),
            areas: curves().map(Curve::auc).collect(),
        }
    };
    args.shot.iter().enumerate().map(panel).collect()
}

const INTRODUCTION: &str = "\
# Accuracy of the event filters

Signal and noise retention on labelled noise: known noise is mixed into clean events, and each filter runs over the mixture at
each of its settings.

![ROC curves of the event filters](denoise.png)

- **Clean events** come from the simulated sensor (`scene::Sensor`) without noise, with its
  default threshold mismatch and refractory period. *bar and grating* is the built-in scene, in which half of the field moves;
  *discs* are three small discs on an empty background.
- **Noise** is the output of the same sensor for a grey wall: leak noise (ON events, regular, with a deviation of 10 % between
  pixels) and shot noise (a Poisson process of either polarity). Noise events do not change the pixels' state: they neither start a
  refractory period nor move the reference level.
- **TPR** is the share of the signal events that is kept, **FPR** the share of the noise events. **AUC** is the area under the curve
  of TPR over FPR, by the trapezoidal rule, from (0, 0) through the points of all settings, in order of FPR, to (1, 1). The maximum is 1;
  chance is 0.5. Time settings go from 100 us to 1 s, four a decade; distances of the double windows from 1 to 96 pixels.
- **best** is the setting with the largest TPR - FPR at the last noise rate. **state** is the filter's memory at this sensor size.
- *row-column* and *double window* are for microcontrollers with little memory. The double window filter has two windows of 36
  events, of which one must be near, or two of 200, of which two must be near. *STCF k=1 twice* keeps events whose supporting event was
  itself supported. *1 ms rest, STCF k=2* is a refractory period before STCF of 8 neighbours. *refractory* alone is a control: noise
  seldom repeats at a pixel and edges do, so it drops signal first.

The protocol and the noise rates are those of S. Guo and T. Delbruck, Low cost and latency event camera background activity
denoising, IEEE Trans. PAMI 45(1), 2023, [doi:10.1109/TPAMI.2022.3152999](https://doi.org/10.1109/TPAMI.2022.3152999) (DND21: leak
about 0.2 Hz, shot about 10 Hz per pixel). Their clean events are recordings from a driving car and from a hotel bar; ours are
simulated. The areas cannot be compared with theirs.
";

fn markdown(reports: &[Report], args: &DenoiseArgs) -> String {
    let mut page = format!("{INTRODUCTION}\nMade by `{}`.\n", command(args));
    for report in reports {
        let Report { name, geometry: Geometry { cols, rows }, counts, .. } = report;
        let seconds = args.duration as f64 * 1e-6;
        let signal = thousands(counts.first().map_or(0, |counts| counts.signal));
        let noise: Vec<String> = counts.iter().map(|counts| thousands(counts.noise)).collect();
        let _ = write!(page, "\n## {name}\n\n{cols} x {rows} pixels, {seconds} s: {signal} events of signal, ");
        let _ = writeln!(page, "{} of noise; leak noise {} Hz.\n", noise.join(" / "), args.leak);
        let rates: String = args.shot.iter().map(|shot| format!(" AUC at {shot} Hz |")).collect();
        let last = args.shot.last().copied().unwrap_or_default();
        let _ = writeln!(page, "| filter |{rates} best at {last} Hz | TPR | FPR | state |");
        let _ = writeln!(page, "|---|{}---|---|---|---|", "---|".repeat(args.shot.len()));
        for (contestant, curves, best) in lines(report) {
            let areas: String = curves.iter().map(|curve| format!(" {:.3} |", curve.auc())).collect();
            let state = match state_bytes(&contestant, report.geometry).unwrap_or_default() {
                bytes if bytes < 10_000 => format!("{} B", thousands(bytes as u64)),
                bytes => format!("{} kB", thousands(bytes as u64 / 1_000)),
            };
            let (name, best_setting) = (contestant.name, setting(contestant.varied, best.setting));
            let _ = writeln!(page, "| {name} |{areas} {best_setting} | {:.3} | {:.3} | {state} |", best.tpr, best.fpr);
        }
    }
    page
}

/// The command that reproduces the numbers.
fn command(args: &DenoiseArgs) -> String {
    let mut command = String::from("cargo run --release -- bench denoise --out docs");
    let Geometry { cols, rows } = args.size;
    let shot: Vec<String> = args.shot.iter().map(ToString::to_string).collect();
    for (flag, value, default) in [
        ("size", format!("{cols}x{rows}"), "346x260"),
        ("duration", format!("{}us", args.duration), "2000000us"),
        ("shot", shot.join(","), "1,5,10"),
        ("leak", args.leak.to_string(), "0.2"),
        ("seed", args.seed.to_string(), "0"),
    ] {
        if value != default {
            let _ = write!(command, " --{flag} {value}");
        }
    }
    if let Some(path) = &args.recording {
        let _ = write!(command, " --recording {}", shown(path));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_units() {
        for (varied, value, expected) in [
            (Varied::Time, 562, "562 us"),
            (Varied::Time, 1_778, "1.8 ms"),
            (Varied::Time, 562_341, "562 ms"),
            (Varied::Distance, 96, "96 px"),
        ] {
            assert_eq!(setting(varied, value), expected);
        }
    }
}
