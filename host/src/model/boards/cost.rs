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
    Node 957.61 "a filter"
    Join 572.07 "a sum, product or concatenation"
    Channel 289.82 "an output channel of a convolution"
    Copy 51.44 "a slice that is copied"
    Copied 3.26 "a sample of it"
    Border 12.65 "a sample of a border"
    Pair 344.83 "two output rows of a convolution of 3 x 3 or 5 x 5"
    PairPass 0.00 "four planes for two rows"
    PairLine 16.90 "a row of a plane for two output rows"
    Tile 22.89 "two rows x eight columns, for up to four planes"
    Tile3 357.23 "its taps in one plane, 3 x 3"
    Tile5 638.75 "its taps in one plane, 5 x 5"
    Row 231.80 "an output row of another convolution"
    Filled 4.76 "a sample that begins as the bias"
    LinePlane 27.42 "a channel of a frame that is looked up for an output row"
    Line 65.76 "a row of the input that is looked up"
    RowPass 0.00 "up to sixteen lines for an output row"
    TilePass 15.75 "up to sixteen lines for eight columns"
    TileLine 33.26 "a line for eight columns"
    FourTaps 58.21 "four taps of it"
    Tap 29.11 "one tap of it"
    DilatedTap 25.77 "one tap of it with a dilation"
    PixelPass 35.20 "up to sixteen lines for a pixel outside of the tiles"
    PixelLine 20.21 "a line for it"
    PixelTap 9.30 "a tap for it"
    PixelFour 58.77 "four taps for it"
    StridedPass 36.10 "up to sixteen lines for a pixel with a stride"
    StridedLine 17.15 "a line for it"
    StridedTap 10.89 "a tap for it"
    StridedFour 61.26 "four taps for it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 27.41 "a frame that is looked up"
    SumTile 41.10 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 42.30 "a line for them"
    SumPixel 10.31 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 16.86 "a line for it"
    ChainRow 22.67 "a row of a chain of exponentials"
    ChainStage 20.74 "a row of one of its stages"
    ChainOfThree 13.11 "a sample of three stages"
    ChainOfTwo 8.98 "a sample of two stages"
    ChainOfOne 6.78 "a sample of one stage"
    ChainAny 6.36 "a sample of a stage beside compensated ones"
    ChainCompensated 18.22 "a sample of a compensated stage"
    Scan 113.98 "a block of 1024 samples of a low-pass"
    LowPass 6.39 "a sample of a low-pass"
    HighPass 7.70 "a sample of a high-pass"
    Compensated 18.35 "a sample of a compensated one"
    Flushed 9.91 "a state word that becomes zero when it is small"
    Rectified 7.19 "max(x, 0)"
    ScaledRectified 9.17 "max(b + s x, 0)"
    Squared 6.00 "(b + s x)^2"
    RectifiedSquared 10.19 "max(b + s x, 0)^2"
    Exponential 48.97 "exp(b + s x)"
    Softplus 68.38 "ln(1 + exp(b + s x))"
    Logistic 57.01 "1 / (1 + exp(-(b + s x)))"
    Sum 6.70 "a sample of a weighted sum of two"
    Product 5.65 "a sample of a product of two"
    Difference 6.81 "a sample of the difference of two frames"
    Looked 17.22 "a sample of a variable delay"
    SummedInRow 3.05 "a sample of a sum over columns"
    SummedRow 0.00 "a row of a sum over rows or channels"
    SummedRows 5.54 "a sample of it"
    SumOut 9.70 "a sample of the output of a sum"
    Plane 301.87 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 160.21 "sixteen of them"
    WeightedEight 174.61 "eight behind these"
    WeightedPart 1053.02 "less than eight behind these"
    AveragedBlock 433.81 "32 samples of a mean"
    AveragedRest 218.63 "eight or less behind these"
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
