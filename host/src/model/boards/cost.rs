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
    Node 558.88 "a filter"
    Join 558.99 "a sum, product or concatenation"
    Channel 304.64 "an output channel of a convolution"
    Copy 80.58 "a slice that is copied"
    Copied 0.92 "a sample of it"
    Border 11.25 "a sample of a border"
    Row 317.57 "an output row of a channel of a convolution"
    Plane 54.60 "a channel of a frame that is looked up for it"
    Run 34.06 "rows of the input, at equal distances, that are looked up there"
    Part 70.71 "up to seven taps of their lines, which a tile takes at once"
    Pass 0.00 "up to eight of these parts for an output row"
    WidePass 50.27 "up to eight parts for sixteen columns"
    WidePart 30.69 "a part for them"
    WideOne 50.50 "a line of one tap"
    WideLine 19.60 "a line of several taps"
    WideTap 19.90 "a tap of it"
    SkipLine 21.87 "a line for sixteen columns with a stride of 2"
    SkipTap 22.15 "a tap of it"
    FewPass 37.86 "up to eight parts for eight columns"
    FewPart 30.51 "a part for them"
    FewLine 26.97 "a line of it"
    FewTap 9.03 "a tap of it"
    EachLine 10.46 "a line for eight columns with a stride, or of more than five taps"
    EachTap 24.91 "a tap of it"
    ColumnLine 58.68 "a line for a column outside of tiles"
    ColumnTap 0.58 "a tap of it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 0.00 "a frame that is looked up"
    SumTile 38.57 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 42.82 "a line for them"
    SumPixel 0.00 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 11.96 "a line for it"
    ChainRow 0.00 "a row of a chain of exponentials"
    ChainStage 90.19 "a row of one of its stages"
    ChainOfThree 11.00 "a sample of three stages"
    ChainOfTwo 7.95 "a sample of two stages"
    ChainOfOne 5.88 "a sample of one stage"
    ChainAny 0.00 "a sample of a stage beside compensated ones"
    ChainCompensated 17.79 "a sample of a compensated stage"
    Scan 233.40 "a block of 1024 samples of a low-pass"
    LowPass 6.35 "a sample of a low-pass"
    HighPass 7.66 "a sample of a high-pass"
    Compensated 18.30 "a sample of a compensated one"
    Flushed 6.93 "a state word that becomes zero when it is small"
    Rectified 7.21 "max(x, 0)"
    ScaledRectified 9.22 "max(b + s x, 0)"
    Squared 6.14 "(b + s x)^2"
    RectifiedSquared 10.23 "max(b + s x, 0)^2"
    Exponential 49.07 "exp(b + s x)"
    Softplus 68.92 "ln(1 + exp(b + s x))"
    Logistic 57.62 "1 / (1 + exp(-(b + s x)))"
    Sum 6.60 "a sample of a weighted sum of two"
    Product 5.60 "a sample of a product of two"
    Difference 6.84 "a sample of the difference of two frames"
    Looked 17.25 "a sample of a variable delay"
    SummedInRow 2.98 "a sample of a sum over columns"
    SummedRow 9.92 "a row of a sum over rows or channels"
    SummedRows 5.48 "a sample of it"
    SumOut 16.55 "a sample of the output of a sum"
    FieldPlane 180.64 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 162.30 "sixteen of them"
    WeightedEight 109.18 "eight behind these"
    WeightedPart 938.72 "less than eight behind these"
    AveragedBlock 439.95 "32 samples of a mean"
    AveragedRest 249.28 "eight or less behind these"
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
        self.scaled(1.0 / every.max(1) as f64)
    }

    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self(self.0.map(|count| count * factor))
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
