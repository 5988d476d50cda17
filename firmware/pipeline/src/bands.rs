//! A filter over frames for which there is no memory, one band of rows after the other.
//!
//! ```text
//! counts of the sensor, a byte a pixel -> rows r - top .. r + R + below, with their borders, as samples
//!                                      -> a model from these to R rows -> a callback for each row
//! ```
//! A dense frame of 320 x 320 floats is 410 kB; its counts are 102 kB, and a band of eight rows for a 5 x 5 kernel is 16 kB.
//! The model is a [`Graph`] without memory of former frames, from a band with its border to a band without:
//! [`Conv3d`](foveola_core::Conv3d) without border, and pixelwise filters. Every row of output costs the instructions that a whole
//! frame would take for it, and `(R + top + below) / R` loads and stores for each row of counts.
//!
//! The border is that of the counts. For one kernel that is the border of the filter, bit for bit; where kernels follow each
//! other, the later ones see results beyond the frame, and not a border of their own.

use foveola_core::events::{Accumulator, Count};
use foveola_core::{Border, Error, Filter, Graph, Sample, Shape, Signature, Step};

/// The constants of a filter in bands; see [above](self).
///
/// ```
/// use foveola_core::events::Count;
/// use foveola_core::{Border, Conv3d, ConvOptions, Graph, Kernel, Node, Shape, Source, Stage, constant};
/// use foveola_pipeline::{BandMemory, Bands};
///
/// // 3 x 3 over a sensor of 8 x 6 pixels, two rows at a time: a band is 4 rows of 8 columns, its output 2 rows of 6.
/// static KERNEL: [f32; 9] = [1.0; 9];
/// const VALID: ConvOptions = ConvOptions { border: None, ..ConvOptions::DEFAULT };
/// static NODES: [Node; 1] = [Node::Filter(
///     Source::Input,
///     Stage::Conv3d(constant!(Conv3d::new(Shape::new(1, 4, 8), Kernel::new(&KERNEL, [1, 1, 1, 3, 3]), VALID))),
/// )];
/// const BANDS: Bands<'static> =
///     constant!(Bands::new(constant!(Graph::new(Shape::new(1, 4, 8), &NODES)), 8, Border::Replicate));
/// let mut memory = BandMemory::<{ BANDS.samples()[0] }, { BANDS.samples()[1] }, { BANDS.samples()[2] }>::new();
/// let mut counts = [Count::ZERO; 8 * 6];
/// counts[6 + 1] = Count::default() - Count::ZERO;
/// let mut rows = 0;
/// BANDS.run(&counts, &mut memory, |row, samples| {
///     assert_eq!((row, samples.len()), (rows, 6));
///     rows += 1;
/// })?;
/// assert_eq!(rows, 8);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bands<'a, T: Sample = f32> {
    model: Graph<'a, T>,
    signature: Signature,
    rows: usize,
    border: Border,
    exponent: u8,
}

/// Memory for a band, its output, and the model's scratch: [`Bands::samples`] of each.
#[derive(Debug)]
pub struct BandMemory<const INPUT: usize, const OUTPUT: usize, const SCRATCH: usize, T = f32> {
    input: [T; INPUT],
    output: [T; OUTPUT],
    scratch: [T; SCRATCH],
}

impl<const INPUT: usize, const OUTPUT: usize, const SCRATCH: usize, T: Sample> BandMemory<INPUT, OUTPUT, SCRATCH, T> {
    /// Zeros, so that a static of it takes no flash.
    pub const fn new() -> Self {
        Self { input: [T::ZERO; INPUT], output: [T::ZERO; OUTPUT], scratch: [T::ZERO; SCRATCH] }
    }
}

impl<const INPUT: usize, const OUTPUT: usize, const SCRATCH: usize, T: Sample> Default
    for BandMemory<INPUT, OUTPUT, SCRATCH, T>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, T: Sample> Bands<'a, T> {
    /// A `model` that makes some rows of output of more rows of input, over frames of `rows` rows and as many columns as its
    /// output has. Beyond the frame the input is `border`; half of what a band has more than its output lies on each side,
    /// rounded up above and to the left.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a model with memory or of several channels, whose output is larger than its input or not
    /// a frame for each frame; [`Error::EmptyFrame`] for no rows.
    pub const fn new(model: Graph<'a, T>, rows: usize, border: Border) -> Result<Self, Error> {
        let signature = model.signature();
        let Signature { input, output, .. } = signature;
        if signature.state > 0 {
            return Err(Error::Parameter {
                name: "samples of state",
                value: signature.state as f64,
                expected: "none: bands have no memory of former frames",
            });
        }
        if input.channels != 1 || output.channels != 1 {
            let value = if input.channels == 1 { output.channels } else { input.channels } as f64;
            return Err(Error::Parameter { name: "channels", value, expected: "1, of input and output" });
        }
        if output.rows > input.rows || output.cols > input.cols {
            let value = if output.rows > input.rows { output.rows } else { output.cols } as f64;
            return Err(Error::Parameter { name: "size of the output", value, expected: "at most that of the band" });
        }
        let every = signature.rate.every;
        if every != 1 {
            let (name, expected) = ("stride in time", "1: a frame for each frame");
            return Err(Error::Parameter { name, value: every as f64, expected });
        }
        if rows == 0 || output.rows == 0 || output.cols == 0 {
            return Err(Error::EmptyFrame { shape: Shape::new(1, rows, output.cols) });
        }
        Ok(Self { model, signature, rows, border, exponent: Accumulator::COUNTING_TO })
    }

    /// The same, for samples that are integers: the sample 1 stands for `2^exponent` counts, as with
    /// [`Accumulator::counting_to`].
    #[must_use]
    pub const fn counting_to(self, exponent: u8) -> Self {
        Self { exponent, ..self }
    }

    /// Shape of a frame of counts, and of the output.
    pub const fn shape(&self) -> Shape {
        Shape::new(1, self.rows, self.signature.output.cols)
    }

    /// Samples of a band, its output and the scratch.
    pub const fn samples(&self) -> [usize; 3] {
        [self.signature.input.len(), self.signature.output.len(), self.signature.scratch.len(1)]
    }

    /// Bytes of RAM: the counts, a band, its output and the scratch.
    pub const fn bytes(&self) -> usize {
        let [input, output, scratch] = self.samples();
        self.shape()
            .len()
            .saturating_add(input.saturating_add(output).saturating_add(scratch).saturating_mul(size_of::<T>()))
    }

    /// Calls `each` with every row of the filtered frame, from the top to the bottom.
    ///
    /// # Errors
    /// [`Error::Length`] when `counts` are not a frame; what the model says of the first band.
    pub fn run<const INPUT: usize, const OUTPUT: usize, const SCRATCH: usize>(
        &self,
        counts: &[Count],
        memory: &mut BandMemory<INPUT, OUTPUT, SCRATCH, T>,
        mut each: impl FnMut(usize, &[T]),
    ) -> Result<(), Error> {
        let Shape { rows, cols, .. } = self.shape();
        if counts.len() != rows.saturating_mul(cols) {
            let expected = rows.saturating_mul(cols);
            return Err(Error::Length { what: "the frame of counts", found: counts.len(), expected });
        }
        let Signature { input, output, .. } = self.signature;
        let [top, left] = [(input.rows - output.rows).div_ceil(2), (input.cols - output.cols).div_ceil(2)];
        for first in (0..rows).step_by(output.rows.max(1)) {
            for (r, to) in (0..).zip(memory.input.chunks_exact_mut(input.cols.max(1))) {
                let row = self.border.index((first + r) as isize - top as isize, rows);
                let from = row.and_then(|row| counts.get(row * cols..)?.get(..cols));
                self.fill(to, left, from.unwrap_or(&[]));
            }
            let BandMemory { input, output: out, scratch } = &mut *memory;
            let step = self.model.step(0, &mut [], scratch, input, out)?;
            debug_assert_eq!(step, Step::Frame, "a frame for each frame");
            for (row, samples) in (first..rows).zip(memory.output.chunks_exact(cols.max(1))) {
                each(row, samples);
            }
        }
        Ok(())
    }

    /// A row of a band: counts as samples, with their border; a border of zeros where there are none.
    fn fill(&self, to: &mut [T], left: usize, from: &[Count]) {
        let cols = from.len();
        if cols == 0 {
            return to.fill(T::ZERO);
        }
        if let Some(to) = to.get_mut(left..) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = T::from_count(from.get().into(), self.exponent);
            }
        }
        for at in (0..left).chain(left + cols..to.len()) {
            let count = self.border.index(at as isize - left as isize, cols).and_then(|at| from.get(at));
            if let Some(to) = to.get_mut(at) {
                *to = count.map_or(T::ZERO, |count| T::from_count(count.get().into(), self.exponent));
            }
        }
    }
}
