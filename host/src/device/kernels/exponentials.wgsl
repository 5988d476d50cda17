// Functions with an exponential, operation by operation those of foveola-core (exponentials.rs), where the equations are. T is f32 or
// a vector of it, U the same of u32. Devices may round a division to 2.5 units in the last place; the rest has the bits of the
// processor. A number beyond the range becomes infinite as there; p.zero is 0, which a compiler that refuses an infinite constant
// cannot know.
fn exponential(x: T) -> T {
    let shifted = x * 1.442695f + T(12582912.0f);
    let n = shifted - T(12582912.0f);
    let r = x - n * 0.69314575f - n * 1.4286068e-6f;
    let series = T(0.49999994f) + r * (T(0.16666521f) + r * (T(0.04166839f) + r * (T(0.008368717f) + r * 0.0013814591f)));
    let significand = T(1.0f) + (r + r * r * series);
    let y = bitcast<T>(bitcast<U>(significand) + (bitcast<U>(shifted) << U(23u)));
    let beyond = x + bitcast<T>(U(0x7f800000u | p.zero));
    return select(select(beyond, y, x <= T(88.72283f)), T(), x < T(-87.33654f));
}

fn softplus(x: T) -> T {
    let z = exponential(-abs(x));
    let v = z / (T(1.0f) + z * 0.5f);
    let s = v * v;
    let q = T(0.08333302f) + s * (T(0.012506729f) + s * (T(0.0021876313f) + s * 0.00054712227f));
    return select(T(), x, x > T()) + (v + v * (s * q));
}

fn logistic(x: T) -> T {
    let z = exponential(-abs(x));
    return select(z, T(1.0f), x >= T()) / (T(1.0f) + z);
}
