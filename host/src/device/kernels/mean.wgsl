// Means: y[k] = sum of x[k * apart ..][.. samples] * scale, by `parts` workgroups for each k, whose sums a second turn adds. A thread
// adds in one chain: samples / (256 parts) additions, with a part for each 16384 samples, up to 256 parts.
struct Params {
    // Workgroups in all.
    all: u32,
    // Samples of a mean; where the next begins; workgroups for each.
    samples: u32,
    apart: u32,
    parts: u32,
    scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id);
    if (n >= p.all) {
        return;
    }
    let first = (n / p.parts) * p.apart;
    var sum = 0.0;
    for (var i = (n % p.parts) * 256u + local; i < p.samples; i += p.parts * 256u) {
        sum += x[first + i];
    }
    let all = total(local, sum);
    if (local == 0u) {
        y[n] = all * p.scale;
    }
}
