// A receptive field: y[s, j, o] = bias[o] + sum_i sum_a sum_r sum_c w[o, i, a, r, c] x[s, first + j - (kt-1-a), i, r, c].
//
// A workgroup takes an output; its threads share the pixels under the weight, each in chains of 64 multiply-adds whose results are
// added: off by at most (72 + n / 16384 + in kt) u of sum |w x| for n pixels of a frame, u = 6e-8. Frames before the chunk lie in a
// ring of kt frames of those pixels. Cost: two operations a tap; weights and pixels come from the cache where outputs share them.
struct Params {
    // Outputs of all streams.
    all: u32,
    outs: u32,
    count: u32,
    first: u32,
    ins: u32,
    frames: u32,
    // Of the kernel, of the part of the frame under it, of the frame.
    taps: u32,
    kernel: u32,
    kernel_cols: u32,
    area: u32,
    area_cols: u32,
    plane: u32,
    cols: u32,
    ring: u32,
    now: u32,
    // 0 where all weights are one and the same, and the first: so are then the kernel's sizes.
    kernel_step: u32,
    has_bias: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> past: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// Pixels that the 256 threads take in a chain each.
const CHAIN = 16384u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id);
    if (n >= p.all) {
        return;
    }
    let o = n % p.outs;
    let j = (n / p.outs) % p.count;
    let s = n / (p.outs * p.count);
    var sum = 0.0;
    for (var i = 0u; i < p.ins; i++) {
        for (var a = 0u; a < p.taps; a++) {
            let kernel = ((o * p.ins + i) * p.taps + a) * p.kernel;
            let f = i32(p.first + j + a + 1u) - i32(p.taps);
            var part = 0.0;
            if (f >= 0) {
                let plane = ((s * p.frames + u32(f)) * p.ins + i) * p.plane;
                for (var first = local; first < p.area; first += CHAIN) {
                    var chain = 0.0;
                    for (var k = first; k < min(first + CHAIN, p.area); k += 256u) {
                        let r = k / p.area_cols;
                        let c = k % p.area_cols;
                        chain = fma(w[kernel + r * p.kernel_cols + c * p.kernel_step], x[plane + r * p.cols + c], chain);
                    }
                    part += chain;
                }
            } else {
                let slot = (p.now + p.taps - u32(-f)) % p.taps;
                let plane = p.ring + ((s * p.taps + slot) * p.ins + i) * p.area;
                for (var first = local; first < p.area; first += CHAIN) {
                    var chain = 0.0;
                    for (var k = first; k < min(first + CHAIN, p.area); k += 256u) {
                        let r = k / p.area_cols;
                        let c = k % p.area_cols;
                        chain = fma(w[kernel + r * p.kernel_cols + c * p.kernel_step], past[plane + k], chain);
                    }
                    part += chain;
                }
            }
            sum += part;
        }
    }
    let all = total(local, sum);
    if (local == 0u) {
        y[n] = all + select(0.0, bias[o * p.has_bias], p.has_bias != 0u);
    }
}
