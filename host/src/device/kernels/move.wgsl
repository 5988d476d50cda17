// Frames copied by a list: y[s, to, i, r, c] = x[s, from, i, r, border(c - left)], or of a ring, or a number.
//
// The list has three words a frame: the frame `to` of the destination; 0 for the chunk, 1 for the ring, 2 for a number, 3 for the
// mean; and the frame's index, or the number. A thread takes four samples, a workgroup apart: finding a place takes longer than
// copying a sample. Cost: a sample read, a sample written.
struct Params {
    samples: u32,
    // Frames of the list, channels and rows of a frame.
    frames: u32,
    channels: u32,
    rows: u32,
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

struct Place {
    s: u32,
    k: u32,
    i: u32,
    r: u32,
    c: u32,
}

fn place(n: u32) -> Place {
    let in_stream = n % p.of_stream;
    let in_frame = in_stream % p.of_frame;
    let in_channel = in_frame % p.of_channel;
    return Place(n / p.of_stream, in_stream / p.of_frame, in_frame / p.of_channel, in_channel / p.of_row, in_channel % p.of_row);
}

// The place a workgroup further, where rows are no shorter than that.
fn further(from_place: Place) -> Place {
    var at = from_place;
    at.c += 256u;
    if (at.c >= p.of_row) {
        at.c -= p.of_row;
        at.r++;
        if (at.r == p.rows) {
            at.r = 0u;
            at.i++;
            if (at.i == p.channels) {
                at.i = 0u;
                at.k++;
                if (at.k == p.frames) {
                    at.k = 0u;
                    at.s++;
                }
            }
        }
    }
    return at;
}

fn copy(at: Place) {
    let in_frame = at.i * p.of_channel + at.r * p.of_row + at.c;
    let c = border(i32(at.c) - i32(p.left), i32(p.cols), p.mode);
    let kind = list[3u * at.k + 1u];
    let source = list[3u * at.k + 2u];
    var value = 0.0;
    if (c >= 0) {
        if (kind == 0u) {
            value = x[at.s * p.from_stream + source * p.from_frame + at.i * p.from_channel + at.r * p.from_row + u32(c)];
        } else if (kind == 1u) {
            value = past[p.ring + at.s * p.ring_stream + source * p.of_frame + in_frame];
        } else if (kind == 2u) {
            value = bitcast<f32>(source);
        } else {
            value = mean[at.s * p.mean_stream];
        }
    }
    y[p.to + at.s * p.to_stream + list[3u * at.k] * p.of_frame + in_frame] = value;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = group(id) * 1024u + local;
    if (first >= p.samples) {
        return;
    }
    var at = place(first);
    copy(at);
    for (var n = first + 256u; n < min(first + 1024u, p.samples); n += 256u) {
        if (p.of_row < 256u) {
            at = place(n);
        } else {
            at = further(at);
        }
        copy(at);
    }
}
