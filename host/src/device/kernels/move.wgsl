// Frames copied by a list: y[s, to, i, r, c] = x[s, from, i, r, border(c - left)], or of a ring, or a number.
//
// The list has three words a frame: the frame `to` of the destination; 0 for the chunk, 1 for the ring, 2 for a number, 3 for the
// mean; and the frame's index, or the number. A thread takes a sample. Cost: a sample read, a sample written.
struct Params {
    samples: u32,
    // Samples of a stream, of a frame, of a channel and of a row that are written, and how far apart they lie.
    of_stream: u32,
    of_frame: u32,
    of_channel: u32,
    of_row: u32,
    to: u32,
    to_stream: u32,
    left: u32,
    cols: u32,
    mode: u32,
    from_stream: u32,
    from_frame: u32,
    from_channel: u32,
    from_row: u32,
    ring: u32,
    ring_stream: u32,
    // 1 where each stream has a mean of its own.
    mean_stream: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> past: array<f32>;
@group(0) @binding(3) var<storage, read> mean: array<f32>;
@group(0) @binding(4) var<storage, read> list: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n >= p.samples) {
        return;
    }
    let s = n / p.of_stream;
    let in_stream = n % p.of_stream;
    let k = in_stream / p.of_frame;
    let in_frame = in_stream % p.of_frame;
    let i = in_frame / p.of_channel;
    let in_channel = in_frame % p.of_channel;
    let r = in_channel / p.of_row;
    let c = border(i32(in_channel % p.of_row) - i32(p.left), i32(p.cols), p.mode);
    let kind = list[3u * k + 1u];
    let source = list[3u * k + 2u];
    var value = 0.0;
    if (c >= 0) {
        if (kind == 0u) {
            value = x[s * p.from_stream + source * p.from_frame + i * p.from_channel + r * p.from_row + u32(c)];
        } else if (kind == 1u) {
            value = past[p.ring + s * p.ring_stream + source * p.of_frame + in_frame];
        } else if (kind == 2u) {
            value = bitcast<f32>(source);
        } else {
            value = mean[s * p.mean_stream];
        }
    }
    y[p.to + s * p.to_stream + list[3u * k] * p.of_frame + in_frame] = value;
}
