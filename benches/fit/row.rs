//! A number of a task.

use serde_json::{Value, json};

/// A number of a task, by foveola or a peer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) task: String,
    /// Who; empty for foveola.
    pub(crate) peer: String,
    pub(crate) quantity: String,
    /// NaN where there is none: the note says why.
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) target: Option<Target>,
    pub(crate) note: String,
}

/// What a number should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl Row {
    pub(crate) fn new(quantity: impl Into<String>, value: f64, unit: &str) -> Self {
        let (task, peer, note) = Default::default();
        Self { task, peer, quantity: quantity.into(), value, unit: unit.into(), target: None, note }
    }

    pub(crate) fn at_most(self, limit: f64) -> Self {
        Self { target: Some(Target::AtMost(limit)), ..self }
    }

    pub(crate) fn at_least(self, limit: f64) -> Self {
        Self { target: Some(Target::AtLeast(limit)), ..self }
    }

    pub(crate) fn json(&self) -> Value {
        let mut row = json!({ "task": self.task, "quantity": self.quantity, "value": self.value, "unit": self.unit });
        match self.target {
            Some(Target::AtMost(limit)) => row["at_most"] = limit.into(),
            Some(Target::AtLeast(limit)) => row["at_least"] = limit.into(),
            None => {}
        }
        for (key, text) in [("peer", &self.peer), ("note", &self.note)] {
            if !text.is_empty() {
                row[key] = text.as_str().into();
            }
        }
        row
    }
}

/// Reads a list of [`Row::json`].
pub(crate) fn read(text: &str) -> Result<Vec<Row>, String> {
    let list: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("no JSON list: {error}"))?;
    let row = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().map(str::to_owned);
        let limits = [entry["at_most"].as_f64().map(Target::AtMost), entry["at_least"].as_f64().map(Target::AtLeast)];
        let (task, quantity) = (text("task"), text("quantity"));
        let (Some(task), Some(quantity)) = (task, quantity) else {
            return Err(format!("expected a task and a quantity in {entry}"));
        };
        Ok(Row {
            task,
            peer: text("peer").unwrap_or_default(),
            quantity,
            value: entry["value"].as_f64().unwrap_or(f64::NAN),
            unit: text("unit").unwrap_or_default(),
            target: limits.into_iter().flatten().next(),
            note: text("note").unwrap_or_default(),
        })
    };
    list.iter().map(row).collect()
}

/// The most memory that this process has had, in bytes, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| 1024 * kilobytes)
}

/// Processor time of this thread so far, in seconds, where the system tells: on a machine that others use, too, it says more than the
/// wall clock.
pub(crate) fn cpu_time() -> Option<f64> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| 1e-9 * nanoseconds)
}

/// Wall-clock time of a call, and the processor time of this thread, which is the same where the system does not tell.
pub(crate) fn timed<T>(call: impl FnOnce() -> T) -> (T, [f64; 2]) {
    let (cpu, begin) = (cpu_time(), std::time::Instant::now());
    let result = call();
    let wall = begin.elapsed().as_secs_f64();
    let cpu = cpu_time().zip(cpu).map_or(wall, |(after, before)| after - before);
    (result, [wall, cpu])
}

/// The mean: for processor times, which the system counts in steps of some milliseconds.
pub(crate) fn mean(values: Vec<f64>) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len() % 2, values.get(middle)) {
        (_, None) => f64::NAN,
        (1, Some(value)) => *value,
        (_, Some(value)) => (value + values[middle - 1]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_and_read() {
        let rows = [Row::new("time", 1.5, "s").at_most(2.0), Row::new("correlation", 0.7, "").at_least(0.8)];
        let text = Value::Array(rows.iter().map(Row::json).collect()).to_string();
        assert_eq!(read(&text).as_deref(), Ok(&rows[..]));
        assert!(rows[0].target.is_some_and(|target| target.is_met(1.5) && !target.is_met(2.5)));
        assert!(rows[1].target.is_some_and(|target| target.is_met(0.9) && !target.is_met(0.7)));
        for text in ["{}", r#"[{"task": "t"}]"#] {
            assert!(read(text).is_err(), "{text}");
        }
        let none = read(r#"[{"task": "t", "peer": "p", "quantity": "q", "value": null, "note": "none"}]"#);
        assert!(none.expect("a row")[0].value.is_nan());
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn time_is_told() {
        let (sum, [wall, cpu]) = timed(|| (0..1_000_000_u64).map(std::hint::black_box).sum::<u64>());
        assert!(sum > 0 && wall > 0.0 && cpu >= 0.0 && cpu < wall + 0.1, "{wall} {cpu}");
    }

    #[test]
    fn memory_is_told_on_linux() {
        assert_eq!(peak_memory().is_some_and(|peak| peak > 100_000), cfg!(target_os = "linux"));
    }
}
