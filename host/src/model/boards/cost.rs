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
    Node 543.32 "a filter"
    Join 546.35 "a sum, product or concatenation"
    Channel 321.51 "an output channel of a convolution"
    Copy 82.11 "a slice that is copied"
    Copied 0.92 "a sample of it"
    Border 10.99 "a sample of a border"
    Row 321.14 "an output row of a channel of a convolution"
    Plane 45.57 "a channel of a frame that is looked up for it"
    Run 42.36 "rows of the input, at equal distances, that are looked up there"
    Part 70.59 "up to seven taps of their lines, which a tile takes at once"
    Pass 0.00 "up to eight of these parts for an output row"
    WidePass 51.57 "up to eight parts for sixteen columns"
    WidePart 30.65 "a part for them"
    WideOne 50.95 "a line of one tap"
    WideLine 19.13 "a line of several taps"
    WideTap 19.90 "a tap of it"
    SkipLine 20.38 "a line for sixteen columns with a stride of 2"
    SkipTap 22.46 "a tap of it"
    FewPass 36.47 "up to eight parts for eight columns"
    FewPart 31.85 "a part for them"
    FewLine 26.29 "a line of it"
    FewTap 9.14 "a tap of it"
    EachLine 10.81 "a line for eight columns with a stride, or of more than five taps"
    EachTap 24.68 "a tap of it"
    ColumnLine 59.36 "a line for a column outside of tiles"
    ColumnTap 0.44 "a tap of it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 0.00 "a frame that is looked up"
    SumTile 38.34 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 42.85 "a line for them"
    SumPixel 0.00 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 11.11 "a line for it"
    ChainRow 0.00 "a row of a chain of exponentials"
    ChainStage 86.77 "a row of one of its stages"
    ChainOfThree 9.67 "a sample of three stages"
    ChainOfTwo 6.85 "a sample of two stages"
    ChainOfOne 5.38 "a sample of one stage"
    ChainAny 0.00 "a sample of a stage beside compensated ones"
    ChainCompensated 18.28 "a sample of a compensated stage"
    StagesRow 128.14 "a row of the sum of three stages"
    Stages 12.15 "a sample of it"
    Scan 259.89 "a block of 1024 samples of a low-pass"
    LowPass 6.34 "a sample of a low-pass"
    HighPass 7.66 "a sample of a high-pass"
    Compensated 18.28 "a sample of a compensated one"
    Flushed 6.79 "a state word that becomes zero when it is small"
    Rectified 7.09 "max(x, 0)"
    ScaledRectified 8.98 "max(b + s x, 0)"
    Squared 5.91 "(b + s x)^2"
    RectifiedSquared 9.96 "max(b + s x, 0)^2"
    Exponential 47.55 "exp(b + s x)"
    Softplus 66.65 "ln(1 + exp(b + s x))"
    Logistic 55.52 "1 / (1 + exp(-(b + s x)))"
    Sum 5.31 "a sample of a weighted sum of two"
    Product 5.61 "a sample of a product of two"
    Difference 6.84 "a sample of the difference of two frames"
    Looked 17.25 "a sample of a variable delay"
    SummedInRow 2.97 "a sample of a sum over columns"
    SummedRow 10.65 "a row of a sum over rows or channels"
    SummedRows 5.47 "a sample of it"
    SumOut 17.09 "a sample of the output of a sum"
    FieldPlane 175.64 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 162.29 "sixteen of them"
    WeightedEight 108.11 "eight behind these"
    WeightedPart 937.27 "less than eight behind these"
    AveragedBlock 440.19 "32 samples of a mean"
    AveragedRest 250.97 "eight or less behind these"
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
