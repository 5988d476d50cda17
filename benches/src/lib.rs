//! Who takes part in a benchmark: foveola in several settings, and its named competitors.

pub mod events;
mod images;
pub mod peers;
pub mod plain;

use foveola::{Algorithm, Plan, Precision, Result};
use foveola_cli::bench::{Contestant, Setting, Workload};
use ndarray::{Array4, Axis};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

/// How a program ends that did what it was asked, or says why not.
pub fn exit(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The heading of the measured section of a page.
pub const MEASURED: &str = "## Measured";

/// Writes `text`, which begins with [`MEASURED`], as the last section of the page at `path`. The text above it is kept.
///
/// # Errors
/// The file cannot be read or written.
pub fn write_measured(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let page = match fs::read_to_string(path) {
        Ok(page) => page,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    fs::write(path, with_measured(&page, text)).map_err(failed)
}

/// `page` with `text` in place of its measured section.
fn with_measured(page: &str, text: &str) -> String {
    let above: String = page.split_inclusive('\n').take_while(|line| line.trim_end() != MEASURED).collect();
    if above.is_empty() { text.to_owned() } else { format!("{}\n\n{text}", above.trim_end()) }
}

/// Operations of a call of a slow competitor, about: its frames in a call are fewer than those of a workload.
const CALL: f64 = 2e7;
/// Operations a frame beyond which a slow competitor is left out.
const MOST: f64 = 2e8;

/// Who computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// foveola as it comes.
    Ours,
    /// foveola term by term; only where it would choose another plan.
    Direct,
    /// foveola with the bits of scalar code: tiles of `wide`.
    Reproducible,
    /// The loops that one writes first.
    Plain,
    /// `imageproc::filter`, or `separable_filter` for a Gaussian.
    Imageproc,
}

impl Who {
    /// A name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "foveola",
            Self::Direct => "foveola, direct",
            Self::Reproducible => "foveola, reproducible (wide)",
            Self::Plain => "plain loops",
            Self::Imageproc => "imageproc",
        }
    }
}

/// One that takes part.
pub struct Entrant {
    /// Who.
    pub who: Who,
    /// With how many threads.
    pub threads: usize,
    /// Which way its convolution goes, where foveola plans one.
    pub plan: Option<Plan>,
    /// What is measured.
    pub contestant: Contestant<'static>,
}

impl Entrant {
    /// Who it is, with its threads.
    pub fn name(&self) -> String {
        let threads = if self.threads == 1 { "1 thread".into() } else { format!("{} threads", self.threads) };
        match self.who {
            Who::Ours | Who::Direct | Who::Reproducible => format!("{}, {threads}", self.who.name()),
            Who::Plain | Who::Imageproc => self.who.name().into(),
        }
    }
}

/// All who take part in a workload; foveola with each number of threads, the others with one.
///
/// # Errors
/// A workload that cannot be built.
pub fn entrants(workload: &Workload, threads: &[usize]) -> Result<Vec<Entrant>> {
    let mut entrants = Vec::new();
    for threads in threads.iter().copied() {
        let ours = Setting { threads, ..Setting::default() };
        let direct = Setting { algorithm: Algorithm::Direct, ..ours };
        let reproducible = Setting { precision: Precision::Reproducible, ..ours };
        let plan = workload.plan(&ours)?;
        let settings = [(Who::Ours, ours), (Who::Direct, direct), (Who::Reproducible, reproducible)];
        for (who, setting) in settings {
            if who == Who::Direct && matches!(plan, None | Some(Plan::Direct)) {
                continue;
            }
            let (plan, contestant) = (workload.plan(&setting)?, workload.contestant(&setting)?);
            entrants.push(Entrant { who, threads, plan, contestant });
        }
    }
    if workload.operations() > MOST {
        return Ok(entrants);
    }
    let steps = [(Who::Plain, Some(plain::step(workload)?)), (Who::Imageproc, images::step(workload)?)];
    for (who, step) in steps {
        if let Some(step) = step {
            let contestant = frame_by_frame(who.name(), workload, step)?;
            entrants.push(Entrant { who, threads: 1, plan: None, contestant });
        }
    }
    Ok(entrants)
}

/// What a competitor does with a frame `(channel, row, col)`, and where to its output goes.
pub type Step = Box<dyn FnMut(&[f32], &mut [f32])>;

fn frame_by_frame(name: &str, workload: &Workload, mut step: Step) -> Result<Contestant<'static>> {
    let frames = ((CALL / workload.operations().max(1.0)) as usize).clamp(1, workload.frames);
    let input = frames_of(&Workload { frames, ..workload.clone() })?;
    let mut output = vec![0.0; frames * workload.samples_out()];
    let (ins, out) = (workload.samples_in(), workload.samples_out());
    Ok(Contestant::new(name, frames as f64, move || {
        for (frame, output) in black_box(&input).chunks_exact(ins).zip(output.chunks_exact_mut(out)) {
            step(frame, output);
        }
        black_box(&mut output);
        Ok(())
    }))
}

/// The input of a workload, `(time, channel, row, col)`.
fn frames_of(workload: &Workload) -> Result<Vec<f32>> {
    let frames: Array4<f32> = workload.input()?.permuted_axes([0, 2, 1, 3, 4]).index_axis_move(Axis(0), 0);
    Ok(frames.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola_cli::bench::{Operation, table};

    /// Small frames, and enough of them that whatever a stream began with is forgotten.
    #[test]
    fn competitors_compute_the_same() {
        for entry in table() {
            let workload = Workload { frames: 130, ..entry.sized(12, 10) };
            let mut model = workload.model(&Setting::default()).expect("a model");
            let input = workload.input().expect("frames");
            model.process(&input).expect("output");
            let output = model.process(&input).expect("output");
            let expected: Vec<f32> = output.index_axis(Axis(2), 129).iter().copied().collect();
            let size = expected.iter().fold(0.0_f32, |max, x| max.max(x.abs()));

            let plain = plain::step(&workload).expect("loops");
            let images = images::step(&workload).expect("loops");
            assert_eq!(images.is_some(), workload.name.starts_with("conv2d") || workload.name.starts_with("gauss"));
            for step in [Some(plain), images] {
                let Some(mut step) = step else { continue };
                let mut found = vec![0.0; workload.samples_out()];
                for frame in frames_of(&workload).expect("frames").chunks_exact(workload.samples_in()) {
                    step(frame, &mut found);
                }
                let apart = found.iter().zip(&expected).fold(0.0_f32, |max, (a, b)| max.max((a - b).abs()));
                assert!(apart <= 1e-4 * size, "{}: {apart} apart, of {size}", workload.name);
            }
        }
    }

    #[test]
    fn a_measured_section_replaces_the_last_one() {
        let measured = format!("{MEASURED}\n\nnew\n");
        for (page, expected) in [
            ("", "## Measured\n\nnew\n"),
            ("# Page\n\nText.\n", "# Page\n\nText.\n\n## Measured\n\nnew\n"),
            ("# Page\n\nText.\n\n## Measured\n\nold\n", "# Page\n\nText.\n\n## Measured\n\nnew\n"),
            ("## Measured\n\nold\n", "## Measured\n\nnew\n"),
        ] {
            assert_eq!(with_measured(page, &measured), expected, "{page:?}");
        }
    }

    #[test]
    fn everyone_takes_part() {
        let conv = Operation::Conv2d { kernel: [3, 3], channels: [1, 1] };
        let entrants = entrants(&Workload::new("conv2d_3x3", conv, 16, 16), &[1, 2]).expect("entrants");
        let names: Vec<String> = entrants.iter().map(Entrant::name).collect();
        for name in ["foveola, 1 thread", "foveola, reproducible (wide), 2 threads", "plain loops", "imageproc"] {
            assert!(names.iter().any(|found| found == name), "no {name} in {names:?}");
        }
        for mut entrant in entrants {
            (entrant.contestant.call)().expect("a call");
        }
    }
}
