// y[f] = the a_len samples of a[f], then the b_len samples of b[f], for each frame f. A thread copies a sample.
struct Params {
    samples: u32,
    a_len: u32,
    b_len: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n >= p.samples) {
        return;
    }
    let frame = n / (p.a_len + p.b_len);
    let at = n % (p.a_len + p.b_len);
    if (at < p.a_len) {
        y[n] = a[frame * p.a_len + at];
    } else {
        y[n] = b[frame * p.b_len + at - p.a_len];
    }
}
