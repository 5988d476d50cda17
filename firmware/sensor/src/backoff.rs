//! How long to wait before the next attempt: twice as long each time, up to a limit.
//!
//! `wait[n] = min(first 2^n, longest)`, and from the start again after a success.

/// See the [equation](self).
///
/// ```
/// use foveola_sensor::Backoff;
/// let mut backoff = Backoff::new(100, 350);
/// assert_eq!([backoff.failed(), backoff.failed(), backoff.failed(), backoff.failed()], [100, 200, 350, 350]);
/// assert_eq!(backoff.attempts(), 4);
/// backoff.succeeded();
/// assert_eq!((backoff.failed(), backoff.attempts()), (100, 1));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: u32,
    longest: u32,
    attempts: u32,
}

impl Backoff {
    /// Waits of `first` to `longest` milliseconds.
    pub const fn new(first: u32, longest: u32) -> Self {
        Self { first, longest, attempts: 0 }
    }

    /// An attempt failed: milliseconds to wait before the next one.
    pub fn failed(&mut self) -> u32 {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.attempts).unwrap_or(u32::MAX));
        self.attempts = self.attempts.saturating_add(1);
        doubled.min(self.longest)
    }

    /// An attempt succeeded.
    pub fn succeeded(&mut self) {
        self.attempts = 0;
    }

    /// Attempts that failed since the last success.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }
}
