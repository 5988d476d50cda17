//! `foveola fit`: a model's parameters from recordings.

mod hints;
mod kernels;
mod pictures;
mod progress;
mod recordings;
mod report;

use super::guard::Guard;
use super::stimulus::Subject;
use crate::args::fit::{FitArgs, TargetKind, WarmUp};
use crate::args::refuse;
use crate::text::print;
use foveola::fit::{Fit, Fitted, Loss, Stop};
use foveola::{Error, ModelFile, Result, write_file};
use pictures::Pictures;
use progress::Watcher;
use recordings::Recording;
use report::Report;
use std::path::{Path, PathBuf};

/// Files, and the content of each.
type Wrote = Vec<(PathBuf, String)>;

pub(crate) fn fit(args: &FitArgs) -> Result<()> {
    let (stimuli, targets) = (args.stimulus.len(), args.target.len());
    if stimuli != targets {
        refuse(&format!("--stimulus is given {stimuli} times and --target {targets} times; expected pairs"));
    }
    let subject = Subject::read(&args.model)?;
    let archive = ModelFile::archive_of(&args.out)?;
    refuse_to_overwrite(args, &subject, &archive)?;
    let recordings = Recording::read_all(args, &subject)?;
    if let Some(folder) = &args.pictures {
        std::fs::create_dir_all(folder).map_err(|source| {
            let reason = format!("cannot be made a folder for the pictures: {source}");
            Error::Data { path: folder.clone(), reason }
        })?;
    }

    let mut file = subject.file.clone();
    let fitted = run(args, &subject, &mut file, &recordings)?;
    let mut wrote: Wrote = Vec::new();
    let arrays = file.write(&args.out)?;
    wrote.push((args.out.clone(), "the fitted model".into()));
    wrote.extend(arrays.map(|path| (path, "its arrays".into())));
    if let Some(folder) = &args.pictures {
        let pictures =
            Pictures { folder, args, subject: &subject, file: &file, recordings: &recordings, fitted: &fitted };
        pictures.draw(&mut wrote)?;
    }
    wrote.extend(args.report.iter().map(|path| (path.clone(), "this report as JSON".into())));
    let report = Report { args, subject: &subject, recordings: &recordings, fitted: &fitted, wrote: &wrote };
    let value = report.as_json();
    args.report.iter().try_for_each(|path| write_file(path, format!("{value:#}\n")))?;
    print(&if args.model.json { format!("{value:#}\n") } else { report.as_text(crate::text::width()) })
}

/// Fits the file to the recordings.
fn run(args: &FitArgs, subject: &Subject, file: &mut ModelFile, recordings: &[Recording]) -> Result<Fitted> {
    let mut watcher = Watcher::new(args);
    let stop = Stop { evaluations: args.evaluations, ..Fit::STOP };
    let mut fit = Fit::of_file(file)
        .output(subject.output.as_str())
        .loss(loss(args))
        .optimizer(args.optimizer.clone())
        .stop(stop)
        .warm_up(warm_up(args, recordings))
        .validate(args.validate.unwrap_or(0.0));
    fit = args.free.iter().fold(fit, |fit, name| fit.free(name.trim()));
    fit = args.bounds.iter().fold(fit, |fit, (name, low, high)| fit.bounds(name.as_str(), *low..=*high));
    for (name, penalty) in &args.penalty {
        fit = match name {
            Some(name) => fit.penalty_on(name.as_str(), *penalty),
            None => fit.penalty(*penalty),
        };
    }
    if let Some(threads) = args.model.threads {
        fit = fit.threads(threads);
    }
    fit.watch(|progress| watcher.see(progress)).run_all(recordings.iter().map(Recording::pair))
}

/// The loss that is asked for, or that of the kind of target.
fn loss(args: &FitArgs) -> Loss {
    match (args.loss, args.target_kind) {
        (Some(loss), _) => loss.into(),
        (None, TargetKind::Rate) => Loss::MeanSquaredError,
        (None, TargetKind::Counts | TargetKind::Spikes) => Loss::Poisson,
    }
}

/// Output frames that are not used at the begin of each recording.
fn warm_up(args: &FitArgs, recordings: &[Recording]) -> usize {
    match args.warm_up {
        None => 0,
        Some(WarmUp::Frames(frames)) => frames,
        Some(WarmUp::Microseconds(us)) => {
            let dt = recordings.first().map_or(1.0, |recording| recording.dt);
            // A time that is a whole number of frames may be a little more of them by rounding.
            (us as f64 * 1e-6 / dt - 1e-6).ceil().max(0.0) as usize
        }
    }
}

/// Refuses files that would replace one that is read, or each other, and folders that there are not, before a long fit.
fn refuse_to_overwrite(args: &FitArgs, subject: &Subject, archive: &Path) -> Result<()> {
    let inputs = args.stimulus.iter().chain(&args.target).chain(&args.model.weights);
    let guard = Guard::new("fit", Some(&subject.file), inputs);
    let named = [("--out", Some(&args.out)), ("--report", args.report.as_ref())];
    for (option, path) in named.into_iter().filter_map(|(option, path)| Some((option, path?))) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if guard.reads(path) || folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(guard.refused(option, path, "a file in a folder that there is, and none that is read"));
        }
    }
    guard.check("--out", archive, "a name whose archive of arrays (.npz) is no file that is read")?;
    if let Some(report) = args.report.as_ref().filter(|report| **report == args.out || *report == archive) {
        return Err(guard.refused("--report", report, "another file than the fitted model and its arrays"));
    }
    let names = Pictures::names(&subject.file);
    const EXPECTED: &str = "a folder in which no file that is read would be replaced";
    let folder = args.pictures.iter();
    folder
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .try_for_each(|path| guard.check("--pictures", &path, EXPECTED))
}
