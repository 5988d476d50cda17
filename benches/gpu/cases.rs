//! The workloads: those of `foveola bench`, some of them over large frames too, and events.

use foveola::scene::{self, BarAndGrating, SensorParameters, Simulation};
use foveola::{Device, Frames, Geometry, Model, Polarity, Result};
use foveola_cli::bench::{self, Contestant, Operation, Setting, Workload};
use foveola_core::events::Event;
use ndarray::Array5;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

/// Bytes and frames of a piece on the device, at most: what a piece costs beside its frames is to count little.
const PIECE: (usize, usize) = (256 << 20, 1024);
/// Rows, columns and frames where no speed is claimed.
const QUICK: (usize, usize) = (24, 6);
/// Frames that are compared with the processor's.
const COMPARED: usize = 3;
/// Rows and columns of events, how many there are, and microseconds of a frame.
const SENSOR: [usize; 2] = [480, 640];
const EVENTS: usize = 300_000;
const DT: u64 = 1_000;

/// Something to measure.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Floating-point operations and bytes a frame, as the workload counts them.
    pub(crate) operations: f64,
    pub(crate) bytes: f64,
    /// Frames in a piece: on the device, and on the processor.
    pub(crate) frames: [usize; 2],
    what: What,
}

enum What {
    Frames(Workload),
    /// Events into frames, and through what the workload computes.
    Events(Workload, Rc<Vec<Event>>),
}

/// All of them.
pub(crate) fn all(quick: bool) -> Result<Vec<Case>> {
    let conv3d = |kernel, channels| Operation::Conv3d { kernel, channels };
    let sized = |name: &str, operation, rows, cols| Workload::new(name, operation, rows, cols);
    let mut workloads = bench::table();
    workloads.extend([
        sized("conv3d_10x10x10@512x512", conv3d([10, 10, 10], [1, 1]), 512, 512),
        sized("conv3d_16x16x16@512x512", conv3d([16, 16, 16], [1, 1]), 512, 512),
        sized("conv3d_3x3x3_8to8@512x512", conv3d([3, 3, 3], [8, 8]), 512, 512),
        sized("conv3d_3x3x3_16to16@512x512", conv3d([3, 3, 3], [16, 16]), 512, 512),
        sized("gaussian_21x21@512x512", Operation::Gaussian { side: 21 }, 512, 512),
        sized("smooth_conv_n6_10x10@512x512", Operation::SmoothConv { stages: 6, kernel: [10, 10] }, 512, 512),
        sized("low_pass@512x512", Operation::LowPass, 512, 512),
        sized("rectify@512x512", Operation::Rectify, 512, 512),
        sized("rectify@1280x720", Operation::Rectify, 720, 1280),
        sized("retina@640x480", Operation::Retina, SENSOR[0], SENSOR[1]),
        sized("retina@1280x720", Operation::Retina, 720, 1280),
    ]);
    let mut cases: Vec<_> = workloads.into_iter().map(|workload| Case::of(workload, quick)).collect();
    let events = sized("events, rectify@640x480", Operation::Rectify, SENSOR[0], SENSOR[1]);
    let retina = sized("events, retina@640x480", Operation::Retina, SENSOR[0], SENSOR[1]);
    for workload in [events, retina] {
        cases.push(Case::of(workload, quick).with_events()?);
    }
    Ok(cases)
}

/// The events over and over, while time goes on.
fn endless(events: Rc<Vec<Event>>) -> impl Iterator<Item = Result<Event>> {
    let [first, last] = [events.first(), events.last()].map(|event| event.map_or(0, |event| event.t / DT * DT));
    (0_u64..).flat_map(move |round| {
        let (events, later) = (Rc::clone(&events), round * (last - first + DT));
        (0..events.len()).map(move |i| Ok(Event { t: events[i].t + later, ..events[i] }))
    })
}

impl Case {
    fn of(workload: Workload, quick: bool) -> Self {
        let (rows, cols) = if quick { (QUICK.0, QUICK.0) } else { (workload.rows, workload.cols) };
        let mut workload = Workload { rows, cols, ..workload };
        let on_processor = if quick { QUICK.1.min(workload.frames) } else { workload.frames };
        let bytes = 4 * workload.samples_in().max(workload.samples_out());
        let (piece, frames) = PIECE;
        let most = match workload.frames {
            // Fed frame by frame, it stays so.
            1 => 1,
            _ if quick => QUICK.1,
            _ => frames,
        };
        workload.frames = (piece / bytes.max(1)).clamp(1, most);
        Self {
            name: workload.name.clone(),
            operations: workload.operations(),
            bytes: workload.bytes(),
            frames: [workload.frames, on_processor],
            what: What::Frames(workload),
        }
    }

    /// The same, fed events.
    fn with_events(self) -> Result<Self> {
        let What::Frames(workload) = self.what else { return Ok(self) };
        let Workload { rows, cols, .. } = workload;
        let size = scene::Setup {
            geometry: Geometry { cols, rows },
            duration: Duration::from_secs(3600),
            ..scene::Setup::default()
        };
        let scene = BarAndGrating::filling(rows, cols);
        let events: Vec<_> = Simulation::new(scene, size, &SensorParameters::default())?.take(EVENTS).collect();
        let span = events.last().map_or(0, |last| last.t) - events.first().map_or(0, |first| first.t);
        let of_frame = events.len() as f64 / (span / DT).max(1) as f64;
        // An addition and two words each.
        let (operations, bytes) = (self.operations + of_frame, self.bytes + 8.0 * of_frame);
        Ok(Self { operations, bytes, what: What::Events(workload, Rc::new(events)), ..self })
    }

    fn workload(&self) -> &Workload {
        let (What::Frames(workload) | What::Events(workload, _)) = &self.what;
        workload
    }

    /// The same stream on each of some devices, in pieces of so many frames: models and what they are fed.
    pub(crate) fn contestants<const N: usize>(&self, on: [(&Device, usize); N]) -> Result<[Contestant<'static>; N]> {
        let mut made = Vec::new();
        let mut inputs: Vec<Rc<Array5<f32>>> = Vec::new();
        for (device, frames) in on {
            let mut model = self.model(device)?;
            let call: Box<dyn FnMut() -> Result<()>> = match &self.what {
                What::Frames(workload) => {
                    let input = match inputs.iter().find(|input| input.dim().2 == frames) {
                        Some(input) => Rc::clone(input),
                        None => Rc::new(Workload { frames, ..workload.clone() }.input()?),
                    };
                    inputs.push(Rc::clone(&input));
                    Box::new(move || {
                        black_box(model.process(black_box(&*input))?);
                        Ok(())
                    })
                }
                What::Events(..) => {
                    let mut events = self.frames_of_events()?;
                    Box::new(move || {
                        black_box(model.process_events(&mut events, frames)?);
                        Ok(())
                    })
                }
            };
            made.push(Contestant { name: self.name.clone(), work: frames as f64, call });
        }
        let mut made = made.into_iter();
        Ok(std::array::from_fn(|_| made.next().unwrap_or_else(|| unreachable!("one for each"))))
    }

    fn model(&self, device: &Device) -> Result<Model> {
        Ok(self.workload().model(&Setting::default())?.to(device))
    }

    fn frames_of_events(&self) -> Result<Frames<impl Iterator<Item = Result<Event>> + use<>>> {
        let What::Events(Workload { rows, cols, .. }, events) = &self.what else {
            unreachable!("asked of those with events alone")
        };
        Frames::new(endless(Rc::clone(events)), Geometry { cols: *cols, rows: *rows }, Polarity::Signed, DT)
    }

    /// How far apart the first frames are on a device and on the processor, beside the largest sample.
    pub(crate) fn apart(&self, device: &Device) -> Result<f32> {
        let first = |device: &Device| -> Result<Array5<f32>> {
            let mut model = self.model(device)?;
            Ok(match &self.what {
                What::Frames(workload) => {
                    model.process(&Workload { frames: COMPARED, ..workload.clone() }.input()?)?.to_owned()
                }
                What::Events(..) => {
                    let output = model.process_events(&mut self.frames_of_events()?, COMPARED)?;
                    output.map(|output| output.to_owned()).unwrap_or_default()
                }
            })
        };
        let (expected, found) = (first(&Device::cpu())?, first(device)?);
        if expected.dim() != found.dim() {
            return Ok(f32::INFINITY);
        }
        let largest = expected.iter().fold(f32::MIN_POSITIVE, |max, y| max.max(y.abs()));
        let apart = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
        // What is no number is as far apart as can be.
        Ok(apart.fold(0.0_f32, |max, apart| if max.is_nan() || apart <= max { max } else { apart }) / largest)
    }
}
