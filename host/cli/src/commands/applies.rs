//! Which options apply to which input: an option that does not apply is an error, not ignored.

use crate::args::{ConvertArgs, InputArgs, RunArgs, refuse};
use crate::units::seconds;
use foveola::{Format, movie};
use std::fmt;

/// The kind of input, as far as options depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scene,
    Events(Format),
    Movie(movie::Kind),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scene => f.write_str("the built-in scene"),
            Self::Events(format) => write!(f, "a recording of events ({})", format.name()),
            Self::Movie(kind) => f.write_str(kind.about()),
        }
    }
}

impl Kind {
    fn has_events(self) -> bool {
        !matches!(self, Self::Movie(_))
    }

    fn is_one_of(self, formats: &[Format]) -> bool {
        matches!(self, Self::Events(format) if formats.contains(&format))
    }
}

/// An option, whether it was given, the input it applies to in words, and whether the present input is such.
type Row = (&'static str, bool, &'static str, bool);

fn input_rows(args: &InputArgs, kind: Kind) -> [Row; 10] {
    let (events, file) = (kind.has_events(), kind != Kind::Scene);
    let columns = kind.is_one_of(&[Format::Csv, Format::Npy, Format::Npz]);
    let recording = matches!(kind, Kind::Events(_));
    [
        ("geometry", args.geometry.is_some(), "events", events),
        ("format", args.format.is_some(), "recordings of events", recording),
        ("columns", args.columns.is_some(), "text and arrays of events (csv, npy, npz)", columns),
        ("unit", args.unit.is_some(), "text and arrays of events (csv, npy, npz)", columns),
        ("order", args.order.is_some(), "EVT 2.1 (evt21)", kind.is_one_of(&[Format::Evt21])),
        ("camera", args.camera.is_some(), "AEDAT 2 (aedat2)", kind.is_one_of(&[Format::Aedat2])),
        ("damaged", args.damaged, "recordings of events", recording),
        ("from", args.from.is_some(), "recordings and movies", file),
        ("to", args.to.is_some(), "recordings and movies", file),
        ("filter", !args.filter.is_empty(), "events", events),
    ]
}

fn run_rows(args: &RunArgs, kind: Kind) -> [Row; 3] {
    let array = kind == Kind::Movie(movie::Kind::Array);
    [
        ("polarity", args.polarity.is_some(), "events", kind.has_events()),
        ("seed", args.seed.is_some(), "the built-in scene", kind == Kind::Scene),
        ("scale", args.scale.is_some(), "movies that are arrays (.npy, .npz)", array),
    ]
}

fn written_rows(args: &ConvertArgs, format: Format) -> [Row; 3] {
    let text = format == Format::Csv;
    [
        ("to-columns", args.to_columns.is_some(), "text (csv)", text),
        ("to-unit", args.to_unit.is_some(), "text (csv)", text),
        ("to-order", args.to_order.is_some(), "EVT 2.1 (evt21)", format == Format::Evt21),
    ]
}

/// Exits if an option of the input does not apply to the kind of `name`.
pub(crate) fn to_input(args: &InputArgs, kind: Kind, name: &str) {
    refuse_others(&input_rows(args, kind), name, &kind.to_string());
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        let [from, to] = [from, to].map(|time| seconds(time as f64 * 1e-6));
        refuse(&format!("--from {from} is not before --to {to}; expected an earlier time"));
    }
}

/// The same for all options of `foveola run`.
pub(crate) fn to_run(args: &RunArgs, kind: Kind, name: &str) {
    refuse_others(&run_rows(args, kind), name, &kind.to_string());
    to_input(&args.common, kind, name);
}

/// The same for the output options of `foveola convert`.
pub(crate) fn to_written(args: &ConvertArgs, format: Format) {
    refuse_others(&written_rows(args, format), &args.output.display().to_string(), format.about());
}

fn refuse_others(rows: &[Row], name: &str, what: &str) {
    for (option, given, for_what, applies) in rows {
        if *given && !applies {
            let name = if name.is_empty() { "the input".into() } else { format!("'{name}'") };
            refuse(&format!("--{option} is for {for_what}, and {name} is {what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;

    /// Options that apply to every input.
    const ALWAYS: [&str; 18] = [
        "input",
        "model",
        "dt",
        "out",
        "set",
        "every",
        "chunk",
        "device",
        "reproducible",
        "digest",
        "quiet",
        "pixel",
        "no_pictures",
        "weights",
        "save_state",
        "load_state",
        "json",
        "help",
    ];

    /// A new option of `run` must state the inputs that it applies to.
    #[test]
    fn every_option_of_run_is_in_a_table() {
        let args = RunArgs::default();
        let rows = input_rows(&args.common, Kind::Scene).into_iter().chain(run_rows(&args, Kind::Scene));
        let mut known: Vec<_> = rows.map(|(option, ..)| option).chain(ALWAYS).collect();
        let mut command = Cli::command();
        command.build();
        let run = command.find_subcommand("run").expect("a command");
        let mut options: Vec<_> = run.get_arguments().map(|option| option.get_id().as_str()).collect();
        known.sort_unstable();
        options.sort_unstable();
        assert_eq!(known, options);
    }
}
