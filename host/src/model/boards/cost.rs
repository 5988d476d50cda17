//! Kinds of work on a microcontroller, and the instructions that each of them takes.

/// Defines [`Kind`] and its table of costs.
macro_rules! kinds {
    ($($kind:ident $cost:literal $about:literal)*) => {
        /// A kind of work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind {
            $(#[doc = $about] $kind,)*
        }

        /// Instructions for one of each kind.
        const COST: &[f64] = &[$($cost,)*];

        /// Names, in the order of the table.
        #[cfg(all(test, feature = "files"))]
        pub(super) const NAMES: &[&str] = &[$(stringify!($kind),)*];
    };
}

// Fitted to the layers of firmware/model/layers/fit-*.toml, as measured in QEMU, by least squares of relative errors: FIT=print
// cargo test -p foveola --lib --features files boards -- --nocapture. The first two are measured by firmware/qemu's `retina`.
// Compiler: Debian's Rust 1.96.0, for thumbv7em-none-eabihf. Of kinds that mostly come together, one may have the instructions of
// both, and the other 0.
kinds! {
    Frame 75.0 "a frame of the pipeline"
    Cleared 1.5 "a sample of the input, cleared for the next frame"
    Node 999.56 "a filter"
    Join 577.29 "a sum, product or concatenation"
    Channel 238.49 "an output channel of a convolution"
    Copy 54.66 "a slice that is copied"
    Copied 3.25 "a sample of it"
    Border 11.42 "a sample of a border"
    Row 200.0 "an output row of a channel of a convolution"
    Plane 50.0 "a channel of a frame that is looked up for it"
    Run 60.0 "rows of the input, at equal distances, that are looked up there"
    Part 30.0 "up to seven taps of their lines, which a tile takes at once"
    Pass 50.0 "up to eight of these parts for an output row"
    WidePass 30.0 "up to eight parts for sixteen columns"
    WidePart 10.0 "a part for them"
    WideLine 20.0 "a line of it"
    WideTap 32.0 "a tap of it"
    SkipLine 20.0 "a line for sixteen columns with a stride of 2"
    SkipTap 40.0 "a tap of it"
    FewPass 20.0 "up to eight parts for eight columns"
    FewPart 10.0 "a part for them"
    FewLine 15.0 "a line of it"
    FewTap 18.0 "a tap of it"
    EachLine 15.0 "a line for eight columns with a stride"
    EachTap 25.0 "a tap of it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 21.19 "a frame that is looked up"
    SumTile 41.44 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 42.58 "a line for them"
    SumPixel 7.45 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 17.06 "a line for it"
    ChainRow 0.00 "a row of a chain of exponentials"
    ChainStage 69.35 "a row of one of its stages"
    ChainOfThree 13.84 "a sample of three stages"
    ChainOfTwo 9.50 "a sample of two stages"
    ChainOfOne 6.10 "a sample of one stage"
    ChainAny 3.65 "a sample of a stage beside compensated ones"
    ChainCompensated 18.74 "a sample of a compensated stage"
    Scan 57.93 "a block of 1024 samples of a low-pass"
    LowPass 6.44 "a sample of a low-pass"
    HighPass 7.75 "a sample of a high-pass"
    Compensated 18.40 "a sample of a compensated one"
    Flushed 10.29 "a state word that becomes zero when it is small"
    Rectified 7.18 "max(x, 0)"
    ScaledRectified 9.16 "max(b + s x, 0)"
    Squared 5.97 "(b + s x)^2"
    RectifiedSquared 10.19 "max(b + s x, 0)^2"
    Exponential 48.97 "exp(b + s x)"
    Softplus 68.38 "ln(1 + exp(b + s x))"
    Logistic 57.01 "1 / (1 + exp(-(b + s x)))"
    Sum 6.70 "a sample of a weighted sum of two"
    Product 5.65 "a sample of a product of two"
    Difference 6.80 "a sample of the difference of two frames"
    Looked 17.21 "a sample of a variable delay"
    SummedInRow 3.06 "a sample of a sum over columns"
    SummedRow 0.00 "a row of a sum over rows or channels"
    SummedRows 5.50 "a sample of it"
    SumOut 8.08 "a sample of the output of a sum"
    FieldPlane 279.41 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 160.33 "sixteen of them"
    WeightedEight 159.64 "eight behind these"
    WeightedPart 1041.88 "less than eight behind these"
    AveragedBlock 434.26 "32 samples of a mean"
    AveragedRest 219.18 "eight or less behind these"
}

/// How much of each kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Work([f64; COST.len()]);

impl Default for Work {
    fn default() -> Self {
        Self([0.0; COST.len()])
    }
}

impl Work {
    pub(crate) fn add(&mut self, kind: Kind, count: usize) {
        self.add_share(kind, count as f64);
    }

    /// Adds what does not happen in each frame.
    pub(crate) fn add_share(&mut self, kind: Kind, count: f64) {
        self.0[kind as usize] += count;
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(to, count)| *to += count);
    }

    /// That of one frame in `every`.
    pub(crate) fn shared(self, every: u64) -> Self {
        Self(self.0.map(|count| count / every.max(1) as f64))
    }

    /// Instructions.
    pub(crate) fn instructions(&self) -> f64 {
        self.0.iter().zip(COST).map(|(count, cost)| count * cost).sum()
    }

    #[cfg(all(test, feature = "files"))]
    pub(super) const fn counts(&self) -> &[f64] {
        &self.0
    }
}
