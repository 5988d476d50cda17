//! Time measurement of several contestants in turns.

use foveola::Result;
use std::time::{Duration, Instant};

/// A slice of a contestant's time: long enough for the clock, short enough that a disturbance affects all contestants.
const SLICE: Duration = Duration::from_millis(5);
/// The smallest number of slices per contestant.
const FEWEST: usize = 3;

/// Something to measure.
pub struct Contestant<'a> {
    /// The name.
    pub name: String,
    /// Units of work per call: frames, operations or bytes.
    pub work: f64,
    /// One call.
    pub call: Box<dyn FnMut() -> Result<()> + 'a>,
}

impl<'a> Contestant<'a> {
    /// A contestant that processes `work` units per call.
    pub fn new(name: impl Into<String>, work: f64, call: impl FnMut() -> Result<()> + 'a) -> Self {
        Self { name: name.into(), work, call: Box::new(call) }
    }
}

/// The time per unit of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Median over the slices, in seconds per unit.
    pub median: f64,
    /// A quarter of the slices took this long or less.
    pub lower: f64,
    /// A quarter of the slices took this long or longer.
    pub upper: f64,
    /// Number of slices.
    pub slices: usize,
}

impl Timing {
    /// Units per second in the fastest quarter of the slices: a limit that disturbances do not lower.
    pub fn limit(&self) -> f64 {
        1.0 / self.lower
    }

    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |q: f64| seconds.get(((seconds.len().max(1) - 1) as f64 * q).round() as usize).copied();
        let [lower, median, upper] = [0.25, 0.5, 0.75].map(|q| at(q).unwrap_or(f64::INFINITY));
        Self { median, lower, upper, slices: seconds.len() }
    }
}

/// Measures each contestant for `seconds`, after a warm-up. The contestants take turns; each turn begins with a call that is
/// not counted.
///
/// # Errors
/// The first error of a call.
pub fn measure<const N: usize>(contestants: [Contestant<'_>; N], seconds: f64) -> Result<[Timing; N]> {
    let mut contestants = contestants;
    let timings = measure_all(&mut contestants, seconds)?;
    Ok(std::array::from_fn(|i| timings[i]))
}

/// [`measure`] for a list.
///
/// # Errors
/// The first error of a call.
pub fn measure_all(contestants: &mut [Contestant<'_>], seconds: f64) -> Result<Vec<Timing>> {
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let slice = SLICE.min(seconds / 10);
    let mut lanes = Vec::with_capacity(contestants.len());
    let alone = contestants.len() == 1;
    for contestant in &mut *contestants {
        // The first call starts the stream and touches memory for the first time; the second gives the length of a slice.
        (contestant.call)()?;
        let begin = Instant::now();
        (contestant.call)()?;
        let calls = slice.as_secs_f64() / begin.elapsed().as_secs_f64().max(1e-9);
        lanes.push((calls.clamp(1.0, 1e7) as usize, Duration::ZERO, Vec::new()));
    }
    loop {
        let mut done = true;
        for (contestant, (calls, spent, slices)) in contestants.iter_mut().zip(&mut lanes) {
            if slices.len() >= FEWEST && *spent >= seconds {
                continue;
            }
            done = false;
            if !alone {
                // The other contestants have filled the caches.
                (contestant.call)()?;
            }
            let begin = Instant::now();
            for _ in 0..*calls {
                (contestant.call)()?;
            }
            let elapsed = begin.elapsed();
            *spent += elapsed;
            slices.push(elapsed.as_secs_f64() / (*calls as f64 * contestant.work));
        }
        if done {
            return Ok(lanes.into_iter().map(|(.., slices)| Timing::of(slices)).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn quartiles() {
        let timing = Timing::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(timing, Timing { median: 3.0, lower: 2.0, upper: 4.0, slices: 5 });
        assert_eq!(Timing::of(vec![7.0]), Timing { median: 7.0, lower: 7.0, upper: 7.0, slices: 1 });
    }

    #[test]
    fn contestants_take_turns() {
        let turns = RefCell::new(Vec::new());
        let contestant = |i| {
            let turns = &turns;
            Contestant::new("", 1.0, move || {
                std::thread::sleep(Duration::from_millis(1));
                turns.borrow_mut().push(i);
                Ok(())
            })
        };
        let timings = measure([contestant(0), contestant(1)], 0.0).expect("no call fails");
        assert_eq!(*turns.borrow(), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
        assert!(timings.iter().all(|timing| timing.lower >= 1e-3 && timing.slices == FEWEST), "{timings:?}");
    }

    #[test]
    fn an_error_ends_it() {
        let fails = Contestant::new("", 1.0, || Err(foveola::Error::NoSavedState));
        assert!(matches!(measure([fails], 1.0), Err(foveola::Error::NoSavedState)));
    }
}
