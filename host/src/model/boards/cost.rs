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
    Node 602.79 "a filter"
    Join 573.73 "a sum, product or concatenation"
    Channel 204.85 "an output channel of a convolution"
    Copy 96.69 "a slice that is copied"
    Copied 0.89 "a sample of it"
    Border 12.22 "a sample of a border"
    Row 0.00 "an output row of a channel of a convolution"
    Plane 67.96 "a channel of a frame that is looked up for it"
    Run 40.31 "rows of the input, at equal distances, that are looked up there"
    Part 29.78 "up to seven taps of their lines, which a tile takes at once"
    Pass 236.35 "up to eight of these parts for an output row"
    WidePass 50.98 "up to eight parts for sixteen columns"
    WidePart 31.32 "a part for them"
    WideOne 50.48 "a line of one tap"
    WideLine 18.31 "a line of several taps"
    WideTap 20.15 "a tap of it"
    SkipLine 32.59 "a line for sixteen columns with a stride of 2"
    SkipTap 20.67 "a tap of it"
    FewPass 74.48 "up to eight parts for eight columns"
    FewPart 28.70 "a part for them"
    FewLine 22.60 "a line of it"
    FewTap 9.15 "a tap of it"
    EachLine 10.11 "a line for eight columns with a stride"
    EachTap 25.30 "a tap of it"
    ColumnLine 55.10 "a line for a column outside of tiles"
    ColumnTap 1.48 "a tap of it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 6.89 "a frame that is looked up"
    SumTile 40.74 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 42.58 "a line for them"
    SumPixel 6.39 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 11.74 "a line for it"
    ChainRow 12.12 "a row of a chain of exponentials"
    ChainStage 86.17 "a row of one of its stages"
    ChainOfThree 12.24 "a sample of three stages"
    ChainOfTwo 8.90 "a sample of two stages"
    ChainOfOne 6.55 "a sample of one stage"
    ChainAny 1.76 "a sample of a stage beside compensated ones"
    ChainCompensated 21.24 "a sample of a compensated stage"
    Scan 159.27 "a block of 1024 samples of a low-pass"
    LowPass 6.41 "a sample of a low-pass"
    HighPass 7.72 "a sample of a high-pass"
    Compensated 18.37 "a sample of a compensated one"
    Flushed 7.39 "a state word that becomes zero when it is small"
    Rectified 7.20 "max(x, 0)"
    ScaledRectified 9.21 "max(b + s x, 0)"
    Squared 6.10 "(b + s x)^2"
    RectifiedSquared 10.23 "max(b + s x, 0)^2"
    Exponential 49.05 "exp(b + s x)"
    Softplus 68.81 "ln(1 + exp(b + s x))"
    Logistic 57.50 "1 / (1 + exp(-(b + s x)))"
    Sum 6.60 "a sample of a weighted sum of two"
    Product 5.60 "a sample of a product of two"
    Difference 6.83 "a sample of the difference of two frames"
    Looked 17.26 "a sample of a variable delay"
    SummedInRow 3.00 "a sample of a sum over columns"
    SummedRow 6.48 "a row of a sum over rows or channels"
    SummedRows 5.53 "a sample of it"
    SumOut 14.41 "a sample of the output of a sum"
    FieldPlane 280.10 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 159.51 "sixteen of them"
    WeightedEight 228.45 "eight behind these"
    WeightedPart 1187.97 "less than eight behind these"
    AveragedBlock 436.26 "32 samples of a mean"
    AveragedRest 254.77 "eight or less behind these"
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
