//! One stream of a constant model: its state, its working memory, its output and its time, in one place.

use super::{Checksummed, ConstantModel, Only};
use crate::words::{put_longs, put_samples, take_long, take_samples, words_of};
use crate::{Error, Sample, Text};
use core::fmt;
use core::marker::PhantomData;

/// A model at work, frame by frame. [`StreamOf!`](crate::StreamOf) names the type that fits a model; another one does not
/// compile. All of it is zeros at first, so that a static of it takes no flash.
///
/// ```
/// use foveola_core::{ConstantModel, Decay, Error, Graph, LowPass, Node, Shape, Source, Stage, StreamOf, constant};
///
/// const SHAPE: Shape = Shape::new(1, 1, 2);
/// static NODES: [Node; 1] =
///     [Node::Filter(Source::Input, Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::from_gain(0.5)))))];
/// struct Trace;
/// impl ConstantModel for Trace {
///     type Sample = f32;
///     const GRAPH: Graph<'static> = constant!(Graph::new(SHAPE, &NODES));
/// }
///
/// let mut stream: StreamOf!(Trace) = <StreamOf!(Trace)>::new();
/// assert_eq!(stream.step(&[1.0, 4.0])?, Some(&[0.5, 2.0][..]));
/// assert_eq!(stream.step(&[1.0, 4.0])?, Some(&[0.75, 3.0][..]));
/// assert_eq!(stream.t(), 2);
///
/// let mut words = Vec::new(); // memory that survives a reset
/// stream.save(&mut |word| words.push(word));
/// let (mut words, mut later) = (words.into_iter(), <StreamOf!(Trace)>::new());
/// assert!(later.restore(&mut || words.next().unwrap()));
/// assert_eq!(later.step(&[0.0, 0.0])?, Some(&[0.375, 1.5][..]));
/// # Ok::<(), Error>(())
/// ```
pub struct Stream<M: ConstantModel, const STATE: usize, const SCRATCH: usize, const OUTPUT: usize> {
    state: [M::Sample; STATE],
    scratch: [M::Sample; SCRATCH],
    output: [M::Sample; OUTPUT],
    /// Frames taken since the state was cleared.
    t: u64,
    model: PhantomData<fn() -> M>,
}

impl<M: ConstantModel, const STATE: usize, const SCRATCH: usize, const OUTPUT: usize>
    Stream<M, STATE, SCRATCH, OUTPUT>
{
    /// Words that [`Stream::save`] gives.
    pub const SAVED: usize = 3 + words_of::<M::Sample>(STATE);

    /// Before the first frame.
    pub const fn new() -> Self {
        const {
            let [state, scratch, output] = stream_samples(&M::GRAPH);
            if state != STATE || scratch != SCRATCH || output != OUTPUT {
                panic!(
                    "{}",
                    Text::new("the model needs samples of state, scratch and output: ")
                        .list(&[state, scratch, output])
                        .words("; found ")
                        .list(&[STATE, SCRATCH, OUTPUT])
                        .as_str()
                );
            }
        }
        let zero = M::Sample::ZERO;
        Self { state: [zero; STATE], scratch: [zero; SCRATCH], output: [zero; OUTPUT], t: 0, model: PhantomData }
    }

    /// Takes the next frame, and gives what comes out: a frame, or none where the model has a stride in time or a warm-up. A
    /// model that repeats earlier frames (`TimePadding`) gives these, too, one after another.
    ///
    /// # Errors
    /// [`Error::Length`] unless `frame` is one, and what a [`Finite`](crate::Finite) guard says of its samples. The frame then
    /// does not count, and with the guard as the model's first node nothing has changed.
    pub fn step(&mut self, frame: &[M::Sample]) -> Result<Option<&[M::Sample]>, Error> {
        let graph = const { &M::GRAPH };
        crate::error::exact("the input", frame.len(), graph.input().len())?;
        let Self { state, scratch, output, .. } = self;
        let frames = graph.run_batch_with(&Only::<M>::new(), self.t, 1, state, scratch, frame, output)?;
        self.t = self.t.saturating_add(1);
        let len = frames.saturating_mul(const { M::GRAPH.signature().output.len() });
        Ok(self.output.get(..len).filter(|frames| !frames.is_empty()))
    }

    /// What the last frame made of further output number `index` ([`Graph::outputs`](super::Graph::outputs)): empty where there
    /// was no frame yet, or none of that output.
    pub fn further(&self, index: usize) -> &[M::Sample] {
        let Some(t) = self.t.checked_sub(1) else { return &[] };
        const { &M::GRAPH }.output(index, t, 1, 1, &self.scratch).unwrap_or(&[])
    }

    /// Frames taken since the start.
    pub const fn t(&self) -> u64 {
        self.t
    }

    /// Back to before the first frame.
    pub const fn clear(&mut self) {
        self.t = 0; // the first frame overwrites the state
    }
}

impl<M, const STATE: usize, const SCRATCH: usize, const OUTPUT: usize> Stream<M, STATE, SCRATCH, OUTPUT>
where
    M: ConstantModel<Sample: Checksummed<M>>,
{
    /// What [`Stream::save`] begins with.
    const MODEL: u32 = <M::Sample as Checksummed<M>>::CHECKSUM.value();

    /// Passes the model's checksum, the time and the state to `put`, in [`Stream::SAVED`] words.
    pub fn save(&self, put: &mut impl FnMut(u32)) {
        put(const { Self::MODEL });
        put_longs(&[self.t], put);
        put_samples(&self.state, put);
    }

    /// Takes what [`Stream::save`] gave. Returns false, takes one word only and changes nothing if another model wrote it.
    #[must_use]
    pub fn restore(&mut self, take: &mut impl FnMut() -> u32) -> bool {
        if take() != const { Self::MODEL } {
            return false;
        }
        self.t = take_long(take);
        take_samples(&mut self.state, take);
        true
    }
}

/// Samples of state, scratch and output for single frames.
#[doc(hidden)]
pub const fn stream_samples<T: Sample>(graph: &super::Graph<'_, T>) -> [usize; 3] {
    let signature = graph.signature();
    let output = signature.output.len().saturating_mul(signature.lead.saturating_add(1));
    [signature.state, signature.scratch.len(1), output]
}

impl<M: ConstantModel, const STATE: usize, const SCRATCH: usize, const OUTPUT: usize> Default
    for Stream<M, STATE, SCRATCH, OUTPUT>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<M: ConstantModel, const STATE: usize, const SCRATCH: usize, const OUTPUT: usize> fmt::Debug
    for Stream<M, STATE, SCRATCH, OUTPUT>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("t", &self.t).field("state", &self.state).finish_non_exhaustive()
    }
}

/// The type of the [`Stream`](crate::Stream) that fits a [`ConstantModel`](crate::ConstantModel).
#[macro_export]
macro_rules! StreamOf {
    ($model:ty) => {
        $crate::Stream<
            $model,
            { $crate::graph::stream_samples(&<$model as $crate::ConstantModel>::GRAPH)[0] },
            { $crate::graph::stream_samples(&<$model as $crate::ConstantModel>::GRAPH)[1] },
            { $crate::graph::stream_samples(&<$model as $crate::ConstantModel>::GRAPH)[2] },
        >
    };
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::{
        Conv3d, ConvOptions, Decay, Finite, Graph, Kernel, LowPass, Node, Nonlinearity, PadMode, Pointwise, Q15, Shape,
        Source, Stage, TimePadding, constant,
    };
    use std::{vec, vec::Vec};

    const SHAPE: Shape = Shape::new(1, 2, 3);
    static WEIGHTS: [f32; 4] = [0.5, -1.0, 2.0, 0.25];
    static NODES: [Node; 4] = [
        Node::Filter(Source::Input, Stage::Finite(Finite::new(SHAPE))),
        Node::Filter(Source::Node(0), Stage::LowPass(LowPass::new(SHAPE, constant!(Decay::from_gain(0.25))))),
        Node::Filter(
            Source::Node(1),
            Stage::Conv3d(constant!(Conv3d::new(
                SHAPE,
                Kernel::new(&WEIGHTS, [1, 1, 2, 1, 2]),
                ConvOptions { stride: [2, 1, 1], ..ConvOptions::DEFAULT }
            ))),
        ),
        Node::Filter(Source::Node(2), Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify)))),
    ];
    struct Model;
    impl ConstantModel for Model {
        type Sample = f32;
        const GRAPH: Graph<'static> = constant!(Graph::with_outputs(SHAPE, &NODES, &[1]));
    }

    fn frame(t: usize) -> [f32; 6] {
        core::array::from_fn(|i| ((7 * t + 3 * i) % 5) as f32 - 1.5)
    }

    /// All frames of the output and of the further one, by [`Graph::run_batch`], which has all filters.
    fn expected(frames: usize) -> (Vec<f32>, Vec<f32>) {
        let [state, scratch, _] = stream_samples(&Model::GRAPH);
        let (mut state, mut scratch) = (vec![0.0; state], vec![0.0; scratch]);
        let (mut outputs, mut further) = (Vec::new(), Vec::new());
        for t in 0..frames {
            let mut output = [0.0; 6];
            let count = Model::GRAPH.run_batch(t as u64, 1, &mut state, &mut scratch, &frame(t), &mut output).unwrap();
            outputs.extend(&output[..6 * count]);
            further.extend(Model::GRAPH.output(0, t as u64, 1, 1, &scratch).unwrap());
        }
        (outputs, further)
    }

    #[test]
    fn a_stream_has_the_bits_of_its_graph() {
        let mut stream: StreamOf!(Model) = Stream::new();
        let (mut outputs, mut further) = (Vec::new(), Vec::new());
        assert!(stream.further(0).is_empty(), "before the first frame");
        for round in 0..2 {
            for t in 0..7 {
                assert_eq!(stream.t(), t as u64);
                let found = stream.step(&frame(t)).unwrap();
                assert_eq!(found.is_some(), t % 2 == 0, "the stride in time");
                outputs.extend(found.unwrap_or_default());
                further.extend(stream.further(0));
                assert!(stream.further(1).is_empty(), "there is no such output");
            }
            assert_eq!((core::mem::take(&mut outputs), core::mem::take(&mut further)), expected(7), "round {round}");
            stream.clear();
        }
    }

    #[test]
    fn a_stream_goes_on_where_it_was_saved() {
        let mut first: StreamOf!(Model) = Stream::new();
        for t in 0..3 {
            first.step(&frame(t)).unwrap();
        }
        let mut words = Vec::new();
        first.save(&mut |word| words.push(word));
        assert_eq!(words.len(), <StreamOf!(Model)>::SAVED);
        let mut later: StreamOf!(Model) = Stream::new();
        let mut saved = words.iter().copied();
        assert!(later.restore(&mut || saved.next().unwrap()), "the same model");
        for t in 3..6 {
            assert_eq!(later.step(&frame(t)).unwrap(), first.step(&frame(t)).unwrap());
        }
        let before = later.t();
        assert!(!later.restore(&mut || 7), "another model");
        assert_eq!(later.t(), before);
    }

    /// Frames that are refused do not count.
    #[test]
    fn frames_of_another_length_and_nan_are_refused() {
        let (mut stream, mut other): (StreamOf!(Model), StreamOf!(Model)) = (Stream::new(), Stream::new());
        stream.step(&frame(0)).unwrap();
        other.step(&frame(0)).unwrap();
        assert!(matches!(stream.step(&[0.0; 5]), Err(Error::Length { found: 5, expected: 6, .. })));
        assert!(matches!(stream.step(&[0.0; 12]), Err(Error::Length { found: 12, expected: 6, .. })));
        let mut wrong = frame(1);
        wrong[4] = f32::NAN;
        assert_eq!(stream.step(&wrong), Err(Error::NonFinite { frame: 1, index: 4 }));
        assert_eq!(stream.step(&frame(1)).unwrap(), other.step(&frame(1)).unwrap());
        assert_eq!(stream.step(&frame(2)).unwrap(), other.step(&frame(2)).unwrap());
    }

    /// Samples of 16 bits: the bits of [`Graph::run_batch`], and saved two in a word.
    #[test]
    fn a_stream_of_integers() {
        const SLOW: Decay = constant!(Decay::from_gain(0.01)).with_remainder();
        static WEIGHTS: [Q15; 3] = Q15::array([20_000, -30_000, 9_000]);
        const fn filter(shift: i8) -> Stage<'static, Q15> {
            let kernel = Kernel::new(&WEIGHTS, [1, 1, 1, 1, 3]);
            Stage::Conv3d(constant!(Conv3d::new_q15(SHAPE, kernel, shift, ConvOptions::DEFAULT)))
        }
        static NODES: [Node<Q15>; 2] = [
            Node::Filter(Source::Input, filter(1)),
            Node::Filter(Source::Node(0), Stage::LowPass(LowPass::new(SHAPE, SLOW))),
        ];
        struct Model;
        impl ConstantModel for Model {
            type Sample = Q15;
            const GRAPH: Graph<'static, Q15> = constant!(Graph::new(SHAPE, &NODES));
        }
        struct Other;
        impl ConstantModel for Other {
            type Sample = Q15;
            const GRAPH: Graph<'static, Q15> = {
                static NODES: [Node<Q15>; 2] = [
                    Node::Filter(Source::Input, filter(0)),
                    Node::Filter(Source::Node(0), Stage::LowPass(LowPass::new(SHAPE, SLOW))),
                ];
                constant!(Graph::new(SHAPE, &NODES))
            };
        }
        let frame = |t: usize| frame(t).map(|x| Q15::from_f64(f64::from(x) / 8.0));
        let [state, scratch, output] = stream_samples(&Model::GRAPH);
        let (mut state, mut scratch) = (vec![Q15::ZERO; state], vec![Q15::ZERO; scratch]);
        let mut output = vec![Q15::ZERO; output];
        let mut stream: StreamOf!(Model) = Stream::new();
        for t in 0..40 {
            let frames = Model::GRAPH.run_batch(t, 1, &mut state, &mut scratch, &frame(t as usize), &mut output);
            assert_eq!(frames, Ok(1));
            assert_eq!(stream.step(&frame(t as usize)).unwrap(), Some(&output[..]), "frame {t}");
        }
        assert!(output.iter().any(|y| *y != Q15::ZERO));
        let mut words = Vec::new();
        stream.save(&mut |word| words.push(word));
        assert_eq!((words.len(), <StreamOf!(Model)>::SAVED), (3 + state.len() / 2, words.len()));
        let (mut later, mut other): (StreamOf!(Model), StreamOf!(Other)) = (Stream::new(), Stream::new());
        let mut saved = words.iter().copied();
        assert!(later.restore(&mut || saved.next().unwrap()), "the same model");
        assert_eq!(later.step(&frame(40)).unwrap(), stream.step(&frame(40)).unwrap());
        let mut saved = words.iter().copied();
        assert!(!other.restore(&mut || saved.next().unwrap()), "another shift is another model");
    }

    /// A model that gives earlier frames, too.
    #[test]
    fn padded_frames_come_with_each_frame() {
        static NODES: [Node; 1] =
            [Node::Filter(Source::Input, Stage::TimePadding(TimePadding::new(Shape::new(1, 1, 1), 2, PadMode::Zeros)))];
        struct Padded;
        impl ConstantModel for Padded {
            type Sample = f32;
            const GRAPH: Graph<'static> = constant!(Graph::new(Shape::new(1, 1, 1), &NODES));
        }
        let mut stream: StreamOf!(Padded) = Stream::new();
        assert_eq!(stream.step(&[5.0]).unwrap(), Some(&[0.0, 0.0, 5.0][..]));
        assert_eq!(stream.step(&[6.0]).unwrap(), Some(&[0.0, 5.0, 6.0][..]));
    }
}
