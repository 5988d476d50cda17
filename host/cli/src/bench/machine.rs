//! The machine that a number was measured on.

use std::fmt::{Display, Formatter};

/// What the machine calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Model of the CPU, or its architecture where the system does not tell.
    pub cpu: String,
    /// Threads that it runs at once.
    pub cores: usize,
    /// The operating system.
    pub os: String,
}

impl Machine {
    /// This machine, as far as it tells.
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

/// The number of threads that the machine runs at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
