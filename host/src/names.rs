//! Names of formats, models and parameters, as files and the command line write them.

use crate::{Error, Result};

/// The entry of `names` called `value`.
pub(crate) fn find<T: Copy>(what: &'static str, names: &[(&str, T)], value: &str) -> Result<T> {
    let found = names.iter().find(|(name, _)| *name == value);
    let unknown = || Error::unknown(what, value, names.iter().map(|(name, _)| *name));
    found.map(|(_, entry)| *entry).ok_or_else(unknown)
}

/// The longest name that is compared: the time grows with the square of its length.
const LONGEST: usize = 64;

/// The entry of `known` that differs from `name` in the fewest letters, in a third of the longer one at most.
pub(crate) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    let distances = known.iter().map(|other| (distance(&lower, &other.to_lowercase()), *other));
    let (distance, other) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= name.chars().count().max(other.chars().count()) / 3).then_some(other)
}

/// Edit distance: insertions, deletions, substitutions, and swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("", "ab", 2), ("tau", "taus", 1), ("tua", "tau", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn a_near_name_is_near() {
        let known = ["LowPass", "HighPass", "Conv3d"];
        for (name, expected) in
            [("lowpass", Some("LowPass")), ("HihgPass", Some("HighPass")), ("Conv4d", Some("Conv3d")), ("Retina", None)]
        {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(1000), &known), None);
    }
}
