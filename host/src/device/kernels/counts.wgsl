// Integers become samples, where they lie.
struct Params {
    samples: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n < p.samples) {
        y[n] = bitcast<u32>(f32(bitcast<i32>(y[n])));
    }
}
