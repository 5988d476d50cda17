// A correlation in time alone: y[j] = bias + sum_i sum_a w[i, a] x[first + every j - dil (kt-1-a), i], pixel by pixel.
//
// A thread takes four pixels, 64 apart, and eight output frames, so far apart that an input frame that one of them needs is one that
// the others need too: with d = dil / gcd(dil, every), frames j, j + d, ... lie m = every / gcd taps apart. An input frame is read
// once for all of them. Cost: (kt + 7 m) / 8 samples read for one written, and two operations a tap.
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn gcd(a: u32, b: u32) -> u32 {
    var u = a;
    var v = b;
    while (v != 0u) {
        let rest = u % v;
        u = v;
        v = rest;
    }
    return u;
}

// The four pixels of output frame j, if there are such.
fn store(s: u32, j: u32, o: u32, pixel: u32, sums: vec4<f32>) {
    if (j >= p.count) {
        return;
    }
    let pixels = p.rows * p.cols;
    let at = ((s * p.count + j) * (p.parts * p.outs) + o) * pixels + pixel;
    let b = bias_of(o);
    if (pixel < pixels) {
        y[at] = sums.x + b;
    }
    if (pixel + 64u < pixels) {
        y[at + 64u] = sums.y + b;
    }
    if (pixel + 128u < pixels) {
        y[at + 128u] = sums.z + b;
    }
    if (pixel + 192u < pixels) {
        y[at + 192u] = sums.w + b;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var n = group(id);
    if (n >= p.groups) {
        return;
    }
    let from_pixel = (n % p.tiles_x) * 256u + local;
    n /= p.tiles_x;
    let part = n % p.parts;
    n /= p.parts;
    let o = part * p.outs + n % p.outs;
    n /= p.outs;
    // The first of its frames: number n % apart of each apart OUTPUTS.
    let both = gcd(p.dil_t, p.every);
    let apart = p.dil_t / both;
    let m = p.every / both;
    let sets = p.tiles_y;
    let s = n / sets;
    n %= sets;
    let j = n / apart * (apart * OUTPUTS) + n % apart;
    if (j >= p.count) {
        return;
    }
    let pixels = p.rows * p.cols;
    // Pixels beyond the last read the last.
    let pixel = min(vec4(from_pixel) + vec4(0u, 64u, 128u, 192u), vec4(pixels - 1u));
    let old = pixel / p.cols * p.p_row + pixel % p.cols;
    let begin = i32(p.first + p.every * j) - i32(p.dil_t * (p.kt - 1u));
    let some = min(OUTPUTS, (p.count - j + apart - 1u) / apart);
    let last = p.kt + m * (some - 1u);
    SUMS
    for (var i = 0u; i < p.ins; i++) {
        let channel = part * p.ins + i;
        let w = (o * p.ins + i) * p.kt;
        for (var a = 0u; a < last; a++) {
            let f = begin + i32(p.dil_t * a);
            var v: vec4<f32>;
            if (f < 0) {
                let at = in_past(s, f, channel) + old;
                v = vec4(past[at.x], past[at.y], past[at.z], past[at.w]);
            } else {
                let at = in_chunk(s, f, channel) + pixel;
                v = vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
            }
            ADD
        }
    }
    STORE
}
