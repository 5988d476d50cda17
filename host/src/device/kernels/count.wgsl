// Events counted into frames of integers: y[index] += step, a thread an event of two words. The order does not matter.
struct Params {
    events: u32,
    // The first sample of the chunk.
    first: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> events: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<atomic<i32>>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let n = group(id) * 256u + local;
    if (n < p.events) {
        atomicAdd(&y[events[n].x - p.first], bitcast<i32>(events[n].y));
    }
}
