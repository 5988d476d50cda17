//! What the filters of a model ask for. The program of a constant model has the code for that alone.
//!
//! A filter tests for a rare case with [`Lanes::asks`](crate::lanes::Lanes::asks), which names the case. The lanes of a constant
//! model ([`Only`](crate::Only)) know its cases, so that the compiler drops the code of the others. All other lanes have every case.

/// A set of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cases(u64);

impl Cases {
    /// None.
    pub const NONE: Self = Self(0);

    // Models.
    /// There is no table of places.
    pub const UNPLACED: Self = Self(1);
    /// A node does not yield one frame for each frame.
    pub const UNEVEN: Self = Self(1 << 1);

    // Convolutions: how their frames are processed.
    /// Pixel by pixel, in time.
    pub const IN_TIME: Self = Self(1 << 2);
    /// In bands of rows.
    pub const IN_BANDS: Self = Self(1 << 3);
    /// In bands of rows, by factors.
    pub const IN_BANDS_BY_FACTORS: Self = Self(1 << 4);
    /// As whole frames.
    pub const IN_FRAMES: Self = Self(1 << 5);
    /// As whole frames, by factors.
    pub const IN_FRAMES_BY_FACTORS: Self = Self(1 << 6);
    /// A stride in time, or a warm-up.
    pub const RATE: Self = Self(1 << 7);

    // Rows of a convolution.
    /// A stride from column to column.
    pub const STRIDE: Self = Self(1 << 8);
    /// Taps that are not neighbours.
    pub const DILATION: Self = Self(1 << 9);
    /// Columns that do not fill the tiles of a row.
    pub const REST: Self = Self(1 << 10);

    // Chains of exponentials.
    /// All stages are plain.
    pub const PLAIN_STAGES: Self = Self(1 << 11);
    /// Some are not.
    pub const OTHER_STAGES: Self = Self(1 << 12);
    /// Three stages at a time.
    pub const THREE_STAGES: Self = Self(1 << 13);
    /// The last two stages.
    pub const TWO_STAGES: Self = Self(1 << 14);
    /// The last stage.
    pub const ONE_STAGE: Self = Self(1 << 15);
    /// Kernels in space, directly.
    pub const DIRECT: Self = Self(1 << 16);
    /// Kernels in space by factors.
    pub const BY_FACTORS: Self = Self(1 << 17);
    /// Three kernels of one pixel.
    pub const SUM_OF_STAGES: Self = Self(1 << 18);

    /// Number `n` of the nonlinearities.
    pub const fn function(n: u32) -> Self {
        Self(1_u64.wrapping_shl(24 + n))
    }

    /// Rows of `n` neighbouring taps, up to as many as have a loop of their own.
    pub const fn taps(n: usize) -> Self {
        if n < 8 { Self(1 << (32 + n)) } else { Self::NONE }
    }

    /// These and others.
    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These if `is`, else none.
    pub(crate) const fn when(self, is: bool) -> Self {
        if is { self } else { Self::NONE }
    }

    /// Whether one of `cases` is among these.
    pub const fn has(self, cases: Self) -> bool {
        self.0 & cases.0 != 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    extern crate std;

    use super::*;
    use crate::engine::Engine;
    use crate::lanes::{Lanes, Plain};
    use crate::{
        Border, Conv3d, ConvOptions, Decay, Factors, Kernel, Nonlinearity, Pointwise, Q15, Sample, Shape, Signature,
        SmoothConv,
    };
    use std::cell::Cell;
    use std::{vec, vec::Vec};

    std::thread_local! {
        static KNOWN: Cell<Cases> = const { Cell::new(Cases::NONE) };
    }

    /// Lanes that have the cases [given to them](Known::of) last.
    #[derive(Clone, Copy)]
    pub(crate) struct Known<L>(L);

    impl<L> Known<L> {
        pub(crate) fn of(cases: Cases, lanes: L) -> Self {
            KNOWN.set(cases);
            Self(lanes)
        }
    }

    impl<T: Sample, L: Lanes<T>> Lanes<T> for Known<L> {
        type Vector = L::Vector;
        const WIDTH: usize = L::WIDTH;
        const COLUMNS: usize = L::COLUMNS;
        const SPREAD: usize = L::SPREAD;
        const PLAIN: bool = L::PLAIN;
        const LOOPS: bool = L::LOOPS;

        fn splat(self, value: T) -> L::Vector {
            self.0.splat(value)
        }

        fn load(self, from: &[T]) -> L::Vector {
            self.0.load(from)
        }

        fn store(self, vector: L::Vector, to: &mut [T]) {
            self.0.store(vector, to);
        }

        fn multiply_add(self, acc: L::Vector, x: L::Vector, w: L::Vector) -> L::Vector {
            self.0.multiply_add(acc, x, w)
        }

        fn asks(cases: Cases, is: bool) -> bool {
            KNOWN.get().has(cases) && is
        }
    }

    fn samples<T: Sample>(len: usize) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i * 37 % 29) as f64 / 64.0 - 0.2)).collect()
    }

    /// The bits of five frames, through `advance`, which takes whether the cases are to be known.
    #[track_caller]
    fn compare<T: Sample>(
        signature: Signature,
        advance: impl Fn(bool, u64, [&mut [T]; 2], &[T], &mut [T]) -> Result<usize, crate::Error>,
    ) {
        let run = |known| {
            let mut state = vec![T::zero(); signature.state];
            let mut output = vec![T::from_f64(0.875); signature.output.len()];
            let mut bits: Vec<u64> = Vec::new();
            for t in 0..5 {
                let mut scratch = vec![T::from_f64(0.75); signature.scratch.len(1)];
                let input = samples::<T>(signature.input.len() + t)[t..].to_vec();
                advance(known, t as u64, [&mut state, &mut scratch], &input, &mut output).unwrap();
                bits.extend(output.iter().map(|y| y.to_raw_bits()));
            }
            bits
        };
        assert_eq!(run(true), run(false));
    }

    fn check_conv<T: Sample, L: Lanes<T>>(conv: Conv3d<'_, T>, lanes: L) {
        compare(conv.signature(), |known, t, [state, scratch], x, y| match known {
            true => {
                let engine = Engine::single_thread(Known::of(conv.cases(), lanes));
                conv.advance_with(engine, t, state, scratch, x, y)
            }
            false => conv.advance_with(Engine::single_thread(lanes), t, state, scratch, x, y),
        });
    }

    /// Convolutions by factors; `conv/tests.rs` has the others.
    #[test]
    fn convolutions_by_factors_ask_for_their_cases() {
        for cols in [3, 16, 21, 48] {
            for (kt, kh, kw) in [(1, 11, 11), (1, 2, 9), (3, 4, 15), (2, 1, 8), (1, 5, 1)] {
                for border in Border::NAMES.map(|(_, border)| border) {
                    for dilation in [1, 2] {
                        let shape = [2, 1, kt, kh, kw];
                        let options = ConvOptions {
                            border: Some(border),
                            dilation: [1, dilation, dilation],
                            groups: 2,
                            ..ConvOptions::DEFAULT
                        };
                        let (weights, factors) = (samples(2 * kt * kh * kw), [kt, kh, kw].map(|k| samples(4 * k)));
                        let [time, rows, cols_] = &factors;
                        let factors = Factors { terms: 2, time, rows, cols: cols_ };
                        let conv = Conv3d::new(Shape::new(2, 20, cols), Kernel::new(&weights, shape), options).unwrap();
                        let conv = conv.separable(factors).unwrap();
                        check_conv(conv, Plain::<8, false>);
                        check_conv(conv, Plain::<8, true>);
                        check_conv(conv.in_bands(3), Plain::<8, false>);
                    }
                }
            }
        }
    }

    fn check_smooth<T: Sample>(smooth: SmoothConv<'_, T>) {
        compare(smooth.signature(), |known, t, [state, scratch], x, y| match known {
            true => {
                let engine = Engine::single_thread(Known::of(smooth.cases(), Plain::<8, false>));
                smooth.advance_with(engine, t, state, scratch, x, y)
            }
            false => smooth.advance_with(Engine::single_thread(Plain::<8, false>), t, state, scratch, x, y),
        });
    }

    #[test]
    fn chains_ask_for_their_cases() {
        let decay = |gain| Decay::from_gain(gain).unwrap();
        // A gain of 1 in `f32` and `Q15`, but not in `f64`.
        for other in [decay(0.25), decay(0.25).with_remainder(), decay(1.0), decay(1.0 - 1e-9), decay(1.0 - 1e-6)] {
            for stages in 1..8 {
                for (cols, size) in [(16, [1, 1]), (21, [3, 9]), (32, [2, 3])] {
                    let (shape, mut decays) = (Shape::new(2, 6, cols), vec![decay(0.5); stages]);
                    decays[stages / 2] = other;
                    let spatial: Vec<f32> = samples(stages * size[0] * size[1]);
                    let new = |weights| SmoothConv::new(shape, &decays, weights, size, Border::Reflect).unwrap();
                    check_smooth(new(&spatial));
                    check_smooth(new(&spatial).components());
                    let (rows, cols) = (samples(stages * size[0]), samples(stages * size[1]));
                    let time = vec![1.0; stages];
                    let factors = Factors { terms: 1, time: &time, rows: &rows, cols: &cols };
                    check_smooth(new(&spatial).separable(factors).unwrap());
                    let spatial: Vec<Q15> = samples(spatial.len());
                    let smooth = SmoothConv::from_checked(shape, &decays, &spatial, size, Border::Zeros).unwrap();
                    check_smooth(smooth);
                    check_smooth(smooth.amplify(3));
                }
            }
        }
    }

    #[test]
    fn nonlinearities_ask_for_their_cases() {
        let (scale, bias) = (2.0, 0.25);
        for function in [Nonlinearity::Rectify].into_iter().chain(Nonlinearity::scaled(scale, bias)) {
            let pointwise = Pointwise::new(Shape::new(1, 3, 5), function).unwrap();
            compare::<f32>(pointwise.signature(), |known, _, _, x, y| {
                let cases = if known { pointwise.cases() } else { Cases(u64::MAX) };
                Ok(pointwise.advance_with(Engine::single_thread(Known::of(cases, Plain::<8, false>)), x, y))
            });
        }
    }
}
