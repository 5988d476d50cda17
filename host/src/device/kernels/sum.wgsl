// y[o, i] = sum of x[o, n, i] over n, of an array of `outer x count x inner` samples. A thread takes a sum, in chains of 64 additions
// whose results are added: off by at most (64 + count / 64) u of the sum of magnitudes, u = 6e-8.
struct Params {
    sums: u32,
    count: u32,
    inner: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let k = group(id) * 256u + local;
    if (k >= p.sums) {
        return;
    }
    let first = (k / p.inner) * p.inner * p.count + k % p.inner;
    var sum = 0.0;
    for (var n = 0u; n < p.count;) {
        let end = min(n + 64u, p.count);
        var chain = 0.0;
        for (; n < end; n++) {
            chain += x[first + n * p.inner];
        }
        sum += chain;
    }
    y[k] = sum;
}
