//! Values that are computed once per key and never move, so that they can be borrowed while others are added.

use crate::Result;
use std::sync::OnceLock;

/// A list that only grows. A clone starts empty.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    entry: OnceLock<Box<Entry<K, V>>>,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    value: V,
    next: Kept<K, V>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { entry: OnceLock::new() }
    }
}

impl<K, V> Clone for Kept<K, V> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<K: PartialEq + Copy, V> Kept<K, V> {
    /// The value for `key`; calls `make` if there is none yet.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<&V> {
        let mut list = self;
        while let Some(entry) = list.entry.get() {
            if entry.key == key {
                return Ok(&entry.value);
            }
            list = &entry.next;
        }
        let mut made = Some(Box::new(Entry { key, value: make()?, next: Self::default() }));
        loop {
            // Another thread may have inserted an entry first, with this key or another.
            let entry = list.entry.get_or_init(|| made.take().expect("made once, and taken at the end of the list"));
            if entry.key == key {
                return Ok(&entry.value);
            }
            list = &entry.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn each_is_made_once() {
        let kept = Kept::default();
        let made = std::sync::atomic::AtomicUsize::new(0);
        let get = |key: u64| {
            kept.get(key, || {
                made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok(vec![key; 3])
            })
        };
        let first = get(1).expect("made");
        assert!(kept.get(9, || Err(Error::NoSavedState)).is_err(), "what cannot be made is not kept");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    (0..20).for_each(|i| assert_eq!(*get((i + thread) % 7).expect("made"), [(i + thread) % 7; 3]));
                });
            }
        });
        assert_eq!(*first, [1; 3], "the first one is where it was");
        assert!(made.into_inner() >= 7, "each of them");
        assert_eq!(kept.get(3, || panic!("it is there")).expect("made"), &[3; 3]);
    }
}
