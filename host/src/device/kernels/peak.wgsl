// Sixteen independent sums of four a thread, which no memory feeds: multiply-adds in registers.
struct Params {
    turns: u32,
    scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let w = vec4(p.scale);
    let x = vec4(f32(local) * 1e-3);
    var a = x; var b = x + 1.0; var c = x + 2.0; var d = x + 3.0;
    var e = x + 4.0; var f = x + 5.0; var g = x + 6.0; var h = x + 7.0;
    for (var i = 0u; i < p.turns; i++) {
        a = fma(a, w, x); b = fma(b, w, x); c = fma(c, w, x); d = fma(d, w, x);
        e = fma(e, w, x); f = fma(f, w, x); g = fma(g, w, x); h = fma(h, w, x);
        a = fma(a, w, x); b = fma(b, w, x); c = fma(c, w, x); d = fma(d, w, x);
        e = fma(e, w, x); f = fma(f, w, x); g = fma(g, w, x); h = fma(h, w, x);
    }
    let all = a + b + c + d + e + f + g + h;
    y[group(id) * 256u + local] = all.x + all.y + all.z + all.w;
}
