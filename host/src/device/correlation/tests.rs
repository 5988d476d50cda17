//! Each kernel compared with the equation, summed in f64, over random shapes.

use super::*;
use crate::device::backend::{Backend, Buffers, Work};
use crate::device::webgpu::Gpu;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Random numbers.
struct Random(Pcg64Mcg);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// One of `from ..= to`.
    fn among(&mut self, from: usize, to: usize) -> usize {
        from + self.0.next_u32() as usize % (to - from + 1)
    }

    fn coin(&mut self) -> bool {
        self.among(0, 1) == 1
    }

    fn samples(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.0.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0).collect()
    }
}

/// Frames smaller and larger than the kernel, any border, any step and dilation, one or two streams, a ring whose newest
/// frame is in any slot.
fn correlation(random: &mut Random) -> Correlation {
    let groups = random.among(1, 3);
    let ins = random.among(1, 4);
    let mut kernel = [groups * random.among(1, 9), ins, random.among(1, 4), random.among(1, 6), random.among(1, 9)];
    match random.among(0, 4) {
        0 => (kernel[3], kernel[4]) = (1, 4 * kernel[4]),
        1 => (kernel[3], kernel[4]) = (4 * kernel[3], 1),
        _ => {}
    }
    let [_, _, kt, kh, kw] = kernel;
    let large = random.among(0, 5) == 0;
    let rows = random.among(1, if large { 70 } else { 20 });
    let cols = random.among(1, if large { 140 } else { 24 });
    let shape = Shape::new(groups * ins, rows, cols);
    let dilation = [0; 3].map(|_| random.among(1, 3));
    let frames = random.among(1, 12);
    let (first, every) = (random.among(0, frames - 1), random.among(1, 3));
    let reach = dilation[0] * (kt - 1);
    let past = (reach > 0).then(|| {
        let (slots, left) = (reach + random.among(0, 2), random.among(0, 4));
        let (row, offset) = (cols + left + random.among(0, 4), random.among(0, 9));
        let stream = offset + slots * shape.channels * rows * row + random.among(0, 6);
        Past { stream, offset, slots, now: random.among(0, slots - 1), row, left }
    });
    Correlation {
        input: Operand::Input,
        shape,
        streams: random.among(1, 2),
        frames,
        past,
        weights: Operand::Constant(0),
        bias: random.coin().then_some(Operand::Constant(1)),
        kernel,
        groups,
        dilation,
        step: [random.among(1, 3), random.among(1, 3)],
        top: random.among(0, kh * dilation[1]),
        left: random.among(0, kw * dilation[2]),
        border: [Border::Replicate, Border::Reflect, Border::Zeros, Border::Circular][random.among(0, 3)],
        output: Operand::Output,
        size: [random.among(1, rows + 3), random.among(1, cols + 3)],
        count: random.among(1, (frames - first).div_ceil(every)),
        first,
        every,
    }
}

/// Steps and dilations that [`Kernel::Direct`] supports.
fn steady(correlation: Correlation) -> Correlation {
    Correlation { step: [1, 1], dilation: [correlation.dilation[0], 1, 1], ..correlation }
}

/// A kernel in time only.
fn in_time(correlation: Correlation) -> Correlation {
    let ([outs, ins, kt, ..], Shape { rows, cols, .. }) = (correlation.kernel, correlation.shape);
    Correlation { kernel: [outs, ins, kt, 1, 1], top: 0, left: 0, size: [rows, cols], ..steady(correlation) }
}

/// The values of a correlation.
struct Numbers {
    input: Vec<f32>,
    state: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Numbers {
    fn of(correlation: &Correlation, random: &mut Random) -> Self {
        let Correlation { shape, streams, frames, kernel, past, .. } = correlation;
        Self {
            input: random.samples(streams * frames * shape.channels * shape.rows * shape.cols),
            state: random.samples(past.map_or(1, |past| past.stream * streams)),
            weights: random.samples(kernel.iter().product()),
            bias: random.samples(kernel[0]),
        }
    }

    /// The sample in frame `f`, before the chunk or in it.
    fn sample(&self, correlation: &Correlation, [s, channel, row, col]: [usize; 4], f: isize) -> f64 {
        let Shape { channels, rows, cols } = correlation.shape;
        if f >= 0 {
            let frame = s * correlation.frames + f as usize;
            return f64::from(self.input[((frame * channels + channel) * rows + row) * cols + col]);
        }
        let past = correlation.past.expect("frames before the chunk");
        let slot = (past.now as isize + f).rem_euclid(past.slots as isize) as usize;
        let at = ((slot * channels + channel) * rows + row) * past.row + past.left + col;
        f64::from(self.state[s * past.stream + past.offset + at])
    }

    /// Output `n`, and the sum of the magnitudes of its terms.
    fn output(&self, correlation: &Correlation, n: usize) -> (f64, f64) {
        let ([outs, ins, kt, kh, kw], [rows, cols]) = (correlation.kernel, correlation.size);
        let (c, r, o) = (n % cols, n / cols % rows, n / cols / rows % outs);
        let (j, s) = (n / cols / rows / outs % correlation.count, n / cols / rows / outs / correlation.count);
        let bias = correlation.bias.as_ref().map_or(0.0, |_| f64::from(self.bias[o]));
        let (mut sum, mut size) = (bias, bias.abs());
        for tap in 0..ins * kt * kh * kw {
            let (e, b, a, i) = (tap % kw, tap / kw % kh, tap / kw / kh % kt, tap / kw / kh / kt);
            let f = (correlation.first + correlation.every * j) as isize
                - (correlation.dilation[0] * (kt - 1 - a)) as isize;
            let place = |out: usize, axis: usize, tap: usize, before: usize, len: usize| {
                let at =
                    (correlation.step[axis] * out + correlation.dilation[axis + 1] * tap) as isize - before as isize;
                correlation.border.index(at, len)
            };
            let row = place(r, 0, b, correlation.top, correlation.shape.rows);
            let col = place(c, 1, e, correlation.left, correlation.shape.cols);
            if let (Some(row), Some(col)) = (row, col) {
                let channel = o / (outs / correlation.groups) * ins + i;
                let weight = f64::from(self.weights[o * ins * kt * kh * kw + tap]);
                let term = weight * self.sample(correlation, [s, channel, row, col], f);
                sum += term;
                size += term.abs();
            }
        }
        (sum, size)
    }
}

/// Runs `pass` and compares its whole output.
fn check(backend: &dyn Backend, correlation: &Correlation, pass: &Pass, random: &mut Random) {
    let numbers = Numbers::of(correlation, random);
    let outputs =
        correlation.streams * correlation.count * correlation.kernel[0] * correlation.size[0] * correlation.size[1];
    let buffer = |samples: &[f32]| {
        let to = backend.buffer("a test", samples.len()).unwrap();
        let work = Work { upload: vec![bytemuck::cast_slice(samples)], to: Some(&to), ..Work::NONE };
        backend.submit(&work).unwrap().wait(&mut |_| {}).unwrap();
        to
    };
    let buffers = Buffers {
        input: buffer(&numbers.input),
        output: buffer(&vec![f32::NAN; outputs]),
        state: buffer(&numbers.state),
        slots: Vec::new(),
        constants: vec![buffer(&numbers.weights), buffer(&numbers.bias)],
        events: None,
    };
    let work = Work {
        passes: std::slice::from_ref(pass),
        buffers: Some(&buffers),
        download: vec![(&buffers.output, outputs)],
        ..Work::NONE
    };
    let mut found = Vec::new();
    backend.submit(&work).unwrap().wait(&mut |samples| found = samples.to_vec()).unwrap();
    let taps = correlation.kernel[1..].iter().product::<usize>() as f64;
    for (n, &found) in found.iter().enumerate() {
        let (expected, size) = numbers.output(correlation, n);
        let most = f64::from(f32::EPSILON) * taps * size;
        let error = (f64::from(found) - expected).abs();
        assert!(error <= most, "output {n} is {found} and not {expected}: {:?} of {correlation:?}", pass.kernel);
    }
}

/// Checks passes of `cases` correlations on the first device found.
fn check_all(cases: u32, make: impl Fn(&mut Random, &Limits) -> (Correlation, Vec<Pass>)) {
    if std::env::var("FOVEOLA_GPU").is_ok_and(|name| name == "none") {
        return println!("not run: FOVEOLA_GPU=none");
    }
    let gpu = match Gpu::open("any device", |_| true, None) {
        Ok(gpu) => gpu,
        Err(error) if std::env::var_os("FOVEOLA_REQUIRE_GPU").is_none() => return println!("not run: {error}"),
        Err(error) => panic!("{error}"),
    };
    let seed = foveola_seeds::seed(std::any::type_name_of_val(&make));
    for case in 0..foveola_seeds::cases(cases) {
        let mut random = Random::new(seed.wrapping_add(case.into()));
        let (correlation, passes) = make(&mut random, &gpu.limits());
        for pass in passes {
            check(&gpu, &correlation, &pass, &mut random);
        }
    }
}

/// Every tile, and every strip of a kernel.
#[test]
fn direct_is_the_equation() {
    check_all(30, |random, limits| {
        let correlation = steady(correlation(random));
        let kernel = [correlation.kernel[3], correlation.kernel[4]];
        let mut tile = Tile {
            kernel,
            threads: [[1, 8, 16], [1, 4, 32], [2, 2, 16], [1, 16, 8], [3, 4, 8]][random.among(0, 4)],
            outs: random.among(1, 4),
            rows: random.among(1, 4),
            strip: random.among(1, kernel[0]),
            zeros: correlation.border == Border::Zeros,
            whole: correlation.size[1].is_multiple_of(4),
            parts: random.coin(),
        };
        if tile.memory() > limits.workgroup {
            tile = Tile { strip: 1, ..tile };
        }
        let pass = correlation.direct(tile);
        (correlation, vec![pass])
    });
}

#[test]
fn plain_is_the_equation() {
    check_all(24, |random, _| {
        let correlation = correlation(random);
        let pass = correlation.plain();
        (correlation, vec![pass])
    });
}

#[test]
fn in_time_is_the_equation() {
    check_all(30, |random, _| {
        let correlation = in_time(correlation(random));
        let pass = correlation.in_time();
        (correlation, vec![pass])
    });
}

/// Products of 16, 32 and 64 channels per workgroup.
#[test]
fn gemm_is_the_equation() {
    check_all(30, |random, _| {
        let mut correlation = correlation(random);
        correlation.kernel[0] *= random.among(1, 9);
        let pass = correlation.gemm();
        (correlation, vec![pass])
    });
}

/// The choice for large and small workgroup memory.
#[test]
fn what_is_chosen_is_the_equation() {
    check_all(30, |random, limits| {
        let correlation = match random.among(0, 2) {
            0 => correlation(random),
            1 => in_time(correlation(random)),
            _ => steady(correlation(random)),
        };
        let few = Limits { workgroup: random.among(1 << 10, limits.workgroup), ..*limits };
        let numbers = Limits { parts: false, ..few };
        let passes = [*limits, few, numbers].iter().flat_map(|limits| correlation.passes(limits)).collect();
        (correlation, passes)
    });
}

/// Steps of any length are allowed if they are never taken.
#[test]
fn steps_that_nobody_takes_are_free() {
    check_all(10, |random, limits| {
        let mut correlation = in_time(correlation(random));
        if random.coin() {
            (correlation.count, correlation.every) = (1, 1 << 61);
        } else {
            (correlation.kernel[2], correlation.dilation[0]) = (1, 1 << 61);
        }
        let passes = correlation.passes(limits);
        (correlation, passes)
    });
}

/// A longer chunk may use another tile, but not another kernel or other strips: only those determine the order of sums.
#[test]
fn the_order_of_sums_does_not_depend_on_the_length_of_a_chunk() {
    let mut random = Random::new(foveola_seeds::seed("the order of sums"));
    let (mut other_tiles, mut in_strips) = (0, 0);
    for case in 0..1000 {
        let mut correlation = correlation(&mut random);
        match case % 3 {
            0 => {}
            1 => correlation = in_time(correlation),
            _ => correlation = steady(correlation),
        }
        if random.coin() {
            (correlation.kernel[3], correlation.kernel[4]) = (random.among(1, 40), random.among(1, 40));
        }
        (correlation.frames, correlation.first) = (3000, 0);
        let memory = random.among(1 << 10, 1 << 15);
        let limits = Limits { buffer: 1 << 30, workgroup: memory, invocations: 256, parts: random.coin() };
        let [short, long] = [1, 1000].map(|count| {
            let passes = Correlation { count, ..correlation.clone() }.passes(&limits);
            passes.into_iter().map(|pass| pass.kernel).next()
        });
        match (short, long) {
            (Some(Kernel::Direct(short)), Some(Kernel::Direct(long))) => {
                assert_eq!((short.kernel, short.strip), (long.kernel, long.strip), "{correlation:?}");
                other_tiles += usize::from(short != long);
                in_strips += usize::from(short.strip < short.kernel[0]);
            }
            (short, long) => assert_eq!(short, long, "{correlation:?}"),
        }
    }
    assert!(other_tiles > 10 && in_strips > 10, "{other_tiles} other tiles, {in_strips} in strips");
}

#[test]
fn nothing_is_nothing() {
    let mut empty = correlation(&mut Random::new(1));
    empty.count = 0;
    let limits = Limits { buffer: 1 << 20, workgroup: 1 << 14, invocations: 256, parts: true };
    assert!(empty.passes(&limits).is_empty(), "passes without output frames");
}
