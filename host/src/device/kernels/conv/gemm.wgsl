// A correlation of many channels as a product: y = w X, where w has a row for each output channel and a column for each tap,
// and X the sample under each tap (rows) for each pixel of each output frame (columns), gathered as they are needed.
//
// A workgroup takes 4 ACROSS channels of 1024 / ACROSS pixels, a thread four by four, sixteen taps at a time through workgroup
// memory. `table` lists the taps: channel, frames back, rows, columns. Cost: two operations a tap, and some forty instructions
// for each sample gathered, which serves 4 ACROSS channels.
const PIXELS = 1024u / ACROSS;
// Taps at a time, and rows of X that the threads gather at once.
const STEP = 16u;
const AT_ONCE = 256u / PIXELS;
@group(0) @binding(5) var<storage, read> table: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
// A row of w is one vector longer than it need be, for threads that write below each other to meet different banks.
const ROW = ACROSS + 1u;
var<workgroup> w_tile: array<vec4<f32>, STEP * ROW>;
var<workgroup> x_tile: array<vec4<f32>, STEP * PIXELS / 4u>;

// The sums of four channels for one pixel, if there are such.
fn store(part: u32, o: u32, pixel: u32, sums: vec4<f32>) {
    let plane = p.out_rows * p.out_cols;
    if (pixel >= p.streams * p.count * plane) {
        return;
    }
    let all = p.parts * p.outs;
    let own = part * p.outs + o;
    let at = (pixel / plane * all + own) * plane + pixel % plane;
    if (o < p.outs) {
        y[at] = sums.x + bias_of(own);
    }
    if (o + 1u < p.outs) {
        y[at + plane] = sums.y + bias_of(own + 1u);
    }
    if (o + 2u < p.outs) {
        y[at + 2u * plane] = sums.z + bias_of(own + 2u);
    }
    if (o + 3u < p.outs) {
        y[at + 3u * plane] = sums.w + bias_of(own + 3u);
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var n = group(id);
    if (n >= p.groups) {
        return;
    }
    let begin = (n % p.tiles_x) * PIXELS;
    n /= p.tiles_x;
    let first_out = (n % p.blocks) * (4u * ACROSS);
    let part = n / p.blocks;
    let taps = p.ins * p.kt * p.kh * p.kw;
    let plane = p.out_rows * p.out_cols;
    let pixels = p.streams * p.count * plane;
    // The pixel whose column of X this thread gathers; those beyond the last do the last again.
    let own = local % PIXELS;
    let pixel = min(begin + own, pixels - 1u);
    let frame = pixel / plane;
    let top = i32(pixel % plane / p.out_cols * p.step_r) - p.top;
    let left = i32(pixel % p.out_cols * p.step_c) - p.left;
    let s = frame / p.count;
    let now = i32(p.first + p.every * (frame % p.count));
    // The corner of this thread in the product.
    let ox = local % ACROSS;
    let px = local / ACROSS;
    var y0 = vec4<f32>();
    var y1 = vec4<f32>();
    var y2 = vec4<f32>();
    var y3 = vec4<f32>();
    for (var k = 0u; k < taps; k += STEP) {
        let some = min(STEP, taps - k);
        workgroupBarrier();
        for (var r = local / PIXELS; r < some; r += AT_ONCE) {
            let tap = table[k + r];
            let row = border(top + i32(tap.z), i32(p.rows), p.border);
            let col = border(left + i32(tap.w), i32(p.cols), p.border);
            let f = now - i32(tap.y);
            var v = 0.0;
            if ((row | col) >= 0) {
                if (f >= 0) {
                    v = x[in_chunk(s, f, part * p.ins + tap.x) + u32(row) * p.cols + u32(col)];
                } else {
                    v = past[in_past(s, f, part * p.ins + tap.x) + u32(row) * p.p_row + u32(col)];
                }
            }
            x_tile[(r * PIXELS + own) / 4u][own % 4u] = v;
        }
        for (var c = local; c < STEP * 4u * ACROSS; c += 256u) {
            let r = c % STEP;
            let o = c / STEP;
            if (r < some) {
                let from_out = part * p.outs + min(first_out + o, p.outs - 1u);
                w_tile[r * ROW + o / 4u][o % 4u] = weights[from_out * taps + k + r];
            }
        }
        workgroupBarrier();
        for (var r = 0u; r < some; r++) {
            let w = w_tile[r * ROW + ox];
            let v = x_tile[r * (PIXELS / 4u) + px];
            y0 = fma(vec4(w.x), v, y0);
            y1 = fma(vec4(w.y), v, y1);
            y2 = fma(vec4(w.z), v, y2);
            y3 = fma(vec4(w.w), v, y3);
        }
    }
    let at = begin + 4u * px;
    let o = first_out + 4u * ox;
    store(part, o, at, vec4(y0.x, y1.x, y2.x, y3.x));
    store(part, o, at + 1u, vec4(y0.y, y1.y, y2.y, y3.y));
    store(part, o, at + 2u, vec4(y0.z, y1.z, y2.z, y3.z));
    store(part, o, at + 3u, vec4(y0.w, y1.w, y2.w, y3.w));
}
