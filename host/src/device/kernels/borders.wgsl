// The borders of rows: y[row, c] = y[row, left + border(c - left)] for the columns c beside the pixels. A thread takes a sample.
struct Params {
    samples: u32,
    // Samples of a row beside its pixels, before them, and in all.
    beside: u32,
    left: u32,
    row: u32,
    cols: u32,
    mode: u32,
    at: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n >= p.samples) {
        return;
    }
    let row = p.at + (n / p.beside) * p.row;
    let k = n % p.beside;
    let c = select(k, k + p.cols, k >= p.left);
    let source = border(i32(c) - i32(p.left), i32(p.cols), p.mode);
    var value = 0.0;
    if (source >= 0) {
        value = y[row + p.left + u32(source)];
    }
    y[row + c] = value;
}
