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
// cargo test -p foveola --lib --features files boards -- --nocapture. The first two are measured by firmware/qemu's `retina`, the next two
// by programs of firmware/model/programs.
// Compiler: Debian's Rust 1.96.0, for thumbv7em-none-eabihf. Of kinds that mostly come together, one may have the instructions of
// both, and the other 0.
kinds! {
    Frame 75.0 "a frame of the pipeline"
    Cleared 1.5 "a sample of the input, cleared for the next frame"
    LoneTile3 300.0 "the taps of a tile in one plane, 3 x 3, in a model of one filter"
    LoneTile5 552.0 "the same, 5 x 5"
    Node 999.56 "a filter"
    Join 577.29 "a sum, product or concatenation"
    Channel 238.49 "an output channel of a convolution"
    Copy 54.66 "a slice that is copied"
    Copied 3.25 "a sample of it"
    Border 11.42 "a sample of a border"
    Pair 67.45 "two output rows of a convolution of 3 x 3 or 5 x 5"
    PairPass 322.68 "four planes for two rows"
    PairLine 1.30 "a row of a plane for two output rows"
    Tile 30.50 "two rows x eight columns, for up to four planes"
    Tile3 352.75 "its taps in one plane, 3 x 3"
    Tile5 638.43 "its taps in one plane, 5 x 5"
    Row 203.22 "an output row of another convolution"
    Filled 4.96 "a sample that begins as the bias"
    LinePlane 50.99 "a channel of a frame that is looked up for an output row"
    Line 69.73 "a row of the input that is looked up"
    RowPass 0.00 "up to sixteen lines for an output row"
    TilePass 12.26 "up to sixteen lines for eight columns"
    TileLine 31.70 "a line for eight columns"
    FourTaps 58.79 "four taps of it"
    Tap 29.39 "one tap of it"
    DilatedTap 26.02 "one tap of it with a dilation"
    PixelPass 37.04 "up to sixteen lines for a pixel outside of the tiles"
    PixelLine 21.37 "a line for it"
    PixelTap 8.92 "a tap for it"
    PixelFour 57.83 "four taps for it"
    StridedPass 36.50 "up to sixteen lines for a pixel with a stride"
    StridedLine 16.85 "a line for it"
    StridedTap 10.86 "a tap for it"
    StridedFour 61.32 "four taps for it"
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
    Plane 279.41 "a channel of a frame under a receptive field"
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

    /// That of a model of one filter, all of whose constants the compiler knows.
    pub(crate) fn lone(mut self) -> Self {
        for (lone, tile) in [(Kind::LoneTile3, Kind::Tile3), (Kind::LoneTile5, Kind::Tile5)] {
            self.0[lone as usize] = std::mem::take(&mut self.0[tile as usize]);
        }
        self
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
