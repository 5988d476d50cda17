//! `foveola`: models of early vision on event recordings and movies, from the command line.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
