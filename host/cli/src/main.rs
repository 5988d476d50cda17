//! `foveola`: models of early vision on event recordings and movies, from the command line.

mod args;
mod columns;
mod commands;
mod text;
mod units;

use args::{Cli, Command};
use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use foveola::{Error, shown};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use text::{complain, written};

/// Parses the arguments and runs the command.
fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        // Help and the version go to stdout.
        if let Err(error) = written(error.print().and_then(|()| std::io::stdout().flush())) {
            complain(&format!("error: {error}\n"));
            std::process::exit(1);
        }
        if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
            && Path::new(name).exists()
        {
            let name = shown(name);
            complain(&format!("\nTo run a model over the file {name}: foveola run {name}\n"));
        }
        std::process::exit(error.exit_code());
    });
    let command = match cli.command {
        Some(command) => command,
        None => Cli::parse_from(["foveola", "run"]).command.unwrap_or_else(|| unreachable!("a command was given")),
    };
    let result = match command {
        Command::Run(args) => commands::run::run(&args),
        Command::Model(args) => commands::model::model(&args),
        Command::Fit(args) => commands::fit::fit(&args),
        Command::Simulate(args) => commands::simulate::simulate(&args),
        Command::Info(args) => commands::info::info(&args),
        Command::Convert(args) => commands::convert::convert(&args),
        Command::Record(args) => commands::record::record(&args),
        Command::Bench(args) => commands::bench::bench(&args),
        Command::Devices(args) => commands::devices::devices(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            // An unknown name or a wrong notation is an argument error, like those that clap reports.
            ExitCode::from(if matches!(error, Error::Unknown { .. } | Error::Spelling { .. }) { 2 } else { 1 })
        }
    }
}
