//! Loops over the samples of some slices, eight at a time where there are no vectors: on a microcontroller, to count the iterations
//! costs as much as half a sample.

/// Slices of one length, in pairs of pairs.
pub(crate) trait Eights: Sized {
    /// Eight samples of each at a time, and the others.
    fn eights(self) -> (impl Iterator<Item = Self>, Self);
}

impl<T> Eights for &[T] {
    #[inline(always)]
    fn eights(self) -> (impl Iterator<Item = Self>, Self) {
        let (blocks, rest) = self.as_chunks::<8>();
        (blocks.iter().map(<[T; 8]>::as_slice), rest)
    }
}

impl<T> Eights for &mut [T] {
    #[inline(always)]
    fn eights(self) -> (impl Iterator<Item = Self>, Self) {
        let (blocks, rest) = self.as_chunks_mut::<8>();
        (blocks.iter_mut().map(<[T; 8]>::as_mut_slice), rest)
    }
}

impl<A: Eights, B: Eights> Eights for (A, B) {
    #[inline(always)]
    fn eights(self) -> (impl Iterator<Item = Self>, Self) {
        let ((a, a_rest), (b, b_rest)) = (self.0.eights(), self.1.eights());
        (a.zip(b), (a_rest, b_rest))
    }
}

/// Calls `each` with parts of `slices` that make up the whole.
#[inline(always)]
pub(crate) fn in_eights<S: Eights>(slices: S, each: impl Fn(S)) {
    if cfg!(any(not(target_os = "none"), helium)) {
        return each(slices);
    }
    let (eights, rest) = slices.eights();
    eights.for_each(&each);
    each(rest);
}
