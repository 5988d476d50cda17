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
// cargo test -p foveola --lib --features files boards -- --nocapture. The first two are measured by firmware/qemu's `retina`, the third by
// two programs of firmware/model/programs.
// Compiler: Debian's Rust 1.96.0, for thumbv7em-none-eabihf. Of kinds that mostly come together, one may have the instructions of
// both, and the other 0.
kinds! {
    Frame 75.0 "a frame of the pipeline"
    Cleared 1.5 "a sample of the input, cleared for the next frame"
    LoneTile3 300.0 "the taps of a tile in one plane, 3 x 3, in a model of one filter"
    Node 914.95 "a filter"
    Join 471.80 "a sum, product or concatenation"
    Channel 215.68 "an output channel of a convolution"
    Copy 51.51 "a slice that is copied"
    Copied 3.26 "a sample of it"
    Border 9.72 "a sample of a border"
    Pair 264.31 "two output rows of a convolution of 3 x 3 or 5 x 5"
    PairPass 0.00 "four planes for two rows"
    PairLine 20.61 "a row of a plane for two output rows"
    Tile 33.13 "two rows x eight columns, for up to four planes"
    Tile3 370.11 "its taps in one plane, 3 x 3"
    Tile5 668.16 "its taps in one plane, 5 x 5"
    Row 241.02 "an output row of another convolution"
    Filled 3.23 "a sample that begins as the bias"
    LinePlane 45.99 "a channel of a frame that is looked up for an output row"
    Line 58.27 "a row of the input that is looked up"
    RowPass 0.00 "up to sixteen lines for an output row"
    TilePass 21.15 "up to sixteen lines for eight columns"
    TileLine 34.28 "a line for eight columns"
    FourTaps 58.17 "four taps of it"
    Tap 29.74 "one tap of it"
    DilatedTap 26.13 "one tap of it with a dilation"
    PixelPass 34.46 "up to sixteen lines for a pixel outside of the tiles"
    PixelLine 16.98 "a line for it"
    PixelTap 10.32 "a tap for it"
    PixelFour 60.22 "four taps for it"
    StridedPass 35.25 "up to sixteen lines for a pixel with a stride"
    StridedLine 16.68 "a line for it"
    StridedTap 11.18 "a tap for it"
    StridedFour 62.07 "four taps for it"
    TimePass 0.00 "up to sixteen taps in time for a channel"
    TimeLine 56.75 "a frame that is looked up"
    SumTile 44.54 "up to sixteen lines of one tap for sixteen pixels"
    SumTap 43.62 "a line for them"
    SumPixel 9.05 "up to sixteen lines of one tap for a pixel outside of the tiles"
    SumPixelTap 14.22 "a line for it"
    ChainRow 114.60 "a row of a chain of exponentials"
    ChainStage 6.31 "a row of one of its stages"
    ChainOfThree 17.28 "a sample of three stages"
    ChainOfTwo 9.86 "a sample of two stages"
    ChainOfOne 5.90 "a sample of one stage"
    ChainAny 8.52 "a sample of a stage beside compensated ones"
    ChainCompensated 15.12 "a sample of a compensated stage"
    Scan 334.63 "a block of 1024 samples of a low-pass"
    LowPass 6.25 "a sample of a low-pass"
    HighPass 7.52 "a sample of a high-pass"
    Compensated 18.14 "a sample of a compensated one"
    Flushed 9.56 "a state word that becomes zero when it is small"
    Rectified 7.19 "max(x, 0)"
    ScaledRectified 9.17 "max(b + s x, 0)"
    Squared 6.01 "(b + s x)^2"
    RectifiedSquared 10.19 "max(b + s x, 0)^2"
    Sum 6.74 "a sample of a weighted sum of two"
    Product 5.68 "a sample of a product of two"
    Difference 6.84 "a sample of the difference of two frames"
    Looked 18.73 "a sample of a variable delay"
    SummedInRow 3.04 "a sample of a sum over columns"
    SummedRow 0.00 "a row of a sum over rows or channels"
    SummedRows 5.55 "a sample of it"
    SumOut 10.49 "a sample of the output of a sum"
    Plane 320.08 "a channel of a frame under a receptive field"
    WeightedLine 0.00 "samples that lie side by side there"
    WeightedBlock 205.21 "sixteen of them"
    WeightedEight 191.36 "eight behind these"
    WeightedPart 1054.95 "less than eight behind these"
    AveragedBlock 433.34 "32 samples of a mean"
    AveragedRest 221.21 "eight or less behind these"
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
        self.0[Kind::LoneTile3 as usize] = std::mem::take(&mut self.0[Kind::Tile3 as usize]);
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
