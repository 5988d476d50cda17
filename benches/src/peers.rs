//! Competitors in other languages, as they were measured: a JSON list of
//! `{"peer": "PyTorch conv3d", "workload": "conv3d_10x10x10", "threads": 1, "seconds_per_frame": 0.001}`.

use serde_json::Value;
use std::path::Path;

/// One number of a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Who.
    pub name: String,
    /// At what.
    pub workload: String,
    /// With how many threads.
    pub threads: usize,
    /// How long a frame took.
    pub seconds: f64,
}

/// Reads the list.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &Path) -> Result<Vec<Peer>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Peer>, String> {
    let list: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("no JSON list: {error}"))?;
    list.iter().map(peer).collect()
}

fn peer(entry: &Value) -> Result<Peer, String> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned).ok_or_else(|| format!("no text '{key}' in {entry}"));
    let number = |key: &str| entry[key].as_f64().filter(|number| *number > 0.0);
    let missing = |key: &str| format!("no number '{key}' above 0 in {entry}");
    Ok(Peer {
        name: text("peer")?,
        workload: text("workload")?,
        threads: number("threads").ok_or_else(|| missing("threads"))? as usize,
        seconds: number("seconds_per_frame").ok_or_else(|| missing("seconds_per_frame"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let text = r#"[{"peer": "P", "workload": "low_pass", "threads": 2, "seconds_per_frame": 1e-3, "more": 1}]"#;
        let peer = Peer { name: "P".into(), workload: "low_pass".into(), threads: 2, seconds: 1e-3 };
        assert_eq!(parse(text), Ok(vec![peer]));
        for text in ["{}", "[", r#"[{"peer": "P"}]"#, &text.replace("1e-3", "0")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
