// The sum of what 256 threads of a workgroup hold, in pairs: for thread 0.
var<workgroup> sums: array<f32, 256>;

fn total(local: u32, own: f32) -> f32 {
    sums[local] = own;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            sums[local] += sums[local + half];
        }
    }
    return sums[0];
}
