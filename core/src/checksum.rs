//! A checksum of 32 bits that a constant can compute: at boot, a table of weights is compared with what the compiler
//! read.
//!
//! CRC-32 (polynomial 0xEDB88320, reflected, both complements: that of Ethernet and zip) over words, the least
//! significant byte first. It detects every burst of up to 32 damaged bits, and misses other damage once in 4·10^9
//! times. It is no defence against an adversary. Cost: about 7 instructions per byte, and 1 kB of table. Reference:
//! Williams, "A painless guide to CRC error detection algorithms", 1993.
//!
//! Models have checksums for samples of `f32` (a word each) and of [`Q15`] (two bytes each).

use crate::conv::{ConvOptions, Factors, Kernel};
use crate::graph::{Home, Place, StreamShape};
use crate::{
    Conv3d, Decay, Graph, Node, Nonlinearity, Q15, Rate, Scratch, Shape, Signature, SmoothConv, Source, Stage,
};

/// Remainders of all bytes.
const TABLE: [u32; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        let (mut rest, mut bit) = (byte as u32, 0);
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xEDB8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// Checksum of the words so far; see the [definition](self).
///
/// ```
/// use foveola_core::Checksum;
/// const SUM: Checksum = Checksum::new().word(u32::from_le_bytes(*b"1234")).word(u32::from_le_bytes(*b"5678"));
/// assert_eq!(SUM.value(), 0x9AE0_DAAF);
/// assert_eq!(Checksum::new().samples(&[1.0, -2.0]), Checksum::new().word(0x3F80_0000).word(0xC000_0000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Checksum(u32);

impl Checksum {
    /// The checksum of no words.
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Adds a word.
    #[must_use]
    pub const fn word(self, word: u32) -> Self {
        let (mut rest, mut byte) = (self.0 ^ word, 0);
        while byte < 4 {
            rest = rest >> 8 ^ TABLE[(rest & 0xFF) as usize];
            byte += 1;
        }
        Self(rest)
    }

    /// Adds bytes: those of words are the same as the words, the least significant first.
    ///
    /// ```
    /// use foveola_core::Checksum;
    /// assert_eq!(Checksum::new().bytes(b"123456789").value(), 0xCBF4_3926);
    /// assert_eq!(Checksum::new().bytes(b"1234"), Checksum::new().word(u32::from_le_bytes(*b"1234")));
    /// ```
    #[must_use]
    pub const fn bytes(mut self, bytes: &[u8]) -> Self {
        let mut i = 0;
        while i < bytes.len() {
            self.0 = self.0 >> 8 ^ TABLE[((self.0 ^ bytes[i] as u32) & 0xFF) as usize];
            i += 1;
        }
        self
    }

    /// Adds 64 bits, the lower word first.
    #[must_use]
    pub const fn long(self, long: u64) -> Self {
        self.word(long as u32).word((long >> 32) as u32)
    }

    /// Adds samples.
    #[must_use]
    pub const fn samples(mut self, samples: &[f32]) -> Self {
        let mut i = 0;
        while i < samples.len() {
            self = self.word(samples[i].to_bits());
            i += 1;
        }
        self
    }

    /// The checksum.
    pub const fn value(self) -> u32 {
        !self.0
    }

    /// Adds a coefficient.
    const fn number(self, number: f64) -> Self {
        self.long(number.to_bits())
    }

    const fn counts<const N: usize>(mut self, counts: [usize; N]) -> Self {
        let mut i = 0;
        while i < N {
            self = self.word(counts[i] as u32);
            i += 1;
        }
        self
    }

    const fn shape(self, Shape { channels, rows, cols }: Shape) -> Self {
        self.counts([channels, rows, cols])
    }

    /// Adds a row of the table of places, without what only the compiler needed.
    const fn place(self, place: &Place) -> Self {
        let StreamShape { shape, rate: Rate { first, every }, lead } = place.stream;
        let (home, start) = match place.home {
            Home::Output => (0, Scratch::NONE),
            Home::Scratch(start) => (1, start),
        };
        let replaces = match place.replaces {
            Some(node) => 1 + node,
            None => 0,
        };
        let numbers = [lead, place.state, home, start.fixed, start.per_frame, replaces];
        let Scratch { fixed, per_frame } = place.slot_size();
        self.shape(shape).long(first).long(every).counts(numbers).counts([fixed, per_frame])
    }

    const fn signature(self, Signature { input, output, state, scratch: _, rate, lead }: Signature) -> Self {
        let Rate { first, every } = rate;
        self.shape(input).shape(output).counts([state, lead]).long(first).long(every)
    }

    const fn source(self, source: Source) -> Self {
        match source {
            Source::Input => self.word(0),
            Source::Node(node) => self.word(1).word(node as u32),
        }
    }

    /// Samples of 16 bits: two bytes each.
    const fn halves(mut self, samples: &[Q15]) -> Self {
        let mut i = 0;
        while i < samples.len() {
            self = self.bytes(&samples[i].to_bits().to_le_bytes());
            i += 1;
        }
        self
    }

    /// Powers of two of weights.
    const fn shifts<const N: usize>(mut self, shifts: [i8; N]) -> Self {
        let mut i = 0;
        while i < N {
            self = self.word(shifts[i] as u32);
            i += 1;
        }
        self
    }

    /// Adds the power of two by which a filter amplifies, if it does.
    const fn amplified(self, shift: i8) -> Self {
        if shift == 0 { self } else { self.word(shift as u32) }
    }

    /// Floats have no such powers: filters ignore them.
    const fn no_shifts<const N: usize>(self, _: [i8; N]) -> Self {
        self
    }

    /// A remainder that the gain alone would not bring.
    const fn decay(self, decay: Decay) -> Self {
        let sum = self.number(decay.gain());
        if decay.has_extra_remainder() { sum.word(1) } else { sum }
    }

    const fn options(self, options: &ConvOptions) -> Self {
        let border = match options.border {
            Some(border) => 1 + border as usize,
            None => 0,
        };
        let pad = match options.pad {
            Some(pad) => 1 + pad as usize,
            None => 0,
        };
        self.counts([border, pad, options.groups]).counts(options.stride).counts(options.dilation)
    }

    const fn nonlinearity(self, function: Nonlinearity) -> Self {
        match function {
            Nonlinearity::Rectify => self.word(0),
            Nonlinearity::RectifyScale { scale, bias } => self.word(1).number(scale).number(bias),
            Nonlinearity::Square { scale, bias } => self.word(2).number(scale).number(bias),
            Nonlinearity::RectifySquare { scale, bias } => self.word(3).number(scale).number(bias),
            Nonlinearity::Exponential { scale, bias } => self.word(4).number(scale).number(bias),
            Nonlinearity::Softplus { scale, bias } => self.word(5).number(scale).number(bias),
            Nonlinearity::Logistic { scale, bias } => self.word(6).number(scale).number(bias),
        }
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

/// The walk over what has samples, for one type: a constant cannot call the methods of a trait. `$samples` adds samples,
/// `$shifts` their powers of two.
macro_rules! checksums {
    ($sample:ty, $samples:ident, $shifts:ident) => {
        impl Kernel<'_, $sample> {
            const fn checksum(&self, sum: Checksum) -> Checksum {
                let Kernel { weights, shape, bias } = self;
                sum.counts(*shape).$samples(weights).counts([bias.len()]).$samples(bias)
            }
        }

        impl Factors<'_, $sample> {
            const fn checksum(factors: Option<&Self>, sum: Checksum) -> Checksum {
                match factors {
                    Some(Factors { terms, time, rows, cols }) => {
                        sum.counts([*terms]).$samples(time).$samples(rows).$samples(cols)
                    }
                    None => sum.counts([0]),
                }
            }
        }

        impl Conv3d<'_, $sample> {
            const fn checksum(&self, sum: Checksum) -> Checksum {
                let sum = self.kernel().checksum(sum).options(self.options());
                Factors::<$sample>::checksum(self.factors(), sum).$shifts([self.shift()]).$shifts(self.factor_shifts())
            }
        }

        impl SmoothConv<'_, $sample> {
            const fn checksum(&self, mut sum: Checksum) -> Checksum {
                let (decays, mut stage) = (self.decays(), 0);
                while stage < decays.len() {
                    sum = sum.decay(decays[stage]);
                    stage += 1;
                }
                let (weights, size) = self.weights();
                let options = (self.border() as u32) << 1 | self.yields_components() as u32;
                let sum = sum.counts(size).word(options).$samples(weights);
                Factors::<$sample>::checksum(self.factors(), sum)
                    .$shifts([self.shift()])
                    .$shifts(self.factor_shifts())
                    .$shifts([self.amplification()])
            }
        }

        impl Stage<'_, $sample> {
            /// `sum`, extended by the kind of the filter and every number in it.
            const fn checksum(&self, sum: Checksum) -> Checksum {
                let sum = sum.signature(self.signature());
                match self {
                    Self::TimePadding(filter) => sum.word(0).word(filter.mode() as u32),
                    Self::Delay(_) => sum.word(1),
                    Self::VariableDelay(filter) => {
                        let (mut sum, delays, mut i) = (sum.word(2), filter.delays(), 0);
                        while i < delays.len() {
                            sum = sum.word(delays[i]);
                            i += 1;
                        }
                        sum
                    }
                    Self::Conv3d(filter) => filter.checksum(sum.word(3)),
                    Self::Rf(filter) => filter.kernel().checksum(sum.word(4)).$shifts([filter.shift()]),
                    Self::LowPass(filter) => sum.word(5).decay(filter.decay()).amplified(filter.shift()),
                    Self::HighPass(filter) => sum.word(6).decay(filter.decay()).number(filter.k()),
                    Self::SmoothConv(filter) => filter.checksum(sum.word(7)),
                    Self::Pointwise(filter) => sum.word(8).nonlinearity(filter.function()),
                    Self::Sum(_) => sum.word(9),
                    Self::Diff(_) => sum.word(10),
                    Self::Finite(_) => sum.word(11),
                    Self::Custom(..) => sum.word(12),
                }
            }
        }

        impl Graph<'_, $sample> {
            /// `sum`, extended by this model: its nodes, their sizes and places, and all numbers in its tables (weights, biases,
            /// factors, delays, coefficients). In a constant it covers the compiled program; at run time, the memory of the
            /// tables. Of a [`Stage::Custom`] it covers only the signature.
            ///
            /// ```
            /// use foveola_core::{Checksum, Conv3d, ConvOptions, Graph, Kernel, Node, Shape, Source, Stage, constant};
            /// const SHAPE: Shape = Shape::new(1, 4, 4);
            /// static WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
            /// static NODES: [Node; 1] = [Node::Filter(
            ///     Source::Input,
            ///     Stage::Conv3d(constant!(Conv3d::new(
            ///         SHAPE,
            ///         Kernel::new(&WEIGHTS, [1, 1, 1, 1, 3]),
            ///         ConvOptions::DEFAULT
            ///     ))),
            /// )];
            /// const MODEL: Graph = constant!(Graph::new(SHAPE, &NODES));
            /// const EXPECTED: Checksum = MODEL.checksum(Checksum::new());
            ///
            /// let damaged = [0.25, f32::NAN, 0.25]; // the same model, its table in other memory
            /// let conv =
            ///     Conv3d::from_checked(SHAPE, Kernel::new(&damaged, [1, 1, 1, 1, 3]), ConvOptions::DEFAULT).unwrap();
            /// let nodes = [Node::Filter(Source::Input, Stage::Conv3d(conv))];
            /// assert_ne!(Graph::new(SHAPE, &nodes).unwrap().checksum(Checksum::new()), EXPECTED);
            /// ```
            #[must_use]
            pub const fn checksum(&self, sum: Checksum) -> Checksum {
                let mut sum = self.node_checksum(sum);
                let (places, mut place) = (self.places(), 0);
                while place < places.len() {
                    sum = sum.word(5).place(&places[place]);
                    place += 1;
                }
                let (outputs, mut output) = (self.outputs(), 0);
                while output < outputs.len() {
                    sum = sum.word(4).word(outputs[output] as u32);
                    output += 1;
                }
                sum
            }

            /// [`Graph::checksum`] of the input and the nodes alone: of what determines the meaning of the state, without places in
            /// memory and further outputs.
            #[must_use]
            pub const fn node_checksum(&self, mut sum: Checksum) -> Checksum {
                sum = sum.shape(self.input());
                let (nodes, mut node) = (self.nodes(), 0);
                while node < nodes.len() {
                    sum = match &nodes[node] {
                        Node::Filter(source, stage) => stage.checksum(sum.word(0).source(*source)),
                        Node::Add([(a, weight_a), (b, weight_b)]) => {
                            sum.word(1).source(*a).number(*weight_a).source(*b).number(*weight_b)
                        }
                        Node::Multiply([a, b]) => sum.word(2).source(*a).source(*b),
                        Node::Concat([a, b]) => sum.word(3).source(*a).source(*b),
                    };
                    node += 1;
                }
                sum
            }
        }
    };
}
checksums!(f32, samples, no_shifts);
checksums!(Q15, halves, shifts);

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::{
        Border, HighPass, LowPass, PadMode, PlacedGraph, Pointwise, Rf, Sample, TimePadding, VariableDelay, constant,
    };
    use std::vec::Vec;

    #[test]
    fn the_check_value_of_crc_32() {
        // The catalogue has that of "123456789"; those of eight and of sixteen bytes were computed with zlib.
        let of = |bytes: &[u8]| {
            bytes.chunks_exact(4).fold(Checksum::new(), |sum, b| sum.word(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        };
        assert_eq!(of(b"").value(), 0);
        assert_eq!(of(b"12345678").value(), 0x9AE0_DAAF);
        assert_eq!(of(b"foveola of words").value(), 0x7C2E_85F2);
    }

    const SHAPE: Shape = Shape::new(1, 3, 4);

    fn sum_of_floats(stage: Stage<'_>) -> u32 {
        let nodes = [Node::Filter(Source::Input, stage)];
        Graph::new(SHAPE, &nodes).unwrap().checksum(Checksum::new()).value()
    }

    fn sum_of_integers(stage: Stage<'_, Q15>) -> u32 {
        let nodes = [Node::Filter(Source::Input, stage)];
        Graph::new(SHAPE, &nodes).unwrap().checksum(Checksum::new()).value()
    }

    /// An eighth of each number, so that integers hold it; they need no owner.
    fn samples<T: Sample>(numbers: &[f64]) -> &'static [T] {
        numbers.iter().map(|x| T::from_f64(x / 8.0)).collect::<Vec<_>>().leak()
    }

    fn decays(decays: &[Decay]) -> &'static [Decay] {
        decays.to_vec().leak()
    }

    fn conv<T: Sample>(weights: &[f64], bias: &[f64], options: ConvOptions) -> Conv3d<'static, T> {
        let kernel = Kernel { weights: samples(weights), shape: [1, 1, 1, 1, 2], bias: samples(bias) };
        Conv3d::from_checked(SHAPE, kernel, options).unwrap()
    }

    fn rf<T: Sample>(weights: &[f64], bias: &[f64]) -> Rf<'static, T> {
        let kernel = Kernel { weights: samples(weights), shape: [1, 1, 1, 1, 2], bias: samples(bias) };
        Rf::from_checked(SHAPE, kernel, None).unwrap()
    }

    fn smooth<T: Sample>(stages: &[Decay], weights: &[f64]) -> SmoothConv<'static, T> {
        let size = [1, weights.len() / stages.len()];
        SmoothConv::from_checked(SHAPE, decays(stages), samples(weights), size, Border::Zeros).unwrap()
    }

    fn each_number_counts<T: Sample>(
        sum_of: fn(Stage<'_, T>) -> u32,
        pairs: impl IntoIterator<Item = [Stage<'static, T>; 2]>,
    ) {
        for (i, [a, b]) in pairs.into_iter().enumerate() {
            assert_eq!(sum_of(a), sum_of(a), "pair {i}");
            assert_ne!(sum_of(a), sum_of(b), "pair {i}");
        }
    }

    /// Every number of every filter counts: two that differ in one of them have other checksums.
    #[test]
    fn no_number_is_left_out() {
        each_number_counts(sum_of_floats, pairs());
        each_number_counts(sum_of_integers, pairs());
    }

    fn pairs<T: Sample>() -> impl IntoIterator<Item = [Stage<'static, T>; 2]> {
        let (slow, fast) = (Decay::from_gain(0.25).unwrap(), Decay::from_gain(0.25 + f64::EPSILON).unwrap());
        let conv = |weights: &[f64], bias: &[f64], options| Stage::Conv3d(conv(weights, bias, options));
        let rf = |weights: &[f64], bias: &[f64]| Stage::Rf(rf(weights, bias));
        let smooth = |stages: &[Decay], weights: &[f64]| Stage::SmoothConv(smooth(stages, weights));
        let scaled =
            |scale, bias| Stage::Pointwise(Pointwise::new(SHAPE, Nonlinearity::RectifyScale { scale, bias }).unwrap());
        let options = ConvOptions::DEFAULT;
        let factors = |rows: &[f64]| {
            let Stage::Conv3d(conv) = conv(&[1.0, 2.0], &[], options) else { unreachable!() };
            let factors = Factors { terms: 1, time: samples(&[1.0]), rows: samples(rows), cols: samples(&[1.0, 2.0]) };
            Stage::Conv3d(conv.with_checked_factors(factors).unwrap())
        };
        let slowly = slow.with_remainder();
        [
            [conv(&[1.0, 2.0], &[], options), conv(&[1.0, -2.0], &[], options)],
            [conv(&[1.0, 2.0], &[0.5], options), conv(&[1.0, 2.0], &[], options)],
            [conv(&[1.0, 2.0], &[0.5], options), conv(&[1.0, 2.0], &[0.25], options)],
            [
                conv(&[1.0, 2.0], &[], options),
                conv(&[1.0, 2.0], &[], ConvOptions { border: Some(Border::Zeros), ..options }),
            ],
            [
                conv(&[1.0, 2.0], &[], options),
                conv(&[1.0, 2.0], &[], ConvOptions { pad: Some(PadMode::Ones), ..options }),
            ],
            [conv(&[1.0, 2.0], &[], options), factors(&[1.0])],
            [factors(&[1.0]), factors(&[2.0])],
            [rf(&[1.0, 2.0], &[]), rf(&[1.0, f64::NAN], &[])],
            [rf(&[1.0, 2.0], &[0.5]), rf(&[1.0, 2.0], &[])],
            [smooth(&[slow], &[1.0, 2.0]), smooth(&[fast], &[1.0, 2.0])],
            [smooth(&[slow], &[1.0, 2.0]), smooth(&[slow], &[1.0, 3.0])],
            [Stage::LowPass(LowPass::new(SHAPE, slow)), Stage::LowPass(LowPass::new(SHAPE, fast))],
            [
                Stage::HighPass(HighPass::new(SHAPE, slow, 1.0).unwrap()),
                Stage::HighPass(HighPass::new(SHAPE, slow, 2.0).unwrap()),
            ],
            [scaled(1.0, 0.0), scaled(1.0, 1.0)],
            [scaled(1.0, 0.0), scaled(2.0, 0.0)],
            [
                Stage::TimePadding(TimePadding::new(SHAPE, 2, PadMode::Ones)),
                Stage::TimePadding(TimePadding::new(SHAPE, 2, PadMode::Zeros)),
            ],
            [
                Stage::VariableDelay(VariableDelay::new(SHAPE, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap()),
                Stage::VariableDelay(VariableDelay::new(SHAPE, &[2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap()),
            ],
            // A remainder where the gain brings none.
            [Stage::LowPass(LowPass::new(SHAPE, slow)), Stage::LowPass(LowPass::new(SHAPE, slowly))],
            [
                Stage::HighPass(HighPass::new(SHAPE, slow, 1.0).unwrap()),
                Stage::HighPass(HighPass::new(SHAPE, slowly, 1.0).unwrap()),
            ],
            [smooth(&[slow, slowly], &[1.0, 2.0]), smooth(&[slowly, slow], &[1.0, 2.0])],
        ]
    }

    /// Powers of two of integers; floats have none.
    #[test]
    fn no_shift_is_left_out() {
        let conv: Conv3d<'_, Q15> = conv(&[1.0, 2.0], &[], ConvOptions::DEFAULT);
        let rf: Rf<'_, Q15> = rf(&[1.0, 2.0], &[]);
        let smooth: SmoothConv<'_, Q15> = smooth(&SLOW, &[1.0, 2.0]);
        each_number_counts(
            sum_of_integers,
            [
                [0, 1].map(|shift| Stage::Conv3d(conv.scaled(shift, [0; 3]))),
                [-1, 1].map(|shift| Stage::Conv3d(conv.scaled(shift, [0; 3]))),
                [[0, 0, 0], [1, 0, 0]].map(|shifts| Stage::Conv3d(conv.scaled(0, shifts))),
                [[1, 0, 0], [0, 1, 0]].map(|shifts| Stage::Conv3d(conv.scaled(0, shifts))),
                [[0, 1, 0], [0, 0, 1]].map(|shifts| Stage::Conv3d(conv.scaled(0, shifts))),
                [0, 1].map(|shift| Stage::Rf(rf.scaled(shift))),
                [0, 1].map(|shift| Stage::SmoothConv(smooth.scaled(shift, [0; 2]))),
                [[0, 0], [1, 0]].map(|shifts| Stage::SmoothConv(smooth.scaled(0, shifts))),
                [[1, 0], [0, 1]].map(|shifts| Stage::SmoothConv(smooth.scaled(0, shifts))),
                [0, 1].map(|shift| Stage::SmoothConv(smooth.amplify(shift))),
            ],
        );
    }

    /// Snapshots and saved states name a model by its checksum, so that of a model of floats stays what it was.
    #[test]
    fn checksums_of_floats_stay() {
        let stages = [
            Stage::Conv3d(conv(&[1.0, 2.0], &[0.5], ConvOptions::DEFAULT)),
            Stage::Rf(rf(&[1.0, 2.0], &[0.5])),
            Stage::SmoothConv(smooth(&[SLOW[0], FAST[0]], &[1.0, 2.0])),
            Stage::HighPass(HighPass::new(SHAPE, constant!(Decay::new(5_000.0, 1.0)), 2.0).unwrap()),
        ];
        assert_eq!(stages.map(sum_of_floats), [3_879_701_923, 153_565_478, 509_582_634, 3_331_545_047]);
    }

    static SLOW: [Decay; 1] = [constant!(Decay::from_gain(0.25))];
    static FAST: [Decay; 1] = [constant!(Decay::from_gain(0.25 + f64::EPSILON))];

    #[test]
    fn branches_count() {
        let sum = |a: f64, from| {
            let low_pass = Stage::LowPass(LowPass::new(SHAPE, SLOW[0]));
            let nodes: [Node; 2] =
                [Node::Filter(Source::Input, low_pass), Node::Add([(Source::Input, a), (from, 1.0)])];
            Graph::new(SHAPE, &nodes).unwrap().checksum(Checksum::new()).value()
        };
        let base = sum(1.0, Source::Node(0));
        assert!(base != sum(-1.0, Source::Node(0)) && base != sum(1.0, Source::Input), "weights and sources");
        let nodes: [Node; 2] = [
            Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, SLOW[0]))),
            Node::Multiply([Source::Input, Source::Node(0)]),
        ];
        let graph = |outputs| Graph::with_outputs(SHAPE, &nodes, outputs).unwrap().checksum(Checksum::new());
        let placed = PlacedGraph::new(SHAPE, &nodes).unwrap();
        let of_nodes = |graph: Graph<'_>| graph.node_checksum(Checksum::new());
        assert_eq!(
            of_nodes(placed.graph()),
            of_nodes(Graph::with_outputs(SHAPE, &nodes, &[0]).unwrap()),
            "nodes alone"
        );
        let sums = [graph(&[]), graph(&[0]), placed.graph().checksum(Checksum::new())];
        assert!(sums[0] != sums[1] && sums[0] != sums[2], "further outputs and places");
        let of = |last| {
            let nodes: [Node; 2] = [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, SLOW[0]))), last];
            Graph::new(SHAPE, &nodes).unwrap().checksum(Checksum::new()).value()
        };
        let (input, node) = (Source::Input, Source::Node(0));
        let sums = [Node::Multiply([input, node]), Node::Concat([input, node]), Node::Concat([node, input])].map(of);
        assert!(sums[0] != sums[1] && sums[1] != sums[2], "operations and their order");
    }
}
