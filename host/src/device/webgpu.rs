//! The backend with `wgpu`: Vulkan on Linux and Windows, Metal on macOS. Only this module uses the types of `wgpu`.
//!
//! A unit of work is one command buffer: copies, the upload, one compute pass, the download. `wgpu` adds the barriers
//! between the kernels. Memory that the host can access is kept and reused; it is filled while the device still processes
//! earlier work.

mod spirv;

use super::backend::{Backend, Buffer, Memory, Ticket, Work};
use super::kernels::Kernel;
use super::kernels::program;
use super::pass::{Operand, Pass};
use super::{DeviceInfo, DeviceKind, Limits};
use crate::cpu::threads::Threads;
use crate::{Error, Result};
use foveola_core::engine::{MOVE, WorkSplitter};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Workgroups along x; the kernels' `group()` uses the same number.
const WIDTH: u32 = 1 << 15;
/// Alignment of buffer offsets in bytes: the largest that an interface requires.
const ALIGN: usize = 256;
/// Bytes of the timestamps at the start and end of a pass.
const TIMES: u64 = 16;

/// Waiting time for another thread before the next poll.
const PATIENCE: Duration = Duration::from_millis(10);

/// A GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    info: DeviceInfo,
    limits: Limits,
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// Whether programs are passed as SPIR-V.
    spirv: bool,
    programs: Mutex<HashMap<(Kernel, usize, usize), Arc<Program>>>,
    pool: Arc<Pool>,
    lost: Arc<Mutex<Option<String>>>,
    clock: Option<Arc<Clock>>,
}

#[derive(Debug)]
struct Program {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

#[derive(Debug)]
struct Words {
    buffer: wgpu::Buffer,
    words: usize,
}

impl Memory for Words {
    fn words(&self) -> usize {
        self.words
    }
}

/// Buffers that the host can access, free for reuse; upload buffers stay mapped.
#[derive(Debug, Default)]
struct Pool {
    up: Mutex<Vec<wgpu::Buffer>>,
    down: Mutex<Vec<wgpu::Buffer>>,
}

/// Time measurement of passes.
#[derive(Debug)]
struct Clock {
    /// Seconds per tick.
    tick: f64,
    running: AtomicBool,
    /// Number of runs of each pass while measuring.
    repeat: AtomicUsize,
    seconds: Mutex<f64>,
}

/// Locks a mutex. A panic of another thread leaves no data here in an invalid state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN | wgpu::Backends::METAL,
        // Validation layers can be turned on from outside; wgpu would send their messages to a log that is not read.
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

fn describe(adapter: &wgpu::Adapter) -> DeviceInfo {
    let wgpu::AdapterInfo { name, device_type, driver, driver_info, backend, .. } = adapter.get_info();
    let kind = match device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
        wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
        wgpu::DeviceType::Cpu => DeviceKind::Software,
        wgpu::DeviceType::Other => DeviceKind::Other,
    };
    let interface = match backend {
        wgpu::Backend::Vulkan => "Vulkan",
        wgpu::Backend::Metal => "Metal",
        _ => "another interface",
    };
    DeviceInfo { name, kind, interface: interface.into(), driver: format!("{driver} {driver_info}").trim().into() }
}

/// All adapters, the preferred one first.
fn adapters() -> Vec<(DeviceInfo, wgpu::Adapter)> {
    let found = pollster::block_on(instance().enumerate_adapters(wgpu::Backends::all()));
    let mut found: Vec<_> = found.into_iter().map(|adapter| (describe(&adapter), adapter)).collect();
    found.sort_by_key(|(info, _)| info.kind as usize);
    found
}

impl Gpu {
    pub(crate) fn list() -> Vec<DeviceInfo> {
        adapters().into_iter().map(|(info, _)| info).collect()
    }

    /// The first device that `accept` accepts, with buffers of at most `most` bytes.
    pub(crate) fn open(wanted: &str, accept: impl Fn(&DeviceInfo) -> bool, most: Option<u64>) -> Result<Self> {
        let found = adapters();
        let names: Vec<_> = found.iter().map(|(info, _)| info.to_string()).collect();
        let Some((info, adapter)) = found.into_iter().find(|(info, _)| accept(info)) else {
            let found = if names.is_empty() { "no device with Vulkan or Metal".into() } else { names.join(", ") };
            return Err(Error::NoDevice { wanted: wanted.into(), found });
        };
        let (clock, as_they_are) = (wgpu::Features::TIMESTAMP_QUERY, wgpu::Features::PASSTHROUGH_SHADERS);
        let is_vulkan = adapter.get_info().backend == wgpu::Backend::Vulkan;
        let features = adapter.features() & if is_vulkan { clock | as_they_are } else { clock };
        let mut limits = adapter.limits();
        if let Some(most) = most {
            limits.max_storage_buffer_binding_size = most;
        }
        // Offsets within buffers satisfy the strictest requirement.
        limits.min_storage_buffer_offset_alignment = ALIGN as u32;
        limits.min_uniform_buffer_offset_alignment = ALIGN as u32;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("foveola"),
            required_features: features,
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let failed = |reason: String| Error::Device { device: info.name.clone(), reason };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| failed(error.to_string()))?;
        let lost = Arc::new(Mutex::new(None));
        let (by_callback, by_error) = (Arc::clone(&lost), Arc::clone(&lost));
        device.set_device_lost_callback(move |_, reason| {
            lock(&by_callback).get_or_insert(if reason.is_empty() { "it was lost".into() } else { reason });
        });
        // None is expected: everything that may fail is in an error scope.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&by_error).get_or_insert(error.to_string());
        }));
        let clock = features.contains(clock).then(|| {
            let tick = f64::from(queue.get_timestamp_period()) * 1e-9;
            let (running, repeat) = (AtomicBool::new(false), AtomicUsize::new(1));
            Arc::new(Clock { tick, running, repeat, seconds: Mutex::new(0.0) })
        });
        // Kernels count words with 32 bits, in part signed.
        let buffer = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min((1 << 31) - 4);
        let limits = Limits {
            buffer: buffer / 4 * 4,
            workgroup: limits.max_compute_workgroup_storage_size as usize,
            invocations: limits.max_compute_invocations_per_workgroup as usize,
            // Metal may write the whole vector.
            parts: is_vulkan,
        };
        let (programs, pool, spirv) = (Mutex::default(), Arc::default(), features.contains(as_they_are));
        Ok(Self { info, limits, device, queue, spirv, programs, pool, lost, clock })
    }

    fn failed(&self, reason: impl Into<String>) -> Error {
        Error::Device { device: self.info.name.clone(), reason: reason.into() }
    }

    /// Checks whether the device is still available.
    fn check(&self) -> Result<()> {
        match &*lock(&self.lost) {
            Some(reason) => Err(Error::DeviceLost { device: self.info.name.clone(), reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Calls `f` and returns the errors that occurred in the meantime.
    fn scoped<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        let filters = [wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation];
        let mut scopes = filters.map(|filter| Some(self.device.push_error_scope(filter)));
        let result = f();
        let mut found = None;
        for scope in scopes.iter_mut().rev().filter_map(Option::take) {
            // An object that could not be allocated is also invalid: report the memory error.
            found = match pollster::block_on(scope.pop()) {
                Some(error @ wgpu::Error::OutOfMemory { .. }) => Some(error),
                error => found.or(error),
            };
        }
        if found.is_some() {
            // A lost device is reported only during a poll, and then all calls fail.
            let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
        }
        self.check()?;
        match found {
            Some(wgpu::Error::OutOfMemory { .. }) => Err(self.failed("its memory is full")),
            Some(error) => Err(self.failed(error.to_string())),
            None => result,
        }
    }

    fn create(&self, size: u64, usage: wgpu::BufferUsages, mapped: bool) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: mapped })
    }

    /// A buffer of at least `size` bytes from `free`, or a new one.
    fn reuse(
        &self,
        free: &Mutex<Vec<wgpu::Buffer>>,
        size: u64,
        usage: wgpu::BufferUsages,
        mapped: bool,
    ) -> wgpu::Buffer {
        let mut free = lock(free);
        let fits = free.iter().position(|buffer| buffer.size() >= size && buffer.size() / 4 <= size);
        if let Some(at) = fits {
            return free.swap_remove(at);
        }
        // Other buffers are not needed any more: all chunks of a stream have the same size.
        let old = free.len().saturating_sub(3);
        free.drain(..old);
        drop(free);
        self.create(size, usage, mapped)
    }

    fn program(&self, pass: &Pass) -> Result<Arc<Program>> {
        let key = (pass.kernel.clone(), pass.reads.len(), pass.writes.len());
        let mut programs = lock(&self.programs);
        if let Some(program) = programs.get(&key) {
            return Ok(Arc::clone(program));
        }
        let entry = |binding: usize, ty| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        };
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let reads = pass.reads.len();
        let entries: Vec<_> = [entry(0, wgpu::BufferBindingType::Uniform)]
            .into_iter()
            .chain((0..reads + pass.writes.len()).map(|i| entry(i + 1, storage(i < reads))))
            .collect();
        let layout =
            self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let module = self.module(program(&pass.kernel))?;
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            })),
            module: &module,
            entry_point: Some("main"),
            // All workgroup memory is written before it is read.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        let program = Arc::new(Program { pipeline, layout });
        programs.insert(key, Arc::clone(&program));
        Ok(program)
    }

    /// A program, unchecked; on Vulkan with every floating-point operation [as written](spirv).
    #[allow(
        unsafe_code,
        reason = "with the checks a convolution takes 1.1 to 1.3 times as long, measured on an H200; and only so can a compiler be \
                  told to leave operations as they are"
    )]
    fn module(&self, source: String) -> Result<wgpu::ShaderModule> {
        let words = if self.spirv { Some(spirv::compile(&source).map_err(|error| self.failed(error))?) } else { None };
        // SAFETY: the programs are part of this crate. Indices are in bounds, no divisor is 0, and every loop ends, under
        // conditions that the host guarantees: lengths are those of the buffers, which have less than 2^29 words; steps that
        // are never taken are 1; factors are used only for outputs with their own inputs. The tests compare all programs
        // with the CPU over all kinds of sizes. SPIR-V programs are the output of `naga` for a module that it found valid,
        // with decorations that every version allows; bindings have the numbers of the layout.
        Ok(unsafe {
            match words {
                Some(words) => {
                    let name = "main".into();
                    let main = wgpu::PassthroughShaderEntryPoint { name, workgroup_size: (1, 1, 1) };
                    self.device.create_shader_module_passthrough(wgpu::ShaderModuleDescriptorPassthrough {
                        entry_points: vec![main].into(),
                        spirv: Some(words.into()),
                        ..Default::default()
                    })
                }
                None => {
                    let source = wgpu::ShaderSource::Wgsl(source.into());
                    let module = wgpu::ShaderModuleDescriptor { label: None, source };
                    self.device.create_shader_module_trusted(module, wgpu::ShaderRuntimeChecks::unchecked())
                }
            }
        })
    }

    /// Encodes the passes in one compute pass, `repeat` times.
    fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        work: &Work<'_>,
        times: Option<&wgpu::QuerySet>,
        repeat: usize,
    ) -> Result<()> {
        let Some(buffers) = work.buffers.filter(|_| !work.passes.is_empty()) else { return Ok(()) };
        // Parameters and words of all passes, in one buffer.
        let mut words: Vec<u8> = Vec::new();
        let mut place = |new: &[u32]| {
            let at = words.len();
            words.extend_from_slice(bytemuck::cast_slice(new));
            words.resize(words.len().next_multiple_of(ALIGN).max(at + ALIGN), 0);
            (at as u64, words.len() as u64 - at as u64)
        };
        let mut parts = Vec::new();
        for pass in work.passes {
            let numbers = place(&pass.params);
            let lists: Vec<_> = pass
                .reads
                .iter()
                .map(|operand| match operand {
                    Operand::Words(new) => Some(place(new)),
                    _ => None,
                })
                .collect();
            parts.push((numbers, lists));
        }
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let numbers = self.create(words.len() as u64, usage, true);
        if let Ok(mut view) = numbers.get_mapped_range_mut(..) {
            view.copy_from_slice(&words);
        }
        numbers.unmap();
        let bound = |(offset, size)| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &numbers,
                offset,
                size: std::num::NonZeroU64::new(size),
            })
        };
        let mut dispatches = Vec::new();
        for (pass, (numbers, lists)) in work.passes.iter().zip(parts) {
            if pass.groups == 0 {
                continue;
            }
            let program = self.program(pass)?;
            let mut resources = vec![bound(numbers)];
            for (operand, list) in pass.reads.iter().zip(lists) {
                resources.push(match list {
                    Some(list) => bound(list),
                    None => self.bind(buffers.get(operand))?,
                });
            }
            for operand in &pass.writes {
                resources.push(self.bind(buffers.get(operand))?);
            }
            let entries: Vec<_> = resources
                .into_iter()
                .enumerate()
                .map(|(i, resource)| wgpu::BindGroupEntry { binding: i as u32, resource })
                .collect();
            let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &program.layout,
                entries: &entries,
            });
            let groups = u32::try_from(pass.groups).map_err(|_| self.failed("a chunk has too many samples"))?;
            dispatches.push((program, group, groups));
        }
        let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: times.map(|query_set| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            }),
        });
        for (program, group, groups) in std::iter::repeat_n(&dispatches, repeat).flatten() {
            compute.set_pipeline(&program.pipeline);
            compute.set_bind_group(0, group, &[]);
            compute.dispatch_workgroups((*groups).min(WIDTH), groups.div_ceil(WIDTH), 1);
        }
        Ok(())
    }

    fn bind<'b>(&self, buffer: Option<&'b Buffer>) -> Result<wgpu::BindingResource<'b>> {
        Ok(self.words(buffer)?.buffer.as_entire_binding())
    }

    fn words<'b>(&self, buffer: Option<&'b Buffer>) -> Result<&'b Words> {
        let memory: Option<&dyn Any> = buffer.map(|buffer| buffer.as_ref() as &dyn Any);
        memory.and_then(|memory| memory.downcast_ref()).ok_or_else(|| self.failed("a buffer of another device"))
    }

    fn hand_over(&self, work: &Work<'_>) -> Result<Box<dyn Ticket>> {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for buffer in &work.cleared {
            encoder.clear_buffer(&self.words(Some(buffer))?.buffer, 0, None);
        }
        for (from, to) in &work.copies {
            let (from, to) = (self.words(Some(from))?, self.words(Some(to))?);
            encoder.copy_buffer_to_buffer(&from.buffer, 0, &to.buffer, 0, from.words.min(to.words) as u64 * 4);
        }
        let size: u64 = work.upload.iter().map(|bytes| bytes.len() as u64).sum();
        let mut up = None;
        if let Some(to) = work.to.filter(|_| size > 0) {
            let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
            let staging = self.reuse(&self.pool.up, size, usage, true);
            fill(work.splitter, &staging, &work.upload).map_err(|error| self.failed(error.to_string()))?;
            staging.unmap();
            encoder.copy_buffer_to_buffer(&staging, 0, &self.words(Some(to))?.buffer, 0, size);
            up = Some(staging);
        }
        let clock =
            self.clock.as_ref().filter(|clock| clock.running.load(Ordering::Relaxed) && !work.passes.is_empty());
        let times = clock.map(|_| {
            self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            })
        });
        let repeat = clock.map_or(1, |clock| clock.repeat.load(Ordering::Relaxed));
        self.encode(&mut encoder, work, times.as_ref(), repeat)?;
        let ask = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let times = times.map(|times| {
            let resolved = self.create(TIMES, wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC, false);
            let down = self.create(TIMES, ask, false);
            encoder.resolve_query_set(&times, 0..2, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &down, 0, TIMES);
            down
        });
        let mut down = None;
        let size: u64 = work.download.iter().map(|(_, words)| *words as u64 * 4).sum();
        if size > 0 {
            let (staging, mut at) = (self.reuse(&self.pool.down, size, ask, false), 0);
            for (from, words) in work.download.iter().filter(|(_, words)| *words > 0) {
                let size = *words as u64 * 4;
                encoder.copy_buffer_to_buffer(&self.words(Some(from))?.buffer, 0, &staging, at, size);
                at += size;
            }
            down = Some((staging, size));
        }
        let index = self.queue.submit([encoder.finish()]);
        if let Some(staging) = up {
            // The buffer is free again as soon as the device has read it.
            let (pool, buffer) = (Arc::downgrade(&self.pool), staging.clone());
            staging.map_async(wgpu::MapMode::Write, .., move |mapped| {
                if let (Ok(()), Some(pool)) = (mapped, pool.upgrade()) {
                    lock(&pool.up).push(buffer);
                }
            });
        }
        let (device, name) = (self.device.clone(), self.info.name.clone());
        let (pool, lost, clock) = (Arc::clone(&self.pool), Arc::clone(&self.lost), clock.map(Arc::clone));
        let mapped = down.as_ref().map(|(staging, size)| map(staging, *size));
        let timed = times.as_ref().map(|times| map(times, TIMES));
        Ok(Box::new(Pending { device, index, down, mapped, times, timed, repeat, name, pool, lost, clock }))
    }
}

/// Bytes that one thread fills at a time.
const PART: usize = 4 << 20;

/// A part of mapped memory, and its source.
type Part<'p> = (wgpu::BufferViewMut, &'p [u8]);

/// Fills mapped memory with the concatenated parts of `upload`, in parallel where the parts are aligned.
fn fill(splitter: Threads, staging: &wgpu::Buffer, upload: &[&[u8]]) -> Result<(), wgpu::MapRangeError> {
    let (mut parts, mut at) = (Vec::new(), 0);
    for bytes in upload.iter().flat_map(|bytes| bytes.chunks(PART)) {
        let to = at + bytes.len() as u64;
        if !at.is_multiple_of(wgpu::MAP_ALIGNMENT) {
            parts.clear();
            let mut view =
                staging.get_mapped_range_mut(..upload.iter().map(|bytes| bytes.len() as u64).sum::<u64>())?;
            let mut at = 0;
            for bytes in upload {
                view.slice(at..at + bytes.len()).copy_from_slice(bytes);
                at += bytes.len();
            }
            return Ok(());
        }
        if !bytes.is_empty() {
            parts.push((staging.get_mapped_range_mut(at..to)?, bytes));
        }
        at = to;
    }
    share(splitter, &mut parts);
    Ok(())
}

fn share(splitter: Threads, parts: &mut [Part<'_>]) {
    let bytes: usize = parts.iter().map(|(_, bytes)| bytes.len()).sum();
    match splitter.halve(bytes / 4 * MOVE) {
        Some(splitter) if parts.len() > 1 => {
            let (first, second) = parts.split_at_mut(parts.len() / 2);
            splitter.join(|| share(splitter, first), || share(splitter, second));
        }
        _ => parts.iter_mut().for_each(|(view, bytes)| view.copy_from_slice(bytes)),
    }
}

/// Whether a mapping succeeded, once it is known.
type Mapped = Receiver<bool>;

fn map(buffer: &wgpu::Buffer, size: u64) -> Mapped {
    let (known, mapped) = channel();
    buffer.map_async(wgpu::MapMode::Read, ..size, move |result| {
        // An error means that the receiver is gone; it can be ignored.
        let _ = known.send(result.is_ok());
    });
    mapped
}

impl Backend for Gpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn buffer(&self, what: &'static str, words: usize) -> Result<Buffer> {
        let (bytes, most) = ((words.max(1) as u64).saturating_mul(4), self.limits.buffer);
        if bytes > most {
            return Err(Error::DeviceMemory { device: self.info.name.clone(), what, bytes, most });
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let buffer = self.scoped(|| Ok(self.create(bytes, usage, false)))?;
        Ok(Arc::new(Words { buffer, words: words.max(1) }))
    }

    fn submit(&self, work: &Work<'_>) -> Result<Box<dyn Ticket>> {
        let result = self.scoped(|| self.hand_over(work));
        if result.is_err() {
            // The failed objects may include a program.
            lock(&self.programs).clear();
        }
        result
    }

    fn lose(&self) {
        self.device.destroy();
    }

    fn seconds(&self) -> Option<f64> {
        let clock = self.clock.as_ref()?;
        let seconds = std::mem::take(&mut *lock(&clock.seconds));
        clock.running.swap(true, Ordering::Relaxed).then_some(seconds)
    }

    fn repeat(&self, times: usize) {
        if let Some(clock) = &self.clock {
            clock.repeat.store(times.max(1), Ordering::Relaxed);
        }
    }
}

impl Drop for Gpu {
    /// A buffer with a pending mapping keeps itself and the device alive until the mapping is complete.
    fn drop(&mut self) {
        let _ = self.device.poll(wgpu::PollType::wait_indefinitely());
    }
}

/// Work in flight.
#[derive(Debug)]
struct Pending {
    device: wgpu::Device,
    index: wgpu::SubmissionIndex,
    down: Option<(wgpu::Buffer, u64)>,
    mapped: Option<Mapped>,
    times: Option<wgpu::Buffer>,
    timed: Option<Mapped>,
    repeat: usize,
    name: String,
    pool: Arc<Pool>,
    lost: Arc<Mutex<Option<String>>>,
    clock: Option<Arc<Clock>>,
}

impl Ticket for Pending {
    fn wait(self: Box<Self>, take: &mut dyn FnMut(&[f32])) -> Result<()> {
        let lost = |reason: String| Error::DeviceLost { device: self.name.clone(), reason };
        let poll = || {
            let until = wgpu::PollType::Wait { submission_index: Some(self.index.clone()), timeout: None };
            self.device.poll(until).map_err(|error| lost(error.to_string()))?;
            match &*lock(&self.lost) {
                Some(reason) => Err(lost(reason.clone())),
                None => Ok(()),
            }
        };
        poll()?;
        // Another thread that polls may have received the answer and be about to send it.
        let done = |mapped: &Mapped| loop {
            match mapped.recv_timeout(PATIENCE) {
                Ok(done) => return Ok::<_, Error>(done),
                Err(RecvTimeoutError::Timeout) => poll()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        };
        if let (Some((staging, size)), Some(mapped)) = (&self.down, &self.mapped) {
            let view = if done(mapped)? { staging.get_mapped_range(..*size).ok() } else { None };
            match view {
                Some(view) => take(bytemuck::try_cast_slice(&view).map_err(|error| lost(error.to_string()))?),
                None => return Err(lost("its memory cannot be read".into())),
            }
            staging.unmap();
            lock(&self.pool.down).push(staging.clone());
        }
        if let (Some(times), Some(timed), Some(clock)) = (&self.times, &self.timed, &self.clock)
            && done(timed)?
            && let Ok(view) = times.get_mapped_range(..)
            && let Ok([begin, end]) = bytemuck::try_cast_slice::<_, u64>(&view)
        {
            *lock(&clock.seconds) += end.saturating_sub(*begin) as f64 * clock.tick / self.repeat as f64;
        }
        Ok(())
    }
}
