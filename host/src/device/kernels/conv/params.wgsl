// What all kernels of a correlation take; the equation stands in device/correlation.rs.
struct Params {
    // Workgroups; of those, along columns, rows and blocks of output channels.
    groups: u32,
    tiles_x: u32,
    tiles_y: u32,
    blocks: u32,
    // Groups of channels, and the channels of a group.
    parts: u32,
    ins: u32,
    outs: u32,
    // The kernel.
    kt: u32,
    kh: u32,
    kw: u32,
    dil_t: u32,
    dil_r: u32,
    dil_c: u32,
    step_r: u32,
    step_c: u32,
    top: i32,
    left: i32,
    border: u32,
    has_bias: u32,
    // The chunk.
    frames: u32,
    rows: u32,
    cols: u32,
    // The frames before it: a ring in the state.
    p_stream: u32,
    p_offset: u32,
    p_slots: u32,
    p_now: u32,
    p_row: u32,
    p_left: u32,
    // The output.
    streams: u32,
    count: u32,
    out_rows: u32,
    out_cols: u32,
    first: u32,
    every: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> past: array<f32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

// Where the pixels of a channel of frame f >= 0 begin in x; a row has p.cols samples.
fn in_chunk(s: u32, f: i32, channel: u32) -> u32 {
    return ((s * p.frames + u32(f)) * (p.parts * p.ins) + channel) * p.rows * p.cols;
}

// Where those of frame f < 0 begin in past; a row has p.p_row samples.
fn in_past(s: u32, f: i32, channel: u32) -> u32 {
    let slot = u32(i32(p.p_now + p.p_slots) + f) % p.p_slots;
    return s * p.p_stream + p.p_offset + (slot * (p.parts * p.ins) + channel) * p.rows * p.p_row + p.p_left;
}

fn bias_of(o: u32) -> f32 {
    if (p.has_bias == 0u) {
        return 0.0;
    }
    return bias[o];
}
