//! Where a model runs: the CPU of this machine, or a GPU.
//!
//! A model's table of nodes becomes a list of passes ([`pass`], [`lower`]) that does not depend on the device. A
//! [`Backend`](backend::Backend) runs them; there is one, which uses `wgpu`. Frames, state and passes have the host's
//! layout.
//!
//! The output does not depend on the chunking. The weights and the frame size of a layer determine its kernel. The length of
//! a chunk determines only how many rows a thread computes, and whether it processes vectors of pixels. A sum is computed by
//! one thread, or by a workgroup in pairs, in an order that the layer and its frames determine; only padding with the mean
//! of the first chunk depends on the length of that chunk. No kernel adds floats atomically. On Vulkan, operations are
//! computed as written (`webgpu/spirv.rs`), so the same order of operations gives the same bits in any program.

#[cfg(feature = "gpu")]
mod backend;
#[cfg(feature = "gpu")]
mod correlation;
#[cfg(feature = "gpu")]
pub(crate) mod counts;
#[cfg(feature = "gpu")]
mod kernels;
#[cfg(feature = "gpu")]
mod lower;
#[cfg(feature = "gpu")]
mod pass;
#[cfg(feature = "gpu")]
mod peaks;
#[cfg(feature = "gpu")]
pub(crate) mod stream;
#[cfg(feature = "gpu")]
mod webgpu;

use crate::{Error, Result};
#[cfg(feature = "gpu")]
pub(crate) use backend::Backend;
use std::fmt::{Display, Formatter};
use std::str::FromStr;
#[cfg(feature = "gpu")]
use std::sync::Arc;

/// The device that runs a model: see [`Model::to`](crate::Model::to).
///
/// ```
/// use foveola::{Device, LowPass, Model, Resolution};
/// let movie = ndarray::Array3::<f32>::ones((20, 8, 8));
/// for found in Device::list() {
///     let device = Device::named(&found.name)?; // software too; `Device::gpu()` takes the first real one
///     let mut model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?).to(&device);
///     assert!(model.run(&movie, 10)?[(0, 0, 19, 0, 0)] > 0.8);
/// }
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Device {
    #[cfg(feature = "gpu")]
    backend: Option<Arc<dyn Backend>>,
}

/// The kind of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares the memory of the CPU.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A software GPU, which runs on the CPU.
    Software,
    /// Another kind.
    Other,
}

impl DeviceKind {
    /// The kind as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        }
    }

    /// Whether it is a hardware GPU, which [`Device::gpu`] accepts.
    pub fn is_hardware(self) -> bool {
        matches!(self, Self::Discrete | Self::Integrated | Self::Virtual)
    }
}

/// A device that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name that the driver reports.
    pub name: String,
    /// The kind of the device.
    pub kind: DeviceKind,
    /// The graphics interface, such as Vulkan.
    pub interface: String,
    /// The driver and its version.
    pub driver: String,
}

impl Display for DeviceInfo {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.kind.name(), self.interface)
    }
}

/// The limits of a device that kernels must respect.
#[cfg(feature = "gpu")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Largest buffer in bytes.
    pub(crate) buffer: u64,
    /// Workgroup memory in bytes.
    pub(crate) workgroup: usize,
    /// Threads per workgroup.
    pub(crate) invocations: usize,
    /// Whether threads may write different components of a vector in workgroup memory at the same time.
    pub(crate) parts: bool,
}

/// The message of a build without the feature.
#[cfg(not(feature = "gpu"))]
const NOT_BUILT: &str = "nothing: this build has no GPU support (feature gpu)";

impl Device {
    /// Whether this build can use GPUs: the crate feature `gpu`.
    pub const HAS_GPU_SUPPORT: bool = cfg!(feature = "gpu");

    /// The CPU of this machine, which new models use.
    pub fn cpu() -> Self {
        Self::default()
    }

    /// The first GPU, preferably one with its own memory. Software devices are not used: see [`Device::named`].
    ///
    /// # Errors
    /// [`Error::NoDevice`] with the devices that were found.
    pub fn gpu() -> Result<Self> {
        Self::open("a GPU", |info| info.kind.is_hardware())
    }

    /// The first device whose name contains `name`, in any case.
    ///
    /// # Errors
    /// [`Error::NoDevice`] with the devices that were found.
    pub fn named(name: &str) -> Result<Self> {
        let wanted = name.to_lowercase();
        Self::open(&format!("a device named '{name}'"), |info| info.name.to_lowercase().contains(&wanted))
    }

    /// The available devices besides the CPU, the preferred one first; none in a build without the feature `gpu`.
    pub fn list() -> Vec<DeviceInfo> {
        #[cfg(feature = "gpu")]
        return webgpu::Gpu::list();
        #[cfg(not(feature = "gpu"))]
        Vec::new()
    }

    /// The name of the device: `cpu` for the CPU.
    pub fn name(&self) -> &str {
        #[cfg(feature = "gpu")]
        if let Some(backend) = &self.backend {
            return &backend.info().name;
        }
        "cpu"
    }

    /// Information about the device; none for the CPU.
    pub fn info(&self) -> Option<&DeviceInfo> {
        #[cfg(feature = "gpu")]
        return self.backend.as_ref().map(|backend| backend.info());
        #[cfg(not(feature = "gpu"))]
        None
    }

    #[cfg(feature = "gpu")]
    fn open(wanted: &str, accept: impl Fn(&DeviceInfo) -> bool) -> Result<Self> {
        Ok(Self { backend: Some(Arc::new(webgpu::Gpu::open(wanted, accept, None)?)) })
    }

    #[cfg(not(feature = "gpu"))]
    fn open(wanted: &str, _: impl Fn(&DeviceInfo) -> bool) -> Result<Self> {
        Err(Error::NoDevice { wanted: wanted.into(), found: NOT_BUILT.into() })
    }

    /// [`Device::named`] with buffers of at most `bytes`, for tests of that limit.
    ///
    /// # Errors
    /// As [`Device::named`].
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn limited(name: &str, bytes: u64) -> Result<Self> {
        let accept = |info: &DeviceInfo| info.name.to_lowercase().contains(&name.to_lowercase());
        Ok(Self { backend: Some(Arc::new(webgpu::Gpu::open(name, accept, Some(bytes))?)) })
    }

    /// Simulates the loss of the device, as when it is unplugged: for tests.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn lose(&self) {
        if let Some(backend) = &self.backend {
            backend.lose();
        }
    }

    /// Starts measuring. Returns the seconds that all passes took on the device since the last call. None if the device has
    /// no clock, or at the first call.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn seconds(&self) -> Option<f64> {
        self.backend.as_ref()?.seconds()
    }

    /// Runs the passes of each block `times` times while [`Device::seconds`] measures: a GPU that idles between short passes
    /// lowers its clocks. The seconds are those of a single run. The state and the output are then invalid.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn repeat(&self, times: usize) {
        if let Some(backend) = &self.backend {
            backend.repeat(times);
        }
    }

    /// The measured peak of the device: floating-point operations per second in registers, and bytes per second that a copy
    /// reads and writes.
    ///
    /// # Errors
    /// [`Error::Device`] when it fails.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn peaks(&self) -> Result<Option<(f64, f64)>> {
        match &self.backend {
            Some(backend) => peaks::peaks(backend.as_ref()),
            None => Ok(None),
        }
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn backend(&self) -> Option<&Arc<dyn Backend>> {
        self.backend.as_ref()
    }

    /// Whether this is a device other than the CPU.
    pub(crate) fn is_device(&self) -> bool {
        self.info().is_some()
    }
}

impl From<&Self> for Device {
    fn from(device: &Self) -> Self {
        device.clone()
    }
}

/// Parses `cpu`, `gpu`, or `gpu:NAME`.
impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::cpu()),
            None if text == "gpu" => Self::gpu(),
            Some(("gpu", name)) if !name.is_empty() => Self::named(name),
            _ => Err(Error::Spelling { what: "device", value: text.into(), expected: "cpu, gpu or gpu:NAME" }),
        }
    }
}
