//! Where a model computes: the processor of this machine, or a GPU.
//!
//! A model's table of nodes becomes a list of passes ([`pass`], [`lower`]), which says nothing of who runs them; a
//! [`Backend`](backend::Backend) does, of which there is one, through `wgpu`. Frames, state and passes have the host's layout.
//!
//! The output does not depend on the chunking. The kernel of a layer is chosen by its weights and the size of its frames; the
//! length of a chunk decides only how many rows a thread takes, and whether it takes vectors of pixels. A sum is computed by one
//! thread, or by a workgroup in pairs, in an order that the layer and its frames determine; only a padding with the mean of the
//! first chunk depends on that chunk's length. No kernel adds floats atomically. On Vulkan operations are computed as they are written
//! (`webgpu/spirv.rs`), so the same order of operations gives the same bits in any program.

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

/// Where a model computes: see [`Model::to`](crate::Model::to).
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

/// What kind of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A GPU in software, which runs on the processor.
    Software,
    /// Something else.
    Other,
}

impl DeviceKind {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        }
    }

    /// Whether it is a GPU of silicon, which [`Device::gpu`] takes.
    pub fn is_hardware(self) -> bool {
        matches!(self, Self::Discrete | Self::Integrated | Self::Virtual)
    }
}

/// A device that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its name, as the driver says it.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The interface it is reached by, such as Vulkan.
    pub interface: String,
    /// The driver and its version.
    pub driver: String,
}

impl Display for DeviceInfo {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.kind.name(), self.interface)
    }
}

/// What kernels may use of a device.
#[cfg(feature = "gpu")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a buffer.
    pub(crate) buffer: u64,
    /// Bytes of memory of a workgroup.
    pub(crate) workgroup: usize,
    /// Threads of a workgroup.
    pub(crate) invocations: usize,
    /// Whether a thread may write a part of a vector in workgroup memory while another writes the next.
    pub(crate) parts: bool,
}

/// What a build without the feature says.
#[cfg(not(feature = "gpu"))]
const NOT_BUILT: &str = "nothing: this build has no GPU support (feature gpu)";

impl Device {
    /// The processor of this machine: where a new model computes.
    pub fn cpu() -> Self {
        Self::default()
    }

    /// The first GPU, one with memory of its own if there is one. Devices in software are not meant: see [`Device::named`].
    ///
    /// # Errors
    /// [`Error::NoDevice`] with what was found instead.
    pub fn gpu() -> Result<Self> {
        Self::open("a GPU", |info| info.kind.is_hardware())
    }

    /// The first device whose name contains `name`, in capitals or not.
    ///
    /// # Errors
    /// [`Error::NoDevice`] with what was found instead.
    pub fn named(name: &str) -> Result<Self> {
        let wanted = name.to_lowercase();
        Self::open(&format!("a device named '{name}'"), |info| info.name.to_lowercase().contains(&wanted))
    }

    /// The devices that there are beside the processor, the likeliest first; none in a build without the feature `gpu`.
    pub fn list() -> Vec<DeviceInfo> {
        #[cfg(feature = "gpu")]
        return webgpu::Gpu::list();
        #[cfg(not(feature = "gpu"))]
        Vec::new()
    }

    /// Its name: `cpu` for the processor.
    pub fn name(&self) -> &str {
        #[cfg(feature = "gpu")]
        if let Some(backend) = &self.backend {
            return &backend.info().name;
        }
        "cpu"
    }

    /// What it is; none for the processor.
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

    /// [`Device::named`] that takes buffers of `bytes` at most: for tests of what happens where they end.
    ///
    /// # Errors
    /// As [`Device::named`].
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn limited(name: &str, bytes: u64) -> Result<Self> {
        let accept = |info: &DeviceInfo| info.name.to_lowercase().contains(&name.to_lowercase());
        Ok(Self { backend: Some(Arc::new(webgpu::Gpu::open(name, accept, Some(bytes))?)) })
    }

    /// Loses the device, as when it is unplugged: for tests.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn lose(&self) {
        if let Some(backend) = &self.backend {
            backend.lose();
        }
    }

    /// Begins to measure: the seconds that all passes took on the device since the last call. None where it has no clock, or
    /// was not asked before.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn seconds(&self) -> Option<f64> {
        self.backend.as_ref()?.seconds()
    }

    /// Runs the passes of each block so many times while [`Device::seconds`] measures: a card that rests between short ones lowers
    /// its clocks. The seconds are those of one time; the state and the output are not those of the model any more.
    #[cfg(feature = "gpu")]
    #[doc(hidden)]
    pub fn repeat(&self, times: usize) {
        if let Some(backend) = &self.backend {
            backend.repeat(times);
        }
    }

    /// What the device can do at most, measured now: floating-point operations a second in registers, and bytes a second that
    /// a copy reads and writes.
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

    /// Whether the device is not the processor.
    pub(crate) fn is_device(&self) -> bool {
        self.info().is_some()
    }
}

impl From<&Self> for Device {
    fn from(device: &Self) -> Self {
        device.clone()
    }
}

/// `cpu`, `gpu`, or `gpu:NAME`.
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
