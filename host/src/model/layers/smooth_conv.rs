//! `SmoothConv`: a chain of recursive low-pass stages in time, each with its own spatial kernel.

use super::recursive::TimeConstant;
use crate::cpu::plan::{Job, Planner};
use crate::model::gradient::NodeGradients;
use crate::model::kept::Kept;
use crate::model::layer::{Table, named};
use crate::model::weight::gradients;
use crate::taps::{MAX_WEIGHTS, Taps};
use crate::{Algorithm, Error, Layer, Parameter, Plan, Resolution, Result, SimdLevel, Values, Weight, kernels};
use foveola_core::kernels::GaussFilter;
use foveola_core::{Border, Decay, Source, Stage};
use ndarray::Array3;

const NAME: &str = "SmoothConv";

/// `out = sum_i g_i(y_i)` with `y_0 = e_0(x)`, `y_i = e_i(y_{i-1})`: exponential filters `e_i` in time, same-size
/// convolutions `g_i` in space. Channels do not mix. See [`foveola_core::SmoothConv`].
///
/// The gain at DC is that of the kernels, to within 1e-4 for each `e_i`; the rounding is that of
/// [`LowPass`](super::LowPass). A stage whose time constant is 1680 frames or more takes twice the memory. After a temporal
/// stride the time constants in seconds are unchanged.
///
/// ```
/// use foveola::{Model, Resolution, SmoothConv};
/// use ndarray::Array3;
/// let taus = [0.005, 0.010, 0.020]; // seconds
/// let spatial = Array3::from_elem((3, 5, 5), 1.0 / 75.0);
/// let smooth = SmoothConv::new(&taus, &spatial, Resolution::DEFAULT)?;
/// let movie = Array3::<f32>::ones((500, 16, 16));
/// assert_eq!(Model::of(smooth.clone()).run(&movie, 100)?.dim(), (1, 1, 500, 16, 16));
/// assert_eq!(Model::of(smooth.components()).run(&movie, 100)?.dim(), (1, 3, 500, 16, 16));
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Debug)]
pub struct SmoothConv {
    taus: Vec<TimeConstant>,
    /// The decays, by the number of model frames per input frame of the layer.
    decays: Kept<u64, Vec<Decay>>,
    spatial: Taps,
    border: Border,
    components: bool,
    planner: Planner,
}

impl SmoothConv {
    /// One stage per time constant in `taus` (seconds), with the impulse responses `spatial` `(stage, row, col)`.
    ///
    /// # Errors
    /// No stages; a number of kernels that differs from the number of stages; a kernel that is empty or not finite; a time
    /// constant that is negative or above 2.8e10 frames.
    pub fn new(taus: &[f64], spatial: impl Into<Weight>, resolution: Resolution) -> Result<Self> {
        let taus = taus.iter().map(|tau| TimeConstant::new(NAME, *tau, resolution)).collect::<Result<Vec<_>>>()?;
        let mut layer = Self {
            taus,
            decays: Kept::default(),
            spatial: Taps { values: Vec::new(), shape: [0; 5] },
            border: Border::default(),
            components: false,
            planner: Planner::default(),
        };
        layer.set_weight(spatial)?;
        Ok(layer)
    }

    /// `n` stages with the time constant `tau` (seconds) and Gaussians of `sigma` degrees, with a total gain of 1.
    ///
    /// # Errors
    /// No stages; a `tau` or `sigma` that is negative or not finite, a `tau` above 2.8e10 frames.
    pub fn gaussian(n: usize, tau: f64, sigma: f64, resolution: Resolution) -> Result<Self> {
        let gauss = kernels::gauss_filter_2d(&GaussFilter::new(sigma, sigma), resolution)?;
        let samples = n.saturating_mul(gauss.len());
        if samples > MAX_WEIGHTS {
            return Err(Error::Memory { what: "the spatial kernels", samples });
        }
        let spatial = gauss.broadcast((n, gauss.nrows(), gauss.ncols())).map(|view| view.to_owned());
        Self::new(&vec![tau; n], Weight::from(spatial.unwrap_or_default()).normalize(), resolution)
    }

    /// Sets the kernels `(stage, row, col)`, one per stage.
    ///
    /// # Errors
    /// A wrong rank or number of kernels, or a kernel that is empty or not finite. The kernels are then unchanged.
    pub fn set_weight(&mut self, spatial: impl Into<Weight>) -> Result<()> {
        let weight = spatial.into();
        weight.check(NAME)?;
        let &[n, rows, cols] = weight.array.shape() else {
            let (rank, shape) = (weight.array.ndim(), weight.array.shape().to_vec());
            return Err(Error::WeightRank { layer: NAME, rank, shape, expected: "3 (stage, row, col)" });
        };
        if n != self.taus.len() {
            let (name, value) = ("spatial kernels", format!("{n} for {} time constants", self.taus.len()));
            return Err(Error::Parameter { item: NAME, name, value, expected: "one for each time constant" });
        }
        let values = weight.values()?;
        self.spatial = Taps { values, shape: [n, 1, 1, rows, cols] }.finished(&weight, NAME)?;
        self.planner = self.planner.anew();
        Ok(())
    }

    /// The kernels as impulse responses `(stage, row, col)`.
    pub fn weight(&self) -> Array3<f32> {
        let Taps { values, shape: [n, .., rows, cols] } = self.spatial.clone().flipped();
        Array3::from_shape_vec((n, rows, cols), values).unwrap_or_default()
    }

    /// The time constant of each stage, in seconds.
    pub fn taus(&self) -> impl Iterator<Item = f64> {
        self.taus.iter().map(TimeConstant::seconds)
    }

    /// The frames of the model's input in a second, as the layer was made for.
    pub fn steps_per_second(&self) -> f64 {
        self.taus.first().map_or(Resolution::DEFAULT.steps_per_second, TimeConstant::steps_per_second)
    }

    /// Whether each stage is a channel of the output: [`SmoothConv::components`].
    pub fn yields_components(&self) -> bool {
        self.components
    }

    /// The border of the kernels.
    pub fn border(&self) -> Border {
        self.border
    }

    /// The requested algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.planner.algorithm
    }

    /// What the kernels read outside the frame.
    pub fn with_autopad_mode(self, border: Border) -> Self {
        Self { border, ..self }
    }

    /// Forces the algorithm of the spatial kernels: direct or separable. By default the one predicted to be fastest is used.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.planner.algorithm = algorithm;
        self
    }

    /// The algorithm used for frames of `rows` x `cols`; see [`Conv::plan`](super::Conv::plan).
    ///
    /// # Errors
    /// [`Error::Parameter`] when the requested algorithm cannot compute the layer.
    pub fn plan(&self, rows: usize, cols: usize) -> Result<Plan> {
        self.planner.plan(SimdLevel::best(), self.job([rows, cols]))
    }

    fn job(&self, output: [usize; 2]) -> Job<'_> {
        let (taps, groups) = (&self.spatial, self.taus.len());
        Job { layer: NAME, taps, groups, stride: [1; 2], dilation: [1; 2], output, fft: false }
    }

    /// The same layer with every `g_i(y_i)` as a channel (`c n + i` for input channel `c`) instead of their sum.
    #[doc(alias = "get_all_components")]
    pub fn components(self) -> Self {
        Self { components: true, ..self }
    }
}

impl Layer for SmoothConv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let [.., rows, cols] = self.spatial.shape;
        let size = [rows, cols];
        let (frame, every) = (table.shape(from), table.rate(from).every);
        let decays = self.decays.get(every, || self.taus.iter().map(|tau| tau.decay(NAME, every)).collect())?;
        let filter = foveola_core::SmoothConv::from_checked(frame, decays, &self.spatial.values, size, self.border);
        let filter = named(self, filter)?;
        let filter = match table.plan(&self.planner, self.job([frame.rows, frame.cols]))? {
            Plan::Separable { .. } => match self.planner.factors(&self.spatial) {
                Some(factors) => named(self, filter.with_checked_factors(factors.borrow()))?,
                None => filter,
            },
            _ => filter,
        };
        Ok(table.push(from, Stage::SmoothConv(if self.components { filter.components() } else { filter })))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let taus: Vec<f64> = self.taus().collect();
        vec![Parameter::new("tau", taus), Parameter::new("weight", self.weight())]
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let (node, [n, .., rows, cols]) = (nodes.node(0), self.spatial.shape);
        let taus = self.taus.iter().zip(node.gains).map(|(tau, gain)| gain * tau.slope(nodes.every()));
        let tau = Parameter::new("tau", taus.collect::<Vec<f64>>());
        std::iter::once(tau).chain(gradients(node, rows * cols, &[n, rows, cols])).collect()
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        let [n, .., rows, cols] = self.spatial.shape;
        match name {
            "tau" => {
                let taus = self.taus.iter().zip(values.of_shape(&[n])?);
                self.taus = taus.map(|(old, tau)| old.with(NAME, *tau)).collect::<Result<_>>()?;
                self.decays = Kept::default();
            }
            "weight" => self.set_weight(values.of_shape(&[n, rows, cols])?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
