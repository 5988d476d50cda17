// A correlation of any step and dilation: a thread takes a pixel of up to four output channels.
//
// Threads run along the pixels of the output. A sample is read, and its place found, once for the four channels. Cost: about
// twenty operations of all kinds for a tap of a thread.
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var n = group(id);
    if (n >= p.groups) {
        return;
    }
    let pixel = (n % p.tiles_x) * 256u + local;
    n /= p.tiles_x;
    let o = (n % p.blocks) * 4u;
    n /= p.blocks;
    let part = n % p.parts;
    n /= p.parts;
    let s = n / p.count;
    let j = n % p.count;
    if (pixel >= p.out_rows * p.out_cols) {
        return;
    }
    let top = i32(pixel / p.out_cols * p.step_r) - p.top;
    let left = i32(pixel % p.out_cols * p.step_c) - p.left;
    let begin = i32(p.first + p.every * j) - i32(p.dil_t * (p.kt - 1u));
    // Channels beyond the last do the last again.
    let taps = p.kt * p.kh * p.kw;
    let own = part * p.outs + min(vec4(o) + vec4(0u, 1u, 2u, 3u), vec4(p.outs - 1u));
    let kernel = own * p.ins * taps;
    var sum = vec4<f32>();
    for (var i = 0u; i < p.ins; i++) {
        let channel = part * p.ins + i;
        for (var a = 0u; a < p.kt; a++) {
            let f = begin + i32(p.dil_t * a);
            let old = f < 0;
            var plane: u32;
            if (old) {
                plane = in_past(s, f, channel);
            } else {
                plane = in_chunk(s, f, channel);
            }
            let stride = select(p.cols, p.p_row, old);
            for (var b = 0u; b < p.kh; b++) {
                let row = border(top + i32(p.dil_r * b), i32(p.rows), p.border);
                if (row < 0) {
                    continue;
                }
                let line = plane + u32(row) * stride;
                let w = kernel + ((i * p.kt + a) * p.kh + b) * p.kw;
                for (var e = 0u; e < p.kw; e++) {
                    let col = border(left + i32(p.dil_c * e), i32(p.cols), p.border);
                    if (col < 0) {
                        continue;
                    }
                    var v: f32;
                    if (old) {
                        v = past[line + u32(col)];
                    } else {
                        v = x[line + u32(col)];
                    }
                    if (p.outs == 1u) {
                        sum.x = fma(weights[w.x + e], v, sum.x);
                    } else {
                        let w = vec4(weights[w.x + e], weights[w.y + e], weights[w.z + e], weights[w.w + e]);
                        sum = fma(w, vec4(v), sum);
                    }
                }
            }
        }
    }
    let plane = p.out_rows * p.out_cols;
    let at = ((s * p.count + j) * (p.parts * p.outs) + own.x) * plane + pixel;
    y[at] = sum.x + bias_of(own.x);
    if (o + 1u < p.outs) {
        y[at + plane] = sum.y + bias_of(own.y);
    }
    if (o + 2u < p.outs) {
        y[at + 2u * plane] = sum.z + bias_of(own.z);
    }
    if (o + 3u < p.outs) {
        y[at + 3u * plane] = sum.w + bias_of(own.w);
    }
}
