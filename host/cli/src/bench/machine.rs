//! The machine on which a number was measured.

use std::fmt::{Display, Formatter};

/// The description of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Model of the CPU, or its architecture if the system does not report the model.
    pub cpu: String,
    /// Number of threads that run in parallel.
    pub cores: usize,
    /// The operating system.
    pub os: String,
}

impl Machine {
    /// This machine, as far as the system reports it.
    ///
    /// ```
    /// assert!(foveola_cli::bench::Machine::this().cores >= 1);
    /// ```
    pub fn this() -> Self {
        let entry = |file: &str, key: &str| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            let value = line.split_once([':', '=']).map(|(_, value)| value.trim().trim_matches('"').to_owned());
            value.filter(|value| !value.is_empty())
        };
        Self {
            cpu: entry("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into()),
            cores: cores(),
            os: entry("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.into()),
        }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let cores = if self.cores == 1 { "1 core".into() } else { format!("{} cores", self.cores) };
        write!(f, "{}, {cores}, {}", self.cpu, self.os)
    }
}

/// The number of threads that the machine runs in parallel.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
