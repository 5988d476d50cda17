// y[s, t, i, pixel] = x[s, t - delay[pixel], i, pixel]; what came before the chunk lies in a ring of `slots` frames.
struct Params {
    samples: u32,
    of_stream: u32,
    of_frame: u32,
    pixels: u32,
    ring: u32,
    slots: u32,
    // The slot of the chunk's first frame.
    now: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> past: array<f32>;
@group(0) @binding(3) var<storage, read> delays: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n >= p.samples) {
        return;
    }
    let s = n / p.of_stream;
    let in_stream = n % p.of_stream;
    let t = in_stream / p.of_frame;
    let in_frame = in_stream % p.of_frame;
    let delay = delays[in_frame % p.pixels];
    if (t >= delay) {
        y[n] = x[n - delay * p.of_frame];
    } else {
        let slot = (p.now + p.slots - (delay - t)) % p.slots;
        y[n] = past[p.ring + (s * p.slots + slot) * p.of_frame + in_frame];
    }
}
